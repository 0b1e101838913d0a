"""`zoo compare` as users type it: errors before Keras is imported; a grid that is interrupted and resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from zoo import cells
from zoo.cells import arguments
from zoo.cli import cli
from zoo.comparison import report
from zoo.errors import UserError
from zoo.settings import seeds
from zoo.task import find


def typed(*words):
    result = CliRunner().invoke(cli, ["compare", *words])
    return result.exception, result.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("classify --cells gur", "No cell is called 'gur'; did you mean 'gru'?"),
        ("classify --cells gru,lstn", "No cell is called 'lstn'; did you mean 'lstm'?"),
        ("classify --cells ,", "--cells names no cell"),
        ("classify --cells gru --seeds 1,two", "give whole numbers"),
        ("classify --cells gru --seeds 4294967296", "a seed is at most 4,294,967,295"),
        ("classify --cells gru --parameters 900 --units 8", "leave --units out"),
        ("classify --cells gru --dataset mnits", "did you mean 'mnist'?"),
    ],
)
def test_what_cannot_be_had_is_refused_at_once(words, told):
    error, _ = typed(*words.split())
    assert isinstance(error, UserError)
    assert told in str(error)
    assert not Path("comparisons").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("clasify --cells gru", "Did you mean 'classify'?"),
        ("classify", "Missing option '--cells'"),
        ("classify --cells gru --preset tinny", "Did you mean 'tiny'?"),
        ("classify --cells gru --seed 3", "No such option"),
        ("classify --cells gru --processes 0", "0 is not in the range"),
    ],
)
def test_what_click_refuses(words, told):
    _, output = typed(*words.split())
    assert told in output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("sentiment-gru-imdb nowhere", "No saved model is called 'nowhere'"),
        ("models nowhere sentiment-gru-imdb", "No saved model is called 'nowhere'"),
        ("sentiment-gru-imdb sentiment-gru-reviews --dataset imdb_review", "did you mean 'imdb_reviews'?"),
    ],
)
def test_two_models_are_checked_at_once(words, told):
    error, _ = typed(*words.split())
    assert isinstance(error, UserError)
    assert told in str(error)


def test_all_is_every_recurrent_cell():
    recipe = find("classify").recipe
    known = dict.fromkeys(cells.TABLE, "") | dict(recipe.cells)
    assert arguments.cell_names("all", known, cells.TABLE) == tuple(cells.TABLE)
    assert arguments.cell_names("perceptron, gru,gru", known, cells.TABLE) == ("perceptron", "gru")


def test_seeds_are_each_used_once():
    assert seeds("3,1, 3") == (3, 1)


FIRST = {
    "difference": 0.05,
    "low": 0.01,
    "high": 0.09,
    "p": 0.01,
    "p_holm": 0.02,
    "p_examples": 0.01,
    "covers": "seeds",
}


def results(**changes):
    spread = {"mean": 0.5, "std": 0.01, "min": 0.49, "max": 0.51}
    runs = [{"validation": {"accuracy": 0.5}, "test": {"accuracy": value}} for value in (0.49, 0.51)]
    row = {
        "cell": "gru", "units": 8, "parameters": 1_234, "validation": spread, "test": spread, "minutes": 1.25,
        "examples_per_second": 1_500.4, "difference": None, "runs": runs,
    }  # fmt: skip
    rows = [row, {**row, "cell": "lstm", "difference": {**FIRST, **changes}}]
    return {
        "task": "classify", "dataset": "digits", "monitor": "accuracy", "higher_is_better": True, "seeds": [1, 2],
        "first": "gru", "cells": rows, "notes": ["a note"],
    }  # fmt: skip


def test_the_table_has_every_number():
    head, names, gru, lstm, *others = report.lines(results())
    assert "classify on digits: accuracy (higher is better)" in head
    assert names.split()[:3] == ["cell", "units", "parameters"]
    assert gru.split() == [
        "gru",
        "8",
        "1,234",
        "0.5000",
        "±",
        "0.0100",
        "0.5000",
        "±",
        "0.0100",
        "-",
        "-",
        "-",
        "1.2",
        "1,500",
    ]
    assert "+0.0500  +0.0100 to +0.0900  0.020" in lstm
    assert others[-2:] == ["lstm vs gru: better (seeds)", "a note"]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"p_holm": 0.06}, "no clear difference"),
        ({"p_holm": None, "low": None, "high": None}, "no clear difference"),
        ({"difference": -0.05}, "worse"),
    ],
)
def test_a_verdict_needs_a_p_value_below_5_percent(changes, verdict):
    assert f"lstm vs gru: {verdict} (seeds)" in list(report.lines(results(**changes)))


def test_lower_is_better_turns_the_verdict_around():
    assert "lstm vs gru: worse (seeds)" in list(report.lines({**results(), "higher_is_better": False}))


def test_the_chart_is_drawn_and_the_results_are_json(tmp_path):
    report.write(tmp_path, results())
    assert json.loads((tmp_path / report.RESULTS).read_text()) == results()
    assert (tmp_path / report.CHART).read_bytes().startswith(b"\x89PNG")


WORDS = "compare classify --preset tiny --cells gru,simple_rnn --seeds 1,2 --parameters 2000 --output out --limit 100"


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_an_interrupted_grid_goes_on_and_repeats_nothing(tmp_path):
    command = [sys.executable, "-m", "zoo", *WORDS.split()]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores interrupts, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    out = tmp_path / "out"
    until = time.monotonic() + 1_200  # only a hang takes that long
    while not list(out.glob("statistics/*.npz")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130, said
    assert "Finished trainings are kept in out. The same command goes on" in said
    before = {file: file.stat().st_mtime_ns for file in out.glob("*/metrics.json")}
    assert 1 <= len(before) < 4

    done = subprocess.run([*command, "--json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {file: file.stat().st_mtime_ns for file in before} == before
    found = json.loads(done.stdout)
    assert found == json.loads((out / "results.json").read_text())
    assert [(row["cell"], [run["seed"] for run in row["runs"]]) for row in found["cells"]] == [
        ("gru", [1, 2]), ("simple_rnn", [1, 2]),
    ]  # fmt: skip
    assert all(abs(row["parameters"] - 2_000) <= 100 for row in found["cells"])
    assert found["cells"][1]["difference"]["covers"] == "seeds and examples"
    assert found["cells"][0]["runs"][0]["threads"] >= 1

    other = subprocess.run([*command, "--epochs", "2"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (other.returncode, other.stdout) == (2, "")
    assert "epochs (1 -> 2)" in other.stderr
    assert {file: file.stat().st_mtime_ns for file in before} == before
