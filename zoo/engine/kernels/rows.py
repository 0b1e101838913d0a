"""The order in which the rows of a batch are read, shared by all cells.

A job has some rows of the batch, longest first, so that those still running at a step are always the first ones. What
is computed at step s for row i stands at `offsets[s] + i`: padded steps take neither time nor place.

    lengths 3 2 1    step 0: rows 0 1 2    step 1: rows 0 1    step 2: row 0    offsets 0 3 5 6

Read in reverse, step s of a row of length n is its time n - 1 - s. Steps are handled in blocks of about `BLOCK` rows,
whose numbers stay in the second cache from one pass over them to the next.

Inside loops over rows, arrays are flat and rows are numbers where they begin: a view of a row would be counted as a
reference, by atomic operations that took a tenth of a training step. Unsigned indices need no look at negative ones,
which would keep a loop from being vectorized.
"""

import numpy as np

from zoo.engine.kernels.compiling import part

BLOCK = 256


@part
def copy(source, out):
    """Copies a row. An index that starts at zero lets the loop be vectorized; so do slices in its callers."""
    for j in range(source.size):
        out[j] = source[j]


@part
def move(source, at, out, to, width):
    """Copies numbers of flat arrays."""
    for j in range(width):
        out[np.uintp(to + j)] = source[np.uintp(at + j)]


@part
def add_rows(values, count, total):
    """Adds the first `count` rows to `total`."""
    flat, wide = values.reshape(-1), values.shape[1]
    for i in range(count):
        at = i * wide
        for j in range(total.size):
            total[np.uintp(j)] += flat[np.uintp(at + j)]


@part
def next_block(offsets, first):
    """The step after the block that begins at step `first`."""
    end = first + 1
    while end + 1 < offsets.size and offsets[end + 1] - offsets[first] <= BLOCK:
        end += 1
    return end


@part
def previous_block(offsets, end):
    """The first step of the block that ends before step `end`."""
    first = end - 1
    while first > 0 and offsets[end] - offsets[first - 1] <= BLOCK:
        first -= 1
    return first


@part
def time_of(step, length, reverse):
    return length - 1 - step if reverse else step


@part
def gather(sequence, column, width, rows, lengths, offsets, reverse, first, end, out):
    """Copies steps `first` to `end` of `sequence[:, :, column:column + width]` into `out` (rows, width).

    Row by row, since the steps of a row lie side by side in `sequence`.
    """
    source, target, steps, wide = sequence.reshape(-1), out.reshape(-1), sequence.shape[1], sequence.shape[2]
    for i in range(offsets[first + 1] - offsets[first]):
        row = rows[i]
        for step in range(first, end):
            if i >= offsets[step + 1] - offsets[step]:
                break
            time = time_of(step, lengths[row], reverse)
            place = offsets[step] - offsets[first] + i
            move(source, (row * steps + time) * wide + column, target, place * width, width)


@part
def gather_previous(sequence, column, width, initial, rows, lengths, offsets, reverse, first, end, out):
    """Like `gather`, one step earlier; before the first step stands `initial` (batch, width)."""
    source, target, steps, wide = sequence.reshape(-1), out.reshape(-1), sequence.shape[1], sequence.shape[2]
    begin = initial.reshape(-1)
    for i in range(offsets[first + 1] - offsets[first]):
        row = rows[i]
        for step in range(first, end):
            if i >= offsets[step + 1] - offsets[step]:
                break
            place = offsets[step] - offsets[first] + i
            if step == 0:
                move(begin, row * width, target, place * width, width)
            else:
                time = time_of(step - 1, lengths[row], reverse)
                move(source, (row * steps + time) * wide + column, target, place * width, width)


@part
def scatter(source, width, rows, lengths, offsets, reverse, first, end, out, column=0):
    """The way back: `source` (rows, at least width) into `out[:, :, column:column + width]`."""
    flat, wide, target, steps, whole = source.reshape(-1), source.shape[1], out.reshape(-1), out.shape[1], out.shape[2]
    for i in range(offsets[first + 1] - offsets[first]):
        row = rows[i]
        for step in range(first, end):
            if i >= offsets[step + 1] - offsets[step]:
                break
            time = time_of(step, lengths[row], reverse)
            place = offsets[step] - offsets[first] + i
            move(flat, place * wide, target, (row * steps + time) * whole + column, width)


@part
def clear_padding(sequence, column, width, rows, lengths):
    """Zeros at the steps after the end of each row."""
    for i in range(rows.size):
        row = rows[i]
        for time in range(lengths[row], sequence.shape[1]):
            sequence[row, time, column : column + width] = 0


@part
def begin(values, bias, count):
    """Every row of `values` begins as the bias, to which products are added; zeros right of it."""
    flat, wide = values.reshape(-1), values.shape[1]
    for i in range(count):
        move(bias, 0, flat, i * wide, bias.size)
        for j in range(bias.size, wide):
            flat[np.uintp(i * wide + j)] = 0
