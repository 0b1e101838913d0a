"""Scoring a saved model shows how far it is, in numbers that fit."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo import evaluation, saved


@pytest.mark.parametrize("limit", [None, 100])
def test_shows_how_far_it_is(limit: int | None) -> None:
    shown: list[Any] = []

    @contextlib.contextmanager
    def show(what: str, total: int | None) -> Iterator[Any]:
        shown.append((what, total))
        yield shown.append

    found = evaluation.evaluate(saved.load("classify-perceptron-digits"), limit=limit, show=show)
    assert shown[0] == ("test", limit or 359)
    assert shown[1:] == sorted(shown[1:])
    assert shown[-1] == found["examples"] == (limit or 359)


def test_a_tenth_of_your_own_table_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, model = tmp_path / "mine.csv", saved.load("sentiment-gru-reviews")
    table.write_text("text,label\n" + "".join(f"film {i} is fine,{model.assets['labels'][i % 2]}\n" for i in range(40)))
    assert evaluation.evaluate(model, str(table))["examples"] == 4
    said = capsys.readouterr().err
    assert "mine: scored on test alone" in said
    assert "--split all scores every example" in said
    assert evaluation.evaluate(model, str(table), "all")["examples"] == 40
    assert "alone" not in capsys.readouterr().err


def test_two_rows_are_scored_as_a_whole(tmp_path: Path) -> None:
    table, model = tmp_path / "two.csv", saved.load("sentiment-gru-reviews")
    table.write_text("text,label\n" + "".join(f"a fine film,{label}\n" for label in model.assets["labels"]))
    assert evaluation.evaluate(model, str(table), "all")["examples"] == 2
