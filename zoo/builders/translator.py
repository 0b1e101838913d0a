"""Sequence to sequence: a source sentence in, a target sentence of another length out."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo import cells
from zoo.builders.built_model import builder
from zoo.builders.encoder_decoder import EncoderDecoder, ids_spec
from zoo.ids import PAD, SPECIAL
from zoo.layers import Pooling, RecurrentDecoder, TokenEmbedding, recurrent_stack
from zoo.layers.bridge import concatenated
from zoo.layers.memory import Memory


@keras.saving.register_keras_serializable("zoo")
class Translator(EncoderDecoder):
    """An attentional encoder-decoder: source and target ids -> logits of the next target token.

    Source: Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate" (2015);
    without attention, Sutskever, Vinyals and Le, "Sequence to Sequence Learning with Neural Networks" (2014).

    Called with a pair of source ids `(batch, time)` and target ids `(batch, target time)`, both padded with 0, it
    returns logits `(batch, target time, target_vocabulary_size)`. `generate` translates; `encode` and `step` are what
    `zoo.decoding` searches with.

    Args:
        source_vocabulary_size: Number of source ids; 0 is padding, 1 unknown, 2 start, 3 end.
        target_vocabulary_size: Number of target ids, the same four first.
        cell: Cell of the encoder, and of the decoder unless `decoder_cell` is given: name, class or instance, see
            `zoo.cells.make`.
        units: Units of each encoder direction, and of the decoder unless `decoder_units` is given.
        decoder_cell: Cell of the decoder; default `cell`.
        decoder_units: Units of the decoder; default `units`.
        embedding_dim: Length of a token's vector.
        encoder_layers: Recurrent layers of the encoder.
        decoder_layers: Recurrent layers of the decoder.
        bidirectional: Whether the encoder also reads backward.
        block: `"residual"` makes each layer of the encoder a residual block of normalization, cell, gated linear unit
            and skip connection, see `zoo.layers.ResidualStack`; None stacks them plainly. It concerns the encoder
            alone: between two steps of a decoder stand attention and readout, and its layers stay plain cells.
        residual: Add the input of an encoder layer to its output where their sizes agree.
        attention: `"additive"`, `"dot"`, `"general"` or None, see `zoo.layers.RecurrentDecoder`.
        conditional_cell: Two decoder cells with attention between them.
        input_feeding: Feed the decoder's readout back into it.
        bridge: What the decoder's first state is made of: the `"mean"` of the encoder's outputs (default with
            attention) or the encoder's `"final"` states.
        tie_output: Share weights between target embedding and output layer (Press and Wolf 2017).
        share_embeddings: Source and target share one embedding and vocabulary.
        layer_norm: Normalize outputs of recurrent layers and the input of the readout.
        word_dropout: Fraction of the tokens replaced by the unknown one while training.
        embedding_dropout: Fraction of the features of token vectors dropped, the same at every step.
        dropout: Fraction of the features dropped from the memory and between layers, the same at every step.
        output_dropout: Dropout before the output layer.
        scheduled_sampling: Fraction of the decoder's inputs that is its own guess while training, computed by a first
            pass for all steps at once (Duckworth et al., "Parallel Scheduled Sampling", 2019, after Bengio et al.
            2015).
        suppress_tokens: Ids that a search never writes.
        name: Name of the model.
        dtype: Precision policy; default the global one.

    Raises:
        ValueError: If arguments do not go together.
        UserError: If a cell, a block or an attention is unknown.
    """

    def __init__(
        self,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        cell: Any = "gru",
        units: int = 256,
        *,
        decoder_cell: Any = None,
        decoder_units: int | None = None,
        embedding_dim: int = 256,
        encoder_layers: int = 1,
        decoder_layers: int = 1,
        bidirectional: bool = True,
        block: str | None = None,
        residual: bool = False,
        attention: str | None = "additive",
        conditional_cell: bool = False,
        input_feeding: bool = False,
        bridge: str | None = None,
        tie_output: bool = True,
        share_embeddings: bool = False,
        layer_norm: bool = False,
        word_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        output_dropout: float = 0.0,
        scheduled_sampling: float = 0.0,
        suppress_tokens: Sequence[int] = (),
        name: str = "translator",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        policy, given = self.dtype_policy, self.arguments
        given.bridge = bridge = bridge or ("mean" if attention else "final")
        given.decoder_cell = cells.pattern(cell if decoder_cell is None else decoder_cell, decoder_units or units)
        given.cell = cells.pattern(cell, units)
        _check(source_vocabulary_size, target_vocabulary_size, share_embeddings, bridge)
        self.attention = attention
        source = TokenEmbedding(
            source_vocabulary_size, embedding_dim, word_dropout, embedding_dropout, dtype=policy,
            name="source_embedding",
        )  # fmt: skip
        target = source
        if not share_embeddings:
            target = TokenEmbedding(
                target_vocabulary_size, embedding_dim, word_dropout, embedding_dropout, dtype=policy,
                name="target_embedding",
            )  # fmt: skip
        decoder = RecurrentDecoder(
            given.decoder_cell, decoder_units or units, num_layers=decoder_layers, attention=attention,
            conditional_cell=conditional_cell, input_feeding=input_feeding,
            readout_dim=embedding_dim if tie_output else None, layer_norm=layer_norm, dropout=dropout,
            dtype=policy, name="decoder",
        )  # fmt: skip
        self.add_decoder(
            target, decoder, tie_output=tie_output, output_dropout=output_dropout,
            scheduled_sampling=scheduled_sampling, suppress_tokens=suppress_tokens,
        )  # fmt: skip
        self.source_embedding = source
        self.encoder = recurrent_stack(
            block, given.cell, units, num_layers=encoder_layers, bidirectional=bidirectional, residual=residual,
            layer_norm=layer_norm and block is None,  # blocks have it anyway; it still concerns the readout
            dropout=dropout, return_state=bridge == "final", dtype=policy, name="encoder",
        )  # fmt: skip
        self.memory_dropout = keras.layers.SpatialDropout1D(dropout, dtype=policy, name="memory_dropout")
        self.pooling = Pooling("mean", dtype=policy, name="pooling")

    folds_memory = True

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers; sizes do not depend on the input."""
        if self.built:
            return
        vectors = (None, None, self.source_embedding.embedding_dim)
        self.source_embedding.build((None, None))
        self.encoder.build(vectors)
        shape = self.encoder.compute_output_shape(vectors)
        memory, summary = shape, shape[-1]
        if self.encoder.return_state:
            memory, summary = shape[0], sum(size for layer in shape[1] for _, size in layer)
        self.pooling.build(memory)
        self.build_decoder(memory, summary)
        self.built = True

    def read(self, inputs: Any, training: bool | None) -> tuple[list, Memory | None]:
        """Source ids `(batch, time)`, padded with 0 -> first states, and the encoder's outputs."""
        mask = ops.not_equal(inputs, PAD)
        embedded = self.source_embedding(inputs, mask=mask, training=training)
        encoded = self.encoder(embedded, mask=mask, training=training)
        if self.encoder.return_state:
            values, finals = encoded
            summary = concatenated(finals)
        else:
            values, summary = encoded, self.pooling(encoded, mask=mask)
        states = self.bridge(summary)
        if not self.attention:
            return states, None
        return states, self.decoder.prepare(self.memory_dropout(values, training=training), mask)

    @property
    def input_signature(self) -> list[Any]:
        return [(ids_spec(), ids_spec())]


def _check(source: int, target: int, shared: bool, bridge: str) -> None:
    if min(source, target) <= len(SPECIAL):
        raise ValueError(f"A vocabulary needs its four special ids and one more; got {source} and {target}.")
    if shared and source != target:
        raise ValueError(f"Shared embeddings need one vocabulary for both sides; got sizes {source} and {target}.")
    if bridge not in ("mean", "final"):
        raise ValueError(f"A bridge starts from the 'mean' of the memory or the 'final' states; got {bridge!r}.")


translator = builder(Translator, "translator")
