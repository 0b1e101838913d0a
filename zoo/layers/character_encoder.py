"""Words spelled out: one vector for each word from its characters."""

from typing import Any

import keras
from keras import ops

from zoo import cells
from zoo.ids import PAD
from zoo.layers.explicit_mask import ExplicitMask
from zoo.layers.recurrent import Recurrent


@keras.saving.register_keras_serializable("zoo")
class CharacterEncoder(ExplicitMask):
    """Reads each word character by character in both directions: the last output of each direction is its vector.

    Every word is read by itself, so that its vector depends neither on its neighbors nor on how long the longest word
    of the batch is. A word that was never seen in training has a vector as good as its endings are known.

    Reference: Ling et al., "Finding Function in Form: Compositional Character Models for Open Vocabulary Word
    Representation" (2015), section 3 and figure 2; Plank, Søgaard and Goldberg (2016), section 2, for tagging.

    Args:
        vocabulary_size: Number of character ids; id 0 is padding.
        units: Units of each direction; a word's vector has twice as many numbers.
        embedding_dim: Length of a character's vector.
        cell: Cell name, class or instance; see `zoo.cells.make`.
        dropout: Fraction of the features of words dropped, the same at every word of a sequence.
    """

    def __init__(
        self,
        vocabulary_size: int,
        units: int = 64,
        embedding_dim: int = 32,
        cell: Any = "gru",
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size, self.units, self.embedding_dim = vocabulary_size, units, embedding_dim
        self.arguments.cell = cell = cells.pattern(cell, units)
        policy = self.dtype_policy
        self.table = keras.layers.Embedding(vocabulary_size, embedding_dim, dtype=policy, name="table")
        self.recurrent = Recurrent(cell, units, bidirectional=True, dtype=policy, name="recurrent")
        self.features = keras.layers.SpatialDropout1D(dropout, dtype=policy, name="dropout")

    def build(self, input_shape: tuple) -> None:
        self.table.build((None, None))
        self.recurrent.build((None, None, self.embedding_dim))

    def call(self, characters: Any, training: bool | None = None) -> Any:
        """Spells words.

        Args:
            characters: Ids `(batch, time, characters)` int32, each word padded with 0 on the right.
            training: Whether dropout is on, and gradients are going to be asked for.

        Returns:
            `(batch, time, 2 * units)`; zeros for a word without characters.
        """
        batch, time = ops.shape(characters)[:2]
        spelled = ops.reshape(characters, (-1, characters.shape[-1] or ops.shape(characters)[2]))
        real = ops.not_equal(spelled, PAD)  # (batch * time, characters)
        hidden = self.recurrent(self.table(spelled), mask=real, training=training)
        half = self.recurrent.output_size // 2
        length = ops.sum(ops.cast(real, "int32"), axis=1)[:, None, None]  # (batch * time, 1, 1)
        ends = ops.take_along_axis(hidden[:, :, :half], ops.maximum(length - 1, 0), axis=1)[:, 0]
        both = ops.concatenate([ends, hidden[:, 0, half:]], axis=-1)  # backward, the first character is read last
        both = both * ops.cast(length[:, 0] > 0, both.dtype)
        return self.features(ops.reshape(both, (batch, time, self.recurrent.output_size)), training=training)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:2], self.recurrent.output_size)
