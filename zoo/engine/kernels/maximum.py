"""The largest value of each feature over time, and where it was.

    y_j = max_t x_tj over the real steps t    Dx_tj = Dy_j at the first t with x_tj = y_j, else 0

A backend's own gradient compares all steps with the maximum and shares Dy among equal ones, in several passes over an
array as large as the sequence; this one writes it once. NaN is the largest value.
"""

from numba import types

from zoo.engine.kernels.compiling import filled, given, kernel, part


@part
def _step(x, y, index, time):
    for j in range(y.size):
        value, best = x[j], y[j]
        larger = (value > best) | (value != value)
        y[j] = value if larger else best
        index[j] = time if larger else index[j]


def _forward_types(e):
    return (given(e, 3), given(types.boolean, 2), types.intp, types.intp, filled(e, 2), filled(types.int32, 2))


@kernel(_forward_types)
def forward(x, mask, top, bottom, y, index):
    """Rows `top` to `bottom`.

    Args:
        x: `(batch, time, features)`.
        mask: `(batch, time)`, True = real.
        y: Written: `(batch, features)`, zero where no step is real.
        index: Written: times of y, or -1.
    """
    for row in range(top, bottom):
        index[row] = -1
        y[row] = 0
        first = True
        for time in range(x.shape[1]):
            if mask[row, time]:
                if first:
                    for j in range(y.shape[1]):
                        y[row, j] = x[row, time, j]
                        index[row, j] = time
                    first = False
                else:
                    _step(x[row, time], y[row], index[row], time)


def _backward_types(e):
    return (given(types.int32, 2), given(e, 2), types.intp, types.intp, filled(e, 3))


@kernel(_backward_types)
def backward(index, dy, top, bottom, dx):
    """The gradient of `forward`'s job: writes dx `(batch, time, features)`."""
    for row in range(top, bottom):
        dx[row] = 0
        for j in range(dy.shape[1]):
            if index[row, j] >= 0:
                dx[row, index[row, j], j] = dy[row, j]
