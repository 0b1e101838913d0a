"""scripts/publish.py: the best of several seeds by validation, one scoring of the test split, the ledger."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from zoo import saved, training
from zoo.task import find

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture(scope="module")
def candidates(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("candidates")
    task = find("classify")
    for seed in (1, 2):
        recipe = task.recipe.train(units=8, epochs=2, limit=300, seed=seed, score_test=False)
        training.train(task, recipe, folder / f"seed-{seed}", plot=False)
    return [folder / "seed-1", folder / "seed-2"]


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The script's command, with a ledger and a folder of models of its own."""
    monkeypatch.syspath_prepend(SCRIPTS)
    script, ledger = importlib.import_module("publish"), importlib.import_module("ledger")
    monkeypatch.setattr(ledger, "PATH", tmp_path / "ledger.json")
    yield lambda *arguments: script.main([str(part) for part in (*arguments, "--models-dir", tmp_path)])
    for name in ("publish", "ledger"):
        sys.modules.pop(name, None)


def test_the_best_by_validation_is_scored_once(candidates: list[Path], tmp_path: Path, publish: Any) -> None:
    before = [json.loads((path / "metrics.json").read_text())["scores"] for path in candidates]
    assert [scores["test"] for scores in before] == [{}, {}]
    publish("digits", *candidates)
    validation = [scores["validation"]["accuracy"] for scores in before]
    (row,) = json.loads((tmp_path / "ledger.json").read_text())
    model = saved.load(tmp_path / "digits")
    assert model.recipe.seed == 1 + validation.index(max(validation))
    assert row["candidates"]["seeds"] == {str(i): pytest.approx(v, abs=1e-5) for i, v in enumerate(validation, 1)}
    assert model.metrics["scores"]["test"]["accuracy"] == pytest.approx(row["scores"]["accuracy"], abs=1e-6)
    with pytest.raises(SystemExit, match="A split that was looked at flatters"):
        publish("digits", *candidates)
    publish("digits", *candidates, "--again", "a test")
    rows = json.loads((tmp_path / "ledger.json").read_text())
    assert [row.get("again") for row in rows] == [None, "a test"]
    with pytest.raises(SystemExit, match="has a test score already"):
        publish("other", tmp_path / "digits")


def test_paths_of_this_machine_are_not_published(publish: Any) -> None:
    script = importlib.import_module("publish")
    recipe = {
        "train": {"dataset": "/some/where/train.csv", "seed": 1},
        "command": "zoo train x --dataset /some/where/train.csv --name y",
    }
    assert script.without_paths(recipe) == {
        "train": {"dataset": "train.csv", "seed": 1, "score_test": True},
        "command": "zoo train x --dataset train.csv",
    }
