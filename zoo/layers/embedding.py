"""Token ids to vectors, with the dropout that recurrent models of text want."""

from typing import Any

import keras

from zoo.layers.dropout import LockedDropout, WordDropout
from zoo.layers.masked import Masked


@keras.saving.register_keras_serializable("zoo")
class TokenEmbedding(Masked):
    """An embedding with word dropout before and locked dropout behind it.

    Args:
        vocabulary: Number of ids.
        size: Length of a vector.
        word_dropout: Part of the tokens replaced by the unknown one while training.
        dropout: Part of the features dropped, the same at every step of a sequence.
    """

    def __init__(
        self, vocabulary: int, size: int, word_dropout: float = 0.0, dropout: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary, self.size = vocabulary, size
        self.word_dropout, self.dropout = word_dropout, dropout
        self.words = WordDropout(word_dropout, name="word_dropout")
        self.table = keras.layers.Embedding(vocabulary, size, name="table")
        self.features = LockedDropout(dropout, name="dropout")

    def build(self, input_shape: tuple) -> None:
        self.table.build(input_shape)

    def call(self, tokens: Any, mask: Any | None = None, training: bool | None = None) -> Any:
        """tokens `(batch, time)`, mask `(batch, time)` True = real -> `(batch, time, size)`."""
        tokens = self.words(tokens, mask=mask, training=training)
        return self.features(self.table(tokens), training=training)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.size)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary": self.vocabulary,
            "size": self.size,
            "word_dropout": self.word_dropout,
            "dropout": self.dropout,
        }
