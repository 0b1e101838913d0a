"""Scalar LSTM of the xLSTM: exponential gates, a normalizer, memory mixing in heads.

Source: Beck et al., "xLSTM: Extended Long Short-Term Memory" (2024), section 2.2, equations 8 to 17. With
a~_t = W_a x_t + R_a h_{t-1} + b_a for a = z, i, f, o:

    c_t = f_t * c_{t-1} + i_t * z_t                     cell                      (8)
    n_t = f_t * n_{t-1} + i_t                           normalizer                (9)
    h_t = o_t * c_t / n_t                               output                    (10)
    z_t = tanh(z~_t)                                    cell input                (11)
    i_t = exp(i~_t)                                     input gate                (12)
    f_t = sigmoid(f~_t) or exp(f~_t)                    forget gate               (13)
    o_t = sigmoid(o~_t)                                 output gate               (14)
    m_t = max(log f_t + m_{t-1}, i~_t)                  stabilizer                (15)
    i'_t = exp(i~_t - m_t)                              in place of i_t           (16)
    f'_t = exp(log f_t + m_{t-1} - m_t)                 in place of f_t           (17)

Here: i' and f' stand for i and f in (8) and (9), which multiplies c and n by the same exp(-m_t) and leaves h as it is.
R_a is block-diagonal: units mix within a head, not between heads. All states start at zero. n is never negative when
it starts so; where something else sets the first state (the bridge to a decoder does), its absolute value is taken.
Order of the gates: z, i, f, o.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import Cell, biased
from zoo.errors import UserError
from zoo.names import look_up

FORGET_GATES = {"sigmoid": ops.log_sigmoid, "exp": lambda gate: gate}
"""Name of a forget gate -> its logarithm as a function of f~."""

SMALLEST = 1e-30
"""Least normalizer that is divided by: below it, float32 has no normal numbers soon."""


@keras.saving.register_keras_serializable("zoo")
class SLSTMCell(Cell):
    """LSTM with exponential gates and a normalizer; states are h, c, n and m.

    Args:
        units: Size of the output and of each state.
        num_heads: Blocks of the recurrent matrices; it divides `units`.
        forget_gate: "sigmoid" or "exp".
        unit_forget_bias: Start the bias of the forget gate at 1, whatever `bias_initializer` says.
        **kwargs: Of `zoo.cells.cell.Cell`: bias, initializers, regularizers, constraints.

    Raises:
        UserError: If `num_heads` does not divide `units`, or there is no such forget gate.
    """

    states = 4
    gates = 4
    recurrent_matrix = True

    def __init__(
        self,
        units: int,
        *,
        num_heads: int = 1,
        forget_gate: str = "sigmoid",
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        if num_heads < 1 or units % num_heads:
            raise UserError(f"num_heads divides units={units} into equal blocks; got num_heads={num_heads}.")
        look_up(FORGET_GATES, forget_gate, "forget gate")
        self.num_heads, self.forget_gate, self.unit_forget_bias = num_heads, forget_gate, unit_forget_bias

    def build(self, input_shape: tuple) -> None:
        head = self.units // self.num_heads
        self.kernel = self.add_kernel((input_shape[-1], 4 * self.units))
        self.recurrent_kernel = self.add_recurrent_kernel((self.num_heads, head, 4 * head))
        self.bias = self.add_gate_bias(4, forget_gate=2 if self.unit_forget_bias else None)

    def project(self, inputs: Any) -> Any:
        return biased(ops.matmul(inputs, self.kernel), self.bias)

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        h, c, n, m = states
        z, i, f, o = self._gates(projected, h)
        # Exponentials and what they scale: in float32 at least.
        wide = keras.backend.result_type(self.compute_dtype, "float32")
        c, n, m, i, f, z = (ops.cast(values, wide) for values in (c, n, m, i, f, ops.tanh(z)))
        kept = FORGET_GATES[self.forget_gate](f) + m
        m = ops.maximum(kept, i)
        i, f = ops.exp(i - m), ops.exp(kept - m)
        c, n = f * c + i * z, f * ops.abs(n) + i
        h = ops.sigmoid(o) * ops.cast(c / ops.maximum(n, SMALLEST), self.compute_dtype)
        return h, [h, *(ops.cast(state, self.compute_dtype) for state in (c, n, m))]

    def _gates(self, projected: Any, h: Any) -> list:
        """z~, i~, f~ and o~, each `(batch, units)`."""
        if self.num_heads == 1:
            return ops.split(projected + ops.matmul(h, self.recurrent_kernel[0]), 4, axis=-1)
        head = self.units // self.num_heads
        by_head = ops.transpose(ops.reshape(h, (-1, self.num_heads, head)), (1, 0, 2))  # (heads, batch, head)
        mixed = ops.matmul(by_head, self.recurrent_kernel)  # (heads, batch, 4 * head)
        mixed = ops.reshape(mixed, (self.num_heads, -1, 4, head))
        mixed = ops.reshape(ops.transpose(mixed, (1, 2, 0, 3)), (-1, 4 * self.units))  # gates, then heads
        return ops.split(projected + mixed, 4, axis=-1)

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        """The shares of old and new in the normalizer, f' n / n_t and i' / n_t, and the output gate."""
        _, i, f, o = self._gates(self.project(inputs), states[0])
        kept = FORGET_GATES[self.forget_gate](f) + states[3]
        m = ops.maximum(kept, i)
        old, new = ops.exp(kept - m) * ops.abs(states[2]), ops.exp(i - m)
        total = ops.maximum(old + new, SMALLEST)
        return {"forget": old / total, "input": new / total, "output": ops.sigmoid(o)}
