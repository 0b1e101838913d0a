"""Answers of `zoo classify`: pictures, sequences, and what is neither; scores by distance."""

import json

import keras
import numpy as np
import pytest
from PIL import Image
from zoo.tasks.classify import task
from zoo.tasks.classify.predict import predict
from zoo.tasks.classify.raw import digits
from zoo.tasks.classify.recipe import Predict, Train

from zoo import builders
from zoo.saved import SavedModel
from zoo.task import ErrorLine, find

LABELS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def model():
    """Untrained models: their answers mean nothing, but must be answers."""
    keras.utils.set_random_seed(3)
    net = builders.perceptron((8, 8, 1), 3, units=6)
    return SavedModel(None, find("classify"), Train(), {}, {"labels": LABELS, "shape": [8, 8, 1]}, net)


@pytest.fixture(scope="module")
def reader():
    keras.utils.set_random_seed(3)
    net = builders.perceptron((None, 2), 3, "gru", 6)
    assets = {"labels": LABELS, "shape": [None, 2], "distance_offset": 2}
    return SavedModel(None, find("classify"), Train(cell="gru"), {}, assets, net)


def answer(model, *inputs, **options):
    return list(predict(model, Predict(inputs=list(inputs), **options)))


def probabilities(line):
    return list(json.loads(line)["probabilities"].values())


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    names = []
    for i, shape in enumerate([(8, 8), (30, 20), (8, 8, 3)]):
        names.append(str(tmp_path / f"{i}.png"))
        Image.fromarray(rng.integers(0, 255, shape).astype("uint8")).save(names[-1])
    return names


def test_every_picture_gets_a_line(model, files):
    for name, line in zip(files, answer(model, *files), strict=True):
        shown, label, probability = line.split("\t")
        assert shown == name, "several files are named"
        assert label in LABELS
        assert 0.33 <= float(probability) <= 1
    together = answer(model, *files, json=True)
    alone = [answer(model, name, json=True)[0] for name in files]
    np.testing.assert_allclose([*map(probabilities, together)], [*map(probabilities, alone)], atol=2e-6)
    assert [json.loads(line)["input"] for line in together] == files


def test_a_bad_picture_gets_an_error_and_the_others_their_answers(model, files, tmp_path):
    (tmp_path / "cut.png").write_bytes((tmp_path / "1.png").read_bytes()[:300])
    lines = answer(model, files[0], "nowhere.png", str(tmp_path / "cut.png"), files[1])
    assert [isinstance(line, ErrorLine) for line in lines] == [False, True, True, False]
    assert lines[1].startswith("Error: There is no file nowhere.png")
    assert "cut short" in lines[2]
    (line,) = answer(model, "nowhere.png", json=True)
    assert isinstance(line, ErrorLine)
    assert json.loads(line) == {"input": "nowhere.png", "error": lines[1].removeprefix("Error: ")}


def test_inverted_is_the_answer_for_the_inverted_picture(model, files, tmp_path):
    pixels = np.array(Image.open(files[0]))
    Image.fromarray(255 - pixels).save(tmp_path / "other.png")
    (inverted,) = answer(model, files[0], invert=True, json=True)
    (other,) = answer(model, str(tmp_path / "other.png"), json=True)
    assert probabilities(inverted) == probabilities(other)
    assert probabilities(inverted) != probabilities(answer(model, files[0], json=True)[0])


def test_golden_pictures_are_pixels_of_the_test_split(model):
    answers = [probabilities(line) for line in answer(model, *task.TASK.examples(), json=True)]
    images = np.stack([pixels for pixels, _ in digits().split("test", len(answers)).as_numpy_iterator()])
    direct = model.net.predict_on_batch(images.astype("float32") / 255)
    np.testing.assert_allclose(answers, direct, atol=2e-6)


def test_sequences_of_several_lengths_are_answered_as_if_alone(reader):
    inputs = ["[[1, 1]]", "[[1, 1], [-1, 1], [0.5, 0]]", "[[1,1],[1,1],[1,0],[1,0],[-1,0]]"]
    together = answer(reader, *inputs, json=True)
    alone = [answer(reader, item, json=True)[0] for item in inputs]
    np.testing.assert_allclose([*map(probabilities, together)], [*map(probabilities, alone)], atol=2e-6)


BAD = ["", "[]", "[1, 2]", "[[1, 2, 3]]", "[[1], [2, 3]]", '{"a": 1}', "[[NaN, 1]]", "x.png", '"1"', "null"]


@pytest.mark.parametrize("words", BAD)
def test_what_is_no_sequence_is_refused(reader, words):
    (line,) = answer(reader, words)
    assert isinstance(line, ErrorLine)
    assert "JSON list of steps, each a list of 2 numbers" in line


def test_memory_is_scored_by_distance(reader):
    steps = np.zeros((4, 7, 2), "float32")
    mask = np.arange(7) < np.array([[3], [3], [7], [0]])
    found = reader.net.predict_on_batch([steps, mask]).argmax(axis=1)
    labels = np.array([found[0], (found[1] + 1) % 3, found[2], 0])
    batches = [((steps, mask), labels, np.array([1, 1, 1, 0]))]
    scores = task.score(reader.net, batches, reader.assets)
    assert (scores["accuracy_at_1"], scores["accuracy_at_5"]) == (0.5, 1.0)
    assert scores["accuracy"] == pytest.approx(2 / 3)
    (stage,) = task.TASK.stages(Train(), None)
    assert "accuracy_at_1" not in stage.score(reader.net, batches, reader.assets)


def test_lines_come_before_the_input_ends(model, files):
    def forever():
        while True:
            yield files[0]

    assert next(iter(predict(model, Predict(inputs=forever())))).split("\t")[1] in LABELS
