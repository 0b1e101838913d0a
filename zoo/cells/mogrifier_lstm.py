"""LSTM whose inputs and state gate each other before each step.

Source: Melis, Kocisky and Blunsom, "Mogrifier LSTM" (2019), section 2, equations 1 and 2, for rounds i = 1, ..., r,
with x^{-1} = x_t and h^0 = h_{t-1}:

    x^i = 2 sigmoid(Q^i h^{i-1}) * x^{i-2}    for odd i     (1)
    h^i = 2 sigmoid(R^i x^{i-1}) * h^{i-2}    for even i    (2)
    c_t = f_t * c_{t-1} + i_t * g_t           the LSTM of `zoo.cells.lstm`, whose gates f_t, i_t, o_t and
    h_t = o_t * tanh(c_t)                     candidate g_t read the last x^i and h^i in place of x_t and h_{t-1}

Here: r is `rounds`, 5 as in the paper's experiments. Q^i is `(units, features)` and R^i is `(features, units)`, since
rows are examples; with `rank`, each is a product of two matrices of that rank, as in section 2. Inputs enter together
with the state, so that no product can be computed before the loop.
"""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import biased
from zoo.cells.lstm import LSTMCell
from zoo.errors import UserError


@keras.saving.register_keras_serializable("zoo")
class MogrifierLSTMCell(LSTMCell):
    """LSTM whose inputs and state gate each other; states are h and c.

    Args:
        units: Size of the output and of each state.
        rounds: Gatings before a step, in turn of inputs and state; 0 is an LSTM.
        rank: Rank of the matrices of the rounds; None: full.
        **kwargs: Of `zoo.cells.LSTMCell`. Q has the arguments of the recurrent kernel, R those of the kernel.

    Raises:
        UserError: If `rounds` is negative or `rank` less than 1.
    """

    gates = 0

    def __init__(self, units: int, *, rounds: int = 5, rank: int | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if rounds < 0:
            raise UserError(f"rounds is a number of gatings, 0 or more; got {rounds}.")
        if rank is not None and rank < 1:
            raise UserError(f"rank is at least 1, or None for full matrices; got {rank}.")
        self.rounds, self.rank = rounds, rank

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.matrices = [self._matrix(number, input_shape[-1]) for number in range(1, self.rounds + 1)]

    def _matrix(self, number: int, features: int) -> list:
        """The matrix of a round, or the two whose product it is."""
        odd = number % 2 == 1
        add, letter = (self.add_recurrent_kernel, "q") if odd else (self.add_kernel, "r")
        rows, columns = (self.units, features) if odd else (features, self.units)
        if self.rank is None:
            return [add((rows, columns), f"{letter}_kernel_{number}")]
        left = add((rows, self.rank), f"{letter}_left_kernel_{number}")
        return [left, add((self.rank, columns), f"{letter}_right_kernel_{number}")]

    def mogrify(self, x: Any, h: Any) -> tuple[Any, Any]:
        """The rounds: inputs `(batch, features)` and h `(batch, units)` -> both, gated."""
        for number, matrices in enumerate(self.matrices, 1):
            gate = h if number % 2 else x
            for matrix in matrices:
                gate = ops.matmul(gate, matrix)
            if number % 2:
                x = 2 * ops.sigmoid(gate) * x
            else:
                h = 2 * ops.sigmoid(gate) * h
        return x, h

    def call(self, inputs: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        x, h = self.mogrify(inputs, states[0])
        return super().step(self._product(x), [h, states[1]], training)

    def _product(self, x: Any) -> Any:
        return biased(ops.matmul(x, self.kernel), self.bias)

    def project(self, inputs: Any) -> Any:
        """Refused: inputs are gated by the state first.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("The inputs of MogrifierLSTMCell are gated by the state first: use call.")

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        x, h = self.mogrify(inputs, states[0])
        i, f, _, o = self._gates(self._product(x), h)
        return {"forget": ops.sigmoid(f), "input": ops.sigmoid(i), "output": ops.sigmoid(o)}
