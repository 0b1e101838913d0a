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
for name in ("gru", "slstm", "min_gru", "lru", "gated_delta"):  # a loop, four states, real and complex scans, chunks
    testing.check_padding(name)
testing.check_learning("lstm")
testing.check_saved(Path(sys.argv[1]))
rows = [f"{word} film number {number},{word}" for word in ("good", "bad") for number in range(150)]  # one shape
Path("own.csv").write_text("\\n".join(["text,label", *rows]))
cli(["train", "sentiment", "--preset", "tiny", "--dataset", "own.csv", "--cell", "simple_rnn", "--backend", "jax",
     "--pretrain-epochs", "1", "--no-plot", "--name", "by-jax"], standalone_mode=False)
cli(["evaluate", "by-jax", "--split", "all", "--limit", "70", "--json"], standalone_mode=False)
"""

TRANSLATION = """
from pathlib import Path
from zoo.cli import cli
Path("pairs").mkdir()
for side, signs in {"xx": "0123456789", "yy": "abcdefghij"}.items():
    Path("pairs", f"train.{side}").write_text("".join(f"{signs[i % 10]} {signs[i // 10]}\\n" for i in range(100)))
cli(["train", "translate", "--preset", "tiny", "--dataset", "pairs", "--max-length", "8", "--vocabulary-size", "30",
     "--no-plot", "--name", "by-jax"], standalone_mode=False)
print("---")
cli(["translate", "--model", "by-jax", "--num-return", "2", "1 2", ""], standalone_mode=False)
"""

CAPTIONS = """
from pathlib import Path
from PIL import Image
from zoo.cli import cli
Path("own").mkdir()
lines = ["image,caption,split"]
for number in range(14):
    name, colour = [("red", (250, 9, 9)), ("blue", (9, 9, 250))][number % 2]
    Image.new("RGB", (20, 20), colour).save(f"own/{number}.png")
    split = "train" if number < 9 else "validation" if number < 11 else "test"
    lines += [f"{number}.png,It is {name}.,{split}"] * (1 + number % 2)
Path("own/captions.csv").write_text("\\n".join(lines))
cli(["train", "caption", "--preset", "tiny", "--dataset", "own", "--batch-size", "4", "--max-length", "5", "--no-plot",
     "--context-gate", "--doubly-stochastic", "1", "--name", "by-jax"], standalone_mode=False)
print("---")
cli(["caption", "--model", "by-jax", "own/0.png", "own/1.png"], standalone_mode=False)
"""

REST = """
from zoo.tasks.tag.clips import compose, story
from zoo.cli import cli
compose.SIZES.update(train=64, validation=20, test=20)
story.LENGTHS = (12, 12)  # one shape to compile for
more = {"charlm": ["--cell", "lstm"], "tag": [], "classify": ["--cell", "gru"]}
for task, own in more.items():
    cli(["train", task, "--preset", "tiny", "--limit", "60", "--no-plot", "--name", task, *own], standalone_mode=False)
print("---")
cli(["charlm", "--model", "charlm", "--max-new-tokens", "5", "--json", "h"], standalone_mode=False)
"""


PARTS = {"cells": SCRIPT, "translation": TRANSLATION, "captions": CAPTIONS, "rest": REST}


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory):
    """The lines that each part prints on JAX, and the folder it ran in; one process for all of them."""
    root = tmp_path_factory.mktemp("jax")
    whole = ["import os"]
    for name, script in PARTS.items():
        (root / name).mkdir()
        whole += [f"os.chdir({str(root / name)!r})", "print('=== ' + " + repr(name) + ")", script]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", "\n".join(whole), str(PUBLISHED)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    printed = dict(part.split("\n", 1) for part in done.stdout.split("=== ")[1:])
    return {name: (printed[name].splitlines(), root / name) for name in PARTS}


def metrics(folder, model="by-jax"):
    return json.loads((folder / "saved_models" / model / "metrics.json").read_text())


def test_cells_training_and_published_answers_on_jax(on_jax):
    lines, folder = on_jax["cells"]
    assert json.loads(lines[-1])["examples"] == 70
    assert metrics(folder)["versions"]["backend"] == "jax"


def test_a_translator_trains_scores_and_answers_on_jax(on_jax):
    lines, folder = on_jax["translation"]
    first, second = lines[lines.index("---") + 1 :]
    assert first.count("\t") == 1
    assert second == ""
    assert metrics(folder)["versions"]["backend"] == "jax"


def test_the_other_tasks_train_and_answer_on_jax(on_jax):
    lines, folder = on_jax["rest"]
    (answer,) = lines[lines.index("---") + 1 :]
    assert json.loads(answer)["text"].startswith("h")
    for task in ("charlm", "tag", "classify"):
        assert metrics(folder, task)["versions"]["backend"] == "jax"


def test_a_captioner_trains_scores_and_answers_on_jax(on_jax):
    lines, folder = on_jax["captions"]
    answers = lines[lines.index("---") + 1 :]
    assert len(answers) == 2
    assert metrics(folder)["versions"]["backend"] == "jax"
    assert metrics(folder)["data"]["sizes"] == {"train": 9, "validation": 2, "test": 3}
