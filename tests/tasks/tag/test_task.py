"""What `zoo tag` answers: clips by the published model, words by one trained here, numbers. No network."""

import itertools
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw
from zoo.tasks.tag import predict, task
from zoo.tasks.tag.clips import story
from zoo.tasks.tag.recipe import Predict, Train

from zoo import builders, cards, saved, training
from zoo.cli import cli
from zoo.task import ErrorLine, find

PUBLISHED = cards.published() / "tag-gru-clips"


def ask(model: saved.SavedModel, *inputs: Any, **options: Any) -> list[str]:
    return list(task.predict(model, Predict(inputs=[str(item) for item in inputs], **options)))


def ball(path: Path, steps: int = 20, size: int = 48) -> Path:
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
def clips() -> saved.SavedModel:
    return saved.load(PUBLISHED)


def test_a_gif_gets_spans_with_times(clips: saved.SavedModel, tmp_path: Path) -> None:
    gif = ball(tmp_path / "ball.gif")
    (line,) = ask(clips, gif)
    (answer,) = map(json.loads, ask(clips, gif, json=True))
    assert (answer["clip"], answer["frames"]) == (str(gif), 20)
    spans = answer["spans"]
    assert line == "; ".join(f"{s['seconds'][0]:.2f}-{s['seconds'][1]:.2f} s {s['label']}" for s in spans)
    assert [spans[0]["start"], spans[-1]["end"], spans[-1]["seconds"][1]] == [0, 20, 1.0]
    assert {"right", "still"} <= {span["label"] for span in spans}, "it was trained on other drawings, but"
    for one, other in itertools.pairwise(spans):
        assert one["end"] == other["start"]
        assert one["label"] != other["label"]
    for span in spans:
        assert span["seconds"] == pytest.approx([span["start"] * 0.05, span["end"] * 0.05])
        assert 1 / len(story.LABELS) - 1e-6 <= span["probability"] <= 1


def test_a_folder_of_frames_gets_the_same(clips: saved.SavedModel, tmp_path: Path) -> None:
    gif = ball(tmp_path / "ball.gif")
    (tmp_path / "frames").mkdir()
    with Image.open(gif) as image:
        for frame in range(image.n_frames):
            image.seek(frame)
            image.convert("RGB").save(tmp_path / "frames" / f"{frame}.png")
        last = image.n_frames
    spans, same = map(json.loads, ask(clips, gif, tmp_path / "frames", json=True, fps=20))
    assert same["frames"] == last <= spans["frames"], "the still end of a GIF is one frame that is shown longer"
    assert same["spans"][0]["seconds"][0] == 0
    assert same["spans"][-1]["seconds"][1] == pytest.approx(last / 20)
    assert same["spans"][0]["label"] == spans["spans"][0]["label"]


def test_an_unreadable_clip_gets_a_line_and_the_others_their_answers(clips: saved.SavedModel, tmp_path: Path) -> None:
    gif = ball(tmp_path / "ball.gif")
    (tmp_path / "cut.gif").write_bytes(gif.read_bytes()[:-200])
    (tmp_path / "empty").mkdir()
    Image.new("L", (30, 50), 90).save(tmp_path / "one.png")
    names = ["nowhere.gif", gif, tmp_path / "cut.gif", tmp_path / "empty", tmp_path / "one.png"]
    lines = ask(clips, *names)
    assert [isinstance(line, ErrorLine) for line in lines] == [True, False, True, True, False]
    assert lines[0] == "Error: There is no file nowhere.gif."
    assert lines[4].startswith(f"{names[4]}\t0.00-0.10 s "), "a clip of one frame is a clip"
    packed = [json.loads(line) for line in ask(clips, *names, json=True)]
    assert ["error" in answer for answer in packed] == [True, False, True, True, False]


def test_names_come_from_standard_input_too(clips: saved.SavedModel, tmp_path: Path) -> None:
    gif = ball(tmp_path / "ball.gif")
    done = CliRunner().invoke(cli, ["tag", "--model", str(PUBLISHED)], input=f"{gif}\nnowhere.gif\n")
    assert done.stdout.splitlines()[0] == f"{gif}\t{ask(clips, gif)[0]}"
    assert done.exit_code == 1


def test_a_long_clip_is_answered_as_a_whole(clips: saved.SavedModel, tmp_path: Path) -> None:
    (answer,) = map(json.loads, ask(clips, ball(tmp_path / "long.gif", 300), json=True))
    assert answer["frames"] == 300 > predict.MIN_STEPS
    assert answer["spans"][-1]["end"] == 300


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> saved.SavedModel:
    """A model of words, trained on a file in which a word's label depends on the word before it."""
    folder = tmp_path_factory.mktemp("words")
    rng, lines = np.random.default_rng(0), []
    for number in range(300):
        first = rng.choice(["Mr", "in"])
        lines += [f"n{number} O", f"{first} O", f"Paris {'B-PER' if first == 'Mr' else 'B-LOC'}"]
        lines += [". O", ""] if number % 2 else [""]
    (folder / "own.conll").write_text("\n".join(lines))
    recipe = Train(
        dataset=str(folder / "own.conll"), units=8, embedding_dim=8, bidirectional=False, epochs=3, batch_size=4,
        learning_rate=0.05,
    )  # fmt: skip
    return training.train(find("tag"), recipe, folder / "toy", plot=False)


def test_words_get_their_labels(words: saved.SavedModel) -> None:
    scores = words.metrics["scores"]["test"]
    assert scores == {"accuracy": 1, "macro_f1": 1, "span_f1": 1}
    lines = ask(words, "Bob Mr Paris.", "Bob in Paris", "", "👍")
    assert [line.count("/") for line in lines] == [4, 3, 0, 1]
    assert "Mr/O Paris/B-PER" in lines[0]
    assert lines[1] == "Bob/O in/O Paris/B-LOC"
    (packed,) = map(json.loads, ask(words, "Bob in Paris", json=True))
    assert [item["word"] for item in packed["words"]] == ["Bob", "in", "Paris"]
    assert packed["words"][2]["label"] == "B-LOC"
    assert packed["words"][2]["probability"] > 0.5


def test_neighbors_change_no_label(words: saved.SavedModel) -> None:
    texts = ["in Paris", "I met Mr Paris " * 40, "Paris"]
    assert ask(words, *texts) == [ask(words, text)[0] for text in texts]


def test_a_model_of_words_is_kept_with_sentences_and_scored_again(words: saved.SavedModel) -> None:
    assert json.loads((words.path / "golden.json").read_text())["inputs"][0].startswith("George")
    assert json.loads((words.path / "metrics.json").read_text())["data"]["kind"] == "tokens"
    columns = (words.path / "history.csv").read_text().splitlines()[0].split(",")
    names = (f"validation_{name}" for name in words.metrics["scores"]["test"])
    assert columns == ["epoch", "loss", *names, "validation_loss"]
    scores = training.evaluate(words, split="validation", limit=7)
    assert (scores["accuracy"], scores["examples"]) == (1, 7)


def test_a_model_of_numbers_answers_json() -> None:
    keras.utils.set_random_seed(1)
    net = builders.tagger(num_classes=3, cell="gru", units=4, feature_dim=2)
    assets = {"labels": ["a", "b", "c"], "input": {"kind": "features", "shape": [2]}}
    model = saved.SavedModel(Path(), find("tag"), Train(), {}, assets, net)
    bad = ["no json", "[1, 2]", "[[1, 2, 3]]", "[]", "[[1], [1, 2]]", "[[1, NaN]]"]
    lines = ask(model, "[[1, 0], [0, 1], [0, 1]]", *bad)
    assert lines[0].startswith("0-")
    assert all("is not a JSON list of steps, each a list of 2 numbers" in line for line in lines[1:])
    (packed,) = map(json.loads, ask(model, "[[1, 0], [0, 1]]", json=True))
    assert packed["spans"][-1]["end"] == 2


def test_examples_are_drawn_when_asked_for(clips: saved.SavedModel) -> None:
    golden = json.loads((PUBLISHED / "golden.json").read_text())
    assert list(task.TASK.examples()) == golden["inputs"], "the clips have not changed"
