"""The tables of the board, from made-up measurements."""

import importlib
from pathlib import Path

import pytest

from zoo import cells
from zoo.task import installed

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def tables(monkeypatch):
    if not SCRIPTS.is_dir():
        pytest.skip("needs a clone")
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("board_tables")


def cell(*scores, p=None, change=0.1):
    difference = None if p is None else {"difference": change, "p_holm": p}
    runs = {
        str(seed): {"test": score, "validation": score, "minutes": 0.5, "examples_per_second": 10.0}
        for seed, score in enumerate(scores, 1)
    }
    return {"units": 8, "parameters": 1_234, "difference": difference, "runs": runs}


def row(higher=True, **own):
    return {
        "task": "tag", "dataset": "clips", "monitor": "accuracy" if higher else "loss", "higher_is_better": higher,
        "parameters": 1_200, "preset": "board", "sizes": {"train": 10, "test": 5}, "refused": {"sru": "No."},
        "machine": {"threads": 2, "cores": 2, "versions": {"keras": "3", "backend": "jax"}}, "notes": ["A note."],
        "cells": own,
    }  # fmt: skip


ROWS = {
    "tag": row(
        lstm=cell(0.5, 0.6, 0.7), gru=cell(0.8, 0.9, 0.65, p=0.01), simple_rnn=cell(0.1, 0.2, 0.3, p=0.2, change=-0.4)
    ),
    "charlm": row(higher=False, lstm=cell(2.0, 2.2, 2.1), gru=cell(1.0, 1.2, p=0.04, change=-1.0)),
}


def test_a_row_keeps_cells_and_seeds_of_an_earlier_measurement(tables):
    p = lambda value: {"difference": 0.1, "p": value, "p_holm": value}  # noqa: E731
    earlier = row(lstm=cell(0.5), gru=cell(0.8, 0.9) | {"difference": p(0.03)}, sru=cell(0.7) | {"difference": p(0.01)})
    later = row(lstm=cell(0.4), gru=cell(0.1) | {"difference": p(0.9)}, lru=cell(0.6) | {"difference": p(0.04)})
    for item, notes in ((earlier, ["Old.", "Both."]), (later, ["Both.", "New."])):
        item.update(settings={"epochs": 3}, notes=notes, refused={"sru": "Was.", "ssru": "No."})
    found = tables.joined(earlier, later)
    assert {name: tables.tests(item) for name, item in found["cells"].items()} == {
        "lstm": [0.4], "gru": [0.8, 0.9], "sru": [0.7], "lru": [0.6],
    }  # fmt: skip
    corrected = {name: item["difference"]["p_holm"] for name, item in found["cells"].items() if item["difference"]}
    assert corrected == pytest.approx({"sru": 0.03, "gru": 0.06, "lru": 0.06})
    assert found["notes"] == ["Old.", "Both.", "New."]
    assert found["refused"] == {"ssru": "No."}
    assert tables.joined({**earlier, "settings": {"epochs": 4}}, later) == later
    assert tables.joined(None, later) == later


def test_ranks_are_those_of_means_with_their_range_over_seeds(tables):
    assert tables.ranks(ROWS["tag"]) == {"lstm": (2, 1, 2), "gru": (1, 1, 2), "simple_rnn": (3, 3, 3)}


def test_seeds_that_a_cell_lacks_give_no_ranks_and_lower_is_better_in_a_loss(tables):
    assert tables.ranks(ROWS["charlm"]) == {"lstm": (2, 2, 2), "gru": (1, 1, 1)}


def test_equal_scores_share_a_rank(tables):
    assert tables._ranked({"a": 0.5, "b": 0.5, "c": 0.9}, True) == {"a": 2.5, "b": 2.5, "c": 1}


def test_cells_are_ordered_by_mean_rank_and_those_that_are_missing_somewhere_come_last(tables):
    assert tables.ordered(ROWS) == [("gru", 1), ("lstm", 2), ("simple_rnn", None)]


def test_the_table_marks_what_is_beyond_chance_and_says_what_is_missing(tables):
    _, _, gru, lstm, simple = tables.scores(ROWS).splitlines()
    assert "0.7833 ± 0.1258 ▲ | 1.1000 ± 0.1414 ▲ (2 of 3 seeds) | 1.0 |" in gru
    assert "| `lstm` | 0.6000 ± 0.1000 | 2.1000 ± 0.1000 | 2.0 |" in lstm
    assert "| `simple_rnn` | 0.2000 ± 0.1000 |  |  |" in simple


def test_facts_name_seeds_and_what_is_left_out(tables):
    text = tables.facts(ROWS)
    assert "seeds 1, 2, 3" in text
    assert "`sru` is left out: No." in text
    assert "A note." in text


def test_the_picture_is_drawn(tables, tmp_path):
    tables.draw(tmp_path / "board.png", ROWS)
    assert (tmp_path / "board.png").read_bytes().startswith(b"\x89PNG")


def test_every_task_has_a_row_and_every_row_a_preset(tables):
    board = importlib.import_module("board")
    assert {item.task for item in board.SHORT.values()} == set(installed())
    for item in (*board.SHORT.values(), *board.LONG.values()):
        recipe = installed()[item.task].recipe
        settings = {**recipe.presets[item.preset], **item.settings}
        assert recipe.train(**settings).epochs >= 1
    assert board.FIRST in cells.TABLE
