"""The plain path: a loop over any Keras cell, input products hoisted out of it where the cell allows that."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from zoo.cells.cell import Cell, state_sizes


class _Step:
    """What is left of a cell inside the loop when its inputs were projected before it."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.compute_dtype = cell, cell.compute_dtype
        self.state_size, self.output_size = cell.state_size, cell.output_size

    def get_initial_state(self, batch_size: Any = None) -> list:
        return self.cell.get_initial_state(batch_size)

    def call(self, inputs: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        return self.cell.step(inputs, list(states), training=training)

    __call__ = call


class _Linear:
    """One step of h_t = a_t * h_{t-1} + b_t; complex numbers as pairs of real ones."""

    def __init__(self, channels: int, is_complex: bool, dtype: str) -> None:
        self.is_complex, self.compute_dtype = is_complex, dtype
        self.state_size = self.output_size = 2 * channels if is_complex else channels

    def call(self, inputs: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        (h,) = states
        if self.is_complex:
            a, a_im, b, b_im = ops.split(inputs, 4, axis=-1)
            h, h_im = ops.split(h, 2, axis=-1)
            h = ops.concatenate([a * h - a_im * h_im + b, a * h_im + a_im * h + b_im], axis=-1)
        else:
            a, b = ops.split(inputs, 2, axis=-1)
            h = a * h + b
        return h, [h]

    __call__ = call


def run(
    cell: Any, inputs: Any, mask: Any = None, initial_state: list | None = None, reverse: bool = False,
    training: bool | None = None,
) -> tuple[Any, list]:  # fmt: skip
    """Runs a built cell over `inputs` `(batch, time, features)`; see `zoo.engine.run`."""
    hoisted = isinstance(cell, Cell) and cell.gates
    sequence = cell.project(inputs) if hoisted else inputs
    step = _Step(cell) if hoisted else cell
    return _loop(step, sequence, mask, initial_state, reverse, training, cell.dtype_policy)


def linear(a: Any, b: Any, h0: Any, mask: Any, reverse: bool) -> tuple[Any, Any]:
    """h_t = a_t * h_{t-1} + b_t by steps."""
    channels = b.shape[-1]
    dtype = keras.backend.standardize_dtype(b.dtype)
    pairs = "complex" in dtype
    sequence = ops.concatenate([ops.real(a), ops.imag(a), ops.real(b), ops.imag(b)] if pairs else [a, b], axis=-1)
    begin = ops.concatenate([ops.real(h0), ops.imag(h0)], axis=-1) if pairs else h0
    policy = keras.backend.standardize_dtype(begin.dtype)
    outputs, (last,) = _loop(_Linear(channels, pairs, policy), sequence, mask, [begin], reverse, None, policy)
    return tuple(_paired(array, dtype) if pairs else array for array in (outputs, last))


def _paired(array: Any, dtype: str) -> Any:
    real, imaginary = ops.split(array, 2, axis=-1)
    return ops.cast(real, dtype) + ops.cast(imaginary, dtype) * 1j


def all_states(a: Any, b: Any, h0: Any, reverse: bool) -> Any:
    """h_t = a_t * h_{t-1} + b_t as an associative scan: in about log2(time) wide steps, for accelerators."""
    factors, sums = ops.associative_scan(_compose, (a, b), reverse=reverse, axis=1)
    return factors * h0[:, None] + sums


def associative(
    a: Any, b: Any, h0: Any, mask: Any, reverse: bool, scan: Callable[..., Any] = all_states
) -> tuple[Any, Any]:
    """`zoo.engine.linear_recurrence` by `all_states`, or another function of its arguments."""
    if mask is not None:
        there = ops.cast(mask, b.dtype)[:, :, None]  # products: ops.where makes complex64 of complex128 on TensorFlow
        a, b = there * a + (1 - there), there * b
    outputs = scan(a, b, h0, reverse)
    last = outputs[:, 0] if reverse else outputs[:, -1]
    return (outputs if mask is None else there * outputs), last


def _compose(first: tuple, second: tuple) -> tuple:
    """The step that is as both, one after the other."""
    return first[0] * second[0], second[0] * first[1] + second[1]


def _loop(
    cell: Any, sequence: Any, mask: Any, initial_state: list | None, reverse: bool, training: bool | None, policy: Any
) -> tuple[Any, list]:
    """Keras's loop; states stay and outputs are zero where the mask is False."""
    if reverse:  # padding comes first then: it leaves the initial state alone
        sequence, mask = ops.flip(sequence, axis=1), None if mask is None else ops.flip(mask, axis=1)
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype=policy)
    if initial_state is None and not hasattr(cell, "get_initial_state"):
        initial_state = [ops.zeros((ops.shape(sequence)[0], size), sequence.dtype) for size in state_sizes(cell)]
    outputs, *states = layer(sequence, mask=mask, initial_state=initial_state, training=training)
    if mask is not None:
        outputs = ops.where(ops.cast(mask, "bool")[:, :, None], outputs, ops.zeros_like(outputs))
    return (ops.flip(outputs, axis=1) if reverse else outputs), states
