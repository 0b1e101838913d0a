"""Gates of a trained model over a text: against the equations, the fused layer's weights, and texts of all kinds."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells
from zoo.data import text
from zoo.errors import UserError
from zoo.lens import gates, nets
from zoo.saved import SavedModel
from zoo.settings import TrainConfig
from zoo.task import find
from zoo.terminal import shades

WORDS = ["the film is not bad at all", "a waste of $9 and two hours"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def saved(net, cell="gru", **assets):
    from pathlib import Path

    return SavedModel(Path("some-model"), find("sentiment"), TrainConfig(cell=cell), {}, assets, net)


@pytest.fixture(scope="module")
def tokenizer():
    return text.Tokenizer.train(WORDS, lowercase=True)


def test_gates_of_an_lstm_are_the_equations():
    net = nets.untrained("lstm", 3, 4, 1, seed=1)
    w, u, b = (ops.convert_to_numpy(weight) for weight in net.cell.weights)
    states = net.states()
    found = gates.gate_values(net.cell, net.inputs[0])
    assert found.keys() == {"forget", "input", "output"}
    for time in range(4):
        h, x = states[time, 0, :3], net.inputs[0, time]
        for place, name in ((0, "input"), (1, "forget"), (3, "output")):
            block = slice(3 * place, 3 * place + 3)
            expected = sigmoid(x @ w[:, block] + h @ u[:, block] + b[block])
            np.testing.assert_allclose(found[name][time], expected, atol=1e-6)


def test_gates_of_a_gru_are_the_equations():
    net = nets.untrained("gru", 3, 4, 1, seed=1)
    net.cell.bias.assign(np.random.default_rng(0).normal(size=(2, 9)))
    w, u, (b, c) = (ops.convert_to_numpy(weight) for weight in net.cell.weights)
    states = net.states()
    found = gates.gate_values(net.cell, net.inputs[0])
    assert found.keys() == {"update", "reset"}
    for time in range(4):
        h, x = states[time, 0], net.inputs[0, time]
        for place, name in ((0, "update"), (1, "reset")):
            block = slice(3 * place, 3 * place + 3)
            expected = sigmoid(x @ w[:, block] + b[block] + h @ u[:, block] + c[block])
            np.testing.assert_allclose(found[name][time], expected, atol=1e-6)


@pytest.mark.parametrize("block", [None, "residual"])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_gates_of_a_model_are_those_of_its_fused_layer(name, block, tokenizer):
    """The state that follows from the gates is the one that the fused layer computes."""
    net = builders.classifier(tokenizer.size, 2, name, 4, embedding_dim=3, num_layers=2, block=block)
    model = saved(net, name, tokenizer=tokenizer)
    ids = np.array(tokenizer.encode(WORDS[:1]))
    run = nets.layer_of(model).runs[1][0]
    inputs = nets.inputs_of(model, run, ids)
    assert inputs.shape == (1, 7, 8 if block is None else 4)
    by_cell = nets.Net(name, nets.cell_of(run), inputs).states()[1:, 0, :4]
    np.testing.assert_allclose(by_cell, ops.convert_to_numpy(run(inputs))[0], atol=1e-6)
    tokens, found = gates.read(model, WORDS[0], layer=2)
    assert tokens == WORDS[0].split()
    expected = gates.gate_values(nets.cell_of(run), inputs[0])
    assert found.keys() == expected.keys()
    for gate, values in found.items():
        assert values.shape == (7, 4)
        np.testing.assert_allclose(values, expected[gate], atol=1e-6)


def test_gates_of_a_character_model():
    letters = text.Tokenizer.train(["hello"], "char")
    net = builders.language_model(letters.size, "lstm", 4)
    tokens, found = gates.read(saved(net, "lstm", tokenizer=letters), "hello")
    assert tokens == list("hello")
    assert found["forget"].shape == (5, 4)


def test_what_has_no_gates_is_refused(tokenizer):
    def refused(net, words="the film", layer=1, **assets):
        with pytest.raises(UserError) as error:
            gates.read(saved(net, "simple_rnn", **assets), words, layer)
        return str(error.value)

    plain = builders.classifier(tokenizer.size, 2, "simple_rnn", 4, embedding_dim=3)
    assert "has no gates: its cell is 'simple_rnn'" in refused(plain, tokenizer=tokenizer)
    assert "--layer 2 does not exist" in refused(plain, layer=2, tokenizer=tokenizer)
    assert "The text is empty" in refused(plain, "  ", tokenizer=tokenizer)
    assert "401 tokens" in refused(plain, "film " * 401, tokenizer=tokenizer)
    assert "does not read plain text" in refused(plain)
    words = text.Tokenizer.train(WORDS[0].split(), "given")
    assert "does not read plain text" in refused(plain, tokenizer=words), "it would take a sentence for one word"
    assert "without one recurrent layer" in refused(builders.perceptron((2, 2), 2), tokenizer=tokenizer)
    two = builders.perceptron((None, 2), 2, "gru", 4)
    assert "does not read plain text" in refused(two, tokenizer=tokenizer)


def test_cells_without_gates_say_so():
    assert cells.make("simple_rnn", 3).gate_values(None, []) == {}
    keras_cell = keras.layers.LSTMCell(3)
    assert not hasattr(keras_cell, "gate_values")


def test_white_space_is_made_visible():
    assert [shades.visible(token) for token in (" ", "\n", "a", "$9", "")] == ["␣", "↵", "a", "$9", "∅"]
