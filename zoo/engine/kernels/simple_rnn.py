"""Simple recurrent network (Elman 1990; Goodfellow, Bengio and Courville 2016, equations 10.8 and 10.9).

    h_t = tanh(x_t W + h_{t-1} U + b)

Gradient, from the last step to the first; D x is the derivative of the loss by x:

    Da_t = Dh_t * (1 - h_t^2)    Dh_{t-1} = Da_t U'
    DW = sum x_t' Da_t    DU = sum h_{t-1}' Da_t    Db = sum Da_t    Dx_t = Da_t W'

Nothing but the output is kept for the gradient.
"""

import numpy as np
from numba import types

from zoo.engine.kernels.activations import tanh
from zoo.engine.kernels.compiling import filled, given, kernel, part
from zoo.engine.kernels.product import DEPTH, multiply, multiply_transposed, pack, padded
from zoo.engine.kernels.rows import (
    BLOCK,
    add_rows,
    begin,
    clear_padding,
    copy,
    gather,
    gather_previous,
    next_block,
    previous_block,
    scatter,
    time_of,
)


@part
def _step(a, h):
    for j in range(h.size):
        h[j] = tanh(a[j])


@part
def _back(h, dy, dh, da):
    one = h.dtype.type(1)
    for j in range(h.size):
        da[j] = (dh[j] + dy[j]) * (one - h[j] * h[j])


def _forward_types(e):
    return (
        given(e, 3), given(types.intp, 1), given(types.intp, 1), given(types.intp, 1), types.boolean,
        given(e, 2), given(e, 2), given(e, 1), given(e, 2), filled(e, 3), types.intp, filled(e, 2),
    )  # fmt: skip


@kernel(_forward_types)
def forward(x, rows, lengths, offsets, reverse, kernel, recurrent, bias, h0, y, column, hn):
    """One job of one direction.

    Args:
        x: `(batch, time, features)`.
        rows, lengths, offsets, reverse: See `rows`.
        kernel, recurrent, bias: W `(features, units)`, U `(units, units)` and b.
        h0: State before the first step, `(batch, units)`.
        y: Output `(batch, time, ...)`, written from `column` on.
        hn: Written: state after the last step, `(batch, units)`.
    """
    features, units, count = x.shape[2], recurrent.shape[0], rows.size
    wide = padded(x, units)
    w, u = np.empty(features * wide, x.dtype), np.empty(units * wide, x.dtype)
    pack(kernel.reshape(-1), 0, units, 1, features, units, w)
    pack(recurrent.reshape(-1), 0, units, 1, units, units, u)
    h = np.empty((count, units), x.dtype)
    for i in range(count):
        copy(h0[rows[i]], h[i])
    inputs, a = np.empty((BLOCK + count, features), x.dtype), np.empty((BLOCK + count, wide), x.dtype)
    first, steps = 0, offsets.size - 1
    while first < steps:
        end = next_block(offsets, first)
        total = offsets[end] - offsets[first]
        gather(x, 0, features, rows, lengths, offsets, reverse, first, end, inputs)
        begin(a, bias, total)
        multiply(inputs.reshape(-1), 0, features, 1, total, features, w, a.reshape(-1), 0, wide, units)
        for step in range(first, end):
            at, running = offsets[step] - offsets[first], offsets[step + 1] - offsets[step]
            multiply(h.reshape(-1), 0, units, 1, running, units, u, a.reshape(-1), at * wide, wide, units)
            for i in range(running):
                _step(a[at + i], h[i])
                row = rows[i]
                time = time_of(step, lengths[row], reverse)
                copy(h[i], y[row, time, column : column + units])
        first = end
    for i in range(count):
        copy(h[i], hn[rows[i]])
    clear_padding(y, column, units, rows, lengths)


def _backward_types(e):
    return (
        given(e, 3), given(types.intp, 1), given(types.intp, 1), given(types.intp, 1), types.boolean,
        given(e, 2), given(e, 2), given(e, 1), given(e, 2), given(e, 3), types.intp, given(e, 3), given(e, 2),
        filled(e, 3), filled(e, 2), filled(e, 2), filled(e, 1), filled(e, 2),
    )  # fmt: skip


@kernel(_backward_types)
def backward(
    x, rows, lengths, offsets, reverse, kernel, recurrent, bias, h0, y, column, dy, dhn,
    dx, dkernel, drecurrent, dbias, dh0,
):  # fmt: skip
    """The gradient of `forward`'s job.

    Args:
        dy, dhn: Derivatives of the loss by y and hn.
        dx: Written: `(batch, time, features)`.
        dkernel, drecurrent, dbias: Added to: this job's share, with columns padded to whole panels.
        dh0: Written.
    """
    features, units, count = x.shape[2], recurrent.shape[0], rows.size
    wide, wide_x = padded(x, units), padded(x, features)
    wt, ut = np.empty(units * wide_x, x.dtype), np.empty(units * wide, x.dtype)
    pack(kernel.reshape(-1), 0, 1, units, units, features, wt)
    pack(recurrent.reshape(-1), 0, 1, units, units, units, ut)
    dh = np.zeros((count, wide), x.dtype)
    for i in range(count):
        copy(dhn[rows[i]], dh[i])
    room = BLOCK + count
    inputs, hidden = np.empty((room, features), x.dtype), np.empty((room, units), x.dtype)
    da, dinputs = np.zeros((room, wide), x.dtype), np.empty((room, wide_x), x.dtype)
    scratch = np.empty(DEPTH * wide, x.dtype)
    end = offsets.size - 1
    while end > 0:
        first = previous_block(offsets, end)
        total = offsets[end] - offsets[first]
        gather(x, 0, features, rows, lengths, offsets, reverse, first, end, inputs)
        gather_previous(y, column, units, h0, rows, lengths, offsets, reverse, first, end, hidden)
        for step in range(end - 1, first - 1, -1):
            at, running = offsets[step] - offsets[first], offsets[step + 1] - offsets[step]
            for i in range(running):
                row = rows[i]
                time = time_of(step, lengths[row], reverse)
                here = slice(column, column + units)
                _back(y[row, time, here], dy[row, time, here], dh[i], da[at + i])
                dh[i] = 0
            multiply(da.reshape(-1), at * wide, wide, 1, running, units, ut, dh.reshape(-1), 0, wide, units)
        dinputs[:total] = 0
        multiply(da.reshape(-1), 0, wide, 1, total, units, wt, dinputs.reshape(-1), 0, wide_x, features)
        scatter(dinputs, features, rows, lengths, offsets, reverse, first, end, dx)
        multiply_transposed(inputs[:total], dkernel, da, 0, units, scratch)
        multiply_transposed(hidden[:total], drecurrent, da, 0, units, scratch)
        add_rows(da, total, dbias)
        end = first
    for i in range(count):
        copy(dh[i, :units], dh0[rows[i]])
    clear_padding(dx, 0, features, rows, lengths)
