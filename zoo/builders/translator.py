"""Sequence to sequence: a source sentence in, a target sentence of another length out."""

from typing import Any

import keras
from keras import ops

from zoo.builders.encoder_decoder import PAD, EncoderDecoder
from zoo.cells.cell import restored, stored
from zoo.layers import LockedDropout, Pooling, Recurrent, RecurrentDecoder, TokenEmbedding
from zoo.layers.bridge import concatenated
from zoo.layers.decoder import Memory


@keras.saving.register_keras_serializable("zoo")
class Translator(EncoderDecoder):
    """An encoder, a bridge, and a decoder with attention; see `translator` for the arguments."""

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        cell: Any = "gru",
        units: int = 256,
        decoder_cell: Any = None,
        decoder_units: int | None = None,
        embedding: int = 256,
        encoder_depth: int = 1,
        decoder_depth: int = 1,
        bidirectional: bool = True,
        residual: bool = False,
        attention: str | None = "additive",
        conditional: bool = False,
        input_feeding: bool = False,
        bridge: str | None = None,
        tie_output: bool = True,
        tie_source: bool = False,
        layer_norm: bool = False,
        word_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        output_dropout: float = 0.0,
        scheduled_sampling: float = 0.0,
        **kwargs: Any,
    ) -> None:
        bridge = bridge or ("mean" if attention else "final")
        decoder_cell = cell if decoder_cell is None else decoder_cell
        cell = cell(units) if isinstance(cell, type) else cell
        decoder_cell = decoder_cell(decoder_units or units) if isinstance(decoder_cell, type) else decoder_cell
        _check(source_vocabulary, target_vocabulary, tie_source, bridge)
        vectors = {"word_dropout": word_dropout, "dropout": embedding_dropout}
        source = TokenEmbedding(source_vocabulary, embedding, name="source_embedding", **vectors)
        target = source
        if not tie_source:
            target = TokenEmbedding(target_vocabulary, embedding, name="target_embedding", **vectors)
        decoder = RecurrentDecoder(
            decoder_cell, decoder_units or units, decoder_depth, attention,
            conditional=conditional, input_feeding=input_feeding, readout=embedding if tie_output else None,
            layer_norm=layer_norm, dropout=dropout, name="decoder",
        )  # fmt: skip
        super().__init__(target, decoder, tie_output, output_dropout, scheduled_sampling, **kwargs)
        self.settings = {
            "source_vocabulary": source_vocabulary, "target_vocabulary": target_vocabulary, "cell": cell,
            "units": units, "decoder_cell": decoder_cell, "decoder_units": decoder_units, "embedding": embedding,
            "encoder_depth": encoder_depth, "decoder_depth": decoder_depth, "bidirectional": bidirectional,
            "residual": residual, "attention": attention, "conditional": conditional, "input_feeding": input_feeding,
            "bridge": bridge, "tie_output": tie_output, "tie_source": tie_source, "layer_norm": layer_norm,
            "word_dropout": word_dropout, "embedding_dropout": embedding_dropout, "dropout": dropout,
            "output_dropout": output_dropout, "scheduled_sampling": scheduled_sampling,
        }  # fmt: skip
        self.source_embedding = source
        self.encoder = Recurrent(
            cell, units, encoder_depth, bidirectional, residual, layer_norm, dropout,
            return_state=bridge == "final", name="encoder",
        )  # fmt: skip
        self.memory_dropout = LockedDropout(dropout, name="memory_dropout")
        self.pooling = Pooling("mean", name="pooling")

    def build(self, input_shape: Any = None) -> None:
        vectors = (None, None, self.settings["embedding"])
        self.source_embedding.build((None, None))
        self.encoder.build(vectors)
        shape = self.encoder.compute_output_shape(vectors)
        final = self.settings["bridge"] == "final"
        memory = shape[0] if final else shape
        self.pooling.build(memory)
        self.build_decoder(memory, sum(size for layer in shape[1] for _, size in layer) if final else memory[-1])
        self.built = True

    def read(self, inputs: Any, training: bool | None) -> tuple[list, Memory | None]:
        """Source ids `(batch, time)`, padded with 0 on the right -> first states, and the encoder's outputs."""
        mask = ops.not_equal(inputs, PAD)
        embedded = self.source_embedding(inputs, mask=mask, training=training)
        read = self.encoder(embedded, mask=mask, training=training)
        if self.settings["bridge"] == "final":
            values, finals = read
            summary = concatenated(finals)
        else:
            values, summary = read, self.pooling(read, mask=mask)
        states = self.bridge(summary)
        if not self.settings["attention"]:
            return states, None
        return states, self.decoder.prepare(self.memory_dropout(values, training=training), mask)

    def get_config(self) -> dict[str, Any]:
        cells = {name: stored(self.settings[name]) for name in ("cell", "decoder_cell")}
        return {"name": self.name, **self.settings, **cells}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Translator":
        return cls(**restored(config, "cell", "decoder_cell"))


def _check(source: int, target: int, tied: bool, bridge: str) -> None:
    if source < 5 or target < 5:
        raise ValueError(f"A vocabulary needs its four special ids and one more; got {source} and {target}.")
    if tied and source != target:
        raise ValueError(f"Tied source and target need one joint vocabulary; got sizes {source} and {target}.")
    if bridge not in ("mean", "final"):
        raise ValueError(f"A bridge starts from the 'mean' of the memory or the 'final' states; got {bridge!r}.")


def translator(
    source_vocabulary: int, target_vocabulary: int, cell: Any = "gru", units: int = 256, **settings: Any
) -> Translator:
    """An attentional encoder-decoder.

    Source: Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate" (2015);
    without attention, Sutskever, Vinyals and Le, "Sequence to Sequence Learning with Neural Networks" (2014).

    Args:
        source_vocabulary: Number of source ids; 0 is padding, 1 unknown, 2 start, 3 end.
        target_vocabulary: Number of target ids, the same four first.
        cell: Cell of the encoder, and of the decoder unless `decoder_cell` is given: name, class or instance.
        units: Units of each encoder direction, and of the decoder unless `decoder_units` is given.
        **settings: `decoder_cell`, `decoder_units`; `embedding`, the length of a token's vector; `encoder_depth`,
            `decoder_depth`, `bidirectional`, `residual` (encoder); `attention` (`"additive"`, `"dot"`, `"general"`
            or None), `conditional`, `input_feeding`: see `zoo.layers.RecurrentDecoder`; `bridge`, where the
            decoder's first state comes from: `"mean"` of the memory (default with attention) or the encoder's
            `"final"` states; `tie_output`: the output layer is the target embedding (Press and Wolf 2017);
            `tie_source`: both sides share one embedding and vocabulary; `layer_norm`; `word_dropout`,
            `embedding_dropout` (locked), `dropout` (locked, on the memory and between layers), `output_dropout`
            (before the output layer); `scheduled_sampling`, the part of the inputs that is replaced by the model's
            own guess while training, computed by a first pass for all steps at once (Duckworth et al., "Parallel
            Scheduled Sampling", 2019, after Bengio et al. 2015).

    Returns:
        A model: (source ids `(batch, time)`, target ids `(batch, target time)`) -> logits
        `(batch, target time, target_vocabulary)`. Compile it with `zoo.losses.TokenCrossentropy`. Its `encode` and
        `step` are what `zoo.decoding` searches with; in mixed precision, search through `zoo.builders.searcher`.

    Raises:
        ValueError: If settings do not go together.
        UserError: If a cell or an attention is unknown.
    """
    model = Translator(source_vocabulary, target_vocabulary, cell, units, **settings)
    model.build()
    return model
