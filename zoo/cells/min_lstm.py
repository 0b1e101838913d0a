"""Minimal long short-term memory (minLSTM).

Source: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi, "Were RNNs All We Needed?" (2024), section 3.2; the candidate
activation g is from its appendix on the log-space form. Negative factors: Grazzi et al., "Unlocking State-Tracking in
Linear RNNs Through Negative Eigenvalues" (2024), section 4.

    f_t  = sigmoid(W_f x_t + b_f)                      forget gate
    i_t  = sigmoid(W_i x_t + b_i)                      input gate
    f'_t = f_t / (f_t + i_t)    i'_t = i_t / (f_t + i_t)
    h~_t = W_h x_t + b_h                               candidate
    h_t  = f'_t * h_{t-1} + i'_t * h~_t

    With signed=True:          h_t = (f'_t - i'_t) * h_{t-1} + i'_t * h~_t
    With activation="g":       h~_t = g(W_h x_t + b_h), see minimal_cell.py

Here: the form of section 3.2, with a linear candidate, for the reasons in min_gru.py. f'_t + i'_t = 1, so that the
signed factor is 1 - 2 i'_t. The three products are one; order of the columns: f, i, h~. b_f starts at 1, so that the
cell first remembers: the paper's appendix shows that a larger b_f trains in fewer steps.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.minimal_cell import MinimalCell


def _forget_bias(shape: tuple, dtype: Any = None) -> Any:
    """Ones for the forget gate (first of three), zeros for the others."""
    units = shape[0] // 3
    return ops.concatenate([ops.ones((units,), dtype), ops.zeros((2 * units,), dtype)])


@keras.saving.register_keras_serializable("zoo")
class MinLSTMCell(MinimalCell):
    """LSTM whose gates and candidate do not see the previous state, with one state and no output gate.

    Args:
        units: Size of the output and of the state.
        signed: Let the factor of the previous state reach -1 instead of 0: f' - i' instead of f'. Without it the cell
            cannot keep the parity of its inputs.
        activation: Of the candidate: "linear", "tanh" or "g" (the paper's log-space form).
        **kwargs: See `Cell`.

    Raises:
        UserError: If there is no such activation.

    Reference:
        Feng et al. 2024, section 3.2; Grazzi et al. 2024, section 4.
    """

    gates = 3
    bias_initial = staticmethod(_forget_bias)

    def share(self, gates: list) -> Any:
        """The normalized input gate i / (f + i) = sigmoid(log i - log f): no 0 / 0 where both gates are shut."""
        f, i = gates
        return ops.sigmoid(ops.log_sigmoid(i) - ops.log_sigmoid(f))

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        """The normalized gates: they sum to 1."""
        share = self.share_at(inputs)
        return {"forget": 1 - share, "input": share}
