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

from zoo.cells.minimal_cell import MinimalCell


@keras.saving.register_keras_serializable("zoo")
class MinGRUCell(MinimalCell):
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

    def share(self, gates: list) -> Any:
        return ops.sigmoid(gates[0])

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        """Where the update gate is open, the candidate takes the place of the state."""
        return {"update": self.share_at(inputs)}
