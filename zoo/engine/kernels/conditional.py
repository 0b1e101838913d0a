"""A decoder's conditional cell: two cells with additive attention between them.

    s'_t = cell_1(x_t, s_{t-1});  q_t = s'_t Q;  c_t = attention(q_t, memory);  s_t = cell_2(c_t, s'_t)

Source: Sennrich et al., "Nematus: a Toolkit for Neural Machine Translation" (2017), section 2.

The equations of the cells and their gradients are those of `gru` and `lstm`, those of attention stand in `additive`.
A row of gates has four blocks of units; the state's product U of an LSTM goes to all of them, that of a GRU to z and
r (`left` columns) and to s_n (`right` columns), that of the inputs to the first three.

Memories are dealt to jobs, with all targets that read them: no two jobs write to one memory's gradient. What is kept
for the gradient lies in rows by `offsets`, see `rows`. Gradients of weights are one product each after the loop.
"""

import numpy as np
from numba import types

from zoo.engine.kernels import gru, lstm
from zoo.engine.kernels.additive import attend, attend_back
from zoo.engine.kernels.compiling import filled, given, kernel, part
from zoo.engine.kernels.product import DEPTH, multiply, multiply_transposed, pack, padded
from zoo.engine.kernels.rows import add_rows, begin, copy, gather_previous


@part
def _packed(matrix, at, columns):
    """Columns from `at` on, for products with rows of the matrix's height."""
    high, wide = matrix.shape
    out = np.empty(high * padded(matrix, columns), matrix.dtype)
    pack(matrix.reshape(-1), at, wide, 1, high, columns, out)
    return out


@part
def _packed_transposed(matrix, at, columns):
    """The transpose of the columns from `at` on."""
    high, wide = matrix.shape
    out = np.empty(columns * padded(matrix, high), matrix.dtype)
    pack(matrix.reshape(-1), at, 1, wide, columns, high, out)
    return out


@part
def _add_state(h, count, left, u, right, v, gates, at):
    """Adds h U to `count` rows of gates from row `at` on."""
    units, wide, flat, out = h.shape[1], gates.shape[1], h.reshape(-1), gates.reshape(-1)
    multiply(flat, 0, units, 1, count, units, u, out, at * wide, wide, left)
    multiply(flat, 0, units, 1, count, units, v, out, at * wide + 3 * units, wide, right)


@part
def _back_state(dgates, at, count, left, ut, right, vt, units, dh):
    """Adds the gates' derivatives times U' to that of the state."""
    wide, flat, out = dgates.shape[1], dgates.reshape(-1), dh.reshape(-1)
    multiply(flat, at * wide, wide, 1, count, left, ut, out, 0, dh.shape[1], units)
    multiply(flat, at * wide + 3 * units, wide, 1, count, right, vt, out, 0, dh.shape[1], units)


@part
def _step(is_lstm, gates, c, h, cells, at):
    """One step of a cell; keeps c."""
    if is_lstm:
        lstm._step(gates, 0, c, 0, h, 0, h.size)
        copy(c, cells[at])
    else:
        gru._step(gates, 0, h, 0, h.size)


@part
def _back(is_lstm, gates, h0, c0, c, dy, dh, dc, dgates):
    """The gradient of a step; dh is a row of which the first units count."""
    units = h0.size
    if is_lstm:
        lstm._back(gates, 0, c0, 0, c, 0, dy, 0, dh, 0, dc, 0, dgates, 0, units)
    else:
        gru._back(gates, 0, h0, 0, dy, 0, dh, 0, dgates, 0, units)


def _given_types(e):
    order = types.Tuple((given(types.intp, 1), given(types.intp, 1), given(types.intp, 1)))
    memory = types.Tuple((given(e, 3), given(e, 3), given(types.boolean, 2), types.intp))
    weights = types.Tuple((
        given(e, 2), given(e, 1), given(e, 2), given(e, 1), given(e, 2), given(e, 2), given(e, 1)
    ))  # fmt: skip
    return types.boolean, order, given(e, 3), types.UniTuple(given(e, 2), 2), memory, weights


def _forward_types(e):
    return (*_given_types(e), types.UniTuple(filled(e, 3), 2), types.UniTuple(filled(e, 2), 7))


@kernel(_forward_types)
def forward(is_lstm, order, x, initial, memory, weights, outputs, kept):
    """One job.

    Args:
        is_lstm: Whether the cells are LSTMs, else GRUs.
        order: rows, lengths, offsets; see `rows`.
        x: Products of the inputs, `(batch, time, 3 or 4 * units)`.
        initial: h and c before the first step, `(batch, units)`; a GRU's c is not read.
        memory: keys `(memories, positions, size)`, values `(memories, positions, features)`, which positions are
            real, and how many rows side by side read one memory.
        weights: Of cell 1: U and its bias `(4 * units,)`; of attention: Q `(units, size)` and w; of cell 2: W
            `(features, 3 or 4 * units)`, U and the bias `(4 * units,)`.
        outputs: Written: states `(batch, time, units)` and contexts `(batch, time, features)`.
        kept: Written, by `offsets`: gates of both cells, s', queries, attention, and an LSTM's c of both cells.
    """
    (rows, lengths, offsets), (h0, c0), (keys, values, real, group) = order, initial, memory
    recurrent, bias, query, vector, kernel2, recurrent2, bias2 = weights
    states, contexts = outputs
    gates, gates2, middles, queries, attention, cells, cells2 = kept
    units, features, size, count = recurrent.shape[0], values.shape[2], vector.size, rows.size
    inputs, left, right = kernel2.shape[1], (4 if is_lstm else 2) * units, (0 if is_lstm else 1) * units
    u, v = _packed(recurrent, 0, left), _packed(recurrent, inputs - right, right)
    u2, v2 = _packed(recurrent2, 0, left), _packed(recurrent2, inputs - right, right)
    q, w2 = _packed(query, 0, size), _packed(kernel2, 0, inputs)
    h, c, context = (
        np.empty((count, units), x.dtype),
        np.empty((count, units), x.dtype),
        np.empty((count, features), x.dtype),
    )
    for i in range(count):
        h[i], c[i] = h0[rows[i]], c0[rows[i]]
    wide, wide_q = gates.shape[1], queries.shape[1]
    for step in range(offsets.size - 1):
        at, running = offsets[step], offsets[step + 1] - offsets[step]
        begin(gates[at:], bias, running)
        for i in range(running):
            gate, given = gates[at + i, :inputs], x[rows[i], step]
            for j in range(given.size):
                gate[j] += given[j]
        _add_state(h, running, left, u, right, v, gates, at)
        for i in range(running):
            _step(is_lstm, gates[at + i], c[i], h[i], cells, at + i)
            copy(h[i], middles[at + i])
        queries[at : at + running] = 0
        multiply(h.reshape(-1), 0, units, 1, running, units, q, queries.reshape(-1), at * wide_q, wide_q, size)
        for i in range(running):
            m = rows[i] // group
            attend(queries[at + i], keys[m], values[m], real[m], vector, attention[at + i], context[i])
            copy(context[i], contexts[rows[i], step])
        begin(gates2[at:], bias2, running)
        multiply(
            context.reshape(-1), 0, features, 1, running, features, w2, gates2.reshape(-1), at * wide, wide, inputs
        )
        _add_state(h, running, left, u2, right, v2, gates2, at)
        for i in range(running):
            _step(is_lstm, gates2[at + i], c[i], h[i], cells2, at + i)
            copy(h[i], states[rows[i], step])
    for i in range(count):
        states[rows[i], lengths[rows[i]] :] = 0
        contexts[rows[i], lengths[rows[i]] :] = 0


def _backward_types(e):
    shares = types.Tuple((
        filled(e, 2), filled(e, 1), filled(e, 2), filled(e, 1), filled(e, 2), filled(e, 2), filled(e, 1)
    ))  # fmt: skip
    return (
        *_given_types(e),
        types.UniTuple(given(e, 3), 2), types.UniTuple(given(e, 2), 7), types.UniTuple(given(e, 3), 2), filled(e, 3),
        types.UniTuple(filled(e, 2), 2), types.UniTuple(filled(e, 3), 2), shares,
    )  # fmt: skip


@kernel(_backward_types)
def backward(is_lstm, order, x, initial, memory, weights, outputs, kept, doutputs, dx, dinitial, dmemory, shares):
    """The gradient of `forward`'s job.

    Args:
        doutputs: Derivatives of the loss by the outputs.
        dx, dinitial, dmemory: Written: derivatives by x, by the first states, by keys and values.
        shares: Added to: this job's derivatives by the weights, columns as in a row of gates or padded.
    """
    (rows, lengths, offsets), (h0, c0), (keys, values, real, group) = order, initial, memory
    recurrent, _, query, vector, kernel2, recurrent2, _ = weights
    states, _ = outputs
    gates, gates2, middles, queries, attention, cells, cells2 = kept
    dkeys, dvalues = dmemory
    units, features, size, count = recurrent.shape[0], values.shape[2], vector.size, rows.size
    inputs, left, right = kernel2.shape[1], (4 if is_lstm else 2) * units, (0 if is_lstm else 1) * units
    ut, vt = _packed_transposed(recurrent, 0, left), _packed_transposed(recurrent, inputs - right, right)
    ut2, vt2 = _packed_transposed(recurrent2, 0, left), _packed_transposed(recurrent2, inputs - right, right)
    qt, wt2 = _packed_transposed(query, 0, size), _packed_transposed(kernel2, 0, inputs)
    total, wide, wide_h, wide_q = offsets[-1], gates.shape[1], padded(x, units), queries.shape[1]
    wide_c = padded(x, features)
    dh, dc, zeros = np.zeros((count, wide_h), x.dtype), np.zeros((count, units), x.dtype), np.zeros(units, x.dtype)
    da, da2 = np.empty((total, wide), x.dtype), np.empty((total, wide), x.dtype)
    dq, dcontext = np.zeros((total, wide_q), x.dtype), np.zeros((total, wide_c), x.dtype)
    slopes = np.empty(real.shape[1], x.dtype)
    for i in range(count):
        dkeys[rows[i] // group] = 0
        dvalues[rows[i] // group] = 0
    for step in range(offsets.size - 2, -1, -1):
        at, running = offsets[step], offsets[step + 1] - offsets[step]
        for i in range(running):
            k = at + i
            _back(is_lstm, gates2[k], middles[k], cells[k], cells2[k], doutputs[0][rows[i], step], dh[i], dc[i],
                  da2[k])  # fmt: skip
            copy(doutputs[1][rows[i], step], dcontext[k])
        _back_state(da2, at, running, left, ut2, right, vt2, units, dh)
        multiply(
            da2.reshape(-1),
            at * wide,
            wide,
            1,
            running,
            inputs,
            wt2,
            dcontext.reshape(-1),
            at * wide_c,
            wide_c,
            features,
        )
        for i in range(running):
            k, m = at + i, rows[i] // group
            attend_back(queries[k], keys[m], values[m], real[m], vector, attention[k], dcontext[k, :features], dq[k],
                        dkeys[m], shares[3], slopes)  # fmt: skip
        multiply(dq.reshape(-1), at * wide_q, wide_q, 1, running, size, qt, dh.reshape(-1), 0, wide_h, units)
        for i in range(running):
            k, row = at + i, rows[i]
            before = states[row, step - 1] if step else h0[row]
            cell = cells2[offsets[step - 1] + i] if step else c0[row]
            _back(is_lstm, gates[k], before, cell, cells[k], zeros, dh[i], dc[i], da[k])
            copy(da[k, :inputs], dx[row, step])
        _back_state(da, at, running, left, ut, right, vt, units, dh)
    for i in range(count):
        dinitial[0][rows[i]], dinitial[1][rows[i]] = dh[i, :units], dc[i]
        dx[rows[i], lengths[rows[i]] :] = 0
    _back_values(rows, lengths, offsets, group, attention, dcontext, dvalues)
    _back_weights(order, left, right, h0, outputs, middles, da, da2, dq, shares)


@part
def _back_values(rows, lengths, offsets, group, attention, dcontext, dvalues):
    """Adds p' Dc of each row to the derivative of its memory."""
    steps, positions, features, wide = offsets.size - 1, attention.shape[1], dvalues.shape[2], dcontext.shape[1]
    p, dc = np.empty((steps, positions), dcontext.dtype), np.empty((steps, wide), dcontext.dtype)
    out, scratch = np.empty((positions, wide), dcontext.dtype), np.empty(DEPTH * wide, dcontext.dtype)
    for i in range(rows.size):
        length = lengths[rows[i]]
        for step in range(length):
            copy(attention[offsets[step] + i], p[step])
            copy(dcontext[offsets[step] + i], dc[step])
        out[:] = 0
        multiply_transposed(p[:length], out, dc, 0, features, scratch)
        total = dvalues[rows[i] // group]
        for j in range(positions):
            source, sink = out[j, :features], total[j]
            for d in range(source.size):
                sink[d] += source[d]


@part
def _back_weights(order, left, right, h0, outputs, middles, da, da2, dq, shares):
    """The gradients of the weights, one product each."""
    rows, lengths, offsets = order
    states, contexts = outputs
    drecurrent, dbias, dquery, _, dkernel2, drecurrent2, dbias2 = shares
    total, units, features = offsets[-1], states.shape[2], contexts.shape[2]
    inputs = left + right
    scratch = np.empty(DEPTH * max(da.shape[1], dq.shape[1]), da.dtype)
    before, context = np.empty((total, units), da.dtype), np.empty((total, features), da.dtype)
    gather_previous(states, 0, units, h0, rows, lengths, offsets, False, 0, offsets.size - 1, before)
    for step in range(offsets.size - 1):
        for i in range(offsets[step + 1] - offsets[step]):
            copy(contexts[rows[i], step], context[offsets[step] + i])
    multiply_transposed(before, drecurrent, da, 0, left, scratch)
    multiply_transposed(before, drecurrent, da, 3 * units, right, scratch)
    multiply_transposed(middles[:total], dquery, dq, 0, dquery.shape[1], scratch)
    multiply_transposed(context, dkernel2, da2, 0, inputs, scratch)
    multiply_transposed(middles[:total], drecurrent2, da2, 0, left, scratch)
    multiply_transposed(middles[:total], drecurrent2, da2, 3 * units, right, scratch)
    add_rows(da, total, dbias)
    add_rows(da2, total, dbias2)
