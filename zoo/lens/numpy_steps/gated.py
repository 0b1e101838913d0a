"""Nonlinear cells that mix their state, with normalization, peepholes, exponential gates or without mixing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.lens.numpy_steps.classic import lstm
from zoo.lens.numpy_steps.step import Result, Step, Weights, sigmoid


def layer_norm_lstm(
    weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]
) -> Result:
    """Ba, Kiros and Hinton (2016), equations 20 to 22 of the supplement."""
    w, x, (h, c), epsilon = weights, inputs, states, arguments["norm_epsilon"]

    def norm(z: np.ndarray, gain: np.ndarray) -> np.ndarray:
        mean = z.mean(axis=1, keepdims=True)
        return gain * (z - mean) / np.sqrt(((z - mean) ** 2).mean(axis=1, keepdims=True) + epsilon)

    gates = norm(h @ w["recurrent_kernel"], w["recurrent_gain"]) + norm(x @ w["kernel"], w["kernel_gain"])
    i, f, g, o = np.split(gates + w.get("bias", 0), 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(norm(c, w["cell_gain"]) + w.get("cell_bias", 0))
    return h, [h, c]


def peephole_lstm(
    weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]
) -> Result:
    """Gers, Schraudolph and Schmidhuber (2002), section 3."""
    w, x, (h, c) = weights, inputs, states
    ix, fx, gx, ox = np.split(w["kernel"], 4, axis=1)
    ih, fh, gh, oh = np.split(w["recurrent_kernel"], 4, axis=1)
    ib, fb, gb, ob = np.split(w.get("bias", np.zeros(4 * h.shape[1])), 4)
    ci, cf, co = w["peephole_kernel"]
    i = sigmoid(x @ ix + h @ ih + ci * c + ib)
    f = sigmoid(x @ fx + h @ fh + cf * c + fb)
    c = f * c + i * np.tanh(x @ gx + h @ gh + gb)
    o = sigmoid(x @ ox + h @ oh + co * c + ob)
    h = o * np.tanh(c)
    return h, [h, c]


def mogrifier_lstm(
    weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]
) -> Result:
    """Melis, Kocisky and Blunsom (2019), equations 1 and 2; then the step of an LSTM."""
    x, (h, c) = inputs, states
    for number in range(1, arguments["rounds"] + 1):
        if number % 2:
            x = 2 * sigmoid(h @ _mogrifier_matrix(weights, f"q_{{}}kernel_{number}")) * x
        else:
            h = 2 * sigmoid(x @ _mogrifier_matrix(weights, f"r_{{}}kernel_{number}")) * h
    return lstm(weights, x, [h, c], arguments)


def _mogrifier_matrix(weights: Weights, name: str) -> np.ndarray:
    """The matrix of a round, which may be a product of two."""
    if name.format("") in weights:
        return weights[name.format("")]
    return weights[name.format("left_")] @ weights[name.format("right_")]


def slstm(
    weights: Weights,
    inputs: np.ndarray,
    states: Sequence[np.ndarray],
    arguments: Mapping[str, Any],
) -> Result:
    """Beck et al. (2024), equations 8 to 17.

    Without the stabilizer: c and n are scaled back by exp(m), and the new ones down by exp(-m_t).
    """
    w, x, (h, c, n, m) = weights, inputs, states
    c, n = c * np.exp(m), n * np.exp(m)
    blocks = w["recurrent_kernel"]  # (heads, units of a head, 4 * units of a head)
    by_head = [part @ block for part, block in zip(np.split(h, len(blocks), axis=1), blocks, strict=True)]
    rz, ri, rf, ro = (
        np.concatenate([np.split(part, 4, axis=1)[gate] for part in by_head], axis=1) for gate in range(4)
    )
    zx, ix, fx, ox = np.split(x @ w["kernel"] + w.get("bias", 0), 4, axis=1)
    f = fx + rf
    log_f = np.log(sigmoid(f)) if arguments["forget_gate"] == "sigmoid" else f
    z, o, i = np.tanh(zx + rz), sigmoid(ox + ro), np.exp(ix + ri)
    c = np.exp(log_f) * c + i * z
    n = np.exp(log_f) * n + i
    m = np.maximum(log_f + m, np.log(i))
    h = o * c / n
    return h, [h, c * np.exp(-m), n * np.exp(-m), m]


def ind_rnn(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """Li et al. (2018), equation 4."""
    w, x, (h,) = weights, inputs, states
    h = np.maximum(0, x @ w["kernel"] + w["recurrent_kernel"] * h + w.get("bias", 0))
    return h, [h]


STEPS: dict[str, Step] = {
    "layer_norm_lstm": layer_norm_lstm,
    "peephole_lstm": peephole_lstm,
    "mogrifier_lstm": mogrifier_lstm,
    "slstm": slstm,
    "ind_rnn": ind_rnn,
}
"""Name of a cell -> its step."""
