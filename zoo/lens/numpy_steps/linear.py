"""Cells whose recurrence is linear in the state."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.lens.numpy_steps.step import Result, Step, Weights, sigmoid


def _candidate(name: str, v: np.ndarray) -> np.ndarray:
    """The candidate's activation; g is from the appendix of Feng et al. (2024)."""
    if name == "g":
        return np.where(v >= 0, v + 0.5, sigmoid(v))
    return np.tanh(v) if name == "tanh" else v


def min_gru(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """Feng et al. (2024), section 3.1; signed factors as in Grazzi et al. (2024), section 4."""
    x, (h,) = inputs, states
    to_z, to_h = np.split(weights["kernel"], 2, axis=1)
    bias_z, bias_h = np.split(weights.get("bias", np.zeros(2 * h.shape[1])), 2)
    z = sigmoid(x @ to_z + bias_z)
    candidate = _candidate(arguments["activation"], x @ to_h + bias_h)
    factor = 1 - 2 * z if arguments["signed"] else 1 - z
    h = factor * h + z * candidate
    return h, [h]


def min_lstm(
    weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]
) -> Result:
    """Feng et al. (2024), section 3.2; signed factors as in Grazzi et al. (2024), section 4."""
    x, (h,) = inputs, states
    to_f, to_i, to_h = np.split(weights["kernel"], 3, axis=1)
    bias_f, bias_i, bias_h = np.split(weights.get("bias", np.zeros(3 * h.shape[1])), 3)
    f, i = sigmoid(x @ to_f + bias_f), sigmoid(x @ to_i + bias_i)
    keep, write = f / (f + i), i / (f + i)
    candidate = _candidate(arguments["activation"], x @ to_h + bias_h)
    factor = keep - write if arguments["signed"] else keep
    h = factor * h + write * candidate
    return h, [h]


STEPS: dict[str, Step] = {"min_gru": min_gru, "min_lstm": min_lstm}
"""Name of a cell -> its step."""
