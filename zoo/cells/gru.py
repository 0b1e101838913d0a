"""Gated recurrent unit.

Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation"
(2014), section 2.3, equations 5 to 8.

    z_t = sigmoid(W_xz x_t + W_hz h_{t-1} + b_z)                     update gate
    r_t = sigmoid(W_xr x_t + W_hr h_{t-1} + b_r)                     reset gate
    n_t =    tanh(W_xn x_t + b_xn + r_t * (W_hn h_{t-1} + b_hn))     candidate
    h_t = z_t * h_{t-1} + (1 - z_t) * n_t

Here: the reset gate acts after the product with W_hn, not before it as in the paper. cuDNN computes it so, it
allows one product for all three gates, and it needs a second bias b_hn. Order of the gates: z, r, n, as in Keras.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import Cell, biased


@keras.saving.register_keras_serializable("zoo")
class GRUCell(Cell):
    """GRU whose reset gate acts after the product. Weights are laid out as in `keras.layers.GRUCell`."""

    gates = 3
    recurrent_matrix = True

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_kernel((input_shape[-1], 3 * self.units))
        self.recurrent_kernel = self.add_recurrent_kernel((self.units, 3 * self.units))
        self.bias = self.add_bias((2, 3 * self.units))  # of the inputs, of the state

    def project(self, inputs: Any) -> Any:
        return biased(ops.matmul(inputs, self.kernel), None if self.bias is None else self.bias[0])

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        (h,) = states
        z, _, n = self._gates(projected, h)
        h = z * h + (1 - z) * n
        return h, [h]

    def _gates(self, projected: Any, h: Any) -> tuple[Any, Any, Any]:
        """z, r and n, each `(batch, units)`."""
        from_state = biased(ops.matmul(h, self.recurrent_kernel), None if self.bias is None else self.bias[1])
        xz, xr, xn = ops.split(projected, 3, axis=-1)
        hz, hr, hn = ops.split(from_state, 3, axis=-1)
        z = ops.sigmoid(xz + hz)
        r = ops.sigmoid(xr + hr)
        n = ops.tanh(xn + r * hn)
        return z, r, n

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        """The update gate is z: where it is open, the old state stays."""
        z, r, _ = self._gates(self.project(inputs), states[0])
        return {"update": z, "reset": r}

    def fused(self, **options: Any) -> keras.layers.RNN | None:
        if type(self) is not GRUCell:  # a subclass may have other equations
            return None
        return keras.layers.GRU(self.units, **self.common_arguments(), **options)
