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
    """Lei et al. (2018), equations 1 to 4; the highway has a projection of its own where sizes differ."""
    w, x, (c,) = weights, inputs, states
    units = c.shape[1]
    w_c, w_f, w_r, *highway = np.split(w["kernel"], range(units, w["kernel"].shape[1], units), axis=1)
    b_f, b_r = np.split(w.get("bias", np.zeros(2 * units)), 2)
    v_f, v_r = w["recurrent_kernel"] if arguments["peephole"] else np.zeros((2, units))
    f, r = sigmoid(x @ w_f + v_f * c + b_f), sigmoid(x @ w_r + v_r * c + b_r)
    c = f * c + (1 - f) * (x @ w_c)
    return r * c + (1 - r) * (x @ highway[0] if highway else x), [c]


def ssru(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """Kim et al. (2019), section 3.1."""
    x, (c,) = inputs, states
    w_t, w_x = np.split(weights["kernel"], 2, axis=1)
    f = sigmoid(x @ w_t + weights.get("bias", 0))
    c = f * c + (1 - f) * (x @ w_x)
    return np.maximum(c, 0), [c]


def lru(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """Orvieto et al. (2023), sections 3.3 and 3.4; then an activation."""
    w, x, n = weights, inputs, weights["nu_log"].size
    h = states[0][:, :n] + 1j * states[0][:, n:]
    eigenvalue = np.exp(-np.exp(w["nu_log"]) + 1j * np.exp(w["theta_log"]))
    h = eigenvalue * h + np.exp(w["gamma_log"]) * (x @ (w["kernel"][:, :n] + 1j * w["kernel"][:, n:]))
    out = w["output_kernel"][:n] - 1j * w["output_kernel"][n:]
    y = np.real(h @ out) + x @ w["skip_kernel"] + w.get("bias", 0)
    outputs = {
        "gelu": y / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3))),
        "relu": np.maximum(y, 0),
        "tanh": np.tanh(y),
        "linear": y,
    }
    return outputs[arguments["activation"]], [np.concatenate([h.real, h.imag], axis=1)]


def rg_lru(weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]) -> Result:
    """De et al. (2024), equations 1 to 4; signed factors as in Grazzi et al. (2024), section 4."""
    w, (h,) = weights, states
    x = inputs @ w["kernel"] + w.get("bias", 0)
    blocks = [np.split(block, 2, axis=1) for block in w["gate_kernel"]]  # of each block: W_a, W_x
    parts = np.split(x, len(blocks), axis=1)
    b_a, b_x = np.split(w.get("gate_bias", np.zeros(2 * h.shape[1])), 2)
    r = sigmoid(np.hstack([part @ block[0] for part, block in zip(parts, blocks, strict=True)]) + b_a)
    i = sigmoid(np.hstack([part @ block[1] for part, block in zip(parts, blocks, strict=True)]) + b_x)
    a = sigmoid(w["decay"]) ** (8 * r)
    a = 2 * a - 1 if arguments["signed"] else a
    h = a * h + np.sqrt(1 - a**2) * (i * x)
    return h, [h]


def gated_delta(
    weights: Weights, inputs: np.ndarray, states: Sequence[np.ndarray], arguments: Mapping[str, Any]
) -> Result:
    """Yang et al. (2024), equation 10, row by row and head by head; the paper's state is the transpose of ours."""
    w, x = weights, inputs
    heads, values = w["log_decay"].size, w["scale"].size
    keys = (w["kernel"].shape[1] // heads - 2 * values) // 2
    cuts = [heads * keys, 2 * heads * keys, 2 * heads * keys + heads * values]
    q, k, v, g = (_by_head(part * sigmoid(part), heads) for part in np.split(x @ w["kernel"], cuts, axis=1))
    a, b = np.split(x @ w["gate_kernel"], 2, axis=1)
    alpha = np.exp(-np.exp(w["log_decay"]) * np.log1p(np.exp(a + w["step_size"])))  # (batch, heads)
    beta = sigmoid(b + w.get("bias", 0)) * (2 if arguments["signed"] else 1)
    memory = states[0].reshape(-1, heads, keys, values).copy()
    output = np.zeros((len(x), heads, values))
    for place in np.ndindex(len(x), heads):
        query, key = (vector[place] / np.sqrt((vector[place] ** 2).sum() + 1e-6) for vector in (q, k))
        forget = alpha[place] * (np.eye(keys) - beta[place] * np.outer(key, key))
        state = memory[place].T @ forget + beta[place] * np.outer(v[place], key)  # S_t: (values, keys)
        o = state @ query
        memory[place] = state.T
        output[place] = o / np.sqrt((o**2).mean() + 1e-5) * w["scale"] * g[place]
    return output.reshape(len(x), -1), [memory.reshape(len(x), -1)]


def _by_head(vectors: np.ndarray, heads: int) -> np.ndarray:
    """`(batch, heads * size)` -> `(batch, heads, size)`."""
    return vectors.reshape(len(vectors), heads, -1)


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
