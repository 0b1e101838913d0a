"""LSTM whose gates see the cell state: peephole connections.

Source: Gers, Schraudolph and Schmidhuber, "Learning Precise Timing with LSTM Recurrent Networks", Journal of Machine
Learning Research 3 (2002), section 3; in this form in Graves, "Generating Sequences With Recurrent Neural Networks"
(2013), equations 7 to 11.

    i_t = sigmoid(W_xi x_t + W_hi h_{t-1} + w_ci * c_{t-1} + b_i)    input gate    (7)
    f_t = sigmoid(W_xf x_t + W_hf h_{t-1} + w_cf * c_{t-1} + b_f)    forget gate   (8)
    c_t = f_t * c_{t-1} + i_t * tanh(W_xc x_t + W_hc h_{t-1} + b_c)  cell          (9)
    o_t = sigmoid(W_xo x_t + W_ho h_{t-1} + w_co * c_t + b_o)        output gate   (10)
    h_t = o_t * tanh(c_t)                                                          (11)

Here: w_ci, w_cf and w_co are the rows of `peephole_kernel`: each unit sees its own cell alone. The output gate sees
the new cell, the two others the old one.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.lstm import LSTMCell


@keras.saving.register_keras_serializable("zoo")
class PeepholeLSTMCell(LSTMCell):
    """LSTM with peephole connections; states are h and c.

    Args:
        units: Size of the output and of each state.
        **kwargs: Of `zoo.cells.LSTMCell`. Arguments of the recurrent kernel hold for the peepholes too.
    """

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        # A row per gate, so that no unit's three weights must be orthogonal to another's.
        self.peephole_kernel = self.add_recurrent_kernel((3, self.units), "peephole_kernel", "glorot_uniform")

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        i, f, g, o = self._gates(projected, states[0])
        i, f, o, c = self._open(i, f, g, o, states[1])
        h = o * ops.tanh(c)
        return h, [h, c]

    def _open(self, i: Any, f: Any, g: Any, o: Any, c: Any) -> tuple[Any, Any, Any, Any]:
        """The three gates with their peepholes, and the new cell, each `(batch, units)`."""
        to_i, to_f, to_o = ops.unstack(ops.convert_to_tensor(self.peephole_kernel, dtype=self.compute_dtype), axis=0)
        i, f = ops.sigmoid(i + to_i * c), ops.sigmoid(f + to_f * c)
        c = f * c + i * ops.tanh(g)
        return i, f, ops.sigmoid(o + to_o * c), c

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        i, f, g, o = self._gates(self.project(inputs), states[0])
        i, f, o, _ = self._open(i, f, g, o, states[1])
        return {"forget": f, "input": i, "output": o}
