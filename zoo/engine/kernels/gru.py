"""GRU (Cho et al. 2014, section 2.3) whose reset gate acts after the product, as in cuDNN.

Forward, with the products a_t = x_t W + b and s_t = h_{t-1} U + b':

    z_t = sigmoid(a_z + s_z)    r_t = sigmoid(a_r + s_r)    n_t = tanh(a_n + r_t * s_n)
    h_t = z_t * h_{t-1} + (1 - z_t) * n_t

Gradient, from the last step to the first; D x is the derivative of the loss by x:

    Da_n = Dh_t * (1 - z) * (1 - n^2)        Ds_n = Da_n * r
    Da_z = Ds_z = Dh_t * (h_{t-1} - n) * z (1 - z)
    Da_r = Ds_r = Da_n * s_n * r (1 - r)
    Dh_{t-1} = Dh_t * z + Ds_t U'
    DW = sum x_t' Da_t    DU = sum h_{t-1}' Ds_t    Dx_t = Da_t W'

A row of gates is z, r, n, s_n: then one row has both a and s, which differ in the candidate alone. Only h (the
output) is kept for the gradient; the gates of a block of steps are computed once more from it, unless `gates` has
room for them.
"""

import numpy as np
from numba import types

from zoo.engine.kernels.activations import sigmoid, tanh
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
    move,
    next_block,
    previous_block,
    scatter,
)

# Loops below write one or two arrays: the compiler leaves a loop scalar if it would have to tell more than eight pairs
# of arrays apart.


@part
def _activate(a, at, units):
    r, n, s = at + units, at + 2 * units, at + 3 * units
    for j in range(2 * units):
        k = np.uintp(at + j)
        a[k] = sigmoid(a[k])
    for j in range(units):
        k = np.uintp(n + j)
        a[k] = tanh(a[k] + a[np.uintp(r + j)] * a[np.uintp(s + j)])


@part
def _step(a, at, h, row, units):
    """One row whose gates begin at `at` and state at `row` of flat arrays."""
    _activate(a, at, units)
    n = at + 2 * units
    for j in range(units):
        k, nj = np.uintp(row + j), a[np.uintp(n + j)]
        h[k] = nj + a[np.uintp(at + j)] * (h[k] - nj)


@part
def _back(gates, at, before, at_before, dy, at_y, dh, at_h, da, to, units):
    """One row; each array is flat and has the number where it begins behind it."""
    z, r, n, s = at, at + units, at + 2 * units, at + 3 * units
    dz, dr, dn, ds = to, to + units, to + 2 * units, to + 3 * units
    one = dh.dtype.type(1)
    for j in range(units):
        dh[np.uintp(at_h + j)] += dy[np.uintp(at_y + j)]
    for j in range(units):
        zj, change = gates[np.uintp(z + j)], before[np.uintp(at_before + j)] - gates[np.uintp(n + j)]
        da[np.uintp(dz + j)] = dh[np.uintp(at_h + j)] * change * zj * (one - zj)
    for j in range(units):
        zj, nj, d = gates[np.uintp(z + j)], gates[np.uintp(n + j)], dh[np.uintp(at_h + j)]
        da[np.uintp(dn + j)] = d * (one - zj) * (one - nj * nj)
        dh[np.uintp(at_h + j)] = d * zj
    for j in range(units):
        d, rj = da[np.uintp(dn + j)], gates[np.uintp(r + j)]
        da[np.uintp(dr + j)] = d * gates[np.uintp(s + j)] * rj * (one - rj)
        da[np.uintp(ds + j)] = d * rj


@part
def _pack(kernel, recurrent):
    """W, the part of U for z and r, and that for n."""
    features, units = kernel.shape[0], recurrent.shape[0]
    w = np.empty(features * padded(kernel, 3 * units), kernel.dtype)
    u, v = (
        np.empty(units * padded(kernel, 2 * units), kernel.dtype),
        np.empty(units * padded(kernel, units), kernel.dtype),
    )
    flat = recurrent.reshape(-1)
    pack(kernel.reshape(-1), 0, 3 * units, 1, features, 3 * units, w)
    pack(flat, 0, 3 * units, 1, units, 2 * units, u)
    pack(flat, 2 * units, 3 * units, 1, units, units, v)
    return w, u, v


@part
def _pack_transposed(kernel, recurrent):
    features, units = kernel.shape[0], recurrent.shape[0]
    wide_x, wide_h = padded(kernel, features), padded(kernel, units)
    w = np.empty(3 * units * wide_x, kernel.dtype)
    u, v = np.empty(2 * units * wide_h, kernel.dtype), np.empty(units * wide_h, kernel.dtype)
    flat = recurrent.reshape(-1)
    pack(kernel.reshape(-1), 0, 1, 3 * units, 3 * units, features, w)
    pack(flat, 0, 1, 3 * units, 2 * units, units, u)
    pack(flat, 2 * units, 1, 3 * units, units, units, v)
    return w, u, v


@part
def _add_state(h, count, u, v, a, at):
    """Adds h U to `count` rows of gates from row `at` on."""
    units, wide, flat, gates = h.shape[1], a.shape[1], h.reshape(-1), a.reshape(-1)
    multiply(flat, 0, units, 1, count, units, u, gates, at * wide, wide, 2 * units)
    multiply(flat, 0, units, 1, count, units, v, gates, at * wide + 3 * units, wide, units)


def _forward_types(e):
    return (
        given(e, 3), given(types.intp, 1), given(types.intp, 1), given(types.intp, 1), types.boolean,
        given(e, 2), given(e, 2), given(e, 1), given(e, 2),
        filled(e, 3), types.intp, filled(e, 2), filled(e, 2),
    )  # fmt: skip


@kernel(_forward_types)
def forward(x, rows, lengths, offsets, reverse, kernel, recurrent, bias, h0, y, column, hn, gates):
    """One job of one direction.

    Args:
        x: `(batch, time, features)`.
        rows, lengths, offsets, reverse: See `rows`.
        kernel, recurrent: W `(features, 3 * units)` and U `(units, 3 * units)`.
        bias: `(4 * units,)`: of z, r, n and s_n; those of z and r are the sum of both biases.
        h0: State before the first step, `(batch, units)`.
        y: Output `(batch, time, ...)`, written from `column` on.
        hn: Written: state after the last step, `(batch, units)`.
        gates: Written if it has rows: activated gates by `offsets`, `(rows, 3 * units + padded units)`.
    """
    features, units, count = x.shape[2], recurrent.shape[0], rows.size
    wide = 3 * units + padded(x, units)
    w, u, v = _pack(kernel, recurrent)
    h = np.empty((count, units), x.dtype)
    for i in range(count):
        copy(h0[rows[i]], h[i])
    inputs = np.empty((BLOCK + count, features), x.dtype)
    a = np.empty((BLOCK + count, wide), x.dtype)
    hidden = np.empty((BLOCK + count, units), x.dtype)
    flat_h, flat_hidden = h.reshape(-1), hidden.reshape(-1)
    first, steps = 0, offsets.size - 1
    while first < steps:
        end = next_block(offsets, first)
        total = offsets[end] - offsets[first]
        if gates.shape[0]:
            a = gates[offsets[first] : offsets[end]]
        flat = a.reshape(-1)
        gather(x, 0, features, rows, lengths, offsets, reverse, first, end, inputs)
        begin(a, bias, total)
        multiply(inputs.reshape(-1), 0, features, 1, total, features, w, flat, 0, wide, 3 * units)
        for step in range(first, end):
            at, running = offsets[step] - offsets[first], offsets[step + 1] - offsets[step]
            _add_state(h, running, u, v, a, at)
            for i in range(running):
                _step(flat, (at + i) * wide, flat_h, i * units, units)
            move(flat_h, 0, flat_hidden, at * units, running * units)
        scatter(hidden, units, rows, lengths, offsets, reverse, first, end, y, column)
        first = end
    for i in range(count):
        copy(h[i], hn[rows[i]])
    clear_padding(y, column, units, rows, lengths)


def _backward_types(e):
    return (
        given(e, 3), given(types.intp, 1), given(types.intp, 1), given(types.intp, 1), types.boolean,
        given(e, 2), given(e, 2), given(e, 1), given(e, 2),
        given(e, 3), types.intp, given(e, 2), given(e, 3), given(e, 2),
        filled(e, 3), filled(e, 2), filled(e, 2), filled(e, 1), filled(e, 2),
    )  # fmt: skip


@kernel(_backward_types)
def backward(
    x, rows, lengths, offsets, reverse, kernel, recurrent, bias, h0, y, column, gates, dy, dhn,
    dx, dkernel, drecurrent, dbias, dh0,
):  # fmt: skip
    """The gradient of `forward`'s job.

    Args:
        dy, dhn: Derivatives of the loss by y and hn.
        dx: Written: `(batch, time, features)`.
        dkernel, drecurrent, dbias: Added to: this job's share, columns as in a row of gates.
        dh0: Written.
    """
    features, units, count = x.shape[2], recurrent.shape[0], rows.size
    wide, wide_x, wide_h = 3 * units + padded(x, units), padded(x, features), padded(x, units)
    kept = gates.shape[0] > 0
    w, u, v = _pack(kernel[: 0 if kept else features], recurrent)
    wt, ut, vt = _pack_transposed(kernel, recurrent)
    dh = np.zeros((count, wide_h), x.dtype)
    for i in range(count):
        copy(dhn[rows[i]], dh[i])
    room = BLOCK + count
    inputs, hidden = np.empty((room, features), x.dtype), np.empty((room, units), x.dtype)
    a, da = np.empty((0 if kept else room, wide), x.dtype), np.zeros((room, wide), x.dtype)
    dinputs, outside = np.empty((room, wide_x), x.dtype), np.empty((room, units), x.dtype)
    scratch = np.empty(DEPTH * padded(x, 3 * units), x.dtype)
    flat, flat_dh, flat_dy, flat_hidden = da.reshape(-1), dh.reshape(-1), outside.reshape(-1), hidden.reshape(-1)
    flat_a, flat_gates = a.reshape(-1), gates.reshape(-1)
    end = offsets.size - 1
    while end > 0:
        first = previous_block(offsets, end)
        total = offsets[end] - offsets[first]
        gather(x, 0, features, rows, lengths, offsets, reverse, first, end, inputs)
        gather_previous(y, column, units, h0, rows, lengths, offsets, reverse, first, end, hidden)
        gather(dy, column, units, rows, lengths, offsets, reverse, first, end, outside)
        if not kept:
            begin(a, bias, total)
            multiply(inputs.reshape(-1), 0, features, 1, total, features, w, flat_a, 0, wide, 3 * units)
            _add_state(hidden, total, u, v, a, 0)
            for i in range(total):
                _activate(flat_a, i * wide, units)
        values, base = (flat_gates, offsets[first] * wide) if kept else (flat_a, 0)
        for step in range(end - 1, first - 1, -1):
            at, running = offsets[step] - offsets[first], offsets[step + 1] - offsets[step]
            for i in range(running):
                place, state = (at + i) * wide, (at + i) * units
                _back(values, base + place, flat_hidden, state, flat_dy, state, flat_dh, i * wide_h, flat, place, units)
            multiply(flat, at * wide, wide, 1, running, 2 * units, ut, flat_dh, 0, wide_h, units)
            multiply(flat, at * wide + 3 * units, wide, 1, running, units, vt, flat_dh, 0, wide_h, units)
        dinputs[:total] = 0
        multiply(flat, 0, wide, 1, total, 3 * units, wt, dinputs.reshape(-1), 0, wide_x, features)
        scatter(dinputs, features, rows, lengths, offsets, reverse, first, end, dx)
        multiply_transposed(inputs[:total], dkernel, da, 0, 3 * units, scratch)
        multiply_transposed(hidden[:total], drecurrent, da, 0, 2 * units, scratch)
        multiply_transposed(hidden[:total], drecurrent, da, 3 * units, units, scratch)
        add_rows(da, total, dbias)
        end = first
    for i in range(count):
        copy(dh[i, :units], dh0[rows[i]])
    clear_padding(dx, 0, features, rows, lengths)
