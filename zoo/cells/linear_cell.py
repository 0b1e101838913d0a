"""Cells whose recurrence is linear: each channel of the state is multiplied by a factor, and a number is added.

    h_t = a_t * h_{t-1} + b_t        a_t and b_t are functions of the inputs alone

Nothing inside the recurrence depends on the previous state but one product and one sum. All a_t and b_t of a sequence
are therefore computed at once, and `zoo.engine.linear_recurrence` does the rest: by a compiled kernel on a CPU, by an
associative scan on a GPU.

Source: Martin and Cundy, "Parallelizing Linear Recurrent Neural Nets Over Sequence Length" (2018), section 2. Negative
factors: Grazzi et al., "Unlocking State-Tracking in Linear RNNs Through Negative Eigenvalues" (2024), section 4.
"""

from typing import Any

import keras
from keras import ops

from zoo import engine
from zoo.cells.cell import Cell, state_sizes


class LinearCell(Cell):
    """A cell whose state follows h_t = a_t * h_{t-1} + b_t, with a_t and b_t functions of the inputs alone.

    A subclass defines `build`, `coefficients`, and `read` if its output is more than the state. It has one state.
    Complex numbers are stored as real ones, the real parts first, then the imaginary parts: `state_size` is then twice
    the number of channels.

    Args:
        units: Size of the output, and of the state unless `state_size` is overridden.
        **kwargs: See `Cell`.
    """

    exception = ""
    """Why a cell with certain arguments is no linear recurrence after all; empty if it is one."""

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        """The factors and what is added.

        Args:
            inputs: `(..., features)`: one step or all of them.

        Returns:
            a, which may be any shape that broadcasts to that of b, and b `(..., channels)`; real or complex.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define coefficients(inputs) -> (a, b).")

    def read(self, h: Any, inputs: Any) -> Any:
        """The output of steps.

        Args:
            h: States after the steps `(..., channels)`, real or complex.
            inputs: `(..., features)`.

        Returns:
            `(..., units)`, real numbers; by default h itself.
        """
        return h

    def call(self, inputs: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        """One step of Keras's cell contract."""
        a, b = self.coefficients(inputs)
        h = a * _number(states[0], b) + b
        return ops.cast(self.read(h, inputs), self.compute_dtype), [ops.cast(_stored(h), self.compute_dtype)]

    def sequence(
        self,
        inputs: Any,
        mask: Any | None = None,
        initial_state: list | None = None,
        reverse: bool = False,
        training: bool | None = None,
        choice: engine.Choice | None = None,
    ) -> tuple[Any, list]:
        """All steps at once; equal to `call` step by step.

        Args:
            inputs: `(batch, time, features)`.
            mask: `(batch, time)`, True = real. At other steps the state stays and the output is zero.
            initial_state: A list with the state before the first step, `(batch, state_size)`; default zeros.
            reverse: Read each row from its last real step to its first; outputs stand at the steps they belong to.
            training: Whether gradients are going to be asked for; see `zoo.engine.run`.
            choice: A path from `zoo.engine.choose`; default the one that it names.

        Returns:
            Outputs `(batch, time, units)`, and a list with the final state `(batch, state_size)`.
        """
        choice = choice or engine.choose(self, training=training, batch=inputs.shape[0])
        if engine.has_kernel(self, choice):  # one kernel for the coefficients and the recurrence
            return engine.run(self, inputs, mask, initial_state, reverse, training, choice)
        inputs = ops.cast(inputs, self.compute_dtype)
        a, b = self.coefficients(inputs)
        if a.shape != b.shape:
            a = ops.broadcast_to(a, ops.shape(b))
        begin = None if initial_state is None else _number(initial_state[0], b)
        h, last = engine.linear_recurrence(a, b, begin, mask, reverse, training, choice)
        outputs = ops.cast(self.read(h, inputs), self.compute_dtype)
        if mask is not None and type(self).read is not LinearCell.read:  # what is read from a zero may not be zero
            outputs = ops.where(ops.cast(mask, "bool")[:, :, None], outputs, ops.zeros_like(outputs))
        return outputs, [ops.cast(_stored(last), self.compute_dtype)]

    def get_initial_state(self, batch_size: Any = None) -> list:
        """Zeros, `(batch, state_size)`."""
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in state_sizes(self)]


def _is_complex(array: Any) -> bool:
    return "complex" in keras.backend.standardize_dtype(array.dtype)


def _number(state: Any, like: Any) -> Any:
    """A stored state as numbers of the kind of `like`, real `(batch, channels)` or complex."""
    dtype = keras.backend.standardize_dtype(like.dtype)
    if "complex" not in dtype:
        return ops.cast(state, dtype)
    real, imaginary = ops.split(ops.cast(state, "float64" if dtype == "complex128" else "float32"), 2, axis=-1)
    return ops.cast(real, dtype) + ops.cast(imaginary, dtype) * 1j


def _stored(h: Any) -> Any:
    """Numbers as they are stored: complex ones `(batch, channels)` as real ones `(batch, 2 * channels)`."""
    return ops.concatenate([ops.real(h), ops.imag(h)], axis=-1) if _is_complex(h) else h
