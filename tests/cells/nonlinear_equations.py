"""The equations of the nonlinear cells a second time, written in numpy from their papers."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


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


def layer_norm_lstm(w, x, states):
    h, c = states

    def norm(z, gain):
        mean = z.mean(axis=1, keepdims=True)
        return gain * (z - mean) / np.sqrt(((z - mean) ** 2).mean(axis=1, keepdims=True) + 1e-3)

    gates = norm(h @ w["recurrent_kernel"], w["recurrent_gain"]) + norm(x @ w["kernel"], w["kernel_gain"]) + w["bias"]
    i, f, g, o = np.split(gates, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(norm(c, w["cell_gain"]) + w["cell_bias"]), c]


def peephole_lstm(w, x, states):
    h, c = states
    ix, fx, gx, ox = np.split(w["kernel"], 4, axis=1)
    ih, fh, gh, oh = np.split(w["recurrent_kernel"], 4, axis=1)
    ib, fb, gb, ob = np.split(w["bias"], 4)
    ci, cf, co = w["peephole_kernel"]
    i = sigmoid(x @ ix + h @ ih + ci * c + ib)
    f = sigmoid(x @ fx + h @ fh + cf * c + fb)
    c = f * c + i * np.tanh(x @ gx + h @ gh + gb)
    o = sigmoid(x @ ox + h @ oh + co * c + ob)
    return [o * np.tanh(c), c]


def mogrifier_lstm(w, x, states):
    h, c = states
    x = 2 * sigmoid(h @ w["q_kernel_1"]) * x
    h = 2 * sigmoid(x @ w["r_kernel_2"]) * h
    x = 2 * sigmoid(h @ w["q_kernel_3"]) * x
    h = 2 * sigmoid(x @ w["r_kernel_4"]) * h
    x = 2 * sigmoid(h @ w["q_kernel_5"]) * x
    return lstm(w, x, [h, c])


def slstm(w, x, states, heads=1, log_forget=lambda f: np.log(sigmoid(f))):
    """Without the stabilizer: c and n are scaled back by exp(m), and the new ones down by exp(-m_t)."""
    h, c, n, m = states
    c, n = c * np.exp(m), n * np.exp(m)
    blocks = w["recurrent_kernel"]  # (heads, units of a head, 4 * units of a head)
    by_head = [part @ block for part, block in zip(np.split(h, heads, axis=1), blocks, strict=True)]
    rz, ri, rf, ro = (
        np.concatenate([np.split(part, 4, axis=1)[gate] for part in by_head], axis=1) for gate in range(4)
    )
    zx, ix, fx, ox = np.split(x @ w["kernel"] + w["bias"], 4, axis=1)
    z, o, i, log_f = np.tanh(zx + rz), sigmoid(ox + ro), np.exp(ix + ri), log_forget(fx + rf)
    c = np.exp(log_f) * c + i * z
    n = np.exp(log_f) * n + i
    m = np.maximum(log_f + m, np.log(i))
    return [o * c / n, c * np.exp(-m), n * np.exp(-m), m]


def ind_rnn(w, x, states):
    (h,) = states
    return [np.maximum(0, x @ w["kernel"] + w["recurrent_kernel"] * h + w["bias"])]


EQUATIONS = {
    "layer_norm_lstm": layer_norm_lstm,
    "peephole_lstm": peephole_lstm,
    "mogrifier_lstm": mogrifier_lstm,
    "slstm": slstm,
    "ind_rnn": ind_rnn,
}
