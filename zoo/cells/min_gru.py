"""Minimal gated recurrent unit (minGRU).

Source: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi, "Were RNNs All We Needed?" (2024), section 3.1; the candidate
activation g is from its appendix on the log-space form. Negative factors: Grazzi et al., "Unlocking State-Tracking in
Linear RNNs Through Negative Eigenvalues" (2024), section 4.

    z_t  = sigmoid(W_z x_t + b_z)                update gate
    h~_t = W_h x_t + b_h                         candidate
    h_t  = (1 - z_t) * h_{t-1} + z_t * h~_t

    With signed=True:          h_t = (1 - 2 z_t) * h_{t-1} + z_t * h~_t
    With activation="g":       h~_t = g(W_h x_t + b_h), g(v) = v + 1/2 where v >= 0, sigmoid(v) elsewhere

Here: the form of section 3.1, with a linear candidate. The paper's experiments compute the recurrence in log space,
which keeps sums of products of many factors in range when all steps are computed in parallel. It needs positive
candidates, hence g, and its states are never negative. Here the recurrence runs step by step or as a scan of products
of factors from -1 to 1, which cannot overflow: no logarithms are needed, and states may be negative. g and tanh are
there as `activation`. Both products are one; order of the columns: z, h~.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.linear_cell import LinearCell
from zoo.names import look_up


def g(x: Any) -> Any:
    """The paper's positive activation: x + 1/2 where x >= 0, sigmoid(x) elsewhere; continuous at 0."""
    return ops.where(x >= 0, x + 0.5, ops.sigmoid(x))


ACTIVATIONS = {"linear": lambda x: x, "tanh": ops.tanh, "g": g}
"""Name of a candidate activation -> function."""


@keras.saving.register_keras_serializable("zoo")
class MinGRUCell(LinearCell):
    """GRU whose gate and candidate do not see the previous state.

    Args:
        units: Size of the output and of the state.
        signed: Let the factor of the previous state reach -1 instead of 0: 1 - 2 z instead of 1 - z. Without it the
            cell cannot keep the parity of its inputs.
        activation: Of the candidate: "linear", "tanh" or "g" (the paper's log-space form).
        **kwargs: See `Cell`.

    Raises:
        UserError: If there is no such activation.

    Reference:
        Feng et al. 2024, section 3.1; Grazzi et al. 2024, section 4.
    """

    gates = 2

    def __init__(self, units: int, *, signed: bool = False, activation: str = "linear", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.signed, self.activation = signed, activation
        self._activate = look_up(ACTIVATIONS, activation, "candidate activation")

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_kernel((input_shape[-1], 2 * self.units))
        self.bias = self.add_bias((2 * self.units,))

    def project(self, inputs: Any) -> Any:
        products = ops.matmul(inputs, self.kernel)
        return products if self.bias is None else products + self.bias

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        a, b = self._coefficients(projected)
        h = a * states[0] + b
        return h, [h]

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        return self._coefficients(self.project(inputs))

    def _coefficients(self, projected: Any) -> tuple[Any, Any]:
        z, candidate = ops.split(projected, 2, axis=-1)
        z = ops.sigmoid(z)
        return 1 - (2 if self.signed else 1) * z, z * self._activate(candidate)

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        """Where the update gate is open, the candidate takes the place of the state."""
        return {"update": ops.sigmoid(ops.split(self.project(inputs), 2, axis=-1)[0])}
