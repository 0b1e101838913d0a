"""Independently recurrent neural network: each unit reads its own state alone.

Source: Li, Li, Cook, Zhu and Gao, "Independently Recurrent Neural Network (IndRNN): Building A Longer and Deeper RNN"
(2018), section 3, equation 2, and section 4 for the bound of the recurrent weights over T steps:

    h_t = relu(W x_t + u * h_{t-1} + b)       (2)
    |u_n| <= gamma^(1/T)                      the gradient through T steps grows at most gamma times

Here: T is `max_length` and gamma is 2, as in the paper's experiments; without `max_length` the bound is 1, its limit
for long sequences. The bound is a constraint of u, and u starts uniform between 0 and it. Units of a layer do not mix:
stack at least two layers.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import Cell, biased
from zoo.errors import UserError

GAMMA = 2.0
"""Largest growth of the gradient over `max_length` steps."""


@keras.saving.register_keras_serializable("zoo")
class MaxAbs(keras.constraints.Constraint):
    """Each weight between -bound and bound.

    Args:
        bound: Largest absolute value.
    """

    def __init__(self, bound: float = 1.0) -> None:
        self.bound = bound

    def __call__(self, w: Any) -> Any:
        return ops.clip(w, -self.bound, self.bound)

    def get_config(self) -> dict[str, Any]:
        return {"bound": self.bound}


@keras.saving.register_keras_serializable("zoo")
class IndRNNCell(Cell):
    """h_t = relu(W x_t + u * h_{t-1} + b), with bounded u.

    Args:
        units: Size of the output and of the state.
        max_length: Steps over which gradients may grow at most two-fold; None: never.
        **kwargs: Of `zoo.cells.cell.Cell`. A `recurrent_constraint` replaces the bound, a `recurrent_initializer` the
            start between 0 and it.

    Raises:
        UserError: If `max_length` is less than 1.
    """

    gates = 1

    def __init__(self, units: int, *, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if max_length is not None and max_length < 1:
            raise UserError(f"max_length is a number of steps, or None for any; got {max_length}.")
        self.bound = 1.0 if max_length is None else GAMMA ** (1 / max_length)
        if self.recurrent_constraint is None:
            self.recurrent_constraint = MaxAbs(self.bound)

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_kernel((input_shape[-1], self.units))
        start = keras.initializers.RandomUniform(0.0, self.bound)
        self.recurrent_kernel = self.add_recurrent_kernel((self.units,), initializer=start)
        self.bias = self.add_bias((self.units,))

    def project(self, inputs: Any) -> Any:
        return biased(ops.matmul(inputs, self.kernel), self.bias)

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        (h,) = states
        h = ops.relu(projected + ops.multiply(h, self.recurrent_kernel))
        return h, [h]
