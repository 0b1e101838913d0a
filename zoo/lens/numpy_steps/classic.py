"""The cells that Keras has too."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.lens.numpy_steps.step import Result, Step, Weights, sigmoid


def simple_rnn(
    weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]
) -> Result:
    """Elman (1990)."""
    (h,) = states
    h = np.tanh(inputs @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights.get("bias", 0))
    return h, [h]


def lstm(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """Hochreiter and Schmidhuber (1997), Gers et al. (2000); each gate has its own block of the weights."""
    x, (h, c) = inputs, states
    xi, xf, xg, xo = np.split(weights["kernel"], 4, axis=1)
    hi, hf, hg, ho = np.split(weights["recurrent_kernel"], 4, axis=1)
    bi, bf, bg, bo = np.split(weights.get("bias", np.zeros(4 * h.shape[1])), 4)
    f = sigmoid(x @ xf + h @ hf + bf)
    i = sigmoid(x @ xi + h @ hi + bi)
    g = np.tanh(x @ xg + h @ hg + bg)
    c = f * c + i * g
    o = sigmoid(x @ xo + h @ ho + bo)
    h = o * np.tanh(c)
    return h, [h, c]


def gru(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """Cho et al. (2014), with the reset gate after the product."""
    x, (h,) = inputs, states
    xz, xr, xn = np.split(weights["kernel"], 3, axis=1)
    hz, hr, hn = np.split(weights["recurrent_kernel"], 3, axis=1)
    of_inputs, of_state = weights.get("bias", np.zeros((2, 3 * h.shape[1])))
    (bz, br, bn), (cz, cr, cn) = np.split(of_inputs, 3), np.split(of_state, 3)
    z = sigmoid(x @ xz + bz + h @ hz + cz)
    r = sigmoid(x @ xr + br + h @ hr + cr)
    n = np.tanh(x @ xn + bn + r * (h @ hn + cn))
    h = z * h + (1 - z) * n
    return h, [h]


STEPS: dict[str, Step] = {"simple_rnn": simple_rnn, "lstm": lstm, "gru": gru}
"""Name of a cell -> its step."""
