"""One to many: a picture in, a sentence about it out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import ops

from zoo import cells
from zoo.builders.built_model import builder
from zoo.builders.encoder_decoder import EncoderDecoder, ids_spec
from zoo.errors import UserError
from zoo.layers import Pooling, RecurrentDecoder, TokenEmbedding
from zoo.layers.image_encoder import image_encoder
from zoo.layers.memory import Memory


@keras.saving.register_keras_serializable("zoo")
class Captioner(EncoderDecoder):
    """An image encoder and a decoder with attention: pictures and caption ids -> logits of the next token.

    Source: Xu et al., "Show, Attend and Tell: Neural Image Caption Generation with Visual Attention" (2015), soft
    attention; without attention, Vinyals et al., "Show and Tell: A Neural Image Caption Generator" (2015).

    Called with a pair of pictures and ids, it returns logits, the shape of the ids with the vocabulary as last axis.
    Pictures are `(batch, height, width, 3)` with values 0 to 255, or feature maps `(batch, rows, columns, channels)` or
    `(batch, positions, channels)`; ids are `(batch, time)`, or `(batch, captions, time)` for several captions of each
    picture, beginning with the start token and padded with 0. `generate` describes pictures.

    Args:
        vocabulary_size: Number of ids; 0 is padding, 1 unknown, 2 start, 3 end.
        cell: Cell of the decoder: name, class or instance, see `zoo.cells.make`.
        units: Units of the decoder.
        encoder: Network that encodes the pictures; see `zoo.layers.image_encoder`. It becomes part of the model.
        feature_shape: `(positions, channels)` for a model without an encoder, whose inputs are feature maps.
        image_size: Side of the pictures in pixels, for an encoder made by name; None for any.
        frozen: Whether the encoder keeps its weights. One that does not is fine-tuned, unless it is `"convolutional"`:
            its batch normalization keeps its statistics and its dropout stays off.
        position_embeddings: Whether each position of the picture has a learned vector.
        projection: Length of a position's vector for the decoder; default `units`.
        pooling: How all positions become the vector that the first state is made of: kinds of `zoo.layers.Pooling`.
        embedding_dim: Length of a token's vector.
        num_layers: Recurrent layers of the decoder.
        block: None. The other builders take `"residual"` for recurrent layers that read a sequence; a captioner has
            none, only a decoder, whose layers are plain cells.
        attention: `"additive"`, `"dot"`, `"general"`, or None: then only the first state depends on the picture.
        conditional_cell: Two decoder cells with attention between them.
        input_feeding: Feed the decoder's readout back into it.
        context_gate: Weigh what attention reads at each step, see `zoo.layers.RecurrentDecoder`.
        doubly_stochastic: Weight of a loss for which every position should be attended to: see `uneven`.
        tie_output: Share weights between embedding and output layer (Press and Wolf 2017).
        layer_norm: Normalize the input of the readout.
        word_dropout: Fraction of the tokens replaced by the unknown one while training.
        embedding_dropout: Fraction of the features of token vectors dropped, the same at every step.
        dropout: Fraction of the features dropped from the memory and between layers, the same at every step.
        output_dropout: Dropout before the output layer.
        scheduled_sampling: Fraction of the decoder's inputs that is its own guess while training; see `Translator`.
        suppress_tokens: Ids that a search never writes.
        name: Name of the model.
        dtype: Precision policy; default the global one.

    Raises:
        ValueError: If arguments do not go together.
        UserError: If a cell, an attention or an image encoder is unknown, or there is a block.
    """

    def __init__(
        self,
        vocabulary_size: int,
        cell: Any = "gru",
        units: int = 256,
        *,
        encoder: str | Path | keras.Model | None = "convolutional",
        feature_shape: Sequence[int] | None = None,
        image_size: int | None = None,
        frozen: bool = False,
        position_embeddings: bool = False,
        projection: int | None = None,
        pooling: str | Sequence[str] = ("mean",),
        embedding_dim: int = 256,
        num_layers: int = 1,
        block: str | None = None,
        attention: str | None = "additive",
        conditional_cell: bool = False,
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
        suppress_tokens: Sequence[int] = (),
        name: str = "captioner",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if block is not None:
            raise UserError(
                f"A captioner has no recurrent encoder, and its decoder's layers are plain cells: got block={block!r}. "
                "Leave it out."
            )
        if doubly_stochastic and not attention:
            raise ValueError("Doubly stochastic attention needs an attention.")
        policy, given = self.dtype_policy, self.arguments
        given.cell = cells.pattern(cell, units)
        self.frozen, self.attention, self.doubly_stochastic = frozen, attention, doubly_stochastic
        self.position_embeddings = position_embeddings
        embedding = TokenEmbedding(
            vocabulary_size, embedding_dim, word_dropout, embedding_dropout, dtype=policy, name="target_embedding"
        )
        decoder = RecurrentDecoder(
            given.cell, units, num_layers=num_layers, attention=attention, conditional_cell=conditional_cell,
            input_feeding=input_feeding, readout_dim=embedding_dim if tie_output else None, layer_norm=layer_norm,
            dropout=dropout, context_gate=context_gate, dtype=policy, name="decoder",
        )  # fmt: skip
        self.add_decoder(
            embedding, decoder, tie_output=tie_output, output_dropout=output_dropout,
            scheduled_sampling=scheduled_sampling, suppress_tokens=suppress_tokens,
        )  # fmt: skip
        self.encoder = None
        if feature_shape is None and encoder is None:
            raise ValueError("A captioner needs an image encoder, or the feature_shape of its feature maps.")
        if feature_shape is None:
            self.encoder = image_encoder(encoder, image_size, dtype=policy)
            self.encoder.trainable = not frozen
        self.from_scratch = encoder == "convolutional"
        if not self.from_scratch:
            given.encoder = self.encoder  # travels with the model: a file may be gone, weights are not fetched again
        self.project = keras.layers.Dense(projection or units, activation="relu", dtype=policy, name="project")
        self.memory_dropout = keras.layers.SpatialDropout1D(dropout, dtype=policy, name="memory_dropout")
        self.pooling = Pooling(pooling, dtype=policy, name="pooling")

    @property
    def grid(self) -> tuple[int | None, int]:
        """Number of positions that features come from, None for any, and the length of their vectors."""
        if self.encoder is None:
            positions, channels = self.arguments.feature_shape
            return positions, channels
        _, rows, columns, channels = self.encoder.output_shape
        return (rows * columns if rows and columns else None), channels

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers; sizes do not depend on the input.

        Raises:
            ValueError: If there are position embeddings and the number of positions is unknown.
        """
        if self.built:
            return
        positions, channels = self.grid
        self.project.build((None, positions, channels))
        memory = (None, positions, self.project.units)
        if self.position_embeddings:
            if positions is None:
                raise ValueError("Position embeddings need pictures of one size: give image_size.")
            self.position_vectors = self.add_weight(memory[1:], "glorot_uniform", name="position_vectors")
        self.pooling.build(memory)
        self.build_decoder(memory, self.pooling.compute_output_shape(memory)[-1])
        self.built = True

    def features(self, pictures: Any, training: bool | None = False) -> Any:
        """The feature maps of the image encoder.

        Args:
            pictures: `(batch, height, width, 3)`, values 0 to 255; or already its feature map, with or without the
                two sides of the grid as one.
            training: Whether an encoder that learns from scratch is in training; any other is in inference mode.

        Returns:
            `(batch, positions, channels)`.
        """
        if self.encoder is not None and len(pictures.shape) == 4 and pictures.shape[-1] == 3:
            learning = bool(training) and not self.frozen and self.from_scratch
            pictures = self.encoder(ops.cast(pictures, "float32"), training=learning)
        return ops.reshape(pictures, (ops.shape(pictures)[0], -1, self.grid[1]))

    def read(self, inputs: Any, training: bool | None) -> tuple[list, Memory | None]:
        """Pictures or feature maps -> first states, from all positions pooled, and the memory of all positions."""
        values = self.project(ops.cast(self.features(inputs, training), self.compute_dtype))
        if self.position_embeddings:
            values = values + ops.cast(self.position_vectors, values.dtype)
        values = self.memory_dropout(values, training=training)
        states = self.bridge(self.pooling(values))
        return states, self.decoder.prepare(values) if self.attention else None

    def readouts(self, embedded: Any, mask: Any, states: list, memory: Memory | None, training: bool | None) -> Any:
        if not training or not self.doubly_stochastic:
            return super().readouts(embedded, mask, states, memory, training)
        readouts, weights = self.decoder(embedded, states, memory, training=training, return_attention=True)
        self.add_loss(self.doubly_stochastic * uneven(ops.cast(weights, "float32"), mask))
        return readouts

    @property
    def input_signature(self) -> list[Any]:
        if self.encoder is None:
            return [(keras.InputSpec(shape=(None, *self.grid), dtype=self.compute_dtype), ids_spec())]
        return [(keras.InputSpec(shape=self.encoder.input_shape, dtype="uint8"), ids_spec())]


def uneven(attention: Any, mask: Any) -> Any:
    """Doubly stochastic attention: sum_i (1 - sum_t a_ti)^2, the second term of equation 14 of Xu et al. (2015).

    Args:
        attention: `(rows, time, positions)`.
        mask: `(rows, time)`, True = a real step.

    Returns:
        A scalar: the sum over positions, a mean over all rows that have a step.
    """
    real = ops.cast(mask, attention.dtype)
    total = ops.sum(attention * real[:, :, None], axis=1)  # (rows, positions)
    rows = ops.cast(ops.any(mask, axis=1), attention.dtype)
    return ops.sum(ops.sum((1 - total) ** 2, axis=1) * rows) / ops.maximum(ops.sum(rows), 1.0)


captioner = builder(Captioner, "captioner")
