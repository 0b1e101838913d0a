"""Long short-term memory.

Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8) (1997); the forget gate is from
Gers, Schmidhuber and Cummins, "Learning to Forget" (2000), section 3. No peepholes.

    f_t = sigmoid(W_xf x_t + W_hf h_{t-1} + b_f)    forget gate
    i_t = sigmoid(W_xi x_t + W_hi h_{t-1} + b_i)    input gate
    g_t =    tanh(W_xg x_t + W_hg h_{t-1} + b_g)    candidate
    c_t = f_t * c_{t-1} + i_t * g_t                 cell
    o_t = sigmoid(W_xo x_t + W_ho h_{t-1} + b_o)    output gate
    h_t = o_t * tanh(c_t)

Here: the four products are one, in Keras's order i, f, g, o; b_f starts at 1, so that the cell first remembers
(Jozefowicz, Zaremba and Sutskever, "An Empirical Exploration of Recurrent Network Architectures", 2015, section 2.2).
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import Cell, biased


@keras.saving.register_keras_serializable("zoo")
class LSTMCell(Cell):
    """LSTM with a forget gate; states are h and c. Weights are laid out as in `keras.layers.LSTMCell`.

    Args:
        units: Size of the output and of each state.
        unit_forget_bias: Start the bias of the forget gate at 1, whatever `bias_initializer` says.
        **kwargs: Of `zoo.cells.cell.Cell`: bias, initializers, regularizers, constraints.
    """

    states = 2
    gates = 4
    recurrent_matrix = True

    def __init__(self, units: int, *, unit_forget_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_kernel((input_shape[-1], 4 * self.units))
        self.recurrent_kernel = self.add_recurrent_kernel((self.units, 4 * self.units))
        self.bias = self.add_gate_bias(4, forget_gate=1 if self.unit_forget_bias else None)

    def project(self, inputs: Any) -> Any:
        return biased(ops.matmul(inputs, self.kernel), self.bias)

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        h, c = states
        i, f, g, o = self._gates(projected, h)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def _gates(self, projected: Any, h: Any) -> list:
        """What i, f, g and o are before their sigmoids and the tanh, each `(batch, units)`."""
        return ops.split(projected + ops.matmul(h, self.recurrent_kernel), 4, axis=-1)

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        i, f, _, o = self._gates(self.project(inputs), states[0])
        return {"forget": ops.sigmoid(f), "input": ops.sigmoid(i), "output": ops.sigmoid(o)}

    def fused(self, **options: Any) -> keras.layers.RNN | None:
        if type(self) is not LSTMCell:  # a subclass may have other equations
            return None
        arguments = {**self.common_arguments(), "unit_forget_bias": self.unit_forget_bias}
        return keras.layers.LSTM(self.units, **arguments, **options)
