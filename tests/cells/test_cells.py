"""Every registered cell: Keras's contract, numpy's equations, padding, learning, saving."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells, layers, testing
from zoo.errors import UserError


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple_rnn(w, x, states):
    (h,) = states
    return [np.tanh(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])]


def lstm(w, x, states):
    h, c = states
    # Gate by gate, each with its own block of the weights.
    ix, fx, gx, ox = np.split(w["kernel"], 4, axis=1)
    ih, fh, gh, oh = np.split(w["recurrent_kernel"], 4, axis=1)
    ib, fb, gb, ob = np.split(w["bias"], 4)
    f = sigmoid(x @ fx + h @ fh + fb)
    i = sigmoid(x @ ix + h @ ih + ib)
    g = np.tanh(x @ gx + h @ gh + gb)
    c = f * c + i * g
    o = sigmoid(x @ ox + h @ oh + ob)
    return [o * np.tanh(c), c]


def gru(w, x, states):
    (h,) = states
    zx, rx, nx = np.split(w["kernel"], 3, axis=1)
    zh, rh, nh = np.split(w["recurrent_kernel"], 3, axis=1)
    (zb, rb, nb), (zbh, rbh, nbh) = (np.split(row, 3) for row in w["bias"])
    z = sigmoid(x @ zx + zb + h @ zh + zbh)
    r = sigmoid(x @ rx + rb + h @ rh + rbh)
    n = np.tanh(x @ nx + nb + r * (h @ nh + nbh))
    return [z * h + (1 - z) * n]


def min_gru(w, x, states):
    (h,) = states
    wz, wh = np.split(w["kernel"], 2, axis=1)
    bz, bh = np.split(w["bias"], 2)
    z = sigmoid(x @ wz + bz)
    return [(1 - z) * h + z * (x @ wh + bh)]


def min_lstm(w, x, states):
    (h,) = states
    wf, wi, wh = np.split(w["kernel"], 3, axis=1)
    bf, bi, bh = np.split(w["bias"], 3)
    f, i = sigmoid(x @ wf + bf), sigmoid(x @ wi + bi)
    return [f / (f + i) * h + i / (f + i) * (x @ wh + bh)]


EQUATIONS = {"simple_rnn": simple_rnn, "lstm": lstm, "gru": gru, "min_gru": min_gru, "min_lstm": min_lstm}


def test_every_cell_has_its_equations_here():
    assert EQUATIONS.keys() == cells.TABLE.keys()


@pytest.mark.parametrize("name", cells.TABLE)
def test_cell_keeps_the_contract_and_equals_its_equations(name):
    testing.check_cell(name, EQUATIONS[name])


@pytest.mark.parametrize("name", cells.TABLE)
def test_file_opens_with_its_source(name):
    text = sys.modules[cells.find(name).__module__].__doc__
    assert "Source:" in text
    assert "h_t = " in text


def test_a_wrong_equation_is_noticed():
    def wrong(w, x, states):
        return [gru(w, x, states)[0] * 1.001]

    with pytest.raises(AssertionError, match="output at step 0"):
        testing.check_equations("gru", wrong)


@pytest.mark.parametrize("cell", ["lstm", cells.LSTMCell, cells.LSTMCell(6), keras.layers.LSTMCell(6)])
def test_chosen_by_name_class_or_instance(cell):
    made = cells.make(cell, 6)
    assert list(made.state_size) == [6, 6]
    assert not made.built


def test_an_instance_is_a_pattern_and_shares_no_weights():
    pattern = cells.GRUCell(4)
    layer = layers.Recurrent(pattern, num_layers=2)
    layer(np.zeros((1, 2, 3), "float32"))
    assert not pattern.built
    assert len(layer.trainable_weights) == 6


@pytest.mark.parametrize(("cell", "text"), [("gur", "did you mean 'gru'"), (3, "a name .* or an instance")])
def test_an_unknown_cell_is_told(cell, text):
    with pytest.raises(UserError, match=text):
        builders.classifier(10, 2, cell)


def test_no_units_is_told():
    with pytest.raises(ValueError, match="units=0"):
        cells.LSTMCell(0)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", cells.TABLE)
def test_half_precision_computes_in_half_and_keeps_weights_whole(name, policy):
    cell = cells.find(name)(4, dtype=policy)
    output, _ = cell(np.ones((2, 3), "float32"), cell.get_initial_state(batch_size=2))
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    assert {weight.dtype for weight in cell.weights} == {"float32"}


def test_loads_in_a_fresh_process(tmp_path):
    tokens = np.array([[3, 4, 5, 0], [6, 0, 0, 0]], "int32")
    np.save(tmp_path / "tokens.npy", tokens)
    for name in cells.TABLE:
        model = builders.classifier(10, 2, name, 4, embedding_dim=3)
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", ops.convert_to_numpy(model(tokens)))
    script = """
import sys, numpy as np, keras, zoo.saved
tokens = np.load("tokens.npy")
for name in sys.argv[1:]:
    model = keras.saving.load_model(f"{name}.keras")
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(tokens)), np.load(f"{name}.npy"), atol=1e-6)
print("loaded", len(sys.argv) - 1)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *cells.TABLE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert f"loaded {len(cells.TABLE)}" in done.stdout, done.stderr
