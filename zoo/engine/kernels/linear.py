"""Linear recurrences, per channel and without a product inside the loop: minGRU, SRU, QRNN, LRU and their like.

    h_t = a_t * h_{t-1} + b_t

Gradient, the same recurrence from the last step to the first; D x is the derivative of the loss by x, with complex
numbers conjugated as TensorFlow does:

    Db_t = Dy_t + conj(a_{t+1}) * Db_{t+1}    Da_t = Db_t * conj(h_{t-1})    Dh_0 = conj(a_1) * Db_1

Reference: Martin and Cundy, "Parallelizing Linear Recurrent Neural Nets Over Sequence Length" (2018), section 2.
"""

import numpy as np
from numba import types

from zoo.engine.kernels.compiling import filled, given, kernel, part
from zoo.engine.kernels.rows import time_of


@part
def _step(a, b, h, y):
    for j in range(h.size):
        value = a[j] * h[j] + b[j]
        h[j] = value
        y[j] = value


@part
def _back(a, before, dy, carried, da, db):
    for j in range(carried.size):
        d = dy[j] + carried[j]
        db[j] = d
        da[j] = d * np.conj(before[j])
        carried[j] = d * np.conj(a[j])


def _forward_types(e):
    return (
        given(e, 3), given(e, 3), given(e, 2), given(types.intp, 1), types.boolean, types.intp, types.intp, types.intp,
        types.intp, filled(e, 3), filled(e, 2),
    )  # fmt: skip


@kernel(_forward_types)
def forward(a, b, h0, lengths, reverse, top, bottom, left, right, y, hn):
    """Rows `top` to `bottom` and channels `left` to `right`; `lengths` are those of all rows."""
    h = np.empty(right - left, y.dtype)
    for row in range(top, bottom):
        for j in range(h.size):
            h[j] = h0[row, left + j]
        for step in range(lengths[row]):
            time = time_of(step, lengths[row], reverse)
            _step(a[row, time, left:right], b[row, time, left:right], h, y[row, time, left:right])
        for j in range(h.size):
            hn[row, left + j] = h[j]
        for time in range(lengths[row], y.shape[1]):
            y[row, time, left:right] = 0


def _backward_types(e):
    return (
        given(e, 3), given(e, 2), given(types.intp, 1), types.boolean, types.intp, types.intp, types.intp, types.intp,
        given(e, 3), given(e, 3), given(e, 2), filled(e, 3), filled(e, 3), filled(e, 2),
    )  # fmt: skip


@kernel(_backward_types)
def backward(a, h0, lengths, reverse, top, bottom, left, right, y, dy, dhn, da, db, dh0):
    """The gradient of `forward`'s job: writes da, db `(batch, time, channels)` and dh0 `(batch, channels)`."""
    carried = np.empty(right - left, y.dtype)
    for row in range(top, bottom):
        for j in range(carried.size):
            carried[j] = dhn[row, left + j]
        for step in range(lengths[row] - 1, -1, -1):
            time = time_of(step, lengths[row], reverse)
            before = h0[row, left:right]
            if step:
                before = y[row, time_of(step - 1, lengths[row], reverse), left:right]
            _back(a[row, time, left:right], before, dy[row, time, left:right], carried, da[row, time, left:right],
                  db[row, time, left:right])  # fmt: skip
        for j in range(carried.size):
            dh0[row, left + j] = carried[j]
        for time in range(lengths[row], y.shape[1]):
            da[row, time, left:right] = 0
            db[row, time, left:right] = 0
