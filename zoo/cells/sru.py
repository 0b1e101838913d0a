"""Simple recurrent unit.

Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly Parallelizable Recurrence" (2018),
section 3, equations 1 to 4.

    f_t = sigmoid(W_f x_t + v_f * c_{t-1} + b_f)        forget gate
    c_t = f_t * c_{t-1} + (1 - f_t) * (W x_t)           state
    r_t = sigmoid(W_r x_t + v_r * c_{t-1} + b_r)        reset gate
    h_t = r_t * c_t + (1 - r_t) * x_t                   output: a highway connection

Here: v_f and v_r are there only with `peephole=True`. Without them, as in the paper's first version ("Training RNNs as
Fast as CNNs", 2017), the recurrence is linear in c, and a whole sequence is computed by a scan; with them it is a loop,
though one without a matrix product. Where x_t has another size than c_t, it is W_x x_t in the last equation, as in the
authors' code; their optional factor on x_t (section 3.2) is 1. The products are one; order of the columns: W, W_f, W_r,
and W_x if there is one.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import Cell
from zoo.cells.linear_cell import LinearCell
from zoo.cells.precision import at_least_single


@keras.saving.register_keras_serializable("zoo")
class SRUCell(LinearCell):
    """SRU; the state is c.

    Args:
        units: Size of the output and of the state.
        peephole: Let the gates see the previous state, each number of it with a weight of its own: the paper's full
            form, which is computed step by step.
        **kwargs: See `Cell`.

    Reference:
        Lei et al. 2018, section 3, equations 1 to 4.
    """

    gates = 4
    output_is_state = False

    def __init__(self, units: int, *, peephole: bool = False, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.peephole = peephole
        self.exception = "with peephole=True the gates see the previous state" if peephole else ""

    def build(self, input_shape: tuple) -> None:
        features = input_shape[-1]
        self.kernel = self.add_kernel((features, (3 if features == self.units else 4) * self.units))
        self.recurrent_kernel = self.add_recurrent_kernel((2, self.units)) if self.peephole else None  # v_f, v_r
        self.bias = self.add_bias((2 * self.units,))  # b_f, b_r

    def project(self, inputs: Any) -> Any:
        """W x, W_f x + b_f, W_r x + b_r, and x or W_x x."""
        return ops.concatenate([self._state_part(inputs), self._output_part(inputs)], axis=-1)

    def _state_part(self, inputs: Any) -> Any:
        """What the state needs of the inputs: W x and W_f x + b_f, `(..., 2 * units)`."""
        product = ops.matmul(inputs, ops.convert_to_tensor(self.kernel)[:, : 2 * self.units])
        if self.bias is None:
            return product
        x, f = ops.split(product, 2, axis=-1)
        return ops.concatenate([x, f + ops.convert_to_tensor(self.bias)[: self.units]], axis=-1)

    def _output_part(self, inputs: Any) -> Any:
        """What the output needs of the inputs: W_r x + b_r and x or W_x x, `(..., 2 * units)`."""
        product = ops.matmul(inputs, ops.convert_to_tensor(self.kernel)[:, 2 * self.units :])
        r, skip = product[..., : self.units], product[..., self.units :]
        if skip.shape[-1] == 0:
            skip = ops.cast(inputs, r.dtype)
        if self.bias is not None:
            r = r + ops.convert_to_tensor(self.bias)[self.units :]
        return ops.concatenate([r, skip], axis=-1)

    def call(self, inputs: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        return Cell.call(self, inputs, states, training)

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        x, f, r, skip = ops.split(at_least_single(projected), 4, axis=-1)
        before = ops.cast(states[0], x.dtype)
        if self.recurrent_kernel is not None:
            v_f, v_r = ops.unstack(ops.cast(self.recurrent_kernel, x.dtype))
            f, r = f + v_f * before, r + v_r * before
        c = ops.sigmoid(f) * before + ops.sigmoid(-f) * x
        h = ops.sigmoid(r) * c + ops.sigmoid(-r) * skip
        return ops.cast(h, projected.dtype), [ops.cast(c, states[0].dtype)]

    def sequence(
        self,
        inputs: Any,
        mask: Any | None = None,
        initial_state: list | None = None,
        reverse: bool = False,
        training: bool | None = None,
        choice: Any | None = None,
    ) -> tuple[Any, list]:
        """All steps: by a scan, or with `peephole` by a loop; see `LinearCell.sequence`."""
        if self.recurrent_kernel is None:
            return super().sequence(inputs, mask, initial_state, reverse, training, choice)
        from zoo.engine import plain

        return plain.run(self, inputs, mask, initial_state, reverse, training)

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        x, f = ops.split(at_least_single(self._state_part(inputs)), 2, axis=-1)
        return ops.sigmoid(f), ops.sigmoid(-f) * x

    def read(self, h: Any, inputs: Any) -> Any:
        r, skip = ops.split(at_least_single(self._output_part(inputs)), 2, axis=-1)
        return ops.sigmoid(r) * h + ops.sigmoid(-r) * skip

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        """Where the reset gate is open the state is read, elsewhere the input."""
        _, f, r, _ = ops.split(self.project(inputs), 4, axis=-1)
        if self.recurrent_kernel is not None:
            v_f, v_r = ops.unstack(ops.convert_to_tensor(self.recurrent_kernel))
            f, r = f + v_f * states[0], r + v_r * states[0]
        return {"forget": ops.sigmoid(f), "reset": ops.sigmoid(r)}
