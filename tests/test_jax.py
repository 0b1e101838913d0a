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


def test_cells_training_and_published_answers_on_jax(tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, PUBLISHED],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    scores = json.loads(done.stdout.splitlines()[-1])
    assert scores["examples"] == 70
    assert json.loads((tmp_path / "saved_models/by-jax/metrics.json").read_text())["versions"]["backend"] == "jax"
