"""scripts/ablations.py: trains a preset and what has one thing less, keeps the scores, and renders them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from zoo import options
from zoo.errors import UserError
from zoo.task import find


@pytest.fixture
def script(import_script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The script, with a table of its own."""
    module = import_script("ablations")
    monkeypatch.setattr(module, "FILE", tmp_path / "ablations.json")
    return module


def run(script: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["ablations.py", "classify", "--folder", str(folder), *arguments])
    script.main()


def test_trains_once_and_renders(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(script.PRESETS, "classify", "tiny")
    monkeypatch.setitem(script.LESS, "classify", {"fewer": "--units 2", "plain": "without --cell"})
    monkeypatch.chdir(tmp_path)
    assert "| fewer |  | not measured |  |  | `--units 2` |" in script.block("classify")

    run(script, monkeypatch, tmp_path / "trainings", "--only", "whole,plain", "--", "--cell", "gru")
    table = json.loads(script.FILE.read_text("utf-8"))["classify"]
    assert (table["preset"], table["options"], table["monitor"]) == ("tiny", "--cell gru", "accuracy")
    assert list(table["rows"]) == ["whole", "plain"]
    (folder,) = (tmp_path / "trainings").iterdir()
    recipes = {name: json.loads((folder / f"{name}-1" / "recipe.json").read_text("utf-8")) for name in table["rows"]}
    assert {name: recipe["train"]["cell"] for name, recipe in recipes.items()} == {
        "whole": "gru",
        "plain": "perceptron",
    }
    metrics = json.loads((folder / "whole-1" / "metrics.json").read_text("utf-8"))
    assert table["rows"]["whole"]["1"]["score"] == metrics["scores"]["validation"]["accuracy"]
    assert not metrics["scores"]["test"]

    monkeypatch.setattr(script.subprocess, "run", lambda *_, **__: pytest.fail("trained again"))
    run(script, monkeypatch, tmp_path / "trainings", "--only", "plain", "--", "--cell", "gru")
    with pytest.raises(SystemExit, match="with the options '--cell gru'; got ''"):
        run(script, monkeypatch, tmp_path / "trainings", "--only", "plain")
    with pytest.raises(SystemExit):
        run(script, monkeypatch, tmp_path / "trainings", "--only", "plane")


def test_an_option_to_take_away_has_to_be_given(script: Any) -> None:
    with pytest.raises(UserError, match="without --word-vectors: give --word-vectors after --"):
        script.arguments("tag", "without --word-vectors", ["--epochs", "1"])


def test_table_has_means_and_differences_of_equal_seeds(script: Any) -> None:
    row = lambda *scores: {  # noqa: E731
        str(seed): {"score": score, "minutes": 2.0 * seed, "cores": 1} for seed, score in enumerate(scores, 1)
    }
    rows = {"whole": row(0.9, 0.8), "forward": row(0.7)}
    found = {"classify": {"preset": "spoken_digit", "options": "", "monitor": "accuracy", "rows": rows}}
    script.FILE.write_text(json.dumps(found), "utf-8")
    text = script.block("classify")
    assert "| whole | 1, 2 | 0.8500 (0.0707) |  | 3.0 |  |" in text
    assert "| forward | 1 | 0.7000 | -0.2000 | 2.0 | `--no-bidirectional` |" in text


@pytest.mark.parametrize("task", ["sentiment", "translate", "caption", "charlm", "tag", "classify"])
def test_every_ablation_is_a_change_of_the_preset(script: Any, task: str) -> None:
    recipe = find(task).recipe
    preset = recipe.presets[script.PRESETS[task]]
    flags = {flag for item in options.options(recipe.train) for flag in (*item.opts, *item.secondary_opts)}
    for name, less in script.variants(task).items():
        given = [word for word in less.removeprefix("without ").split() if word.startswith("--")]
        assert set(given) <= flags, name
        assert given or name == script.WHOLE
    assert preset
