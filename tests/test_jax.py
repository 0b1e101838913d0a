"""The other backend: the same cells, the same training, the same answers. One process, as Keras has one backend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("jax")

PUBLISHED = Path(__file__).parent.parent / "saved_models" / "sentiment-gru-reviews"

SCRIPT = """
import sys
from pathlib import Path
import keras
from zoo import cells, testing
from zoo.cli import cli
assert keras.backend.backend() == "jax"
for name in cells.TABLE:
    testing.check_contract(name)
    testing.check_padding(name)
testing.check_learning("lstm")
testing.check_saved(Path(sys.argv[1]))
cli(["train", "sentiment", "--preset", "tiny", "--limit", "200", "--cell", "simple_rnn", "--backend", "jax",
     "--pretrain-epochs", "1", "--no-plot", "--name", "by-jax"], standalone_mode=False)
cli(["evaluate", "by-jax", "--limit", "70", "--json"], standalone_mode=False)
"""

TRANSLATION = """
from pathlib import Path
from zoo.cli import cli
Path("pairs").mkdir()
for side, signs in {"xx": "0123456789", "yy": "abcdefghij"}.items():
    Path("pairs", f"train.{side}").write_text("".join(f"{signs[i % 10]} {signs[i // 10]}\\n" for i in range(100)))
cli(["train", "translate", "--preset", "tiny", "--dataset", "pairs", "--longest", "8", "--vocabulary", "30",
     "--no-plot", "--name", "by-jax"], standalone_mode=False)
print("---")
cli(["translate", "--model", "by-jax", "--nbest", "2", "1 2", ""], standalone_mode=False)
"""


def on_jax(folder, script, *arguments):
    """The lines that a script prints on JAX."""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_cells_training_and_published_answers_on_jax(tmp_path):
    scores = json.loads(on_jax(tmp_path, SCRIPT, PUBLISHED)[-1])
    assert scores["examples"] == 70
    assert json.loads((tmp_path / "saved_models/by-jax/metrics.json").read_text())["versions"]["backend"] == "jax"


def test_a_translator_trains_scores_and_answers_on_jax(tmp_path):
    lines = on_jax(tmp_path, TRANSLATION)
    first, second = lines[lines.index("---") + 1 :]
    assert first.count("\t") == 1
    assert second == ""
    assert json.loads((tmp_path / "saved_models/by-jax/metrics.json").read_text())["versions"]["backend"] == "jax"
