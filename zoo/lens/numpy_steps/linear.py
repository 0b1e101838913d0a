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


def sru(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """Lei et al. (2018), section 3.1, without the vectors v; the highway has a projection of its own."""
    x, (c,) = inputs, states
    w_c, w_f, w_r, w_x = np.split(weights["kernel"], 4, axis=1)
    b_f, b_r = np.split(weights.get("bias", np.zeros(2 * c.shape[1])), 2)
    f, r = sigmoid(x @ w_f + b_f), sigmoid(x @ w_r + b_r)
    c = f * c + (1 - f) * (x @ w_c)
    return r * c + (1 - r) * (x @ w_x), [c]


def ssru(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """Kim et al. (2019), section 3.1."""
    x, (c,) = inputs, states
    w_t, w_x = np.split(weights["kernel"], 2, axis=1)
    f = sigmoid(x @ w_t + weights.get("bias", 0))
    c = f * c + (1 - f) * (x @ w_x)
    return np.maximum(c, 0), [c]


def lru(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """Orvieto et al. (2023), sections 3.3 and 3.4; then a GELU."""
    w, x, n = weights, inputs, weights["nu_log"].size
    h = states[0][:, :n] + 1j * states[0][:, n:]
    eigenvalue = np.exp(-np.exp(w["nu_log"]) + 1j * np.exp(w["theta_log"]))
    h = eigenvalue * h + np.exp(w["gamma_log"]) * (x @ (w["kernel"][:, :n] + 1j * w["kernel"][:, n:]))
    out = w["output_kernel"][:n] - 1j * w["output_kernel"][n:]
    y = np.real(h @ out) + x @ w["skip_kernel"] + w.get("bias", 0)
    gelu = y / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))
    return gelu, [np.concatenate([h.real, h.imag], axis=1)]


def rg_lru(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """De et al. (2024), equations 1 to 4."""
    w, (h,) = weights, states
    w_a, w_x = np.split(w["gate_kernel"][0], 2, axis=1)
    b_a, b_x = np.split(w.get("gate_bias", np.zeros(2 * h.shape[1])), 2)
    x = inputs @ w["kernel"] + w.get("bias", 0)
    r, i = sigmoid(x @ w_a + b_a), sigmoid(x @ w_x + b_x)
    a = sigmoid(w["decay"]) ** (8 * r)
    h = a * h + np.sqrt(1 - a**2) * (i * x)
    return h, [h]


def gated_delta(
    weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]
) -> Result:
    """Yang et al. (2024), equation 10, of one head; the state of the paper is the transpose of ours."""
    w, x = weights, inputs
    size = w["scale"].size
    memory = states[0].reshape(-1, size, size).transpose(0, 2, 1)
    q, k, v, g = (part * sigmoid(part) for part in np.split(x @ w["kernel"], 4, axis=1))
    a, b = (x @ w["gate_kernel"]).T
    alpha = np.exp(-np.exp(w["log_decay"]) * np.log1p(np.exp(a + w["step_size"])))
    beta = sigmoid(b + w.get("bias", 0)) * (2 if arguments["signed"] else 1)
    outputs, memories = [], []
    for row in range(len(x)):
        query, key = (vector[row] / np.sqrt((vector[row] ** 2).sum() + 1e-6) for vector in (q, k))
        forget = alpha[row] * (np.eye(size) - beta[row] * np.outer(key, key))
        memories.append(memory[row] @ forget + beta[row] * np.outer(v[row], key))
        o = memories[-1] @ query
        outputs.append(o / np.sqrt((o**2).mean() + 1e-5) * w["scale"] * g[row])
    return np.stack(outputs), [np.stack(memories).transpose(0, 2, 1).reshape(len(x), size * size)]


STEPS: dict[str, Step] = {
    "min_gru": min_gru,
    "min_lstm": min_lstm,
    "sru": sru,
    "ssru": ssru,
    "lru": lru,
    "rg_lru": rg_lru,
    "gated_delta": gated_delta,
}
"""Name of a cell -> its step."""
