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
    script, describe, ledger = (importlib.import_module(name) for name in ("publish", "describe", "ledger"))
    monkeypatch.setattr(ledger, "PATH", tmp_path / "ledger.json")
    monkeypatch.setattr(describe, "MODELS", tmp_path)
    yield lambda *arguments: script.main([str(part) for part in (*arguments, "--models-dir", tmp_path)])
    for name in ("publish", "describe", "ledger"):
        sys.modules.pop(name, None)


def test_the_best_by_validation_is_scored_once(candidates: list[Path], tmp_path: Path, publish: Any) -> None:
    before = [json.loads((path / "metrics.json").read_text())["scores"] for path in candidates]
    assert [scores["test"] for scores in before] == [{}, {}]
    assert f"validation accuracy {before[0]['validation']['accuracy']:.4f}" in repr(saved.load(candidates[0]))
    publish("digits", *candidates)
    validation = [scores["validation"]["accuracy"] for scores in before]
    (row,) = json.loads((tmp_path / "ledger.json").read_text())
    model = saved.load(tmp_path / "digits")
    assert model.recipe.seed == 1 + validation.index(max(validation))
    assert row["candidates"]["seeds"] == {str(i): pytest.approx(v, abs=1e-5) for i, v in enumerate(validation, 1)}
    assert model.metrics["scores"]["test"]["accuracy"] == pytest.approx(row["scores"]["accuracy"], abs=1e-6)
    with pytest.raises(SystemExit, match="A split that was looked at flatters"):
        publish("digits", *candidates)
    with pytest.raises(SystemExit, match="was scored on test of"):
        publish("digits", *candidates, "--split", "train", "--also", "test")
    publish("digits", *candidates, "--again", "a test")
    rows = json.loads((tmp_path / "ledger.json").read_text())
    assert [row.get("again") for row in rows] == [None, "a test"]
    with pytest.raises(SystemExit, match="has a test score already"):
        publish("other", tmp_path / "digits")


def test_the_one_scoring_also_gives_interval_baselines_and_the_row_for_the_card(
    candidates: list[Path], tmp_path: Path, publish: Any
) -> None:
    (candidates[0] / "measured.json").write_text('{"latency": {"of another model": 1.0}}')
    publish("digits", candidates[0])
    (candidates[0] / "measured.json").unlink()
    measured = json.loads((tmp_path / "digits" / "measured.json").read_text())
    rows = json.loads((tmp_path / "ledger.json").read_text())
    score, interval = rows[0]["scores"]["accuracy"], measured["interval"]
    assert interval["score"] == "accuracy"
    assert 0 < interval["low"] < score < interval["high"] < 1
    assert measured["scores"]["accuracy"] == pytest.approx(score, abs=1e-6)
    assert measured["examples"] == measured_examples(tmp_path / "digits")
    assert measured["baselines"]["most frequent label"]["accuracy"] < score
    assert measured["scorings"] == [{key: value for key, value in rows[0].items() if key != "model"}]
    assert "latency" not in measured
    card = (tmp_path / "digits" / "README.md").read_text()
    assert f"| {rows[0]['date']} | {rows[0]['commit']} | test | accuracy {score:.4f} | 1 seed, validation " in card
    assert "the test split was scored after that choice" in card


def test_further_splits_are_scored_once_as_well(candidates: list[Path], tmp_path: Path, publish: Any) -> None:
    publish("digits", candidates[0], "--also", "train")
    rows = json.loads((tmp_path / "ledger.json").read_text())
    assert [row["split"] for row in rows] == ["test", "train"]
    scores = saved.load(tmp_path / "digits").metrics["scores"]
    assert {split: scores[split]["accuracy"] for split in ("test", "train")} == {
        row["split"]: pytest.approx(row["scores"]["accuracy"], abs=1e-6) for row in rows
    }
    assert "| train |" in (tmp_path / "digits" / "README.md").read_text()


def measured_examples(path: Path) -> int:
    return json.loads((path / "metrics.json").read_text())["data"]["sizes"]["test"]


def test_a_published_model_is_scored_again_only_for_a_reason(
    candidates: list[Path], tmp_path: Path, publish: Any
) -> None:
    describe, ledger = importlib.import_module("describe"), importlib.import_module("ledger")
    publish("digits", candidates[0])
    with pytest.raises(SystemExit, match="needs --again REASON"):
        describe.main(["digits", "--parts", "scores"])
    describe.main(["digits", "--parts", "scores", "--again", "for a test"])
    first, second = ledger.read()
    assert second["scores"] == first["scores"]
    assert (first.get("again"), second["again"]) == (None, "for a test")
    assert "candidates" not in second
    assert json.loads((tmp_path / "digits" / "measured.json").read_text())["scorings"] == ledger.for_card("digits")
    describe.main(["digits", "--parts", "scores", "--split", "train"])  # nobody has looked at that one
    assert "again" not in ledger.read()[-1]
    scores = saved.load(tmp_path / "digits").metrics["scores"]
    assert scores["train"]["accuracy"] == pytest.approx(ledger.read()[-1]["scores"]["accuracy"], abs=1e-6)
    assert scores["test"]["accuracy"] == pytest.approx(first["scores"]["accuracy"], abs=1e-6)
    first["scores"]["accuracy"] -= 0.01
    ledger.PATH.write_text(json.dumps([first]))
    with pytest.raises(SystemExit, match="Is it the same model and data"):
        describe.main(["digits", "--parts", "scores", "--again", "for a test"])
    assert ledger.read() == [first]


def test_cards_of_published_models_have_the_rows_of_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SCRIPTS)
    ledger = importlib.import_module("ledger")
    for name in {row["model"] for row in ledger.read()}:
        measured = json.loads((SCRIPTS.parent / "saved_models" / name / "measured.json").read_text())
        assert measured["scorings"] == ledger.for_card(name)
    sys.modules.pop("ledger")


def test_paths_of_this_machine_are_not_published(publish: Any) -> None:
    script = importlib.import_module("publish")
    recipe = {
        "train": {"dataset": "/some/where/train.csv", "teachers": "x-y,/some/a,/some/b", "seed": 1},
        "command": "zoo train x --dataset /some/where/train.csv --teachers x-y,/some/a,/some/b --name y",
    }
    assert script.without_paths(recipe) == {
        "train": {"dataset": "train.csv", "teachers": "x-y,a,b", "seed": 1, "score_test": True},
        "command": "zoo train x --dataset train.csv --teachers x-y,a,b",
    }
