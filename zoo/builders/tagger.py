"""Many-to-many, in step: a sequence in, one label for each of its steps out."""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import restored, stored
from zoo.layers import FrameEncoder, LockedDropout, Recurrent, TokenEmbedding

PAD = 0


@keras.saving.register_keras_serializable("zoo")
class Tagger(keras.Model):
    """A reader of tokens, frames or features, recurrent layers, a softmax at every step; see `tagger`.

    A model of its own and no functional graph, since features may have any size: that is known when the first come.
    """

    def __init__(
        self,
        classes: int,
        cell: Any = "lstm",
        units: int = 128,
        vocabulary: int | None = None,
        frames: bool = False,
        embedding: int = 128,
        differences: bool = False,
        depth: int = 1,
        bidirectional: bool = True,
        residual: bool = False,
        layer_norm: bool = False,
        word_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        cell = cell(units) if isinstance(cell, type) else cell
        self.settings = {
            "classes": classes, "cell": cell, "units": units, "vocabulary": vocabulary, "frames": frames,
            "embedding": embedding, "differences": differences, "depth": depth,
            "bidirectional": bidirectional, "residual": residual, "layer_norm": layer_norm,
            "word_dropout": word_dropout, "embedding_dropout": embedding_dropout, "dropout": dropout,
        }  # fmt: skip
        self.tokens = vocabulary is not None
        self.reader: Any = None
        self.reader_dropout: Any = None
        if vocabulary is not None:
            self.reader = TokenEmbedding(vocabulary, embedding, word_dropout, embedding_dropout, name="embedding")
        elif frames:
            self.reader = FrameEncoder(embedding, name="frames")
            self.reader_dropout = LockedDropout(embedding_dropout, name="frames_dropout")
        if depth:
            self.recurrent: Any = Recurrent(
                cell, units, depth, bidirectional, residual, layer_norm, dropout, name="recurrent"
            )
        else:  # as wide as the recurrent layer would be
            self.recurrent = keras.layers.Dense(units * (1 + bidirectional), activation="relu", name="alone")
        self.output_dropout = LockedDropout(dropout, name="dropout")
        self.label = keras.layers.Dense(classes, activation="softmax", dtype="float32", name="label")

    def build(self, input_shape: Any) -> None:
        shape = _own(input_shape)
        if self.settings["frames"] and (len(shape) != 5 or None in shape[2:]):
            raise ValueError(
                f"Frames have the shape (batch, time, height, width, channels), the last three known; got {shape}."
            )
        if not self.settings["frames"] and len(shape) != (2 if self.tokens else 3):
            wanted = "(batch, time) tokens" if self.tokens else "(batch, time, features)"
            raise ValueError(f"This tagger reads {wanted}; got the shape {shape}.")
        self.read = (None, None, *shape[2:])
        shape = self.read
        for layer in filter(None, (self.reader, self.reader_dropout)):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        shape = (*shape[:-1], shape[-1] * (1 + self.settings["differences"]))
        for layer in (self.recurrent, self.output_dropout, self.label):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Labels every step.

        Args:
            inputs: Tokens `(batch, time)`; frames `(batch, time, height, width, channels)` or features
                `(batch, time, features)`, or a pair of these and their lengths `(batch,)`.

        Returns:
            Probabilities `(batch, time, classes)` float32; at padding they mean nothing.
        """
        sequence, lengths = inputs if isinstance(inputs, (tuple, list)) else (inputs, None)
        mask = ops.not_equal(sequence, PAD) if self.tokens else None
        if lengths is not None:
            time = ops.arange(ops.shape(sequence)[1], dtype="int32")
            mask = time[None, :] < ops.cast(lengths, "int32")[:, None]
        hidden = sequence
        if self.tokens:
            hidden = self.reader(sequence, mask=mask, training=training)
        elif self.reader is not None:
            hidden = self.reader_dropout(self.reader(sequence), training=training)
        if self.settings["differences"]:
            before = ops.concatenate([hidden[:, :1], hidden[:, :-1]], axis=1)
            hidden = ops.concatenate([hidden, hidden - before], axis=-1)
        if self.settings["depth"]:
            hidden = self.recurrent(hidden, mask=mask, training=training)
        else:
            hidden = self.recurrent(hidden)
        return self.label(self.output_dropout(hidden, training=training))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*_own(input_shape)[:2], self.settings["classes"])

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self.settings, "cell": stored(self.settings["cell"])}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Tagger":
        return cls(**restored(config, "cell"))

    def get_build_config(self) -> dict[str, Any] | None:
        """The shape of what is read, so that a saved model knows it before the first batch."""
        return {"read": list(self.read)} if self.built else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        if config:
            self.build(tuple(config["read"]))


def _own(shape: Any) -> tuple:
    """The sequence's shape, also where that of the lengths stands beside it."""
    return tuple(shape[0]) if isinstance(shape[0], (tuple, list)) else tuple(shape)


def tagger(
    classes: int,
    cell: Any = "lstm",
    units: int = 128,
    *,
    vocabulary: int | None = None,
    frame: tuple[int, int, int] | None = None,
    **settings: Any,
) -> Tagger:
    """A tagger: one label for each time step.

    What it reads follows from the arguments: with `vocabulary` tokens, with `frame` the frames of clips, each seen by
    a small convolutional network, and with neither sequences of features, whose number is taken from the first batch:

        model = builders.tagger(classes=10, cell="lstm", units=128)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(features, labels)                 # (batch, time, anything), (batch, time)
        model.predict((features, lengths))          # what lies behind a sequence's length changes nothing

    Where sequences differ in length, train with `zoo.losses.StepCrossentropy` and give padding the label -1.

    Args:
        classes: Number of labels.
        cell: Cell name, class or instance; see `zoo.cells.make`.
        units: Units of each direction.
        vocabulary: Number of token ids; id 0 is padding, id 1 the unknown token.
        frame: Height, width and channels of a frame.
        **settings: `embedding`, the length of a token's or a frame's vector; `differences`: also show the recurrent net
            how a step's vector differs from the one before, so that motion is in sight; `depth`, recurrent layers on
            top of each other, 0 for none: then each step is labelled by itself, as a yardstick; `bidirectional`:
            without it no label depends on later steps; `residual`, `layer_norm`: see `zoo.layers.Recurrent`;
            `word_dropout`, `embedding_dropout` (locked, on the vectors), `dropout` (locked, between layers and before
            the output).

    Returns:
        A model: tokens `(batch, time)` int32, padded with 0 on the right; or frames
        `(batch, time, height, width, channels)`, values 0 to 255; or features `(batch, time, features)`; the last two
        alone or as a pair with lengths `(batch,)` -> probabilities `(batch, time, classes)` float32.

    Raises:
        ValueError: If the sizes or a layer's argument make no sense.
        UserError: If a cell is unknown.
    """
    if classes < 2:
        raise ValueError(f"A tagger needs two labels at least; got {classes}.")
    if vocabulary is not None and frame is not None:
        raise ValueError("A tagger reads tokens or frames: give a vocabulary or a frame's size, not both.")
    if vocabulary is not None and vocabulary < 2:
        raise ValueError(f"A vocabulary has two ids at least, padding and unknown; got {vocabulary}.")
    if settings.get("depth", 1) < 0:
        raise ValueError(f"A depth is 0 or more; got {settings['depth']}.")
    settings.setdefault("name", "tagger")
    model = Tagger(classes, cell, units, vocabulary, frame is not None, **settings)
    if vocabulary is not None:
        model.build((None, None))
    elif frame is not None:
        model.build((None, None, *frame))
    return model
