"""Token ids to vectors, with the dropout that recurrent models of text want."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.engine import take_rows
from zoo.layers.explicit_mask import ExplicitMask
from zoo.layers.word_dropout import WordDropout


class Perturbation:
    """What a training does to the vectors that an embedding returns, in the order of its calls within a pass.

    A plain object, so that Keras neither tracks nor saves it.

    Attributes:
        records: Whether vectors are kept.
        recorded: Those of the passes since `take` was called, `(batch, time, embedding_dim)` each.
        shifts: Tensors that are added to the vectors of the next calls, one for each.
    """

    def __init__(self) -> None:
        self.records = False
        self.recorded: list[Any] = []
        self.shifts: list[Any] = []

    def passed(self, vectors: Any) -> Any:
        """The vectors of a call, moved if there is a shift for it."""
        if self.shifts:
            return vectors + ops.cast(self.shifts.pop(0), vectors.dtype)
        if self.records:
            self.recorded.append(vectors)
        return vectors

    def take(self, shifts: Sequence[Any] = ()) -> list[Any]:
        """What was recorded, which is forgotten; from now on these shifts are added."""
        found, self.recorded, self.shifts = self.recorded, [], list(shifts)
        return found


@keras.saving.register_keras_serializable("zoo")
class TokenEmbedding(ExplicitMask):
    """An embedding with word dropout before it, and dropout of features after it that is the same at every step.

    Source of the latter: Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural
    Networks" (2016), section 4; called locked dropout in Merity, Keskar and Socher (2017), section 4.2.

    Args:
        vocabulary_size: Number of ids.
        embedding_dim: Length of a vector.
        word_dropout: Fraction of the tokens replaced by the unknown one while training.
        dropout: Fraction of the features dropped, the same at every step of a sequence.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        word_dropout: float = 0.0,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size, self.embedding_dim = vocabulary_size, embedding_dim
        policy = self.dtype_policy
        self.words = WordDropout(word_dropout, dtype=policy, name="word_dropout")
        self.table = keras.layers.Embedding(vocabulary_size, embedding_dim, dtype=policy, name="table")
        self.perturbation = Perturbation()
        self.features = keras.layers.SpatialDropout1D(dropout, dtype=policy, name="dropout")

    def build(self, input_shape: tuple) -> None:
        self.table.build(input_shape)

    def call(self, tokens: Any, mask: Any | None = None, training: bool | None = None) -> Any:
        """Tokens `(batch, time)`, mask `(batch, time)` True = real -> `(batch, time, embedding_dim)`."""
        vectors = self.table(self.words(tokens, mask=mask, training=training))
        vectors = self.perturbation.passed(vectors) if training else vectors
        return self.features(vectors, training=training)

    def look_up(self, tokens: Any) -> Any:
        """Vectors `(..., embedding_dim)` of ids that are known to be in the vocabulary, without any dropout."""
        if self.table.quantization_mode is not None:
            return self.table(tokens)
        return ops.cast(take_rows(ops.convert_to_tensor(self.table.embeddings), tokens), self.compute_dtype)

    def vectors(self) -> Any:
        """All vectors, `(vocabulary_size, embedding_dim)`, as an output layer may share them."""
        if self.table.quantization_mode is None:
            return self.table.embeddings
        return self.table(ops.arange(self.vocabulary_size, dtype="int32"))  # scaled back from integers

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.embedding_dim)
