"""Real-gated linear recurrent unit, the recurrence of Griffin.

Source: De et al., "Griffin: Mixing Gated Linear Recurrences with Local Attention for Efficient Language Models"
(2024), section 2.4, equations 1 to 4; x_t is the first linear layer of the recurrent block (section 2.3) of inputs u_t.

    x_t = W u_t + b
    r_t = sigmoid(W_a x_t + b_a)                                        recurrence gate      (1)
    i_t = sigmoid(W_x x_t + b_x)                                        input gate           (2)
    a_t = a^(c r_t),  a = sigmoid(Lambda),  c = 8                       factor               (3)
    h_t = a_t * h_{t-1} + sqrt(1 - a_t^2) * (i_t * x_t)                 state and output     (4)

Lambda starts so that a^c is spread evenly between 0.9 and 0.999. a_t is computed as exp(-c softplus(-Lambda) r_t), in
at least single precision (appendix A).

Here: the block's first layer is part of the cell, as inputs may have another size than the state; its convolution and
the branch with a GeLU are not. With `num_blocks`, W_a and W_x are block diagonal, as in the paper's models; by default
they are whole. With `signed` (Grazzi et al., "Unlocking State-Tracking in Linear RNNs Through Negative Eigenvalues",
2024, section 4) the factor is 2 a_t - 1, which reaches -1, and a^c starts between 0.1 and 0.999, as it has to come
near 0 for that. 1 - a_t^2 is kept above 1e-6: the derivative of its root has no bound.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.linear_cell import LinearCell
from zoo.cells.precision import at_least_single
from zoo.errors import UserError

C = 8.0
"""The exponent of equation 3."""


@keras.saving.register_keras_serializable("zoo")
class RGLRUCell(LinearCell):
    """Linear recurrence whose factor and input are gated by the inputs; the state is the output.

    Args:
        units: Size of the output and of the state.
        num_blocks: Blocks on the diagonal of the gates' weights; a divisor of `units`. More of them are cheaper.
        signed: Let the factor of the previous state reach -1 instead of 0.
        **kwargs: See `Cell`.

    Raises:
        UserError: If `num_blocks` does not divide `units`.

    Reference:
        De et al. 2024, section 2.4, equations 1 to 4.
    """

    def __init__(self, units: int, *, num_blocks: int = 1, signed: bool = False, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if num_blocks < 1 or units % num_blocks:
            raise UserError(
                f"Blocks of the gates have one size, so num_blocks must divide units; got num_blocks={num_blocks}, "
                f"units={units}."
            )
        self.num_blocks, self.signed = num_blocks, signed

    def build(self, input_shape: tuple) -> None:
        block = self.units // self.num_blocks
        self.kernel = self.add_kernel((input_shape[-1], self.units))
        self.bias = self.add_bias((self.units,))
        self.gate_kernel = self.add_kernel(  # of each block: W_a, W_x
            (self.num_blocks, block, 2 * block), "gate_kernel", keras.initializers.RandomNormal(stddev=block**-0.5)
        )
        self.gate_bias = self.add_bias((2 * self.units,), "gate_bias")
        # Never rounded to half precision, which ends at 0.996 below 1.
        self.decay = self.add_recurrent_kernel((self.units,), "decay", self._initial_decay, autocast=False)  # Lambda

    def _initial_decay(self, shape: tuple, dtype: Any = None) -> Any:
        """Lambda = log(a / (1 - a)) of an a whose power a^c is spread evenly."""
        log_a = ops.log(keras.random.uniform(shape, 0.1 if self.signed else 0.9, 0.999, dtype=dtype)) / C
        return log_a - ops.log(-ops.expm1(log_a))

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        x = self._project(inputs)
        r, i = self._gates(x)
        log_a = -C * ops.softplus(-ops.cast(self.decay, r.dtype)) * r
        a = 2 * ops.exp(log_a) - 1 if self.signed else ops.exp(log_a)
        # Of the factor itself 1 - a^2 = (1 - a) (1 + a); exact where a is close to 1.
        rest = -4 * ops.expm1(log_a) * ops.exp(log_a) if self.signed else -ops.expm1(2 * log_a)
        return a, ops.sqrt(ops.maximum(rest, 1e-6)) * (i * at_least_single(x))

    def _project(self, inputs: Any) -> Any:
        """The x `(..., units)` of equations 1 to 4."""
        product = ops.matmul(inputs, self.kernel)
        return product if self.bias is None else product + self.bias

    def _gates(self, x: Any) -> tuple[Any, Any]:
        """Recurrence and input gate, each `(..., units)`."""
        if self.num_blocks == 1:
            products = ops.matmul(x, ops.convert_to_tensor(self.gate_kernel)[0])
        else:
            blocks = ops.reshape(x, (*ops.shape(x)[:-1], self.num_blocks, self.units // self.num_blocks))
            products = ops.einsum("...ni,nio->...no", blocks, ops.convert_to_tensor(self.gate_kernel))
        r, i = (ops.reshape(part, ops.shape(x)) for part in ops.split(at_least_single(products), 2, axis=-1))
        if self.gate_bias is not None:
            r_bias, i_bias = ops.split(at_least_single(ops.convert_to_tensor(self.gate_bias)), 2)
            r, i = r + r_bias, i + i_bias
        return ops.sigmoid(r), ops.sigmoid(i)

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        """Where the recurrence gate is open, the state decays fastest."""
        r, i = self._gates(self._project(inputs))
        return {"recurrence": r, "input": i}
