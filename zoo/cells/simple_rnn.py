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

from zoo.cells.cell import Cell


@keras.saving.register_keras_serializable("zoo")
class SimpleRNNCell(Cell):
    """h_t = tanh(W_hh h_{t-1} + W_xh x_t + b). Weights are laid out as in `keras.layers.SimpleRNNCell`."""

    gates = 1

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_weight((input_shape[-1], self.units), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, self.units), "orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def project(self, inputs: Any) -> Any:
        return ops.matmul(inputs, self.kernel) + self.bias

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        (h,) = states
        h = ops.tanh(ops.matmul(h, self.recurrent_kernel) + projected)
        return h, [h]

    def fused(self, **options: Any) -> keras.layers.RNN:
        return keras.layers.SimpleRNN(self.units, dtype=self.dtype_policy, **options)
