"""Many-to-many: what comes next, at every step; and the same fed back, one token at a time."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.cells.cell import restored, stored
from zoo.layers import Carried, Recurrent, TokenEmbedding

PAD = 0


def language_model(
    vocabulary: int,
    cell: Any = "gru",
    units: int = 512,
    *,
    embedding: int | None = None,
    depth: int = 1,
    tie_output: bool = False,
    residual: bool = False,
    layer_norm: bool = False,
    word_dropout: float = 0.0,
    embedding_dropout: float = 0.0,
    dropout: float = 0.0,
    output_dropout: float = 0.0,
    forbidden: Sequence[int] = (),
    streams: int = 0,
    name: str = "language_model",
) -> keras.Model:
    """A recurrent language model: embedding, recurrent layers, logits of the next token at every step.

    Source: Mikolov et al., "Recurrent Neural Network Based Language Model" (2010); its training on contiguous streams
    is the truncated backpropagation through time of Williams and Peng (1990).

    Args:
        vocabulary: Number of token ids; id 0 is padding.
        cell: Cell name, class or instance; see `zoo.cells.make`.
        units: Units of every layer.
        embedding: Length of a token's vector; default `units` with a tied output, else at most 128.
        depth: Recurrent layers on top of each other.
        tie_output: Whether the output layer is the embedding (Press and Wolf 2017).
        residual: Add a layer's input to its output where their sizes agree.
        layer_norm: Normalise the output of every recurrent layer.
        word_dropout: Part of the tokens replaced by the unknown one while training.
        embedding_dropout: Locked dropout on the embeddings.
        dropout: Locked dropout between recurrent layers.
        output_dropout: Dropout before the output layer.
        forbidden: Ids that are never sampled, such as the unknown token's.
        streams: Rows of a training batch, if it is fed with `(tokens, begins)` and each row goes on where it ended in
            the batch before; 0 carries no state. It is part of the training, not of a saved model.

    Returns:
        A model: tokens `(batch, time)` int32, padded with 0 on the right, or a pair of them and `begins` `(batch,)`
        -> logits `(batch, time, vocabulary)`. It has `read`, `encode` and `step` besides.

    Raises:
        ValueError: If a size makes no sense, or a tied output has another size than the units.
    """
    if tie_output and embedding not in (None, units):
        raise ValueError(f"A tied output layer needs vectors as long as the units; got {embedding} and {units}.")
    model = LanguageModel(
        vocabulary, cell, units, embedding or (units if tie_output else min(units, 128)), depth, tie_output, residual,
        layer_norm, word_dropout, embedding_dropout, dropout, output_dropout, forbidden, name=name,
    )  # fmt: skip
    if streams:
        model.carry = Carried(streams, model.recurrent.sizes, name="carry")
    model.build((None, None))
    return model


@keras.saving.register_keras_serializable("zoo")
class LanguageModel(keras.Model):
    """Tokens to logits of the next token; see `language_model`, whose arguments these are."""

    def __init__(
        self,
        vocabulary: int,
        cell: Any,
        units: int,
        embedding: int,
        depth: int = 1,
        tie_output: bool = False,
        residual: bool = False,
        layer_norm: bool = False,
        word_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        output_dropout: float = 0.0,
        forbidden: Sequence[int] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if vocabulary < 2:
            raise ValueError(f"A language model needs two ids at least; got a vocabulary of {vocabulary}.")
        self.vocabulary, self.forbidden = vocabulary, tuple(forbidden)
        self.embedding = TokenEmbedding(vocabulary, embedding, word_dropout, embedding_dropout, name="embedding")
        self.recurrent = Recurrent(
            cell, units, depth, residual=residual, layer_norm=layer_norm, dropout=dropout, return_state=True,
            name="recurrent",
        )  # fmt: skip
        self.output_dropout = keras.layers.Dropout(output_dropout, name="output_dropout")
        self.output_layer = None if tie_output else keras.layers.Dense(vocabulary, name="output")
        self.carry: Carried | None = None

    def build(self, input_shape: Any) -> None:
        """Builds all layers; sizes do not depend on the input."""
        self.embedding.build((None, None))
        self.recurrent.build((None, None, self.embedding.size))
        if self.output_layer is None:
            self.output_bias = self.add_weight((self.vocabulary,), "zeros", name="output_bias")
        else:
            self.output_layer.build((None, self.recurrent.output_size))
        if self.carry is not None:
            self.carry.build()
        self.built = True

    @property
    def weights(self) -> list[Any]:
        """All weights. The states that a training carries are none: they are not saved."""
        carried = {id(variable) for variable in (self.carry.variables if self.carry else ())}
        return [weight for weight in super().weights if id(weight) not in carried]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Logits of the next token.

        Args:
            inputs: Tokens `(batch, time)`, padded with 0 on the right; or a pair of tokens and `begins` `(batch,)`,
                True where a row does not go on from the batch before. Only a training goes on.
            training: Whether dropout is on and states are carried.

        Returns:
            `(batch, time, vocabulary)`: at t the logits of the token after that at t.
        """
        tokens, begins = inputs if isinstance(inputs, (tuple, list)) else (inputs, None)
        if not training or self.carry is None or begins is None:
            return self.read(tokens, None, training=training)[0]
        logits, states = self.read(tokens, self.carry.read(begins), training=training)
        self.carry.write(states)
        return logits

    def read(
        self, tokens: Any, states: list | None, mask: Any | None = None, training: bool | None = None
    ) -> tuple[Any, list]:
        """Reads tokens from a given state.

        Args:
            tokens: `(batch, time)` ids.
            states: What `read` returned for the tokens before, or None for a beginning.
            mask: `(batch, time)`, True = real: holds the states where a row has ended. Rows of one length need none.
            training: Whether dropout is on.

        Returns:
            Logits `(batch, time, vocabulary)`, and the states after the last token.
        """
        embedded = self.embedding(tokens, mask=ops.not_equal(tokens, PAD), training=training)
        hidden, states = self.recurrent(embedded, mask=mask, training=training, initial_state=states)
        return self._logits(self.output_dropout(hidden, training=training)), states

    def begin(self, batch: int) -> list:
        """The states before the first token of `batch` texts."""
        return self.recurrent.initial(batch)

    def encode(self, inputs: Any) -> list:
        """The state of a search: after some tokens `(batch, time)`, padded on the right, or a state itself."""
        if isinstance(inputs, (list, tuple)):
            return [list(layer) for layer in inputs]
        return self.read(inputs, self.begin(ops.shape(inputs)[0]), mask=ops.not_equal(inputs, PAD))[1]

    def step(self, tokens: Any, state: list) -> tuple[Any, list]:
        """One step of a search: tokens `(rows,)` -> log-probabilities `(rows, vocabulary)` float32, new state."""
        hidden, state = self.recurrent.step(self.embedding(tokens[:, None])[:, 0], state)
        logits = ops.cast(self._logits(hidden), "float32")
        if self.forbidden:
            ids = ops.arange(self.vocabulary, dtype="int32")
            barred = ops.any(ids[:, None] == ops.array(self.forbidden, "int32"), axis=1)
            logits = ops.where(barred, -1e9, logits)
        return ops.log_softmax(logits), state

    def _logits(self, hidden: Any) -> Any:
        if self.output_layer is not None:
            return self.output_layer(hidden)
        table = ops.cast(self.embedding.table.embeddings, hidden.dtype)
        return ops.matmul(hidden, ops.transpose(table)) + self.output_bias

    def compute_output_shape(self, input_shape: Any) -> tuple:
        tokens = input_shape[0] if isinstance(input_shape[0], (tuple, list)) else input_shape
        return (*tokens, self.vocabulary)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary": self.vocabulary,
            "cell": stored(self.recurrent.cell),
            "units": self.recurrent.units,
            "embedding": self.embedding.size,
            "depth": self.recurrent.depth,
            "tie_output": self.output_layer is None,
            "residual": self.recurrent.residual,
            "layer_norm": self.recurrent.layer_norm,
            "word_dropout": self.embedding.word_dropout,
            "embedding_dropout": self.embedding.dropout,
            "dropout": self.recurrent.dropout,
            "output_dropout": self.output_dropout.rate,
            "forbidden": list(self.forbidden),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LanguageModel":
        return cls(**restored(config, "cell"))


class Reader(keras.Model):
    """Goes through streams of text and tells how surprising each token is; see `reader`."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__(name="reader", dtype=model.dtype_policy)
        self.model = model
        self.jit_compile = keras.backend.backend() != "tensorflow"
        self.built = True

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """See `reader`."""
        stays = 1 - ops.cast(inputs["begins"], self.compute_dtype)[:, None]
        states = [[state * stays for state in layer] for layer in inputs["states"]]
        logits, states = self.model.read(inputs["tokens"], states, inputs.get("mask"), training=False)
        nats = ops.sparse_categorical_crossentropy(inputs["targets"], ops.cast(logits, "float32"), from_logits=True)
        return {"nats": nats, "states": states}


@functools.lru_cache(maxsize=16)
def reader(model: LanguageModel) -> Reader:
    """A model around a language model: its `predict_on_batch` reads one chunk of each stream, compiled once.

    Args:
        model: A language model.

    Returns:
        A model: a dictionary of `tokens` and their next ones, `targets`, `(batch, time)` int32; `begins` `(batch,)`,
        True where a text begins; `states` as `model.begin` or the chunk before gave them; and, if the states are
        needed after a row that is padded, `mask` `(batch, time)` -> a dictionary with the `nats` of each target
        `(batch, time)` float32, and the `states` after the chunk.
    """
    return Reader(model)
