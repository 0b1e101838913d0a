"""The gated delta rule over a whole sequence, chunk by chunk instead of step by step.

Source: Yang, Kautz and Hatamizadeh, "Gated Delta Networks: Improving Mamba2 with Delta Rule" (2024), section 3.3;
without the gate in Yang, Wang, Zhang, Shen and Kim, "Parallelizing Linear Transformers with the
Delta Rule over Sequence Length" (2024), section 3. Here with M = S^T, a matrix of keys by values.

Within a chunk of C steps that starts from M_0, let g_r = log alpha_1 + ... + log alpha_r and D_ri = exp(g_r - g_i).
Every step adds one product of rank one:

    M_r = alpha_r M_{r-1} + k_r u_r^T,    u_r = beta_r (v_r - alpha_r M_{r-1}^T k_r)                              (1)

(insert u_r to see that this is the step of `gated_delta`). Unrolled, M_r = exp(g_r) M_0 + sum_{i<=r} D_ri k_i u_i^T.
With this M_{r-1}, (1) becomes a triangular system for all u of the chunk at once, rows being steps:

    (I + L) U = diag(beta) (V - diag(exp(g)) K M_0),    L_ri = beta_r D_ri k_r^T k_i for i < r, else 0            (2)

so that U = X - Y M_0, where X = (I + L)^-1 diag(beta) V and Y = (I + L)^-1 diag(beta exp(g)) K do not depend on the
state and are solved for all chunks together: the UT transform and the WY representation of the paper. Then

    M_C = P M_0 + R,    P = exp(g_C) I - E^T Y,    R = E^T X,    E_i = exp(g_C - g_i) k_i                          (3)
    o_r = exp(g_r) M_0^T q_r + sum_{i<=r} D_ri (q_r^T k_i) u_i                                                     (4)

Only (3) is a loop, over time / C chunks, one product of `(keys, keys)` by `(keys, values)` in each.

Precision: every exponent is a difference g_r - g_i with i <= r, at most 0, so that nothing is divided by a vanishing
product of alphas. (2) is solved by substitution; a series of powers of L would cancel catastrophically where keys
repeat. Everything is computed in at least float32.
"""

import math
from typing import Any

import keras
from keras import ops

CHUNK = 32
"""Most steps of a chunk. Work within a chunk grows with it, the number of loops shrinks. The triangular solves of
chunks of 32 take less time than those of 64."""


def chunkwise(q: Any, k: Any, v: Any, log_alpha: Any, beta: Any, state: Any, chunk: int = CHUNK) -> tuple[Any, Any]:
    """Outputs of all steps, and the last state.

    A step with `log_alpha`, `beta` and `k` zero leaves the state as it is: that is how padding is passed over.

    Args:
        q: Queries `(batch, time, heads, keys)`.
        k: Keys, like `q`, of length at most 1.
        v: Values `(batch, time, heads, values)`.
        log_alpha: Logarithms of the factors on the state, at most 0: `(batch, time, heads)`.
        beta: Writing strengths, like `log_alpha`.
        state: M before the first step, `(batch, heads, keys, values)`.
        chunk: Most steps of a chunk; of so few chunks, all are about equally long.

    Returns:
        Outputs `(batch, time, heads, values)` and the last M.
    """
    time = ops.shape(q)[1]
    if isinstance(time, int):  # known before it runs: 40 steps are then 2 chunks of 20, not 2 of 32 with padding
        number = max(1, math.ceil(time / chunk))
        chunk = max(1, math.ceil(time / number))
    packed = ops.concatenate([q, k, v, log_alpha[..., None], beta[..., None]], axis=-1)
    keys, values = q.shape[-1], v.shape[-1]
    q, k, v, log_alpha, beta = _split(_chunks(packed, chunk), keys, values)  # each (batch, heads, chunks, C, ...)
    g = ops.cumsum(log_alpha, axis=-2)  # (batch, heads, chunks, C, 1)
    decay = _decay(g, chunk)
    x, y = _solved(k, v, g, beta, decay)
    before, last = _over_chunks(k, g, x, y, state)
    u = x - ops.matmul(y, before)
    inside = decay * ops.matmul(q, ops.swapaxes(k, -1, -2))  # (batch, heads, chunks, C, C)
    outputs = ops.matmul(ops.exp(g) * q, before) + ops.matmul(inside, u)
    outputs = ops.transpose(outputs, (0, 2, 3, 1, 4))  # (batch, chunks, C, heads, values)
    outputs = ops.reshape(outputs, (ops.shape(outputs)[0], -1, *outputs.shape[3:]))
    return outputs[:, :time], last


def _chunks(packed: Any, chunk: int) -> Any:
    """`(batch, time, heads, features)` -> `(batch, heads, chunks, C, features)`, filled up with zeros."""
    batch, time, *_ = ops.shape(packed)
    heads, features = packed.shape[2:]
    missing = ops.zeros((batch, -time % chunk, heads, features), packed.dtype)
    packed = ops.reshape(ops.concatenate([packed, missing], axis=1), (batch, -1, chunk, heads, features))
    return ops.transpose(packed, (0, 3, 1, 2, 4))


def _split(packed: Any, keys: int, values: int) -> tuple[Any, Any, Any, Any, Any]:
    """q, k, v, log alpha and beta, side by side in the last axis."""
    parts = ops.split(packed, [keys, 2 * keys, 2 * keys + values, 2 * keys + values + 1], axis=-1)
    return tuple(parts)


def _decay(g: Any, chunk: int) -> Any:
    """D_ri = exp(g_r - g_i) for i <= r, else 0: `(batch, heads, chunks, C, C)`."""
    lower = ops.tril(ops.ones((chunk, chunk), g.dtype))
    # The exponents above the diagonal are positive: they are set to 0 first, as infinity times 0 is no number.
    return ops.exp((g - ops.swapaxes(g, -1, -2)) * lower) * lower


def _solved(k: Any, v: Any, g: Any, beta: Any, decay: Any) -> tuple[Any, Any]:
    """X `(batch, heads, chunks, C, values)` and Y `(batch, heads, chunks, C, keys)` of equation (2)."""
    chunk = k.shape[-2]
    strict = ops.tril(ops.ones((chunk, chunk), k.dtype), -1)
    system = beta * decay * ops.matmul(k, ops.swapaxes(k, -1, -2)) * strict + ops.eye(chunk, dtype=k.dtype)
    right = ops.concatenate([beta * v, beta * ops.exp(g) * k], axis=-1)
    solution = ops.solve_triangular(system, right, lower=True)
    x, y = ops.split(solution, [v.shape[-1]], axis=-1)
    return x, y


class _Chunk:
    """M -> P M + R as a cell of `keras.layers.RNN`; its inputs are P and R of one chunk."""

    def __init__(self, heads: int, keys: int, values: int, dtype: str) -> None:
        self.shape, self.compute_dtype = (heads, keys, values), dtype
        self.state_size = self.output_size = heads * keys * values

    def __call__(self, inputs: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        heads, keys, values = self.shape
        p, r = ops.split(ops.reshape(inputs, (-1, heads, keys, keys + values)), [keys], axis=-1)
        state = ops.matmul(p, ops.reshape(states[0], (-1, heads, keys, values))) + r
        state = ops.reshape(state, (-1, self.state_size))
        return state, [state]

    call = __call__


def _over_chunks(k: Any, g: Any, x: Any, y: Any, state: Any) -> tuple[Any, Any]:
    """M before each chunk `(batch, heads, chunks, keys, values)`, and after the last; equation (3)."""
    heads, keys, values = state.shape[1:]
    dtype = keras.backend.standardize_dtype(state.dtype)
    end = g[..., -1:, :]  # g_C: (batch, heads, chunks, 1, 1)
    e = ops.swapaxes(ops.exp(end - g) * k, -1, -2)
    p = ops.exp(end) * ops.eye(keys, dtype=dtype) - ops.matmul(e, y)
    steps = ops.concatenate([p, ops.matmul(e, x)], axis=-1)  # (batch, heads, chunks, keys, keys + values)
    batch, number = ops.shape(steps)[0], ops.shape(steps)[2]
    steps = ops.reshape(ops.transpose(steps, (0, 2, 1, 3, 4)), (batch, number, heads * keys * (keys + values)))
    first = ops.reshape(state, (batch, heads * keys * values))
    loop = keras.layers.RNN(_Chunk(heads, keys, values, dtype), return_sequences=True, dtype=dtype)
    after = loop(steps, initial_state=[first])  # (batch, chunks, heads * keys * values)
    before = ops.concatenate([first[:, None], after[:, :-1]], axis=1)
    before = ops.transpose(ops.reshape(before, (batch, number, heads, keys, values)), (0, 2, 1, 3, 4))
    return before, ops.reshape(after[:, -1], (batch, heads, keys, values))
