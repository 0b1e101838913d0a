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


def sru(w, x, states):
    (c,) = states
    w_c, w_f, w_r, w_x = np.split(w["kernel"], 4, axis=1)
    b_f, b_r = np.split(w["bias"], 2)
    f, r = sigmoid(x @ w_f + b_f), sigmoid(x @ w_r + b_r)
    c = f * c + (1 - f) * (x @ w_c)
    return [r * c + (1 - r) * (x @ w_x), c]


def ssru(w, x, states):
    (c,) = states
    w_t, w_x = np.split(w["kernel"], 2, axis=1)
    f = sigmoid(x @ w_t + w["bias"])
    c = f * c + (1 - f) * (x @ w_x)
    return [np.maximum(c, 0), c]


def lru(w, x, states):
    n = w["nu_log"].size
    h = states[0][:, :n] + 1j * states[0][:, n:]
    eigenvalue = np.exp(-np.exp(w["nu_log"]) + 1j * np.exp(w["theta_log"]))
    h = eigenvalue * h + np.exp(w["gamma_log"]) * (x @ (w["kernel"][:, :n] + 1j * w["kernel"][:, n:]))
    out = w["output_kernel"][:n] - 1j * w["output_kernel"][n:]
    y = np.real(h @ out) + x @ w["skip_kernel"] + w["bias"]
    gelu = y / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))
    return [gelu, np.concatenate([h.real, h.imag], axis=1)]


def rg_lru(w, u, states):
    (h,) = states
    w_a, w_x = np.split(w["gate_kernel"][0], 2, axis=1)
    b_a, b_x = np.split(w["gate_bias"], 2)
    x = u @ w["kernel"] + w["bias"]
    r, i = sigmoid(x @ w_a + b_a), sigmoid(x @ w_x + b_x)
    a = sigmoid(w["decay"]) ** (8 * r)
    return [a * h + np.sqrt(1 - a**2) * (i * x)]


def gated_delta(w, x, states):
    """Of one head, as here 5 units are; the state of the paper is the transpose of ours."""
    memory = states[0].reshape(-1, 5, 5).transpose(0, 2, 1)
    q, k, v, g = (part * sigmoid(part) for part in np.split(x @ w["kernel"], 4, axis=1))
    a, b = (x @ w["gate_kernel"]).T
    alpha = np.exp(-np.exp(w["log_decay"]) * np.log1p(np.exp(a + w["step_size"])))
    beta = sigmoid(b + w["bias"])
    outputs, memories = [], []
    for row in range(len(x)):
        query, key = (vector[row] / np.sqrt((vector[row] ** 2).sum() + 1e-6) for vector in (q, k))
        forget = alpha[row] * (np.eye(5) - beta[row] * np.outer(key, key))
        memories.append(memory[row] @ forget + beta[row] * np.outer(v[row], key))
        o = memories[-1] @ query
        outputs.append(o / np.sqrt((o**2).mean() + 1e-5) * w["scale"] * g[row])
    return [np.stack(outputs), np.stack(memories).transpose(0, 2, 1).reshape(len(x), 25)]


EQUATIONS = {
    "simple_rnn": simple_rnn,
    "lstm": lstm,
    "gru": gru,
    "min_gru": min_gru,
    "min_lstm": min_lstm,
    "sru": sru,
    "ssru": ssru,
    "lru": lru,
    "rg_lru": rg_lru,
    "gated_delta": gated_delta,
}


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
