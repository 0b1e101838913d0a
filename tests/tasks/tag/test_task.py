"""`zoo train tag` and `zoo tag` after it, on clips and on words, as a user types them. No network."""

import itertools
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageDraw
from zoo.tasks.tag import answers, task
from zoo.tasks.tag.clips import compose, story
from zoo.tasks.tag.recipe import Predict, Train

from zoo import builders
from zoo.cli import cli
from zoo.saved import SavedModel
from zoo.task import find


def run(*words: Any, **options: Any) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False, **options)


def drawn(path: Path, steps: int = 20, size: int = 48) -> Path:
    """A GIF of a ball that rolls to the right and stops."""
    frames = []
    for step in range(steps):
        frame = Image.new("RGB", (size, size), (20, 20, 20))
        left = min(2 * step, size // 2)
        ImageDraw.Draw(frame).ellipse((left, 20, left + 8, 28), fill=(240, 220, 60))
        frames.append(frame)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of clips, trained on a few."""
    models = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compose, "SIZES", {"train": 40, "validation": 8, "test": 8})
        patch.setenv("TFDS_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        done = run("train", "tag", "--preset", "tiny", "--no-plot", "--models-dir", models, "--name", "toy")
    assert done.exit_code == 0, done.output
    first, *scores = done.stdout.splitlines()
    assert first == str(models / "toy")
    assert {line.split()[1] for line in scores} == {"accuracy", "macro_f1", "span_f1"}
    return models / "toy"


def test_a_gif_gets_spans_with_times(clips: Path, tmp_path: Path) -> None:
    gif = drawn(tmp_path / "ball.gif")
    (line,) = run("tag", "--model", clips, gif).stdout.splitlines()
    (packed,) = run("tag", "--model", clips, "--json", gif).stdout.splitlines()
    answer = json.loads(packed)
    assert (answer["clip"], answer["frames"]) == (str(gif), 20)
    spans = answer["spans"]
    assert line == "; ".join(f"{s['seconds'][0]:.2f}-{s['seconds'][1]:.2f} s {s['label']}" for s in spans)
    assert [spans[0]["start"], spans[-1]["end"], spans[-1]["seconds"][1]] == [0, 20, 1.0]
    for one, other in itertools.pairwise(spans):
        assert one["end"] == other["start"]
        assert one["label"] != other["label"]
    for span in spans:
        assert span["seconds"] == pytest.approx([span["start"] * 0.05, span["end"] * 0.05])
        assert span["label"] in story.LABELS
        assert 1 / len(story.LABELS) - 1e-6 <= span["probability"] <= 1


def test_a_folder_of_frames_tells_the_same(clips: Path, tmp_path: Path) -> None:
    gif = drawn(tmp_path / "ball.gif")
    (tmp_path / "frames").mkdir()
    with Image.open(gif) as image:
        for frame in range(image.n_frames):
            image.seek(frame)
            image.convert("RGB").save(tmp_path / "frames" / f"{frame}.png")
        last = image.n_frames
    spans, same = (
        json.loads(run("tag", "--model", clips, "--json", "--fps", 20, name).stdout)
        for name in (gif, tmp_path / "frames")
    )
    assert same["frames"] == last <= spans["frames"], "the still end of a GIF is one frame that is shown longer"
    assert same["spans"][0]["seconds"][0] == 0
    assert same["spans"][-1]["seconds"][1] == pytest.approx(last / 20)


def test_what_is_no_clip_gets_a_line_and_the_others_their_answers(clips: Path, tmp_path: Path) -> None:
    gif = drawn(tmp_path / "ball.gif")
    (tmp_path / "cut.gif").write_bytes(gif.read_bytes()[:-200])
    (tmp_path / "empty").mkdir()
    Image.new("L", (30, 50), 90).save(tmp_path / "one.png")
    names = ["nowhere.gif", gif, tmp_path / "cut.gif", tmp_path / "empty", tmp_path / "one.png"]
    done = run("tag", "--model", clips, *names)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert [line.startswith("Error: ") for line in lines] == [True, False, True, True, False]
    assert lines[0] == "Error: There is no file nowhere.gif."
    assert lines[4].startswith("0.00-0.10 s "), "a clip of one frame is a clip"
    packed = run("tag", "--model", clips, "--json", *names)
    assert ["error" in json.loads(line) for line in packed.stdout.splitlines()] == [True, False, True, True, False]


def test_names_come_from_standard_input_too(clips: Path, tmp_path: Path) -> None:
    gif = drawn(tmp_path / "ball.gif")
    done = run("tag", "--model", clips, input=f"{gif}\nnowhere.gif\n")
    assert done.stdout.splitlines()[0] == run("tag", "--model", clips, gif).stdout.strip()
    assert done.exit_code == 1


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of words, trained on a file in which a word's label depends on the word before it."""
    folder = tmp_path_factory.mktemp("words")
    rng, lines = np.random.default_rng(0), []
    for number in range(300):
        first = rng.choice(["Mr", "in"])
        lines += [f"n{number} O", f"{first} O", f"Paris {'B-PER' if first == 'Mr' else 'B-LOC'}"]
        lines += [". O", ""] if number % 2 else [""]
    (folder / "own.conll").write_text("\n".join(lines))
    done = run("train", "tag", "--dataset", folder / "own.conll", "--no-plot", "--units", 8, "--embedding", 8,
               "--epochs", 6, "--learning-rate", 0.03, "--models-dir", folder, "--name", "toy")  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder / "toy"


def test_words_get_their_labels(words: Path) -> None:
    metrics = json.loads((words / "metrics.json").read_text())
    assert metrics["scores"]["test"]["accuracy"] == 1
    assert metrics["scores"]["test"]["span_f1"] == 1
    lines = run("tag", "--model", words, "Bob Mr Paris.", "Bob in Paris", "", "👍").stdout.splitlines()
    assert [line.count("/") for line in lines] == [4, 3, 0, 1]
    assert "Mr/O Paris/B-PER" in lines[0]
    assert lines[1] == "Bob/O in/O Paris/B-LOC"
    (packed,) = run("tag", "--model", words, "--json", "Bob in Paris").stdout.splitlines()
    told = json.loads(packed)["words"]
    assert [item["word"] for item in told] == ["Bob", "in", "Paris"]
    assert told[2]["label"] == "B-LOC"
    assert told[2]["probability"] > 0.5


def test_neighbours_change_no_label(words: Path) -> None:
    asked = ["in Paris", "I met Mr Paris " * 40, "Paris"]
    together = run("tag", "--model", words, *asked).stdout.splitlines()
    assert together == [run("tag", "--model", words, one).stdout.strip() for one in asked]


def test_the_golden_inputs_of_a_model_of_words_are_sentences(words: Path) -> None:
    assert json.loads((words / "golden.json").read_text())["inputs"][0].startswith("George")
    scores = json.loads(run("evaluate", words, "--split", "validation", "--json").stdout)
    assert scores["accuracy"] == 1


def test_a_model_of_numbers_answers_json() -> None:
    keras.utils.set_random_seed(1)
    net = builders.tagger(3, "gru", 4)
    net.build((None, None, 2))
    assets = {"labels": ["a", "b", "c"], "input": {"kind": "features", "shape": [2]}}
    model = SavedModel(Path(), find("tag"), Train(), {}, assets, net)
    bad = ["no json", "[1, 2]", "[[1, 2, 3]]", "[]", "[[1], [1, 2]]", "[[1, NaN]]"]
    lines = list(task.predict(model, Predict(inputs=["[[1, 0], [0, 1], [0, 1]]", *bad])))
    assert lines[0].startswith("0-")
    assert all(line.startswith("Error: This model reads sequences of 2 numbers a step") for line in lines[1:])
    (packed,) = task.predict(model, Predict(inputs=["[[1, 0], [0, 1]]"], json=True))
    assert json.loads(packed)["spans"][-1]["end"] == 2


def test_a_long_clip_is_answered_as_a_whole(clips: Path, tmp_path: Path) -> None:
    answer = json.loads(run("tag", "--model", clips, "--json", drawn(tmp_path / "long.gif", 300)).stdout)
    assert answer["frames"] == 300
    assert answers.LEAST < 300
