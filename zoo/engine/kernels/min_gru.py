"""minGRU (Feng et al. 2024, section 3.1): the product of the inputs, the gate and the recurrence in one pass.

With s = 1, or s = 2 where factors may be negative (Grazzi et al. 2024), and the product a_t = x_t W + b:

    z_t = sigmoid(a_z)    h_t = h_{t-1} + z_t * (a_n - s * h_{t-1})

Gradient, from the last step to the first; D x is the derivative of the loss by x:

    Da_n = Dh_t * z    Da_z = Dh_t * (a_n - s * h_{t-1}) * z (1 - z) = Dh_t * (h_t - h_{t-1}) * (1 - z)
    Dh_{t-1} = Dh_t * (1 - s * z)
    DW = sum x_t' Da_t    Dx_t = Da_t W'

So the candidate a_n is not needed, only h (the output) and z; z is kept, or computed once more from the inputs if
`gates` has no room for it. There is no product between steps: rows of the batch are computed one after the other, in
groups whose numbers stay in the second cache from the product to the recurrence. Arrays are flat inside loops: see
`rows`.
"""

import numpy as np
from numba import types

from zoo.engine.kernels.activations import sigmoid
from zoo.engine.kernels.compiling import filled, given, kernel, part
from zoo.engine.kernels.product import DEPTH, multiply, multiply_transposed, pack, padded
from zoo.engine.kernels.rows import add_rows, begin, clear_padding, copy, move, time_of

STEPS = 128
"""Steps of a group: of one row, or of several short ones."""


@part
def _activate(z, count):
    for i in range(count):
        z[np.uintp(i)] = sigmoid(z[np.uintp(i)])


@part
def _scan(z, n, at, wide, h, y, start, stride, steps, reverse, s):
    """Some steps of one row: z and n from number `at` on, y from number `start` on in order of time."""
    for k in range(steps):
        t = time_of(k, steps, reverse)
        gates, out = at + t * wide, start + t * stride
        for j in range(h.size):
            before = h[np.uintp(j)]
            after = before + z[np.uintp(gates + j)] * (n[np.uintp(gates + j)] - s * before)
            h[np.uintp(j)] = after
            y[np.uintp(out + j)] = after


@part
def _carry(z, gates, dy, here, dh, da, at, s):
    """The part of one step's gradient that goes on to the step before: da begins as Dh_t and Dh_t z."""
    units, one = dh.size, dh.dtype.type(1)
    for j in range(units):
        gate, d = z[np.uintp(gates + j)], dh[np.uintp(j)] + dy[np.uintp(here + j)]
        da[np.uintp(at + j)] = d * (one - gate)
        da[np.uintp(at + units + j)] = d * gate
        dh[np.uintp(j)] = d * (one - s * gate)


@part
def _difference(da, at, y, here, before, previous, units):
    """The rest: multiplies what z gets by h_t - h_{t-1}."""
    for j in range(units):
        da[np.uintp(at + j)] *= y[np.uintp(here + j)] - before[np.uintp(previous + j)]


@part
def _next_group(rows, lengths, first):
    """The row after the group that begins at row `first`: several rows only if all their steps fit."""
    end, total = first + 1, lengths[rows[first]]
    while end < rows.size and total + lengths[rows[end]] <= STEPS:
        total += lengths[rows[end]]
        end += 1
    return end


@part
def _lowest(step, steps, length, reverse):
    """The lowest time of `steps` steps that begin at `step`: they are read from there up, or down to it."""
    return length - step - steps if reverse else step


@part
def _gather(x, rows, lengths, reverse, top, bottom, step, out):
    """Copies the inputs of a group in order of time, and returns how many steps there are."""
    total, time, features = 0, x.shape[1], x.shape[2]
    flat, target = x.reshape(-1), out.reshape(-1)
    for i in range(top, bottom):
        row = rows[i]
        steps = min(STEPS, lengths[row] - step)
        low = _lowest(step, steps, lengths[row], reverse)
        move(flat, (row * time + low) * features, target, total * features, steps * features)
        total += steps
    return total


def _forward_types(e):
    return (
        given(e, 3), given(types.intp, 1), given(types.intp, 1), given(types.intp, 1), types.boolean,
        given(e, 2), given(e, 2), given(e, 1), given(e, 2), filled(e, 3), types.intp, filled(e, 2), filled(e, 2),
        types.intp,
    )  # fmt: skip


@kernel(_forward_types)
def forward(x, rows, lengths, offsets, reverse, kernel, recurrent, bias, h0, y, column, hn, gates, factor):
    """One job of one direction.

    Args:
        x: `(batch, time, features)`.
        rows, lengths, reverse: See `rows`.
        offsets, recurrent: Not used.
        kernel, bias: W `(features, 2 * units)` and b, columns of z and n.
        h0: State before the first step, `(batch, units)`.
        y: Output `(batch, time, ...)`, written from `column` on.
        hn: Written: state after the last step, `(batch, units)`.
        gates: Written if it has rows: z row after row in order of time, `(steps of all rows, padded units)`.
        factor: s: 1 or 2.
    """
    features, units, count = x.shape[2], h0.shape[1], rows.size
    wide, s = padded(x, units), x.dtype.type(factor)
    w, v = np.empty(features * wide, x.dtype), np.empty(features * wide, x.dtype)
    pack(kernel.reshape(-1), 0, 2 * units, 1, features, units, w)
    pack(kernel.reshape(-1), units, 2 * units, 1, features, units, v)
    h, inputs = np.empty(units, x.dtype), np.empty((STEPS, features), x.dtype)
    z, n = np.empty((STEPS, wide), x.dtype), np.empty((STEPS, wide), x.dtype)
    top, at, flat_y = 0, 0, y.reshape(-1)
    while top < count:
        bottom, longest = _next_group(rows, lengths, top), lengths[rows[top]]
        step = 0
        while step < longest:
            total = _gather(x, rows, lengths, reverse, top, bottom, step, inputs)
            if gates.shape[0]:
                low = _lowest(step, total, longest, reverse) if bottom == top + 1 else 0
                z = gates[at + low : at + low + total]
            begin(z, bias[:units], total)
            begin(n, bias[units:], total)
            multiply(inputs.reshape(-1), 0, features, 1, total, features, w, z.reshape(-1), 0, wide, units)
            multiply(inputs.reshape(-1), 0, features, 1, total, features, v, n.reshape(-1), 0, wide, units)
            _activate(z.reshape(-1), total * wide)
            first = 0
            for i in range(top, bottom):
                row = rows[i]
                steps = min(STEPS, lengths[row] - step)
                low = _lowest(step, steps, lengths[row], reverse)
                if step:
                    copy(hn[row], h)
                else:
                    copy(h0[row], h)
                start = (row * y.shape[1] + low) * y.shape[2] + column
                _scan(z.reshape(-1), n.reshape(-1), first * wide, wide, h, flat_y, start, y.shape[2], steps, reverse, s)
                copy(h, hn[row])
                first += steps
            step += STEPS
        for i in range(top, bottom):
            at += lengths[rows[i]]
            if lengths[rows[i]] == 0:
                copy(h0[rows[i]], hn[rows[i]])
        top = bottom
    clear_padding(y, column, units, rows, lengths)


def _backward_types(e):
    return (
        given(e, 3), given(types.intp, 1), given(types.intp, 1), given(types.intp, 1), types.boolean,
        given(e, 2), given(e, 2), given(e, 1), given(e, 2), given(e, 3), types.intp, given(e, 2), types.intp,
        given(e, 3), given(e, 2), filled(e, 3), filled(e, 2), filled(e, 2), filled(e, 1), filled(e, 2),
    )  # fmt: skip


@kernel(_backward_types)
def backward(
    x, rows, lengths, offsets, reverse, kernel, recurrent, bias, h0, y, column, gates, factor, dy, dhn,
    dx, dkernel, drecurrent, dbias, dh0,
):  # fmt: skip
    """The gradient of `forward`'s job.

    Args:
        dy, dhn: Derivatives of the loss by y and hn.
        dx: Written: `(batch, time, features)`.
        dkernel, dbias: Added to: this job's share, with columns padded to whole panels.
        drecurrent: Not used.
        dh0: Written.
    """
    features, units, count = x.shape[2], h0.shape[1], rows.size
    wide, narrow, wide_x = padded(x, 2 * units), padded(x, units), padded(x, features)
    s, kept = x.dtype.type(factor), gates.shape[0] > 0
    w, wt = np.empty(0 if kept else features * narrow, x.dtype), np.empty(2 * units * wide_x, x.dtype)
    if not kept:
        pack(kernel.reshape(-1), 0, 2 * units, 1, features, units, w)
    pack(kernel.reshape(-1), 0, 1, 2 * units, 2 * units, features, wt)
    inputs, dinputs = np.empty((STEPS, features), x.dtype), np.empty((STEPS, wide_x), x.dtype)
    a, da = np.empty((0 if kept else STEPS, narrow), x.dtype), np.zeros((STEPS, wide), x.dtype)
    dh, scratch = np.empty(units, x.dtype), np.empty(min(DEPTH, STEPS) * wide, x.dtype)
    flat, flat_a, flat_gates, time, stride = da.reshape(-1), a.reshape(-1), gates.reshape(-1), y.shape[1], y.shape[2]
    flat_y, flat_dy, flat_h0 = y.reshape(-1), dy.reshape(-1), h0.reshape(-1)
    top, at = 0, 0
    while top < count:
        bottom, longest = _next_group(rows, lengths, top), lengths[rows[top]]
        for i in range(top, bottom):
            copy(dhn[rows[i]], dh0[rows[i]])
        step = (longest - 1) // STEPS * STEPS if longest else -1
        while step >= 0:
            total = _gather(x, rows, lengths, reverse, top, bottom, step, inputs)
            begins = at + (_lowest(step, total, longest, reverse) if bottom == top + 1 else 0)
            if not kept:
                begin(a, bias[:units], total)
                multiply(inputs.reshape(-1), 0, features, 1, total, features, w, a.reshape(-1), 0, narrow, units)
                _activate(a.reshape(-1), total * narrow)
            first = 0
            for i in range(top, bottom):
                row = rows[i]
                steps = min(STEPS, lengths[row] - step)
                low = _lowest(step, steps, lengths[row], reverse)
                copy(dh0[row], dh)
                for k in range(steps - 1, -1, -1):
                    t = time_of(k, steps, reverse)
                    here = (row * time + low + t) * stride + column
                    to = (first + t) * wide
                    if kept:
                        _carry(flat_gates, (begins + first + t) * narrow, flat_dy, here, dh, flat, to, s)
                    else:
                        _carry(flat_a, (first + t) * narrow, flat_dy, here, dh, flat, to, s)
                    if step + k:
                        _difference(flat, to, flat_y, here, flat_y, here + stride if reverse else here - stride, units)
                    else:
                        _difference(flat, to, flat_y, here, flat_h0, row * units, units)
                copy(dh, dh0[row])
                first += steps
            dinputs[:total] = 0
            multiply(flat, 0, wide, 1, total, 2 * units, wt, dinputs.reshape(-1), 0, wide_x, features)
            _scatter(dinputs, features, rows, lengths, reverse, top, bottom, step, dx)
            multiply_transposed(inputs[:total], dkernel, da, 0, 2 * units, scratch)
            add_rows(da, total, dbias)
            step -= STEPS
        for i in range(top, bottom):
            at += lengths[rows[i]]
        top = bottom
    clear_padding(dx, 0, features, rows, lengths)


@part
def _scatter(source, width, rows, lengths, reverse, top, bottom, step, out):
    """The way back of `_gather`."""
    total, time, wide = 0, out.shape[1], source.shape[1]
    flat, target = source.reshape(-1), out.reshape(-1)
    for i in range(top, bottom):
        row = rows[i]
        steps = min(STEPS, lengths[row] - step)
        low = _lowest(step, steps, lengths[row], reverse)
        for t in range(steps):
            move(flat, (total + t) * wide, target, (row * time + low + t) * width, width)
        total += steps
