"""Vanilla recurrent cell.

Source: Elman, "Finding Structure in Time", Cognitive Science 14 (1990); in this form in Goodfellow, Bengio and
Courville, "Deep Learning" (2016), section 10.2, equations 10.8 and 10.9.

    h_t = tanh(W_hh h_{t-1} + W_xh x_t + b)
    y_t = W_hy h_t                                  (the output layer, which stands outside the cell)

Here: rows are examples, so products are written x W. W_xh is `kernel`, W_hh is `recurrent_kernel`.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import Cell, biased


@keras.saving.register_keras_serializable("zoo")
class SimpleRNNCell(Cell):
    """h_t = tanh(W_hh h_{t-1} + W_xh x_t + b). Weights are laid out as in `keras.layers.SimpleRNNCell`."""

    gates = 1
    recurrent_matrix = True

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_kernel((input_shape[-1], self.units))
        self.recurrent_kernel = self.add_recurrent_kernel((self.units, self.units))
        self.bias = self.add_bias((self.units,))

    def project(self, inputs: Any) -> Any:
        return biased(ops.matmul(inputs, self.kernel), self.bias)

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        (h,) = states
        h = ops.tanh(ops.matmul(h, self.recurrent_kernel) + projected)
        return h, [h]

    def fused(self, **options: Any) -> keras.layers.RNN | None:
        if type(self) is not SimpleRNNCell:  # a subclass may have other equations
            return None
        return keras.layers.SimpleRNN(self.units, **self.common_arguments(), **options)
