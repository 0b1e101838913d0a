"""scripts/publish.py: the best of several seeds by validation, one scoring of the test split, the ledger."""

import json
import subprocess
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


def publish(folder: Path, *arguments: Any) -> subprocess.CompletedProcess:
    code = "import sys, pathlib, ledger; ledger.PATH = pathlib.Path(sys.argv.pop(1)); " + "".join(
        f"ledger.{name}.__defaults__ = (*ledger.{name}.__defaults__[:-1], ledger.PATH); "
        for name in ("read", "of_model", "earlier", "append")
    )
    command = [sys.executable, "-c", code + "import publish; publish.main()", folder / "ledger.json", *arguments]
    return subprocess.run(
        [str(part) for part in command] + ["--models-dir", str(folder)],
        cwd=SCRIPTS, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_best_by_validation_is_scored_once(candidates: list[Path], tmp_path: Path) -> None:
    before = [json.loads((path / "metrics.json").read_text())["scores"] for path in candidates]
    assert [scores["test"] for scores in before] == [{}, {}]
    done = publish(tmp_path, "digits", *candidates)
    assert done.returncode == 0, done.stderr
    validation = [scores["validation"]["accuracy"] for scores in before]
    (row,) = json.loads((tmp_path / "ledger.json").read_text())
    model = saved.load(tmp_path / "digits")
    assert model.recipe.seed == 1 + validation.index(max(validation))
    assert row["candidates"]["seeds"] == {str(i): pytest.approx(v, abs=1e-5) for i, v in enumerate(validation, 1)}
    assert model.metrics["scores"]["test"]["accuracy"] == pytest.approx(row["scores"]["accuracy"], abs=1e-6)
    again = publish(tmp_path, "digits", *candidates)
    assert again.returncode == 1
    assert "A split that was looked at flatters" in again.stderr
    assert publish(tmp_path, "digits", *candidates, "--again", "a test").returncode == 0
    rows = json.loads((tmp_path / "ledger.json").read_text())
    assert [row.get("again") for row in rows] == [None, "a test"]
    refused = publish(tmp_path, "other", tmp_path / "digits")
    assert "has a test score already" in refused.stderr
