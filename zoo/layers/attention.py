"""Attention of a decoder over the memory, the outputs of an encoder.

One query looks at every position of the memory. What does not depend on the query, the projected keys, is computed
once per sequence by `keys`. A search with several hypotheses of each example puts their rows side by side
and leaves the memory as it is:

    memory of 2 examples      queries of 3 hypotheses each      which reads which
    m0                        q0 q1 q2                          q0 q1 q2 -> m0
    m1                        q3 q4 q5                          q3 q4 q5 -> m1
"""

from typing import Any

import keras
from keras import ops

from zoo.layers.explicit_mask import ExplicitMask
from zoo.names import look_up


class Attention(ExplicitMask):
    """What all kinds share: weights from scores, and the weighted mean of the memory.

    A subclass defines `keys(memory)` and `score(queries, keys)`.

    Args:
        units: Size of the space in which queries and keys meet, where a kind has one of its own.
    """

    def __init__(self, units: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def keys(self, memory: Any) -> Any:
        """The part of the scores that no query changes: memory `(batch, time, features)` -> `(batch, time, .)`."""
        return memory

    def score(self, queries: Any, keys: Any) -> Any:
        """Queries `(batch, group, units)`, keys `(batch, time, .)` -> `(batch, group, time)`."""
        raise NotImplementedError

    def call(
        self, query: Any, memory: Any, keys: Any, mask: Any | None = None, searching: bool = False
    ) -> tuple[Any, Any]:
        """Reads the memory.

        Args:
            query: `(rows, units)`, rows a multiple of batch; rows of one example lie side by side.
            memory: `(batch, time, features)`.
            keys: What `keys(memory)` gave.
            mask: `(batch, time)`, True = real. A row without any real position gets equal weights.
            searching: Whether this is a step of a search, which needs no gradient and may have few rows.

        Returns:
            The context `(rows, features)` and the weights `(rows, time)`, which sum to 1.
        """
        shape = ops.shape(memory)
        queries = ops.reshape(query, (shape[0], -1, query.shape[-1]))
        scores = self.score(queries, keys)  # (batch, group, time)
        if mask is not None:
            scores = ops.where(mask[:, None, :], scores, ops.cast(-6e4, scores.dtype))
        weights = _small_softmax(scores) if searching else ops.softmax(scores, axis=-1)
        if searching and memory.shape[0] == 1:
            context = ops.matmul(weights[0], memory[0])  # (group, features); one product costs half of a batch of one
        else:
            context = ops.matmul(weights, memory)  # (batch, group, features)
        return ops.reshape(context, (-1, memory.shape[-1])), ops.reshape(weights, (-1, shape[1]))


def _small_softmax(scores: Any) -> Any:
    """A softmax over few numbers: TensorFlow's own operation takes 20 us and more to begin on a CPU."""
    powers = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    return powers / ops.sum(powers, axis=-1, keepdims=True)


@keras.saving.register_keras_serializable("zoo")
class AdditiveAttention(Attention):
    """score(s, h_j) = v^T tanh(W s + U h_j).

    Source: Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate" (2015),
    section A.1.2. W and U project into a space of `units`.
    """

    def build(self, query_shape: tuple, memory_shape: tuple) -> None:
        self.query_kernel = self.add_weight((query_shape[-1], self.units), "glorot_uniform", name="query_kernel")
        self.key_kernel = self.add_weight((memory_shape[-1], self.units), "glorot_uniform", name="key_kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")
        self.vector = self.add_weight((self.units, 1), "glorot_uniform", name="vector")

    def keys(self, memory: Any) -> Any:
        return ops.matmul(memory, self.key_kernel) + self.bias

    def score(self, queries: Any, keys: Any) -> Any:
        # Matrices, as TensorFlow copies tensors of more axes into another layout; no slices, whose gradients copy too.
        projected = ops.matmul(ops.reshape(queries, (-1, queries.shape[-1])), self.query_kernel)
        batch, time = ops.shape(keys)[:2]
        queries = ops.reshape(projected, (batch, -1, 1, self.units))
        hidden = ops.tanh(queries + ops.expand_dims(keys, 1))  # (batch, group, time, units)
        scores = ops.matmul(ops.reshape(hidden, (-1, self.units)), self.vector)
        return ops.reshape(scores, (batch, -1, time))


@keras.saving.register_keras_serializable("zoo")
class DotAttention(Attention):
    """score(s, h_j) = s^T h_j, h_j projected first if its size is not that of s.

    Source: Luong, Pham and Manning, "Effective Approaches to Attention-based Neural Machine Translation" (2015),
    section 3.1, equation 8, "dot". The paper's two sides have one size; ours may differ.
    """

    def build(self, query_shape: tuple, memory_shape: tuple) -> None:
        self.key_kernel = None
        if query_shape[-1] != memory_shape[-1]:
            shape = (memory_shape[-1], query_shape[-1])
            self.key_kernel = self.add_weight(shape, "glorot_uniform", name="key_kernel")

    def keys(self, memory: Any) -> Any:
        return memory if self.key_kernel is None else ops.matmul(memory, self.key_kernel)

    def score(self, queries: Any, keys: Any) -> Any:
        return ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))


@keras.saving.register_keras_serializable("zoo")
class GeneralAttention(DotAttention):
    """score(s, h_j) = s^T W h_j.

    Source: Luong, Pham and Manning (2015), section 3.1, equation 8, "general".
    """

    def build(self, query_shape: tuple, memory_shape: tuple) -> None:
        shape = (memory_shape[-1], query_shape[-1])
        self.key_kernel = self.add_weight(shape, "glorot_uniform", name="key_kernel")


TABLE = {"additive": AdditiveAttention, "dot": DotAttention, "general": GeneralAttention}


def attention(kind: str, units: int, *, dtype: Any = None, name: str | None = None) -> Attention:
    """The attention layer of a name in `TABLE`.

    Args:
        kind: `"additive"`, `"dot"` or `"general"`.
        units: Size of additive attention's space.
        dtype: Precision of the layer.
        name: Name of the layer.

    Raises:
        UserError: If there is none; names the nearest.
    """
    return look_up(TABLE, kind, "kind of attention")(units, dtype=dtype, name=name)
