"""Token ids to vectors, with the dropout that recurrent models of text want."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from zoo.engine import take_rows
from zoo.layers.explicit_mask import ExplicitMask
from zoo.layers.word_dropout import WordDropout


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
        self.records, self.recorded, self.shift = False, None, None  # see `perturbed`
        self.features = keras.layers.SpatialDropout1D(dropout, dtype=policy, name="dropout")

    def build(self, input_shape: tuple) -> None:
        self.table.build(input_shape)

    def call(self, tokens: Any, mask: Any | None = None, training: bool | None = None) -> Any:
        """Tokens `(batch, time)`, mask `(batch, time)` True = real -> `(batch, time, embedding_dim)`."""
        vectors = self.table(self.words(tokens, mask=mask, training=training))
        if self.shift is not None:
            vectors = vectors + ops.cast(self.shift, vectors.dtype)
        elif self.records and training:
            self.recorded = vectors
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


@contextlib.contextmanager
def perturbed(embeddings: Sequence[TokenEmbedding], shifts: Sequence[Any]) -> Iterator[None]:
    """Within it, layers add tensors to the vectors they return.

    Args:
        embeddings: The layers.
        shifts: A tensor `(batch, time, embedding_dim)` for each.
    """
    for layer, shift in zip(embeddings, shifts, strict=True):
        layer.shift = shift
    try:
        yield
    finally:
        for layer in embeddings:
            layer.shift = None
