"""The figures of the lecture: their numbers against numpy and the models' own files, their pictures, their messages."""

import json
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from zoo import builders, cards
from zoo.data import text
from zoo.errors import UserError
from zoo.lens import carry, equations, gates, hello, lecture, nets
from zoo.lens.numpy_steps.step import sigmoid
from zoo.saved import SavedModel
from zoo.settings import TrainConfig
from zoo.task import find


@pytest.fixture(scope="session")
def is_whole(is_drawn):
    """`is_whole(file)` checks that a picture is not blank, and that nothing leaves it at its sides."""

    def check(file):
        pixels = is_drawn(file)
        for border in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
            assert (border == 255).all(), "something reaches the border"

    return check


def words_of(figure):
    return [item.get_text() for axes in figure.axes for item in axes.texts]


def test_shapes_say_what_the_models_are(is_whole, run):
    (line,) = run("shapes", "--json", "--plot", "shapes.png")
    found = {row["shape"]: row for row in json.loads(line)["shapes"]}
    is_whole("shapes.png")
    assert list(found) == ["one to one", "one to many", "many to one", "many to many", "frame by frame"]

    def stored(shape, file):
        return json.loads((cards.locate(found[shape]["model"]) / file).read_text(encoding="utf-8"))

    for shape, row in found.items():
        recipe = stored(shape, "recipe.json")
        assert (recipe["task"], hasattr(builders, row["builder"])) == (row["task"], True)
        assert f"({recipe['train']['units']})" in row["sizes"][1], "the units that it was trained with"
    for shape in ("one to one", "many to one", "frame by frame"):
        assert found[shape]["sizes"][2] == f"{len(stored(shape, 'assets/labels.json'))} probabilities"
    height, width = stored("one to one", "assets/shape.json")[:2]
    assert found["one to one"]["sizes"][0] == f"{height} x {width} pixels"
    words = stored("many to one", "assets/tokenizer.json")["model"]["vocab"]
    assert found["many to one"]["sizes"][0] == f"{len(words):,} words"
    answers = stored("one to many", "golden.json")["outputs"]
    assert " ".join(found["one to many"]["outputs"]) == answers[0]["caption"]
    assert found["frame by frame"]["outputs"] == ["empty", "empty", "up", "up", "up"]


@pytest.fixture(scope="module")
def lesson():
    return hello.learn()


def test_a_net_of_three_units_spells_hello(lesson):
    assert lesson.written == "hello"
    before, after = lesson.losses
    assert before > 1 > 0.05 > after
    assert [(reading.letter, reading.next) for reading in lesson.training] == [*zip("hell", "ello", strict=True)]
    targets = [reading.probabilities["helo".index(reading.next)] for reading in lesson.training]
    assert after == pytest.approx(-np.log(targets).mean(), rel=1e-3)


def test_the_hidden_vectors_are_the_equation(lesson):
    kernel, recurrent, bias = lesson.net.recurrent.runs[0][0].get_weights()
    h = np.zeros(3)
    for letter, reading in zip("hell", lesson.training, strict=True):
        x = np.array([letter == other for other in "helo"], float)
        np.testing.assert_array_equal(reading.one_hot, x)
        h = np.tanh(x @ kernel + h @ recurrent + bias)
        np.testing.assert_allclose(reading.hidden, h, atol=1e-5)
    y = h @ ops.convert_to_numpy(lesson.net.label.kernel) + ops.convert_to_numpy(lesson.net.label.bias)
    np.testing.assert_allclose(lesson.training[-1].logits, y, atol=1e-4)


def test_what_was_drawn_is_read_next():
    untrained = hello.learn("abcabc", units=2, steps=0, seed=3)
    assert untrained.losses[0] == untrained.losses[1]
    for one, other in zip(untrained.sampling[:-1], untrained.sampling[1:], strict=True):
        assert one.next == other.letter
    assert untrained.written != "abcabc"


def test_the_picture_of_hello_has_every_number(is_whole, lesson):
    figure = hello.draw(lesson, Path("hello.png"))
    is_whole("hello.png")
    shown = words_of(figure)
    for reading in lesson.training:
        for value in (*reading.hidden, *reading.logits):
            assert f"{value + 0.0:.1f}".replace("-", "\N{MINUS SIGN}") in shown


def test_hello_as_typed(run, refused):
    lines = run("hello", "--word", "abab", "--cell", "gru", "--units", 2, "--steps", 5)
    assert lines[0] == "gru with 2 units and 42 weights, 5 training steps on 'abab'"
    assert lines[1].split() == ["input", "target", "h[0]", "h[1]", "p(target)"]
    assert lines[-1] == "hello.png"
    (line,) = run("hello", "--word", "abab", "--steps", 5, "--json")
    found = json.loads(line)
    assert found["letters"] == ["a", "b"]
    assert [step["next"] for step in found["training"]] == ["b", "a", "b"]
    assert "give 2 to 10 letters" in refused("hello", "--word", "aaaa")


def test_every_step_of_an_unrolled_cell_is_the_equation():
    steps = equations.unroll("simple_rnn", 3, 2, 4, seed=5)
    made = equations._random_cell("simple_rnn", 3, 2, seed=5)
    kernel, recurrent, bias = (ops.convert_to_numpy(weight) for weight in made.weights)
    h = np.zeros((1, 3))
    for step in steps:
        h = np.tanh(step.inputs @ kernel + h @ recurrent + bias)
        np.testing.assert_allclose(step.by_cell["state h"], h, atol=1e-5)


@pytest.mark.parametrize("cell", ["simple_rnn", "slstm", "gated_delta", "lru"])
def test_an_unrolled_cell_is_drawn_with_its_numbers(is_whole, cell):
    steps = equations.unroll(cell, 4, 2, 3)
    shown = words_of(equations.draw(cell, steps, Path("unrolled.png")))
    is_whole("unrolled.png")
    for step in steps:
        for name, values in step.by_cell.items():
            for value in values[0][: equations.MAX_ROWS] if name != "output" else ():
                assert f"{value + 0.0:.2f}".replace("-", "\N{MINUS SIGN}") in shown
    assert set(equations.equations(cell)) <= {line.replace(r"\$", "$") for line in shown}


def test_unrolled_equations_as_typed(is_whole, run):
    lines = run("equations", "--cell", "gru", "--steps", 2, "--plot", "gru.png")
    assert ["t", "=", "1", "t", "=", "2"] in [line.split() for line in lines]
    assert lines[-1] == "gru.png"
    is_whole("gru.png")
    (line,) = run("equations", "--cell", "gru", "--steps", 2, "--json")
    found = json.loads(line)
    assert len(found["unrolled"]) == 2
    assert found["unrolled"][-1]["state h"] == found["cell"]["state h"]
    assert "figure" not in found


def saved(net, cell, tokenizer):
    return SavedModel(Path("some-model"), find("sentiment"), TrainConfig(cell=cell), {}, {"tokenizer": tokenizer}, net)


@pytest.fixture(scope="module")
def tokenizer():
    return text.Tokenizer.train(["the film is not bad at all"], lowercase=True)


def test_the_terms_of_an_lstm_state_are_gated_candidates():
    net = nets.untrained("lstm", 3, 5, 1, seed=1)
    states = net.states()[:, 0].astype("float64")  # h and c side by side, before the first step too
    w, u, b = (ops.convert_to_numpy(weight).astype("float64") for weight in net.cell.weights)
    i, f, g, _ = np.split(net.inputs[0] @ w + states[:-1, :3] @ u + b, 4, axis=1)
    found = carry.terms(states[1:, 3:], sigmoid(f))
    np.testing.assert_allclose(found.sum(axis=1), states[1:, 3:], atol=1e-6)
    for time in range(5):
        for earlier in range(5):
            expected = (sigmoid(i) * np.tanh(g))[earlier] * np.prod(sigmoid(f)[earlier + 1 : time + 1], axis=0)
            np.testing.assert_allclose(found[time, earlier], expected if earlier <= time else 0, atol=1e-6)


@pytest.mark.parametrize("cell", carry.KEEPS)
def test_shares_of_every_cell_sum_to_one(cell, tokenizer):
    net = builders.classifier(tokenizer.size, 2, cell, 4, embedding_dim=3, bidirectional=True)
    carried = carry.read(saved(net, cell, tokenizer), "The film is not bad")
    np.testing.assert_allclose(carried.shares.sum(axis=1), 1, atol=1e-9)
    assert np.allclose(np.triu(carried.shares, 1), 0)
    assert carried.states.shape == (5, 4)
    first = carried.states[0]
    values = gates.read(saved(net, cell, tokenizer), "The film is not bad")[1]
    keep = carry.KEEPS[cell][1](values)
    left = np.abs(keep[1] * first).mean()
    written = np.abs(carried.states[1] - keep[1] * first).mean()
    assert carried.shares[1, 0] == pytest.approx(left / (left + written), abs=1e-6)


def test_a_state_is_drawn_and_one_without_a_gate_refused(is_whole, tokenizer):
    net = builders.classifier(tokenizer.size, 2, "lstm", 4, embedding_dim=3)
    model = saved(net, "lstm", tokenizer)
    figure = lecture.carry(model, "The film is not bad at all")
    assert [axes.get_title() for axes in figure.axes[:2]] == ["state after each token", "what it consists of"]
    carry.draw(carry.read(model, "The film"), "some-model", Path("carry.png"))
    is_whole("carry.png")
    signed = builders.classifier(tokenizer.size, 2, "min_lstm:signed", 4, embedding_dim=3)
    with pytest.raises(UserError, match="no sum that one gate keeps"):
        carry.read(saved(signed, "min_lstm:signed", tokenizer), "The film")
    with pytest.raises(UserError, match="does not read plain text"):
        carry.read(saved(net, "lstm", text.Tokenizer.train(["film"], "given")), "The film")


def test_gates_are_a_figure_too(tokenizer):
    net = builders.classifier(tokenizer.size, 2, "gru", 4, embedding_dim=3)
    assert lecture.gates(saved(net, "gru", tokenizer), "The film").axes


def test_gradients_before_and_after_training(is_whole, run, monkeypatch, tmp_path):
    from zoo.tasks.tag.parity import parity_dataset_builder as parity

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(parity.Builder, "SIZES", {"train": 64, "validation": 20, "test": 40})
    words = ("--trained-on", "parity", "--steps", 6, "--sequences", 3, "--cells", "gru", "--epochs", 1, "--limit", 32)
    (line,) = run("gradients", *words, "--before", "--json")
    found = json.loads(line)
    assert found["nets"] == "before and after training on parity/6"
    assert list(found["cells"]) == ["gru, before", "gru, after"]
    assert found["cells"]["gru, before"] != found["cells"]["gru, after"]
    (line,) = run("gradients", *words, "--json")
    assert json.loads(line)["cells"]["gru"] == pytest.approx(found["cells"]["gru, after"], rel=1e-3)
    is_whole("gradients.png")


@pytest.mark.parametrize("words", [("--before",), ("--epochs", 2), ("--limit", 5)])
def test_training_options_need_a_training(refused, words):
    assert f"{words[0]} is about the training of --trained-on" in refused("gradients", *words)
