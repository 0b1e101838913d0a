"""Pretraining without labels: read a text, predict the neighbors of each word."""

from typing import Any

import keras
from keras import ops

from zoo import cells
from zoo.builders.built_model import BuiltModel, builder
from zoo.builders.encoder_decoder import ids_spec
from zoo.errors import UserError
from zoo.ids import PAD
from zoo.layers import CharacterEncoder, SampledSoftmax, TokenEmbedding, recurrent_stack


@keras.saving.register_keras_serializable("zoo")
class Pretrainer(BuiltModel):
    """Language models of both directions: ids -> the loss of each text in nats, and how many tokens it predicted.

    A forward language model predicts each next word, a backward one each previous word; they share the embedding,
    which also is the output table. Hand its layers `embedding` and `recurrent` to a `classifier` of the same sizes
    after training; those and `characters` to a `tagger`. Source: Dai and Le, "Semi-supervised Sequence Learning"
    (2015), section 3, with both directions as in Peters et al., "Deep contextualized word representations" (2018),
    section 3.1.

    Called with ids `(batch, time)`, padded with 0 on the right, or with characters a pair of these and
    `(batch, time, characters)`, it returns `(batch, 2)`: summed loss and number of predictions of each text. It is
    compiled with `token_mean`, which takes no targets: give any.

    Args:
        vocabulary_size: Number of token ids, sorted by falling frequency; id 0 is padding.
        cell: Cell name, class or instance; see `zoo.cells.make`.
        units: Units of each direction.
        embedding_dim: Length of a token's vector.
        bidirectional: Also predict backward.
        block: As of the classifier that takes the layers over, see `zoo.layers.ResidualStack`; without
            `bidirectional` only.
        character_vocabulary_size: Number of character ids, if the characters of each word are read as well.
        character_dim: Length of a character's vector.
        character_units: Units of each direction of the net that reads characters, which has the same cell.
        word_dropout: Fraction of the tokens replaced by the unknown one while training, where they are read.
        embedding_dropout: Fraction of the features of token vectors dropped, the same at every step.
        num_samples: Negatives per batch, see `zoo.layers.SampledSoftmax`.
        name: Name of the model.
        dtype: Precision policy; default the global one.

    Raises:
        UserError: If a cell or a block is unknown, or a block would read in both directions.
    """

    no_extra_loss = "its outputs are losses already"

    def __init__(
        self,
        vocabulary_size: int,
        cell: Any = "gru",
        units: int = 128,
        *,
        embedding_dim: int = 128,
        bidirectional: bool = True,
        block: str | None = None,
        character_vocabulary_size: int | None = None,
        character_dim: int = 32,
        character_units: int = 64,
        word_dropout: float = 0.0,
        embedding_dropout: float = 0.1,
        num_samples: int = 512,
        name: str = "pretrainer",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if block is not None and bidirectional:
            raise UserError(
                f"block={block!r} mixes both directions after each layer, so that a language model would see the token "
                "it predicts. Pretrain without blocks, or without bidirectional."
            )
        policy = self.dtype_policy
        self.arguments.cell = cell = cells.pattern(cell, units)
        self.directions = 2 if bidirectional else 1
        # The names are those of the classifier and the tagger: by them the weights are handed on.
        self.embedding = TokenEmbedding(
            vocabulary_size, embedding_dim, word_dropout, embedding_dropout, dtype=policy, name="embedding"
        )
        self.characters: Any = None
        if character_vocabulary_size is not None:
            self.characters = CharacterEncoder(
                character_vocabulary_size, character_units, character_dim, cells.pattern(cell, character_units),
                embedding_dropout, dtype=policy, name="characters",
            )  # fmt: skip
        self.recurrent = recurrent_stack(
            block, cell, units, bidirectional=bidirectional, dtype=policy, name="recurrent"
        )
        self.projections = [
            keras.layers.Dense(embedding_dim, dtype=policy, name=f"projection_{way}") for way in range(self.directions)
        ]
        self.softmax = SampledSoftmax(vocabulary_size, num_samples, dtype=policy, name="softmax")

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers; sizes do not depend on the input."""
        if self.built:
            return
        vectors = (None, None, self.embedding.embedding_dim)
        self.embedding.build((None, None))
        if self.characters is not None:
            self.characters.build((None, None, None))
            vectors = (None, None, vectors[-1] + self.characters.compute_output_shape((None, None, None))[-1])
        self.recurrent.build(vectors)
        size = self.recurrent.compute_output_shape(vectors)[-1]
        for projection in self.projections:
            projection.build((None, size // self.directions))
        self.softmax.build((None, self.embedding.embedding_dim))
        self.built = True

    def default_loss(self) -> Any:
        return token_mean

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Reads texts and predicts the neighbors of each word.

        Args:
            inputs: Tokens `(batch, time)`, or with characters a pair of these and `(batch, time, characters)`.
            training: Whether dropout is on.

        Returns:
            `(batch, 2)`: the summed loss of each text in nats, and its predicted tokens.

        Raises:
            ValueError: If characters are missing, or given to a model that reads none.
        """
        tokens, characters = inputs if isinstance(inputs, (tuple, list)) else (inputs, None)
        if (characters is None) != (self.characters is None):
            expected = "tokens alone" if self.characters is None else "a pair of tokens and their characters"
            raise ValueError(f"This pretrainer reads {expected}.")
        mask = ops.not_equal(tokens, PAD)
        vectors = self.embedding(tokens, mask=mask, training=training)
        if characters is not None:
            vectors = ops.concatenate([vectors, self.characters(characters, training=training)], axis=-1)
        states = self.recurrent(vectors, mask=mask, training=training)
        both = ops.cast(ops.logical_and(mask[:, 1:], mask[:, :-1]), "float32")  # pairs of real neighbors
        ways = ops.split(states, self.directions, axis=-1)
        # The forward state at t has read up to t and predicts t + 1; the backward one has read from the end to t.
        losses = self._loss(0, ways[0][:, :-1], tokens[:, 1:])
        if self.directions == 2:
            losses = losses + self._loss(1, ways[1][:, 1:], tokens[:, :-1])
        return ops.stack([ops.sum(losses * both, axis=1), self.directions * ops.sum(both, axis=1)], axis=1)

    def _loss(self, way: int, states: Any, targets: Any) -> Any:
        vectors = ops.reshape(self.projections[way](states), (-1, self.embedding.embedding_dim))
        table = ops.cast(self.embedding.vectors(), vectors.dtype)
        return ops.reshape(self.softmax(vectors, ops.reshape(targets, (-1,)), table), ops.shape(targets))

    @property
    def input_signature(self) -> list[Any]:
        if self.characters is not None:
            return [(ids_spec(), keras.InputSpec(shape=(None, None, None), dtype="int32"))]
        return [ids_spec()]


@keras.saving.register_keras_serializable("zoo")
def token_mean(_: Any, output: Any) -> Any:
    """The loss of a `Pretrainer`: nats per predicted token, over the whole batch."""
    return ops.sum(output[:, 0]) / ops.maximum(ops.sum(output[:, 1]), 1.0)


pretrainer = builder(Pretrainer, "pretrainer")
