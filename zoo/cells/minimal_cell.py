"""What minGRU and minLSTM share: the share of the candidate is one gate, and everything comes from one product.

    h_t = (1 - s_t) * h_{t-1} + s_t * h~_t            s_t, the share of the candidate, is the cell's gate
    h_t = (1 - 2 s_t) * h_{t-1} + s_t * h~_t          with signed=True

Source: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi, "Were RNNs All We Needed?" (2024), section 3; g is from its
appendix on the log-space form. Negative factors: Grazzi et al., "Unlocking State-Tracking in Linear RNNs Through
Negative Eigenvalues" (2024), section 4.
"""

from typing import Any

from keras import ops

from zoo.cells.linear_cell import LinearCell
from zoo.names import look_up


def g(x: Any) -> Any:
    """The paper's positive activation: x + 1/2 where x >= 0, sigmoid(x) elsewhere; continuous at 0."""
    return ops.where(x >= 0, x + 0.5, ops.sigmoid(x))


ACTIVATIONS = {"linear": lambda x: x, "tanh": ops.tanh, "g": g}
"""Name of a candidate activation -> function."""


class MinimalCell(LinearCell):
    """A linear cell whose gates and candidate do not see the previous state.

    A subclass has `gates`, the number of column blocks of its kernel, the last of them the candidate, and `share`.
    Its `bias_initial` starts the bias where the arguments name no initializer; None is zeros.

    Args:
        units: Size of the output and of the state.
        signed: Let the factor of the previous state reach -1 instead of 0. Without it the cell cannot keep the parity
            of its inputs.
        activation: Of the candidate: "linear", "tanh" or "g" (the paper's log-space form).
        **kwargs: See `Cell`.

    Raises:
        UserError: If there is no such activation.
    """

    bias_initial: Any = None

    def __init__(self, units: int, *, signed: bool = False, activation: str = "linear", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.signed, self.activation = signed, activation
        self._activate = look_up(ACTIVATIONS, activation, "candidate activation")

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_kernel((input_shape[-1], self.gates * self.units))
        self.bias = self.add_bias((self.gates * self.units,), initializer=self.bias_initial)

    def share(self, gates: list) -> Any:
        """The share s of the candidate in the new state, from the products of the gates `(..., units)`."""
        raise NotImplementedError

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
        *gates, candidate = ops.split(projected, self.gates, axis=-1)
        share = self.share(gates)
        return 1 - (2 if self.signed else 1) * share, share * self._activate(candidate)

    def share_at(self, inputs: Any) -> Any:
        """The share of the candidate at steps `(..., features)`."""
        return self.share(ops.split(self.project(inputs), self.gates, axis=-1)[:-1])
