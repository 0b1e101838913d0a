"""LSTM (Hochreiter and Schmidhuber 1997; forget gate: Gers, Schmidhuber and Cummins 2000).

Forward, a_t = x_t W + h_{t-1} U + b in four parts:

    i_t = sigmoid(a_i)    f_t = sigmoid(a_f)    g_t = tanh(a_g)    o_t = sigmoid(a_o)
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(c_t)

Gradient, from the last step to the first; D x is the derivative of the loss by x, and Dh_t, Dc_t begin as what comes
from outside and from the step after:

    Do  = Dh_t * tanh(c_t)                      Da_o = Do * o (1 - o)
    Dc_t = Dc_t + Dh_t * o_t * (1 - tanh(c_t)^2)
    Da_i = Dc_t * g * i (1 - i)    Da_f = Dc_t * c_{t-1} * f (1 - f)    Da_g = Dc_t * i * (1 - g^2)
    Dc_{t-1} = Dc_t * f            Dh_{t-1} = Da_t U'
    DW = sum x_t' Da_t    DU = sum h_{t-1}' Da_t    Db = sum Da_t    Dx_t = Da_t W'

Only h (the output) and c are kept for the gradient; the gates of a block of steps are computed once more from them,
in one product, unless `gates` has room for them.
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
    gather,
    gather_previous,
    move,
    next_block,
    previous_block,
    scatter,
)


@part
def _activate(a, at, units):
    """Each gate has a loop of its own, so that it is vectorized."""
    for j in range(2 * units):
        k = np.uintp(at + j)
        a[k] = sigmoid(a[k])
    for j in range(2 * units, 3 * units):
        k = np.uintp(at + j)
        a[k] = tanh(a[k])
    for j in range(3 * units, 4 * units):
        k = np.uintp(at + j)
        a[k] = sigmoid(a[k])


# Loops below write one or two arrays: the compiler leaves a loop scalar if it would have to tell more than eight pairs
# of arrays apart.


@part
def _step(a, at, c, row, h, out, units):
    """One row whose gates begin at `at`, c at `row` and new h at `out` of flat arrays."""
    _activate(a, at, units)
    f, g, o = at + units, at + 2 * units, at + 3 * units
    for j in range(units):
        k = np.uintp(row + j)
        c[k] = a[np.uintp(f + j)] * c[k] + a[np.uintp(at + j)] * a[np.uintp(g + j)]
    for j in range(units):
        h[np.uintp(out + j)] = a[np.uintp(o + j)] * tanh(c[np.uintp(row + j)])


@part
def _back(gates, at, before, at_before, cells, at_cell, dy, at_y, dh, at_h, dc, row, da, to, units):
    """One row; each array is flat and has the number where it begins behind it."""
    i, f, g, o = at, at + units, at + 2 * units, at + 3 * units
    di, df, dg, do = to, to + units, to + 2 * units, to + 3 * units
    one = dc.dtype.type(1)
    for j in range(units):
        dh[np.uintp(at_h + j)] += dy[np.uintp(at_y + j)]
    for j in range(units):
        t = tanh(cells[np.uintp(at_cell + j)])
        da[np.uintp(df + j)] = t
        dc[np.uintp(row + j)] += dh[np.uintp(at_h + j)] * gates[np.uintp(o + j)] * (one - t * t)
    for j in range(units):
        oj = gates[np.uintp(o + j)]
        da[np.uintp(do + j)] = dh[np.uintp(at_h + j)] * da[np.uintp(df + j)] * oj * (one - oj)
        dh[np.uintp(at_h + j)] = 0
    for j in range(units):
        ij, gj, d = gates[np.uintp(i + j)], gates[np.uintp(g + j)], dc[np.uintp(row + j)]
        da[np.uintp(di + j)] = d * gj * ij * (one - ij)
        da[np.uintp(dg + j)] = d * ij * (one - gj * gj)
    for j in range(units):
        fj, d = gates[np.uintp(f + j)], dc[np.uintp(row + j)]
        da[np.uintp(df + j)] = d * before[np.uintp(at_before + j)] * fj * (one - fj)
        dc[np.uintp(row + j)] = d * fj


def _forward_types(e):
    return (
        given(e, 3), given(types.intp, 1), given(types.intp, 1), given(types.intp, 1), types.boolean,
        given(e, 2), given(e, 2), given(e, 1), given(e, 2), given(e, 2),
        filled(e, 3), types.intp, filled(e, 2), filled(e, 2), filled(e, 2), filled(e, 2),
    )  # fmt: skip


@kernel(_forward_types)
def forward(x, rows, lengths, offsets, reverse, kernel, recurrent, bias, h0, c0, y, column, hn, cn, gates, cells):
    """One job of one direction.

    Args:
        x: `(batch, time, features)`.
        rows, lengths, offsets, reverse: See `rows`.
        kernel, recurrent, bias: W `(features, 4 * units)`, U `(units, 4 * units)` and b.
        h0, c0: States before the first step, `(batch, units)`.
        y: Output `(batch, time, ...)`, written from `column` on.
        hn, cn: Written: states after the last step, `(batch, units)`.
        gates: Written if it has rows: activated gates by `offsets`, `(rows, padded 4 * units)`.
        cells: Written if it has rows: c by `offsets`, `(rows, units)`.
    """
    features, units, count = x.shape[2], recurrent.shape[0], rows.size
    wide = padded(x, 4 * units)
    w, u = np.empty(features * wide, x.dtype), np.empty(units * wide, x.dtype)
    pack(kernel.reshape(-1), 0, 4 * units, 1, features, 4 * units, w)
    pack(recurrent.reshape(-1), 0, 4 * units, 1, units, 4 * units, u)
    h, c = np.empty((count, units), x.dtype), np.empty((count, units), x.dtype)
    for i in range(count):
        h[i], c[i] = h0[rows[i]], c0[rows[i]]
    inputs = np.empty((BLOCK + count, features), x.dtype)
    a = np.empty((BLOCK + count, wide), x.dtype)
    hidden = np.empty((BLOCK + count, units), x.dtype)
    flat_h, flat_c, flat_hidden, flat_cells = h.reshape(-1), c.reshape(-1), hidden.reshape(-1), cells.reshape(-1)
    first, steps = 0, offsets.size - 1
    while first < steps:
        end = next_block(offsets, first)
        total = offsets[end] - offsets[first]
        if gates.shape[0]:
            a = gates[offsets[first] : offsets[end]]
        flat = a.reshape(-1)
        gather(x, 0, features, rows, lengths, offsets, reverse, first, end, inputs)
        begin(a, bias, total)
        multiply(inputs.reshape(-1), 0, features, 1, total, features, w, flat, 0, wide, 4 * units)
        for step in range(first, end):
            at, running = offsets[step] - offsets[first], offsets[step + 1] - offsets[step]
            multiply(flat_h, 0, units, 1, running, units, u, flat, at * wide, wide, 4 * units)
            for i in range(running):
                _step(flat, (at + i) * wide, flat_c, i * units, flat_h, i * units, units)
            move(flat_h, 0, flat_hidden, at * units, running * units)
            if cells.shape[0]:
                move(flat_c, 0, flat_cells, offsets[step] * units, running * units)
        scatter(hidden, units, rows, lengths, offsets, reverse, first, end, y, column)
        first = end
    for i in range(count):
        hn[rows[i]], cn[rows[i]] = h[i], c[i]
    clear_padding(y, column, units, rows, lengths)


def _backward_types(e):
    return (
        given(e, 3), given(types.intp, 1), given(types.intp, 1), given(types.intp, 1), types.boolean,
        given(e, 2), given(e, 2), given(e, 1), given(e, 2), given(e, 2),
        given(e, 3), types.intp, given(e, 2), given(e, 2), given(e, 3), given(e, 2), given(e, 2),
        filled(e, 3), filled(e, 2), filled(e, 2), filled(e, 1), filled(e, 2), filled(e, 2),
    )  # fmt: skip


@kernel(_backward_types)
def backward(
    x, rows, lengths, offsets, reverse, kernel, recurrent, bias, h0, c0, y, column, gates, cells, dy, dhn, dcn,
    dx, dkernel, drecurrent, dbias, dh0, dc0,
):  # fmt: skip
    """The gradient of `forward`'s job.

    Args:
        dy, dhn, dcn: Derivatives of the loss by y, hn and cn.
        dx: Written: `(batch, time, features)`.
        dkernel, drecurrent, dbias: Added to: this job's share, with columns padded to whole panels.
        dh0, dc0: Written.
    """
    features, units, count = x.shape[2], recurrent.shape[0], rows.size
    four = 4 * units
    wide, wide_x, wide_h = padded(x, four), padded(x, features), padded(x, units)
    kept = gates.shape[0] > 0
    w, u = np.empty(0 if kept else features * wide, x.dtype), np.empty(0 if kept else units * wide, x.dtype)
    if not kept:
        pack(kernel.reshape(-1), 0, four, 1, features, four, w)
        pack(recurrent.reshape(-1), 0, four, 1, units, four, u)
    wt, ut = np.empty(four * wide_x, x.dtype), np.empty(four * wide_h, x.dtype)
    pack(kernel.reshape(-1), 0, 1, four, four, features, wt)
    pack(recurrent.reshape(-1), 0, 1, four, four, units, ut)
    dh, dc = np.zeros((count, wide_h), x.dtype), np.empty((count, units), x.dtype)
    for i in range(count):
        dh[i, :units], dc[i] = dhn[rows[i]], dcn[rows[i]]
    room = BLOCK + count
    inputs, hidden = np.empty((room, features), x.dtype), np.empty((room, units), x.dtype)
    a, da = np.empty((0 if kept else room, wide), x.dtype), np.zeros((room, wide), x.dtype)
    dinputs = np.empty((room, wide_x), x.dtype)
    scratch = np.empty(DEPTH * wide, x.dtype)
    flat_dh, flat_dc, flat_da = dh.reshape(-1), dc.reshape(-1), da.reshape(-1)
    flat_a, flat_gates, flat_cells = a.reshape(-1), gates.reshape(-1), cells.reshape(-1)
    outside = np.empty((room, units), x.dtype)
    flat_c0, flat_dy = c0.reshape(-1), outside.reshape(-1)
    end = offsets.size - 1
    while end > 0:
        first = previous_block(offsets, end)
        total = offsets[end] - offsets[first]
        gather(x, 0, features, rows, lengths, offsets, reverse, first, end, inputs)
        gather_previous(y, column, units, h0, rows, lengths, offsets, reverse, first, end, hidden)
        gather(dy, column, units, rows, lengths, offsets, reverse, first, end, outside)
        if not kept:
            begin(a, bias, total)
            multiply(inputs.reshape(-1), 0, features, 1, total, features, w, flat_a, 0, wide, four)
            multiply(hidden.reshape(-1), 0, units, 1, total, units, u, flat_a, 0, wide, four)
            for i in range(total):
                _activate(flat_a, i * wide, units)
        values, base = (flat_gates, offsets[first] * wide) if kept else (flat_a, 0)
        for step in range(end - 1, first - 1, -1):
            at, running = offsets[step] - offsets[first], offsets[step + 1] - offsets[step]
            before = flat_cells if step else flat_c0
            for i in range(running):
                previous = (offsets[step - 1] + i if step else rows[i]) * units
                place = (at + i) * wide
                _back(values, base + place, before, previous, flat_cells, (offsets[step] + i) * units, flat_dy,
                      (at + i) * units, flat_dh, i * wide_h, flat_dc, i * units, flat_da, place, units)  # fmt: skip
            multiply(flat_da, at * wide, wide, 1, running, four, ut, flat_dh, 0, wide_h, units)
        dinputs[:total] = 0
        multiply(flat_da, 0, wide, 1, total, four, wt, dinputs.reshape(-1), 0, wide_x, features)
        scatter(dinputs, features, rows, lengths, offsets, reverse, first, end, dx)
        multiply_transposed(inputs[:total], dkernel, da, 0, four, scratch)
        multiply_transposed(hidden[:total], drecurrent, da, 0, four, scratch)
        add_rows(da, total, dbias)
        end = first
    for i in range(count):
        dh0[rows[i]], dc0[rows[i]] = dh[i, :units], dc[i]
    clear_padding(dx, 0, features, rows, lengths)
