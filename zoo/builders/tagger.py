"""Many-to-many, in step: a sequence in, one label for each of its steps out."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo import cells, losses
from zoo.builders.built_model import BuiltModel, builder
from zoo.builders.encoder_decoder import ids_spec
from zoo.errors import UserError
from zoo.ids import PAD
from zoo.layers import CharacterEncoder, FrameEncoder, TokenEmbedding, recurrent_stack
from zoo.layers.padding import pack, unpack


@keras.saving.register_keras_serializable("zoo")
class Tagger(BuiltModel):
    """A tagger: a sequence -> probabilities of the labels of each time step.

    What it reads follows from the arguments: with `vocabulary_size` token ids, with `frame_shape` the frames of clips,
    each encoded by a small convolutional network, and with neither sequences of features, whose number is
    `feature_dim` or that of the first batch:

        model = builders.tagger(num_classes=10, cell="lstm", units=128)
        model.fit(features, labels)                 # (batch, time, features), (batch, time)
        model.predict((features, lengths))          # steps from a sequence's length on change nothing

    With `character_vocabulary_size` it reads words by their characters as well: two words that training never saw, and
    share one id, still have different vectors.

    Called with ids `(batch, time)` int32, padded with 0, or with a pair of these and of the ids of each word's
    characters, `(batch, time, characters)` int32, padded with 0 on the right; with frames
    `(batch, time, height, width, channels)`, values 0 to 255; or with features `(batch, time, features)`; the last two
    alone or as a pair with lengths `(batch,)`, it returns probabilities `(batch, time, num_classes)` float32. Its loss
    and accuracy ignore labels below 0: give padded steps the label -1.

    Args:
        num_classes: Number of labels.
        cell: Cell name, class or instance; see `zoo.cells.make`.
        units: Units of each direction.
        vocabulary_size: Number of token ids; id 0 is padding, id 1 the unknown token.
        frame_shape: Height, width and channels of a frame.
        feature_dim: Number of features, for a model that is built at once.
        embedding_dim: Length of a token's or a frame's vector.
        character_vocabulary_size: Number of character ids; id 0 is padding, id 1 the unknown character. None reads no
            characters.
        character_dim: Length of a character's vector.
        character_units: Units of each direction of the net that reads the characters of a word, of the same cell.
        differences: Also give the recurrent layers the difference of each vector to the one before, for motion.
        num_layers: Recurrent layers on top of each other; 0 for none: then each step is labeled by itself, a baseline.
        bidirectional: Also read backward; without it no label depends on later steps.
        block: `"residual"` makes each recurrent layer a residual block of normalization, cell, gated linear unit and
            skip connection, see `zoo.layers.ResidualStack`; None stacks them plainly.
        residual: Add a layer's input to its output where their sizes agree.
        layer_norm: Normalize the output of every recurrent layer.
        word_dropout: Fraction of the tokens replaced by the unknown one while training.
        embedding_dropout: Fraction of the features of vectors dropped, the same at every step.
        dropout: Fraction of the features dropped between layers and before the output, the same at every step.
        name: Name of the model.
        dtype: Precision policy; default the global one.

    Raises:
        ValueError: If sizes or arguments do not go together.
        UserError: If a cell or a block is unknown.
    """

    def __init__(
        self,
        num_classes: int,
        cell: Any = "lstm",
        units: int = 128,
        *,
        vocabulary_size: int | None = None,
        frame_shape: Sequence[int] | None = None,
        feature_dim: int | None = None,
        embedding_dim: int = 128,
        character_vocabulary_size: int | None = None,
        character_dim: int = 32,
        character_units: int = 64,
        differences: bool = False,
        num_layers: int = 1,
        bidirectional: bool = True,
        block: str | None = None,
        residual: bool = False,
        layer_norm: bool = False,
        word_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        name: str = "tagger",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        _check(num_classes, vocabulary_size, frame_shape, feature_dim, num_layers)
        _check_characters(character_vocabulary_size, vocabulary_size, character_dim, character_units)
        if block is not None and not num_layers:
            raise UserError(f"block={block!r} needs recurrent layers, of which this tagger has none; got num_layers=0.")
        policy = self.dtype_policy
        self.arguments.cell = cell = cells.pattern(cell, units)
        self.num_classes, self.differences, self.num_layers = num_classes, differences, num_layers
        self.tokens, self.frames = vocabulary_size is not None, frame_shape is not None
        self.feature_shape = tuple(frame_shape or (() if self.tokens else (feature_dim,)))
        self.reader: Any = None
        self.reader_dropout: Any = None
        self.characters: Any = None
        if vocabulary_size is not None:
            self.reader = TokenEmbedding(
                vocabulary_size, embedding_dim, word_dropout, embedding_dropout, dtype=policy, name="embedding"
            )
            if character_vocabulary_size is not None:
                self.characters = CharacterEncoder(
                    character_vocabulary_size, character_units, character_dim, cells.pattern(cell, character_units),
                    embedding_dropout, dtype=policy, name="characters",
                )  # fmt: skip
        elif self.frames:
            self.reader = FrameEncoder(embedding_dim, dtype=policy, name="frames")
            self.reader_dropout = keras.layers.SpatialDropout1D(embedding_dropout, dtype=policy, name="frames_dropout")
        if num_layers:
            self.recurrent: Any = recurrent_stack(
                block, cell, units, num_layers=num_layers, bidirectional=bidirectional, residual=residual,
                layer_norm=layer_norm, dropout=dropout, dtype=policy, name="recurrent",
            )  # fmt: skip
        else:  # as wide as the recurrent layer would be
            self.recurrent = keras.layers.Dense(
                units * (1 + bidirectional), activation="relu", dtype=policy, name="alone"
            )
        self.output_dropout = keras.layers.SpatialDropout1D(dropout, dtype=policy, name="dropout")
        self.label = keras.layers.Dense(num_classes, activation="softmax", dtype="float32", name="label")

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        if config.pop("frames", False):  # version 0.1 kept the shape of a frame in the build config
            config["frame_shape"] = [None, None, None]
        return super().from_config(config, custom_objects)

    def build_if_known(self) -> None:
        if None not in self.feature_shape:
            self.build((None, None, *self.feature_shape))

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers for a sequence of this shape, `(batch, time, ...)`.

        Raises:
            ValueError: If it is not the shape of what the tagger reads: tokens, frames or features.
        """
        shape = _sequence_shape(input_shape or (None, None, *self.feature_shape))
        if self.frames and (len(shape) != 5 or None in shape[2:]):
            raise ValueError(
                f"Frames have the shape (batch, time, height, width, channels), the last three known; got {shape}."
            )
        if not self.frames and len(shape) != (2 if self.tokens else 3):
            expected = "(batch, time) tokens" if self.tokens else "(batch, time, features)"
            raise ValueError(f"This tagger reads {expected}; got the shape {shape}.")
        if self.built:
            return
        self.feature_shape = tuple(shape[2:])
        if self.frames:
            self.arguments.frame_shape = list(self.feature_shape)
        elif not self.tokens:
            self.arguments.feature_dim = self.feature_shape[0]
        shape = (None, None, *self.feature_shape)
        for layer in filter(None, (self.reader, self.reader_dropout)):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        if self.characters is not None:
            self.characters.build((None, None, None))
            shape = (*shape[:-1], shape[-1] + self.characters.compute_output_shape((None, None, None))[-1])
        shape = (*shape[:-1], shape[-1] * (1 + self.differences))
        for layer in (self.recurrent, self.output_dropout, self.label):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True

    def default_loss(self) -> Any:
        return losses.StepCrossentropy()

    def output_weights(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Steps with a label count."""
        return super().output_weights(y, y_pred, sample_weight) * ops.cast(ops.cast(y, "int32") >= 0, "float32")

    def default_metrics(self) -> list[Any]:
        return [losses.StepAccuracy()]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Labels every step.

        Args:
            inputs: Ids `(batch, time)`, padded with 0 anywhere, or with characters a pair of these and
                `(batch, time, characters)`; frames `(batch, time, height, width, channels)` or features
                `(batch, time, features)`, or a pair of these and their lengths `(batch,)`.
            training: Whether dropout is on.

        Returns:
            Probabilities `(batch, time, num_classes)` float32; at padding they mean nothing.

        Raises:
            ValueError: If a tagger that reads characters gets tokens alone.
        """
        sequence, beside = inputs if isinstance(inputs, (tuple, list)) else (inputs, None)
        if self.characters is not None and beside is None:
            raise ValueError("This tagger reads a pair of tokens and their characters; got one tensor.")
        lengths, characters = (beside, None) if self.characters is None else (None, beside)
        mask = original = None
        if self.tokens:
            original = ops.not_equal(sequence, PAD)
            sequence, mask = pack(sequence, original)
            characters = None if characters is None else pack(characters, original)[0]
        if lengths is not None:
            time = ops.arange(ops.shape(sequence)[1], dtype="int32")
            mask = time[None, :] < ops.cast(lengths, "int32")[:, None]
        hidden = sequence
        if self.tokens:
            hidden = self.reader(sequence, mask=mask, training=training)
            if characters is not None:
                hidden = ops.concatenate([hidden, self.characters(characters, training=training)], axis=-1)
        elif self.reader is not None:
            hidden = self.reader_dropout(self.reader(sequence), training=training)
        if self.differences:
            before = ops.concatenate([hidden[:, :1], hidden[:, :-1]], axis=1)
            hidden = ops.concatenate([hidden, hidden - before], axis=-1)
        options = {"mask": mask, "training": training} if self.num_layers else {}
        hidden = self.recurrent(hidden, **options)
        labels = self.label(self.output_dropout(hidden, training=training))
        return labels if original is None else unpack(labels, original)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*_sequence_shape(input_shape)[:2], self.num_classes)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shape of the sequence, so that a saved model knows it before the first batch."""
        return {"input_shape": [None, None, *self.feature_shape]} if self.built else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        if config:
            self.build(tuple(config.get("input_shape") or config["read"]))  # "read" in version 0.1

    @property
    def input_signature(self) -> list[Any] | None:
        if self.characters is not None:
            return [(ids_spec(), keras.InputSpec(shape=(None, None, None), dtype="int32"))]
        if self.tokens:
            return [ids_spec()]
        if not self.built:
            return None
        dtype = "uint8" if self.frames else "float32"
        return [keras.InputSpec(shape=(None, None, *self.feature_shape), dtype=dtype)]


def _check(
    num_classes: int,
    vocabulary_size: int | None,
    frame_shape: Sequence[int | None] | None,
    feature_dim: int | None,
    num_layers: int,
) -> None:
    """Raises a `ValueError` where sizes make no sense."""
    if num_classes < 2:
        raise ValueError(f"A tagger needs two labels at least; got num_classes={num_classes}.")
    kinds = {"vocabulary_size": vocabulary_size, "frame_shape": frame_shape, "feature_dim": feature_dim}
    given = [name for name, value in kinds.items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"A tagger reads tokens, frames or features: give one of {' and '.join(given)}, not both.")
    if vocabulary_size is not None and vocabulary_size < 2:
        raise ValueError(f"A vocabulary has two ids at least, padding and unknown; got {vocabulary_size}.")
    if num_layers < 0:
        raise ValueError(f"num_layers is 0 or more; got {num_layers}.")


def _check_characters(characters: int | None, tokens: int | None, dim: int, units: int) -> None:
    """Raises a `ValueError` where what is said of characters makes no sense."""
    if characters is None:
        return
    if tokens is None:
        raise ValueError("Characters belong to words: character_vocabulary_size needs vocabulary_size as well.")
    if characters < 2 or min(dim, units) < 1:
        raise ValueError(
            "A tagger that reads characters needs two ids of them at least, padding and unknown, and sizes above 0; "
            f"got character_vocabulary_size={characters}, character_dim={dim} and character_units={units}."
        )


def _sequence_shape(shape: Any) -> tuple:
    """The sequence's shape, also where that of the lengths stands beside it."""
    return tuple(shape[0]) if isinstance(shape[0], (tuple, list)) else tuple(shape)


tagger = builder(Tagger, "tagger")
