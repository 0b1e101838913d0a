"""One to many: a picture in, a sentence about it out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import ops

from zoo.builders.encoder_decoder import EncoderDecoder
from zoo.cells.cell import restored, stored
from zoo.layers import LockedDropout, Pooling, RecurrentDecoder, TokenEmbedding
from zoo.layers.decoder import Memory
from zoo.layers.image_encoder import image_encoder


@keras.saving.register_keras_serializable("zoo")
class Captioner(EncoderDecoder):
    """An image encoder, a bridge, and a decoder with attention; see `captioner` for the arguments."""

    def __init__(
        self,
        vocabulary: int,
        cell: Any = "gru",
        units: int = 256,
        encoder: Any = "convolutional",
        features: Sequence[int] | None = None,
        image_size: int | None = None,
        frozen: bool = False,
        places: bool = False,
        projection: int | None = None,
        summary: Sequence[str] = ("mean",),
        embedding: int = 256,
        depth: int = 1,
        attention: str | None = "additive",
        conditional: bool = False,
        input_feeding: bool = False,
        context_gate: bool = False,
        doubly_stochastic: float = 0.0,
        tie_output: bool = True,
        layer_norm: bool = False,
        word_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        output_dropout: float = 0.0,
        scheduled_sampling: float = 0.0,
        forbidden: Sequence[int] = (),
        **kwargs: Any,
    ) -> None:
        cell = cell(units) if isinstance(cell, type) else cell
        if doubly_stochastic and not attention:
            raise ValueError("Doubly stochastic attention needs an attention.")
        table = TokenEmbedding(vocabulary, embedding, word_dropout, embedding_dropout, name="target_embedding")
        decoder = RecurrentDecoder(
            cell, units, depth, attention, conditional=conditional, input_feeding=input_feeding,
            readout=embedding if tie_output else None, layer_norm=layer_norm, dropout=dropout,
            context_gate=context_gate, name="decoder",
        )  # fmt: skip
        super().__init__(table, decoder, tie_output, output_dropout, scheduled_sampling, forbidden, **kwargs)
        self.encoder = None if features else image_encoder(encoder, image_size)
        if self.encoder is not None:
            self.encoder.trainable = not frozen
        if not features and encoder != "convolutional":
            encoder = self.encoder  # travels with the model: a file may be gone, weights need not be fetched again
        self.settings = {
            "vocabulary": vocabulary, "cell": cell, "units": units, "encoder": None if features else encoder,
            "features": list(features) if features else None, "image_size": image_size, "frozen": frozen,
            "places": places, "projection": projection, "summary": list(summary), "embedding": embedding,
            "depth": depth, "attention": attention, "conditional": conditional, "input_feeding": input_feeding,
            "context_gate": context_gate, "doubly_stochastic": doubly_stochastic, "tie_output": tie_output,
            "layer_norm": layer_norm, "word_dropout": word_dropout, "embedding_dropout": embedding_dropout,
            "dropout": dropout, "output_dropout": output_dropout, "scheduled_sampling": scheduled_sampling,
            "forbidden": list(forbidden),
        }  # fmt: skip
        self.project = keras.layers.Dense(projection or units, activation="relu", name="project")
        self.memory_dropout = LockedDropout(dropout, name="memory_dropout")
        self.pooling = Pooling(summary, name="pooling")

    @property
    def grid(self) -> tuple[int | None, int]:
        """Number of places that features come from, None for any, and the length of their vectors."""
        if self.encoder is None:
            places, channels = self.settings["features"]
            return places, channels
        _, rows, columns, channels = self.encoder.output_shape
        return (rows * columns if rows and columns else None), channels

    def build(self, input_shape: Any = None) -> None:
        places, channels = self.grid
        self.project.build((None, places, channels))
        memory = (None, places, self.project.units)
        if self.settings["places"]:
            if places is None:
                raise ValueError("Vectors of places need pictures of one size: give image_size.")
            self.place_vectors = self.add_weight(memory[1:], "glorot_uniform", name="place_vectors")
        self.pooling.build(memory)
        self.build_decoder(memory, self.pooling.compute_output_shape(memory)[-1])
        self.built = True

    def features(self, pictures: Any, training: bool | None = False) -> Any:
        """What the image encoder sees.

        Args:
            pictures: `(batch, height, width, 3)`, values 0 to 255; or already its feature map, with or without the
                two sides of the grid as one.
            training: Whether an encoder that is not frozen is in training.

        Returns:
            `(batch, places, channels)`.
        """
        if self.encoder is not None and len(pictures.shape) == 4 and pictures.shape[-1] == 3:
            learning = bool(training) and not self.settings["frozen"]
            pictures = self.encoder(ops.cast(pictures, "float32"), training=learning)
        return ops.reshape(pictures, (ops.shape(pictures)[0], -1, self.grid[1]))

    def read(self, inputs: Any, training: bool | None) -> tuple[list, Memory | None]:
        """What `features` takes -> first states, from a summary of all places, and the places to look at."""
        values = self.project(ops.cast(self.features(inputs, training), self.compute_dtype))
        if self.settings["places"]:
            values = values + ops.cast(self.place_vectors, values.dtype)
        values = self.memory_dropout(values, training=training)
        states = self.bridge(self.pooling(values))
        return states, self.decoder.prepare(values) if self.settings["attention"] else None

    def readouts(self, embedded: Any, mask: Any, states: list, memory: Memory | None, training: bool | None) -> Any:
        weight = self.settings["doubly_stochastic"]
        if not training or not weight:
            return super().readouts(embedded, mask, states, memory, training)
        readouts, seen = self.decoder(embedded, states, memory, training=training, return_attention=True)
        self.add_loss(weight * uneven(ops.cast(seen, "float32"), mask))
        return readouts

    def get_config(self) -> dict[str, Any]:
        settings = {**self.settings, "cell": stored(self.settings["cell"]), "encoder": stored(self.settings["encoder"])}
        return {"name": self.name, **settings}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Captioner":
        return cls(**restored(config, "cell", "encoder"))


def uneven(attention: Any, mask: Any) -> Any:
    """Doubly stochastic attention: sum_i (1 - sum_t a_ti)^2, the second term of equation 14 of Xu et al. (2015).

    Args:
        attention: `(rows, time, places)`.
        mask: `(rows, time)`, True = a step that counts.

    Returns:
        A scalar: the sum over places, a mean over all rows that have a step.
    """
    real = ops.cast(mask, attention.dtype)
    looked = ops.sum(attention * real[:, :, None], axis=1)  # (rows, places)
    rows = ops.cast(ops.any(mask, axis=1), attention.dtype)
    return ops.sum(ops.sum((1 - looked) ** 2, axis=1) * rows) / ops.maximum(ops.sum(rows), 1.0)


def captioner(
    vocabulary: int,
    cell: Any = "gru",
    units: int = 256,
    encoder: str | Path | keras.Model = "convolutional",
    features: Sequence[int] | None = None,
    **settings: Any,
) -> Captioner:
    """A decoder that describes pictures.

    Source: Xu et al., "Show, Attend and Tell: Neural Image Caption Generation with Visual Attention" (2015), soft
    attention; without attention, Vinyals et al., "Show and Tell: A Neural Image Caption Generator" (2015).

    Args:
        vocabulary: Number of ids; 0 is padding, 1 unknown, 2 start, 3 end.
        cell: Cell of the decoder: name, class or instance.
        units: Units of the decoder.
        encoder: What sees the pictures; see `zoo.layers.image_encoder`. It becomes part of the model.
        features: `(places, channels)` for a model without an encoder, whose inputs are feature maps.
        **settings: `image_size`, side of the pictures, for an encoder made by name; `frozen`, whether the encoder
            keeps its weights; `projection`, length of a place's vector for the decoder (default `units`); `summary`,
            how the first state sums up all places: kinds of `zoo.layers.Pooling`, default the mean; `places`, whether
            each place has a learned vector that tells which one it is; `embedding`, the length of a token's
            vector; `depth`; `attention` (`"additive"`, `"dot"`, `"general"` or None: the first state is all that is
            known of the picture), `conditional`, `input_feeding`, `context_gate`: see `zoo.layers.RecurrentDecoder`;
            `doubly_stochastic`, weight of a loss that wants every place looked at: see `uneven`; `tie_output`,
            `layer_norm`, `word_dropout`, `embedding_dropout`, `dropout`, `output_dropout`, `scheduled_sampling`: see
            `translator`; `forbidden`, ids that a search never writes.

    Returns:
        A model: (pictures `(batch, height, width, 3)` with values 0 to 255, or feature maps
        `(batch, rows, columns, channels)` or `(batch, places, channels)`; ids `(batch, time)`, or
        `(batch, captions, time)` for several captions of each picture, beginning with the start token) -> logits, the
        shape of the ids and the vocabulary behind it. Compile it with `zoo.losses.TokenCrossentropy`; describe with
        `zoo.builders.search`.

    Raises:
        ValueError: If settings do not go together.
        UserError: If a cell, an attention or an image encoder is unknown.
    """
    model = Captioner(vocabulary, cell, units, encoder, features, **settings)
    model.build()
    return model
