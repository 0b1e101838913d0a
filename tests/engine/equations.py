"""The cells' equations, once more, one row and one step at a time: what the kernels are compared with."""

from typing import Any

import numpy as np


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def step(kind: str, x: Any, states: list, kernel: Any, recurrent: Any, bias: Any) -> list:
    """New states of one row."""
    h = states[0]
    if kind.endswith("min_gru"):
        z, n = np.split(x @ kernel + bias, 2)
        z = sigmoid(z)
        return [(1 - (2 if kind == "signed_min_gru" else 1) * z) * h + z * n]
    if kind == "simple_rnn":
        return [np.tanh(x @ kernel + h @ recurrent + bias)]
    if kind == "lstm":
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(c), c]
    xz, xr, xn = np.split(x @ kernel + bias[0], 3)
    hz, hr, hn = np.split(h @ recurrent + bias[1], 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return [z * h + (1 - z) * np.tanh(xn + r * hn)]


def run(kind: str, x: Any, mask: Any, weights: Any, initial: list, reverse: bool) -> tuple[Any, list]:
    """Outputs `(batch, time, units)` and final states."""
    outputs = np.zeros((*x.shape[:2], initial[0].shape[1]), x.dtype)
    finals = [state.copy() for state in initial]
    for row in range(x.shape[0]):
        times = [t for t in range(x.shape[1]) if mask is None or mask[row, t]]
        states = [state[row] for state in initial]
        for t in reversed(times) if reverse else times:
            states = step(kind, x[row, t], states, *weights)
            outputs[row, t] = states[0]
        for final, state in zip(finals, states, strict=True):
            final[row] = state
    return outputs, finals
