"""LSTM with layer normalization.

Source: Ba, Kiros and Hinton, "Layer Normalization" (2016), section 3.1; the equations of the LSTM stand in the
supplementary material, equations 15, 16 and 20 to 22.

    LN(z; a, b) = a * (z - mean(z)) / std(z) + b                                               (15, 16)
    (f_t, i_t, o_t, g_t) = LN(W_h h_{t-1}; a_1, b_1) + LN(W_x x_t; a_2, b_2) + b               (20)
    c_t = sigmoid(f_t) * c_{t-1} + sigmoid(i_t) * tanh(g_t)                                    (21)
    h_t = sigmoid(o_t) * tanh(LN(c_t; a_3, b_3))                                               (22)

Here: a_1, a_2, a_3 are `recurrent_gain`, `kernel_gain` and `cell_gain`. b_1, b_2 and b enter only as their sum, which
is `bias`; b_3 is `cell_bias`. As in the paper, mean and standard deviation are those of all four gates together. The
order of the gates is Keras's: i, f, g, o.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import biased
from zoo.cells.lstm import LSTMCell
from zoo.errors import UserError


@keras.saving.register_keras_serializable("zoo")
class LayerNormLSTMCell(LSTMCell):
    """LSTM whose products and cell state are normalized; states are h and c.

    Args:
        units: Size of the output and of each state.
        norm_epsilon: Added to the variance before its root; 0.001 as in `keras.layers.LayerNormalization`.
        **kwargs: Of `zoo.cells.LSTMCell`: bias, initializers, regularizers, constraints.

    Raises:
        UserError: If `norm_epsilon` is not positive: the state of the first step has no variance.
    """

    def __init__(self, units: int, *, norm_epsilon: float = 1e-3, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if norm_epsilon <= 0:
            raise UserError(f"norm_epsilon is a positive number, such as 0.001; got {norm_epsilon}.")
        self.norm_epsilon = norm_epsilon

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.kernel_gain = self.add_weight((4 * self.units,), "ones", name="kernel_gain")
        self.recurrent_gain = self.add_weight((4 * self.units,), "ones", name="recurrent_gain")
        self.cell_gain = self.add_weight((self.units,), "ones", name="cell_gain")
        self.cell_bias = self.add_bias((self.units,), name="cell_bias", initializer="zeros")

    def project(self, inputs: Any) -> Any:
        return biased(self._normalized(ops.matmul(inputs, self.kernel), self.kernel_gain), self.bias)

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        h, c = states
        i, f, g, o = self._gates(projected, h)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(biased(self._normalized(c, self.cell_gain), self.cell_bias))
        return h, [h, c]

    def _gates(self, projected: Any, h: Any) -> list:
        from_state = self._normalized(ops.matmul(h, self.recurrent_kernel), self.recurrent_gain)
        return ops.split(projected + from_state, 4, axis=-1)

    def _normalized(self, values: Any, gain: Any) -> Any:
        """LN without its bias, over the last axis; moments in float32 or better."""
        dtype = keras.backend.standardize_dtype(values.dtype)
        wide = ops.cast(values, "float32") if dtype in ("float16", "bfloat16") else values
        centered = wide - ops.mean(wide, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centered), axis=-1, keepdims=True)
        return ops.multiply(ops.cast(centered * ops.rsqrt(variance + self.norm_epsilon), dtype), gain)
