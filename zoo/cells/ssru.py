"""Simpler simple recurrent unit, of fast translation in browsers.

Source: Kim, Junczys-Dowmunt, Hassan, Fikri Aji, Heafield, Grundkiewicz and Bogoychev, "From Research to Production and
Back: Ludicrously Fast Neural Machine Translation" (2019), the section on the SSRU.

    f_t = sigmoid(W_t x_t + b_f)                    forget gate
    c_t = f_t * c_{t-1} + (1 - f_t) * W x_t         state
    o_t = ReLU(c_t)                                 output: h_t = o_t

Here: both products are one; order of the columns: f, W x. The paper puts the cell into a decoder of transformer
layers, in the place of self-attention, with a skip connection and layer normalization around it.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.linear_cell import LinearCell
from zoo.cells.precision import at_least_single


@keras.saving.register_keras_serializable("zoo")
class SSRUCell(LinearCell):
    """SRU with one gate; the state is c, the output its positive part.

    Args:
        units: Size of the output and of the state.
        **kwargs: See `Cell`.

    Reference:
        Kim et al. 2019, the section on the SSRU.
    """

    gates = 2
    output_is_state = False

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_kernel((input_shape[-1], 2 * self.units))
        self.bias = self.add_bias((self.units,))

    def project(self, inputs: Any) -> Any:
        f, x = ops.split(ops.matmul(inputs, self.kernel), 2, axis=-1)
        return ops.concatenate([f if self.bias is None else f + self.bias, x], axis=-1)

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        a, b = self._coefficients(projected)
        c = ops.cast(a * ops.cast(states[0], a.dtype) + b, states[0].dtype)
        return ops.relu(c), [c]

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        return self._coefficients(self.project(inputs))

    def _coefficients(self, projected: Any) -> tuple[Any, Any]:
        f, x = ops.split(at_least_single(projected), 2, axis=-1)
        return ops.sigmoid(f), ops.sigmoid(-f) * x

    def read(self, h: Any, inputs: Any) -> Any:
        return ops.relu(h)

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        return {"forget": ops.sigmoid(ops.split(self.project(inputs), 2, axis=-1)[0])}
