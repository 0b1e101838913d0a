"""The recurrent decoder: steps and the one pass agree, and both equal the equations in numpy."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells
from zoo.cells.cell import Cell
from zoo.errors import UserError
from zoo.layers import RecurrentDecoder
from zoo.layers.attention import TABLE as KINDS

UNITS, SIZE, FEATURES, READOUT = 4, 3, 5, 6
MASK = np.array([[True] * 4, [True, True, False, False]])
MODES = {
    "plain": {},
    "conditional": {"conditional_cell": True},
    "input_feeding": {"input_feeding": True},
    "both": {"conditional_cell": True, "input_feeding": True},
}
COMBINATIONS = [
    (kind, mode) for kind in (*KINDS, None) for mode in MODES if kind or not MODES[mode].get("conditional_cell")
]


def noise(*shape, seed=0):
    return np.random.default_rng(seed + sum(shape)).normal(0, 0.7, shape).astype("float32")


def array(tensor):
    return ops.convert_to_numpy(tensor)


def shaken(decoder, features=FEATURES):
    """Built, with random weights everywhere: biases of zero would hide that one is left out."""
    decoder.build((None, None, SIZE), (None, None, features))
    decoder.set_weights([noise(*weight.shape, seed=i) for i, weight in enumerate(decoder.weights)])
    return decoder


def made(cell="gru", attention="additive", features=FEATURES, **options):
    options = {"attention_units": 7, "readout_dim": READOUT, **options}
    return shaken(RecurrentDecoder(cell, UNITS, attention=attention, **options), features)


def given(decoder, batch=2, steps=3, features=FEATURES):
    """Inputs, first states and a memory, as an encoder would leave them."""
    inputs = noise(batch, steps, SIZE)
    states = [
        [np.tanh(noise(batch, size, seed=10 * i + j)) for j, size in enumerate(layer)]
        for i, layer in enumerate(decoder.state_sizes)
    ]
    return inputs, states, decoder.prepare(noise(batch, 4, features), MASK[:batch]) if decoder.attention else None


def one_pass(decoder, inputs, states, memory):
    if memory is None:
        return array(decoder(inputs, states)), None
    readouts, weights = decoder(inputs, states, memory, return_attention=True)
    return array(readouts), array(weights)


def stepped(decoder, inputs, states, memory):
    state, readouts, weights = decoder.start(states, memory), [], []
    for time in range(inputs.shape[1]):
        readout, state, looked = decoder.step(inputs[:, time], state, memory)
        readouts.append(array(readout))
        weights.append(None if looked is None else array(looked))
    return np.stack(readouts, 1), None if memory is None else np.stack(weights, 1)


def agree(one, other, atol=1e-5):
    for left, right in zip(one, other, strict=True):
        if left is None or right is None:
            assert left is right
        else:
            np.testing.assert_allclose(left, right, atol=atol)


# Every attention with every mode; cells and numbers of layers in turn.
CLASSICS = ("simple_rnn", "lstm", "gru")
STEPS = [
    (CLASSICS[number % len(CLASSICS)], kind, mode, 1 + number // 2 % 2)
    for number, (kind, mode) in enumerate(COMBINATIONS)
]


def test_the_steps_cover_every_classic_with_every_attention_mode_and_number_of_layers():
    for place, values in ((1, KINDS), (2, MODES), (3, [1, 2])):
        missing = {(cell, value) for cell in CLASSICS for value in values} - {(c[0], c[place]) for c in STEPS}
        assert not missing


# The other cells once each, with attention and modes in turn.
STEPS += [
    (cell, *COMBINATIONS[number % len(COMBINATIONS)], 1 + number % 2)
    for number, cell in enumerate(cell for cell in cells.TABLE if cell not in CLASSICS)
]


@pytest.mark.parametrize(("cell", "kind", "mode", "num_layers"), STEPS)
def test_steps_equal_the_one_pass(cell, kind, mode, num_layers):
    decoder = made(cell, kind, num_layers=num_layers, **MODES[mode])
    inputs, states, memory = given(decoder)
    assert [len(layer) for layer in decoder.state_sizes] == [cells.find(cell).states] * num_layers
    readouts, weights = one_pass(decoder, inputs, states, memory)
    assert readouts.shape == (2, 3, READOUT)
    agree((readouts, weights), stepped(decoder, inputs, states, memory))
    if kind:
        assert weights.shape == (2, 3, 4)
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
        assert (weights[1, :, 2:] == 0).all(), "no weight is on padding"
        assert np.abs(weights[0, 0] - weights[0, 2]).max() > 1e-4, "each step looks elsewhere"
        np.testing.assert_allclose(array(decoder(inputs, states, memory)), readouts, rtol=0, atol=1e-6)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def named(layer):
    return {weight.name: array(weight).astype("float64") for weight in layer.weights}


def gru(w, x, h):
    """`zoo.cells.gru`'s equations, gate by gate."""
    (xz, xr, xn), (hz, hr, hn) = np.split(w["kernel"], 3, 1), np.split(w["recurrent_kernel"], 3, 1)
    (bz, br, bn), (cz, cr, cn) = (np.split(row, 3) for row in w["bias"])
    z = sigmoid(x @ xz + bz + h @ hz + cz)
    r = sigmoid(x @ xr + br + h @ hr + cr)
    return z * h + (1 - z) * np.tanh(x @ xn + bn + r * (h @ hn + cn))


def look(score, memory, mask):
    """Weights over the real positions of one example, and the mean that they give."""
    powers = np.array([np.exp(score(h)) if real else 0.0 for h, real in zip(memory, mask, strict=True)])
    weights = powers / powers.sum()
    return sum(a * h for a, h in zip(weights, memory, strict=True)), weights


def normalised(vector, w):
    """Layer normalisation with Keras's 1e-3."""
    return w["gamma"] * (vector - vector.mean()) / np.sqrt(vector.var() + 1e-3) + w["beta"]


@pytest.mark.parametrize("layer_norm", [False, True], ids=["bare", "normalised"])
def test_conditional_gru_with_additive_attention_equals_numpy(layer_norm):
    """s' = cell_1(x, s);  c = attention(s', memory);  s = cell_2(c, s');  r = tanh(W_s s + W_c c + W_x x + b)."""
    decoder = made("gru", "additive", conditional_cell=True, layer_norm=layer_norm)
    inputs, states, memory = given(decoder)
    first, second, a = named(decoder.cells[0]), named(decoder.conditional_cell), named(decoder.attention)
    own = {name: array(getattr(decoder, name)) for name in ("input_kernel", "state_kernel", "bias")}
    readouts, weights = one_pass(decoder, inputs, states, memory)
    for row in range(2):
        values, s = array(memory.values)[row].astype("float64"), states[0][0][row].astype("float64")
        for time in range(3):
            x = inputs[row, time]
            between = gru(first, x, s)

            def score(h, query=between):
                return a["vector"][:, 0] @ np.tanh(query @ a["query_kernel"] + h @ a["key_kernel"] + a["bias"])

            c, looked = look(score, values, MASK[row])
            s = gru(second, c, between)
            seen = np.concatenate([s, c])
            seen = normalised(seen, named(decoder.norm)) if layer_norm else seen
            np.testing.assert_allclose(weights[row, time], looked, atol=1e-5)
            np.testing.assert_allclose(
                readouts[row, time],
                np.tanh(seen @ own["state_kernel"] + x @ own["input_kernel"] + own["bias"]),
                atol=1e-5,
            )


@pytest.mark.parametrize("layer_norm", [False, True], ids=["bare", "normalised"])
def test_luong_s_input_feeding_equals_numpy(layer_norm):
    """Two layers of simple_rnn: s = cells([x; r_{t-1}], s);  c = dot attention(s);  r as above."""
    decoder = made("simple_rnn", "dot", features=UNITS, num_layers=2, input_feeding=True, layer_norm=layer_norm)
    inputs, states, memory = given(decoder, features=UNITS)
    below, above = named(decoder.cells[0]), named(decoder.cells[1])
    kernel = np.concatenate([below["kernel"], array(decoder.feed_kernel)])  # of [x; r]
    parts = np.split(array(decoder.state_kernel), [UNITS])  # W_s and W_c
    readouts, weights = one_pass(decoder, inputs, states, memory)
    for row in range(2):
        values = array(memory.values)[row]
        h, s, r = states[0][0][row], states[1][0][row], np.zeros(READOUT)
        for time in range(3):
            x = inputs[row, time]
            h = np.tanh(np.concatenate([x, r]) @ kernel + h @ below["recurrent_kernel"] + below["bias"])
            s = np.tanh(h @ above["kernel"] + s @ above["recurrent_kernel"] + above["bias"])
            c, looked = look(lambda place, query=s: query @ place, values, MASK[row])
            both = np.concatenate([s, c])
            both = normalised(both, named(decoder.norm)) if layer_norm else both
            r = both[:UNITS] @ parts[0] + both[UNITS:] @ parts[1] + x @ array(decoder.input_kernel)
            r = np.tanh(r + array(decoder.bias))
            np.testing.assert_allclose(weights[row, time], looked, atol=1e-5)
            np.testing.assert_allclose(readouts[row, time], r, atol=1e-5)


@keras.saving.register_keras_serializable("zoo_tests")
class Whole(cells.GRUCell):
    """A zoo cell whose inputs enter in `call` alone."""

    gates = 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("plain", "zoo"),
    [(keras.layers.LSTMCell(5), cells.LSTMCell(5)), (Whole(5), cells.GRUCell(5))],
    ids=["keras", "gates=0"],
)
def test_a_cell_that_cannot_be_split_gives_the_same_as_one_that_can(plain, zoo, mode):
    whole, split = (made(cell, num_layers=2, **MODES[mode]) for cell in (plain, zoo))
    assert split.hoisted
    assert not whole.hoisted
    assert whole.state_sizes == split.state_sizes == [[5] * len(split.state_sizes[0])] * 2
    fed = [weight for weight in split.weights if weight.name == "feed_kernel"]
    assert len(fed) == ("input_feeding" in MODES[mode])
    values = [array(weight) for weight in split.weights if weight.name != "feed_kernel"]
    kernel = next(i for i, weight in enumerate(whole.weights) if weight is whole.cells[0].weights[0])
    values[kernel] = np.concatenate([array(split.cells[0].kernel), *map(array, fed)])  # of [x; r]
    whole.set_weights(values)
    inputs, states, memory = given(whole)
    agree(one_pass(whole, inputs, states, memory), one_pass(split, inputs, states, memory))
    agree(one_pass(whole, inputs, states, memory), stepped(whole, inputs, states, memory))


@pytest.mark.parametrize("cell", [name for name in cells.TABLE if cells.find(name).gates])
def test_the_input_products_of_our_cells_are_computed_once_for_all_steps(cell, monkeypatch):
    decoder = made(cell, input_feeding=True, num_layers=2)
    assert decoder.hoisted
    seen, project = [], type(decoder.cells[0]).project

    def count(self, inputs):
        if self is decoder.cells[0]:
            seen.append(tuple(inputs.shape))
        return project(self, inputs)

    monkeypatch.setattr(type(decoder.cells[0]), "project", count)
    inputs, states, memory = given(decoder, steps=5)
    decoder(inputs, states, memory)
    assert seen == [(2, 5, SIZE)]


@pytest.mark.parametrize(("kind", "mode"), COMBINATIONS)
def test_hypotheses_side_by_side_are_examples_of_their_own(kind, mode):
    decoder = made("gru", kind, num_layers=2, **MODES[mode])
    _, _, memory = given(decoder)  # of two examples
    many, other = noise(6, 2, SIZE, seed=5), [[np.tanh(noise(6, UNITS, seed=6 + i))] for i in range(2)]
    wide = stepped(decoder, many, other, memory)  # three hypotheses each
    for place in range(3):
        rows = [place, 3 + place]
        alone = stepped(decoder, many[rows], [[state[rows] for state in layer] for layer in other], memory)
        agree([None if part is None else part[rows] for part in wide], alone)


class Echo(Cell):
    """Says what it hears: the second of two shows what came between them."""

    def build(self, input_shape):
        pass

    def call(self, inputs, states, training=None):
        return inputs, [inputs]


def test_dropout_between_layers_is_locked_and_off_in_inference():
    decoder = RecurrentDecoder(Echo, 32, num_layers=2, attention=None, dropout=0.5)
    decoder.build((None, None, 32))
    # The readout is then tanh(0.1 s) of what the second layer heard.
    decoder.set_weights([np.zeros((32, 32)), 0.1 * np.eye(32), np.zeros(32)])
    ones, states = np.ones((3, 7, 32), "float32"), [[np.zeros((3, 32), "float32")]] * 2

    def heard(training):
        return 10 * np.arctanh(array(decoder(ones, states, training=training)))

    np.testing.assert_allclose(heard(False), 1, atol=1e-4)
    first, again = heard(True), heard(True)
    assert set(np.round(first, 3).ravel()) == {0.0, 2.0}
    np.testing.assert_allclose(first, np.repeat(first[:, :1], 7, axis=1), atol=1e-5)
    assert np.abs(first[0] - first[1]).max() > 1, "each example has its own"
    assert np.abs(first - again).max() > 1, "each call has its own"


def test_one_layer_has_no_dropout_between_layers():
    decoder = made("gru", dropout=0.5)
    inputs, states, memory = given(decoder)
    quiet, loud = (array(decoder(inputs, states, memory, training=training)) for training in (False, True))
    np.testing.assert_allclose(quiet, loud, rtol=0, atol=1e-5)  # training may take another path


@pytest.mark.parametrize("mode", MODES)
def test_later_inputs_change_no_earlier_readout(mode):
    decoder = made("lstm", num_layers=2, **MODES[mode])
    inputs, states, memory = given(decoder)
    before = array(decoder(inputs, states, memory))
    inputs[:, 2] += 1
    after = array(decoder(inputs, states, memory))
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert np.abs(before[:, 2] - after[:, 2]).max() > 1e-3


def test_without_a_mask_the_whole_memory_is_real():
    decoder = made()
    memory = decoder.prepare(noise(2, 4, FEATURES))
    assert array(memory.mask).tolist() == [[True] * 4] * 2


@pytest.mark.parametrize(
    "cell", ["lstm", cells.GRUCell(3), keras.layers.SimpleRNNCell(3)], ids=["name", "zoo", "keras"]
)
def test_config_round_trip(cell):
    options = {"num_layers": 2, "conditional_cell": True, "input_feeding": True, "layer_norm": True, "dropout": 0.2}
    decoder = RecurrentDecoder(
        cell, 4, attention="general", attention_units=9, readout_dim=5, name="decoder", **options
    )
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(decoder))
    assert copy.get_config() == decoder.get_config()
    assert copy.state_sizes == decoder.state_sizes
    shaken(decoder)
    copy.build((None, None, SIZE), (None, None, FEATURES))
    copy.set_weights(decoder.get_weights())
    inputs, states, memory = given(decoder)
    agree(one_pass(copy, inputs, states, memory), one_pass(decoder, inputs, states, memory), atol=0)


def test_what_does_not_go_together_is_told():
    with pytest.raises(ValueError, match="needs an attention"):
        RecurrentDecoder("gru", 4, attention=None, conditional_cell=True)
    with pytest.raises(ValueError, match="num_layers=0"):
        RecurrentDecoder("gru", 4, num_layers=0)
    with pytest.raises(UserError, match="did you mean 'additive'"):
        RecurrentDecoder("gru", 4, attention="aditive")
    with pytest.raises(UserError, match="did you mean 'lstm'"):
        RecurrentDecoder("lsmt", 4)


@pytest.mark.parametrize(("cell", "mode"), list(zip(["gru", "lstm", "simple_rnn", "lstm"], MODES, strict=True)))
def test_with_a_context_gate_steps_equal_the_one_pass(cell, mode):
    decoder = made(cell, context_gate=True, num_layers=2, **MODES[mode])
    assert decoder.gate.kernel.shape == (UNITS, 1)
    inputs, states, memory = given(decoder)
    agree(one_pass(decoder, inputs, states, memory), stepped(decoder, inputs, states, memory))


def test_a_context_gate_equals_numpy():
    """r = tanh(W_s s + beta W_c c + W_x x + b) with beta = sigmoid(w^T s + v), and looks where it looked before."""
    decoder = made("gru", "dot", features=UNITS, context_gate=True)
    inputs, states, memory = given(decoder, features=UNITS)
    w, (kernel, bias) = named(decoder.cells[0]), decoder.gate.get_weights()
    own = {name: array(getattr(decoder, name)) for name in ("input_kernel", "state_kernel", "bias")}
    readouts, weights = one_pass(decoder, inputs, states, memory)
    gates = []
    for row in range(2):
        values, s = array(memory.values)[row].astype("float64"), states[0][0][row].astype("float64")
        for time in range(3):
            s = gru(w, inputs[row, time], s)
            c, looked = look(lambda place, query=s: query @ place, values, MASK[row])
            gates.append(sigmoid(s @ kernel[:, 0] + bias[0]))
            seen = np.concatenate([s, gates[-1] * c]) @ own["state_kernel"]
            expected = np.tanh(seen + inputs[row, time] @ own["input_kernel"] + own["bias"])
            np.testing.assert_allclose(weights[row, time], looked, atol=1e-5)
            np.testing.assert_allclose(readouts[row, time], expected, atol=1e-5)
    assert np.ptp(gates) > 1e-2, "each step has a gate of its own"


def test_a_gate_that_is_shut_shows_nothing_and_one_that_is_open_all():
    shut, plain = made(context_gate=True), made()
    weights = {id(weight) for weight in shut.gate.weights}
    others = [weight for weight in shut.weights if id(weight) not in weights]
    plain.set_weights([array(weight) for weight in others])
    inputs, states, memory = given(shut)
    shut.gate.kernel.assign(np.zeros((UNITS, 1)))
    shut.gate.bias.assign([30.0])
    agree(one_pass(shut, inputs, states, memory), one_pass(plain, inputs, states, memory))
    shut.gate.bias.assign([-30.0])
    elsewhere = shut.prepare(noise(2, 4, FEATURES, seed=9), MASK)
    one, other = (one_pass(shut, inputs, states, where)[0] for where in (memory, elsewhere))
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.abs(one - one_pass(plain, inputs, states, memory)[0]).max() > 1e-2


@pytest.mark.parametrize(("kind", "mode"), COMBINATIONS)
def test_several_rows_of_an_example_share_its_memory_in_the_one_pass(kind, mode):
    """Six rows over a memory of two equal six rows over that memory three times."""
    decoder = made("gru", kind, num_layers=2, context_gate=bool(kind), **MODES[mode])
    _, _, memory = given(decoder)
    many, states = noise(6, 2, SIZE, seed=5), [[np.tanh(noise(6, UNITS, seed=6 + i))] for i in range(2)]
    repeated = memory and type(memory)(*(np.repeat(array(part), 3, axis=0) for part in memory))
    agree(one_pass(decoder, many, states, memory), one_pass(decoder, many, states, repeated))
    agree(one_pass(decoder, many, states, memory), stepped(decoder, many, states, memory))


def test_a_context_gate_is_kept_and_needs_something_to_weigh():
    decoder = RecurrentDecoder("gru", 4, context_gate=True)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(decoder))
    assert copy.gate is not None
    assert copy.get_config() == decoder.get_config()
    assert RecurrentDecoder.from_config(RecurrentDecoder("gru", 4).get_config()).gate is None
    with pytest.raises(ValueError, match="A context gate needs an attention"):
        RecurrentDecoder("gru", 4, attention=None, context_gate=True)
