"""Gated delta rule: a matrix as memory, of which a step forgets, corrects and reads.

Source: Yang, Kautz and Hatamizadeh, "Gated Delta Networks: Improving Mamba2 with Delta Rule" (2024), section 3.1,
equation 10, and the layer of section 3.4; for each head:

    q_t = W_q x_t / |W_q x_t|,  k_t = W_k x_t / |W_k x_t|,  v_t = W_v x_t         each after a SiLU
    alpha_t = exp(-A softplus(W_a x_t + d))                                        decay, Mamba2's parametrization
    beta_t  = sigmoid(W_b x_t + b_b)                                               writing strength
    S_t = S_{t-1} (alpha_t (I - beta_t k_t k_t^T)) + beta_t v_t k_t^T              state: the memory
    o_t = S_t q_t
    h_t = norm(o_t) * SiLU(W_g x_t)                                                output: h_t = all heads side by side

where norm divides each head by the root of its mean square and multiplies by a weight. What is written under a key
replaces what was there: with beta_t = 1 and alpha_t = 1, S_t k_t = v_t.

Here: a cell has one step, so the short convolutions before the SiLUs are left out, and there is no output projection:
the product of the layer above does the same. Heads of values are `units / heads` long, so that h_t has `units`
numbers. The state is S_t^T of all heads, flattened. beta_t has a bias, zero at first. With `signed`, beta_t is twice as
large: the factor I - beta_t k_t k_t^T then has an eigenvalue from -1 to 1 instead of 0 to 1, without which no linear
recurrence solves parity (Grazzi et al., "Unlocking State-Tracking in Linear RNNs Through Negative Eigenvalues", 2024,
section 4). A starts between 1 and 16 and softplus(d) between 0.001 and 0.1, evenly in its logarithm (Dao and Gu,
"Transformers are SSMs", 2024, as in its code). A sequence is computed chunk by chunk, see `zoo.cells.delta_rule`.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.cells.cell import Cell
from zoo.cells.delta_rule import CHUNK, chunkwise
from zoo.cells.precision import at_least_single
from zoo.errors import UserError

LARGEST_HEAD, SMALLEST_HEAD = 32, 4
"""Limits of the length of a head that the cell chooses itself: the state has units times that many numbers."""


@keras.saving.register_keras_serializable("zoo")
class GatedDeltaCell(Cell):
    """Matrix memory with the gated delta rule; its state has `heads * key_dim * value_dim` numbers.

    Args:
        units: Size of the output, all heads together.
        heads: Number of matrices; a divisor of `units`. Default the fewest with which a head has at most 32 values.
        key_dim: Length of the keys and queries of a head; default as long as its values, `units / heads`.
        signed: Let beta reach 2, so that a step may also turn a direction of the memory around.
        chunk_size: Most steps that `sequence` computes at once.

    Raises:
        UserError: If `heads` does not divide `units`, or no number of heads does it well.
    """

    output_is_state = False

    def __init__(
        self,
        units: int,
        *,
        heads: int | None = None,
        key_dim: int | None = None,
        signed: bool = False,
        chunk_size: int = CHUNK,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.heads = _default_heads(units) if heads is None else heads
        if self.heads < 1 or units % self.heads:
            raise UserError(
                f"Every head has the same number of values, so heads must divide units; got heads={heads}, "
                f"units={units}. Divisors are {', '.join(map(str, _divisors(units)))}."
            )
        self.value_dim = units // self.heads
        self.key_dim = self.value_dim if key_dim is None else key_dim
        for name, value in (("key_dim", self.key_dim), ("chunk_size", chunk_size)):
            if value < 1:
                raise UserError(f"{name} is at least 1; got {value}.")
        self.signed, self.chunk_size = signed, chunk_size

    @property
    def state_size(self) -> int:
        return self.heads * self.key_dim * self.value_dim

    def build(self, input_shape: tuple) -> None:
        features, heads = input_shape[-1], self.heads
        self.kernel = self.add_kernel((features, 2 * heads * self.key_dim + 2 * self.units))  # q, k, v, g
        self.gate_kernel = self.add_kernel((features, 2 * heads), "gate_kernel")  # alpha, beta
        self.bias = self.add_bias((heads,))  # of beta
        # These two are never rounded to half precision: alpha is close to 1.
        self.log_decay = self.add_recurrent_kernel((heads,), "log_decay", _log_decay, autocast=False)  # log A
        self.step_size = self.add_recurrent_kernel((heads,), "step_size", _step_size, autocast=False)  # d
        self.scale = self.add_kernel((self.value_dim,), "scale", "ones")  # of the norm

    def call(self, inputs: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        """One step: inputs `(batch, features)`, one state `(batch, heads * key_dim * value_dim)`."""
        q, k, v, gate = self._vectors(inputs)
        log_alpha, beta = self._gates(inputs)
        state = self._matrices(states[0], q.dtype)  # S^T: (batch, heads, keys, values)
        state = ops.exp(log_alpha)[..., None, None] * state
        u = beta[..., None] * (v - ops.sum(k[..., None] * state, axis=-2))
        state = state + k[..., None] * u[..., None, :]
        output = self._read(ops.sum(q[..., None] * state, axis=-2), gate)
        return output, [ops.cast(ops.reshape(state, (-1, self.state_size)), states[0].dtype)]

    def sequence(
        self,
        inputs: Any,
        mask: Any | None = None,
        initial_state: list | None = None,
        reverse: bool = False,
        training: bool | None = None,
        choice: Any | None = None,
    ) -> tuple[Any, list]:
        """All steps at once, chunk by chunk; equal to as many calls.

        Args:
            inputs: `(batch, time, features)`.
            mask: `(batch, time)`, True = real; the state stays at other steps.
            initial_state: One state `(batch, heads * key_dim * value_dim)`; default zeros.
            reverse: Read from the last real step to the first; outputs stand at the steps they belong to.
            training: Not used: both are computed alike.
            choice: Not used: the same operations run everywhere.

        Returns:
            Outputs `(batch, time, units)`, zero at padded steps, and a list of the last state.
        """
        states = initial_state or self.get_initial_state(ops.shape(inputs)[0])
        q, k, v, gate = self._vectors(inputs)
        log_alpha, beta = self._gates(inputs)
        if mask is not None:
            real = ops.cast(mask, "bool")[:, :, None]
            log_alpha, beta = (ops.where(real, part, ops.zeros_like(part)) for part in (log_alpha, beta))
            q, k, v = (ops.where(real[..., None], part, ops.zeros_like(part)) for part in (q, k, v))
        if reverse:  # padding comes first then, and leaves the initial state alone
            q, k, v, log_alpha, beta = (ops.flip(part, axis=1) for part in (q, k, v, log_alpha, beta))
        outputs, last = chunkwise(q, k, v, log_alpha, beta, self._matrices(states[0], q.dtype), self.chunk_size)
        outputs = self._read(ops.flip(outputs, axis=1) if reverse else outputs, gate)
        if mask is not None:
            outputs = ops.where(real, outputs, ops.zeros_like(outputs))
        return outputs, [ops.cast(ops.reshape(last, (-1, self.state_size)), states[0].dtype)]

    def _vectors(self, inputs: Any) -> tuple[Any, Any, Any, Any]:
        """Unit vectors q and k, and v, each `(..., heads, keys or values)`; the output's gate `(..., units)`."""
        keys = self.heads * self.key_dim
        products = at_least_single(ops.matmul(inputs, self.kernel))
        q, k, v, gate = ops.split(ops.silu(products), [keys, 2 * keys, 2 * keys + self.units], axis=-1)
        return _unit(self._by_head(q)), _unit(self._by_head(k)), self._by_head(v), gate

    def _gates(self, inputs: Any) -> tuple[Any, Any]:
        """Logarithms of alpha, and beta, each `(..., heads)`."""
        products = at_least_single(ops.matmul(inputs, self.gate_kernel))
        alpha, beta = ops.split(products, 2, axis=-1)
        log_alpha = -ops.exp(ops.cast(self.log_decay, alpha.dtype)) * ops.softplus(
            alpha + ops.cast(self.step_size, alpha.dtype)
        )
        if self.bias is not None:
            beta = beta + ops.cast(self.bias, beta.dtype)
        return log_alpha, (2 if self.signed else 1) * ops.sigmoid(beta)

    def _read(self, output: Any, gate: Any) -> Any:
        """norm(o) * gate: what the heads read `(..., heads, values)` -> `(..., units)`."""
        size = ops.mean(ops.square(output), axis=-1, keepdims=True)
        output = output * ops.rsqrt(size + 1e-5) * ops.cast(self.scale, output.dtype)
        return ops.cast(self._flat(output) * gate, self.compute_dtype)

    def _by_head(self, vectors: Any) -> Any:
        """`(..., heads * size)` -> `(..., heads, size)`."""
        return ops.reshape(vectors, (*ops.shape(vectors)[:-1], self.heads, vectors.shape[-1] // self.heads))

    def _flat(self, vectors: Any) -> Any:
        """`(..., heads, values)` -> `(..., units)`."""
        return ops.reshape(vectors, (*ops.shape(vectors)[:-2], self.units))

    def _matrices(self, state: Any, dtype: Any) -> Any:
        """A flat state -> S^T `(batch, heads, keys, values)`."""
        return ops.reshape(ops.cast(state, dtype), (-1, self.heads, self.key_dim, self.value_dim))

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        """Forget is alpha, input is beta (half of it if `signed`): of each head, once for each of its units."""
        log_alpha, beta = self._gates(inputs)
        values = {"forget": ops.exp(log_alpha), "input": beta / (2 if self.signed else 1)}
        return {name: ops.repeat(value, self.value_dim, axis=-1) for name, value in values.items()}


def _unit(vectors: Any) -> Any:
    """Vectors of length 1, those close to 0 shorter."""
    return vectors * ops.rsqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True) + 1e-6)


def _log_decay(shape: tuple, dtype: Any = None) -> Any:
    """Logarithms of A, which is from 1 to 16."""
    return ops.log(keras.random.uniform(shape, 1, 16, dtype=dtype))


def _step_size(shape: tuple, dtype: Any = None) -> Any:
    """The inverse of softplus of steps that lie between 0.001 and 0.1, evenly in their logarithm."""
    step = ops.exp(keras.random.uniform(shape, float(np.log(1e-3)), float(np.log(0.1)), dtype=dtype))
    return step + ops.log(-ops.expm1(-step))


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def _default_heads(units: int) -> int:
    """The fewest heads of at most 32 values.

    Raises:
        UserError: If these have fewer than 4.
    """
    heads = next(divisor for divisor in _divisors(units) if units // divisor <= LARGEST_HEAD)
    if units // heads < SMALLEST_HEAD and units > LARGEST_HEAD:
        raise UserError(
            f"gated_delta divides its units into heads of at most {LARGEST_HEAD}, and units={units} has no good "
            f"divisor: take units={-(-units // LARGEST_HEAD) * LARGEST_HEAD}, or give heads yourself."
        )
    return heads
