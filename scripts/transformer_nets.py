"""A small Transformer, for comparison with recurrent nets: an encoder that classifies, and an encoder-decoder.

Vaswani et al., "Attention Is All You Need" (2017), with normalization before each part instead of after it, which needs
no careful warmup (Xiong et al., "On Layer Normalization in the Transformer Architecture", 2020). Positions are
sinusoids (section 3.5), and the translator's output layer shares the vectors of the target embedding (section 3.4).
"""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import builders
from zoo.builders.built_model import BuiltModel
from zoo.decoding import BatchShared, Logits
from zoo.errors import UserError
from zoo.ids import PAD
from zoo.layers import Pooling, TokenEmbedding

EXCLUDED = -1e9
"""Score of a position that attention must not read; finite, because a row that only fills a batch has no other."""


def position_vectors(positions: Any, dim: int) -> Any:
    """Sinusoids of positions `(...)`: `(..., dim)` float32, wavelengths from 2 pi to 20,000 pi (section 3.5)."""
    rates = ops.convert_to_tensor(10_000.0 ** (-np.arange(0, dim, 2, "float32") / dim))
    angles = ops.cast(positions, "float32")[..., None] * rates
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)


class Attention(keras.layers.Layer):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2), whose keys and values can be kept.

    Args:
        dim: Length of the vectors that are read and returned.
        num_heads: Heads, which share `dim`.
        dropout: Dropout rate of the weights.
    """

    def __init__(self, dim: int, num_heads: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim, self.num_heads = dim, num_heads
        self.query = keras.layers.Dense(dim, name="query")
        self.key_value = keras.layers.Dense(2 * dim, name="key_value")
        self.result = keras.layers.Dense(dim, name="result")
        self.dropout = keras.layers.Dropout(dropout, name="dropout")

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers."""
        for layer in (self.query, self.key_value, self.result):
            layer.build((None, None, self.dim))

    def _heads(self, values: Any, axes: tuple[int, ...]) -> Any:
        shape = ops.shape(values)
        # (batch, time, heads, dim / heads), then in the order of the axes
        return ops.transpose(ops.reshape(values, (*shape[:2], self.num_heads, self.dim // self.num_heads)), axes)

    def call(self, values: Any, memory: Any, mask: Any, training: bool | None = None) -> Any:
        """Attends.

        Args:
            values: What asks, `(batch, time, dim)`.
            memory: Keys and values, `key_value` of what is read, `(batch, memory time, 2 * dim)`.
            mask: True where reading is allowed, broadcastable to `(batch, heads, time, memory time)`.
            training: Whether dropout is on.

        Returns:
            `(batch, time, dim)`.
        """
        queries = self._heads(self.query(values), (0, 2, 1, 3))  # (batch, heads, time, dim / heads)
        keys = self._heads(memory[..., : self.dim], (0, 2, 3, 1))  # (batch, heads, dim / heads, memory time)
        contents = self._heads(memory[..., self.dim :], (0, 2, 1, 3))  # (batch, heads, memory time, dim / heads)
        scores = ops.matmul(queries, keys) / math.sqrt(self.dim // self.num_heads)
        weights = ops.softmax(ops.where(mask, ops.cast(scores, "float32"), EXCLUDED), axis=-1)
        weights = self.dropout(ops.cast(weights, contents.dtype), training=training)
        read = ops.transpose(ops.matmul(weights, contents), (0, 2, 1, 3))  # (batch, time, heads, dim / heads)
        return self.result(ops.reshape(read, ops.shape(values)))


class Block(keras.layers.Layer):
    """Self-attention, attention to an encoder if `cross`, and two dense layers; each with a skip connection.

    Args:
        dim: Length of the vectors.
        num_heads: Heads of attention.
        intermediate_dim: Units between the two dense layers.
        dropout: Dropout rate of each part's result and of the weights of attention.
        cross: Whether it reads an encoder.
    """

    def __init__(
        self, dim: int, num_heads: int, intermediate_dim: int, dropout: float, cross: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dim, self.intermediate_dim = dim, intermediate_dim
        self.attention = Attention(dim, num_heads, dropout, name="attention")
        self.cross = Attention(dim, num_heads, dropout, name="cross") if cross else None
        self.norms = [keras.layers.LayerNormalization(name=f"norm_{number}") for number in range(2 + cross)]
        self.inner = keras.layers.Dense(intermediate_dim, activation="relu", name="inner")
        self.outer = keras.layers.Dense(dim, name="outer")
        self.dropout = keras.layers.Dropout(dropout, name="dropout")

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers."""
        for layer in filter(None, (self.attention, self.cross, self.inner, *self.norms)):
            layer.build((None, None, self.dim))
        self.outer.build((None, None, self.intermediate_dim))

    def own_memory(self, values: Any) -> Any:
        """What self-attention keeps of vectors `(batch, time, dim)`: `(batch, time, 2 * dim)`."""
        return self.attention.key_value(self.norms[0](values))

    def call(
        self, values: Any, own: Any, mask: Any, memory: Any = None, memory_mask: Any = None,
        training: bool | None = None,
    ) -> Any:  # fmt: skip
        """Vectors `(rows, time, dim)` -> the same shape.

        Args:
            values: The vectors.
            own: `own_memory` of all vectors that may be read, in a search those before as well.
            mask: Which of them, see `Attention`.
            memory: `cross.key_value` of the encoder's outputs, `(batch, source time, 2 * dim)`. There may be several
                neighboring rows for each of its rows, as in a beam search.
            memory_mask: `(batch, 1, 1, source time)`.
            training: Whether dropout is on.
        """
        values = values + self._dropped(self.attention(self.norms[0](values), own, mask, training=training), training)
        if self.cross is not None:
            queries = ops.reshape(self.norms[2](values), (ops.shape(memory)[0], -1, self.dim))
            read = ops.reshape(self.cross(queries, memory, memory_mask, training=training), ops.shape(values))
            values = values + self._dropped(read, training)
        hidden = self._dropped(self.inner(self.norms[1](values)), training)
        return values + self._dropped(self.outer(hidden), training)

    def _dropped(self, values: Any, training: bool | None) -> Any:
        return self.dropout(values, training=training)


class Transformer(BuiltModel):
    """What both nets share: blocks that read a sequence of tokens in both directions.

    Args:
        vocabulary_size: Number of ids; 0 is padding.
        num_layers: Blocks.
        hidden_dim: Length of the vectors, an even multiple of `num_heads`.
        num_heads: Heads of attention.
        intermediate_dim: Units of the dense layer in a block.
        dropout: Dropout rate inside of blocks.
        word_dropout: Fraction of tokens replaced by the unknown one while training.
        embedding_dropout: Fraction of the features of token vectors dropped, the same at every step.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        num_layers: int = 4,
        hidden_dim: int = 128,
        num_heads: int = 4,
        intermediate_dim: int = 256,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if hidden_dim % (2 * num_heads):
            raise UserError(f"--hidden-dim is an even multiple of --num-heads; got {hidden_dim} and {num_heads}.")
        self.dim = hidden_dim
        self.block_options = {
            "dim": hidden_dim, "num_heads": num_heads, "intermediate_dim": intermediate_dim, "dropout": dropout,
        }  # fmt: skip
        self.embedding_options = {"word_dropout": word_dropout, "dropout": embedding_dropout}
        self.embedding = TokenEmbedding(vocabulary_size, hidden_dim, **self.embedding_options, name="embedding")
        self.encoder = [Block(**self.block_options, name=f"encoder_{number}") for number in range(num_layers)]
        self.encoder_norm = keras.layers.LayerNormalization(name="encoder_norm")

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers; sizes do not depend on the input."""
        self.embedding.build((None, None))
        for layer in (*self.encoder, self.encoder_norm):
            layer.build((None, None, self.dim))

    def embed(self, embedding: TokenEmbedding, tokens: Any, training: bool | None) -> Any:
        """Ids `(batch, time)` -> vectors with their positions, `(batch, time, hidden_dim)`."""
        vectors = embedding(tokens, mask=ops.not_equal(tokens, PAD), training=training)
        return self.at(vectors, ops.arange(ops.shape(tokens)[1]))

    def at(self, vectors: Any, positions: Any) -> Any:
        """Vectors, scaled as in section 3.4, and their positions."""
        return vectors * math.sqrt(self.dim) + ops.cast(position_vectors(positions, self.dim), vectors.dtype)

    def read(self, tokens: Any, training: bool | None) -> tuple[Any, Any]:
        """Ids `(batch, time)` -> the encoder's outputs `(batch, time, hidden_dim)` and a mask, True = real."""
        mask = ops.not_equal(tokens, PAD)
        values = self.embed(self.embedding, tokens, training)
        for block in self.encoder:
            values = block(values, block.own_memory(values), mask[:, None, None], training=training)
        return self.encoder_norm(values), mask


class TransformerClassifier(Transformer):
    """Token ids `(batch, time)` -> probabilities of labels `(batch, num_classes)` float32, of the mean over time.

    Args:
        vocabulary_size: Number of ids; 0 is padding.
        num_classes: Number of labels.
        **kwargs: Of `Transformer`.
    """

    def __init__(self, vocabulary_size: int, num_classes: int, **kwargs: Any) -> None:
        super().__init__(vocabulary_size, **kwargs)
        self.pooling = Pooling("mean", name="pooling")
        self.dropout = keras.layers.Dropout(self.block_options["dropout"], name="dropout")
        self.label = keras.layers.Dense(num_classes, activation="softmax", dtype="float32", name="label")

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers."""
        super().build()
        self.pooling.build((None, None, self.dim))
        self.label.build((None, self.dim))
        self.built = True

    def call(self, tokens: Any, training: bool | None = None) -> Any:
        """Probabilities."""
        values, mask = self.read(tokens, training)
        return self.label(self.dropout(self.pooling(values, mask=mask), training=training))


class TransformerTranslator(Transformer):
    """Source ids and target ids -> logits of the next target token, `(batch, target time, target_vocabulary_size)`.

    `encode` and `step` are what `zoo.decoding` searches with; a step keeps keys and values of the steps before.

    Args:
        source_vocabulary_size: Number of source ids; 0 is padding.
        target_vocabulary_size: Number of target ids.
        share_embeddings: Source and target share one embedding and vocabulary.
        max_length: Largest number of tokens that a search writes.
        **kwargs: Of `Transformer`; `num_layers` blocks for each side.
    """

    outputs_logits = True

    def __init__(
        self,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        *,
        share_embeddings: bool,
        max_length: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(source_vocabulary_size, **kwargs)
        self.max_length, self.target_embedding = max_length, self.embedding
        if not share_embeddings:
            self.target_embedding = TokenEmbedding(
                target_vocabulary_size, self.dim, **self.embedding_options, name="target_embedding"
            )
        self.decoder = [
            Block(**self.block_options, cross=True, name=f"decoder_{number}") for number in range(len(self.encoder))
        ]
        self.decoder_norm = keras.layers.LayerNormalization(name="decoder_norm")

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers."""
        super().build()
        if self.target_embedding is not self.embedding:
            self.target_embedding.build((None, None))
        for layer in (*self.decoder, self.decoder_norm):
            layer.build((None, None, self.dim))
        self.built = True

    def output_weights(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Real tokens count."""
        return super().output_weights(y, y_pred, sample_weight) * ops.cast(ops.not_equal(y, PAD), "float32")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Teacher-forced logits of a pair of source and target ids, the latter from the start token on."""
        source, target = inputs
        encoded, mask = self.read(source, training)
        values = self.embed(self.target_embedding, target, training)
        times = ops.arange(ops.shape(target)[1])
        earlier = (times[None] <= times[:, None])[None, None]  # (1, 1, time, time); padding is on the right
        for block in self.decoder:
            memory = block.cross.key_value(encoded)
            values = block(values, block.own_memory(values), earlier, memory, mask[:, None, None], training=training)
        return self._logits(values)

    def _logits(self, values: Any) -> Any:
        kernel = ops.transpose(self.target_embedding.vectors())
        values = self.decoder_norm(values)
        return ops.matmul(values, ops.cast(kernel, values.dtype))

    def encode(self, inputs: Any) -> dict[str, Any]:
        """The state before the first step of a search: nothing written yet, and what attention reads of the source."""
        encoded, mask = self.read(inputs, training=False)
        batch = ops.shape(encoded)[0]
        memory = [block.cross.key_value(encoded) for block in self.decoder]
        return {
            "time": ops.zeros((batch,), "int32"),
            "own": [ops.zeros((batch, self.max_length, 2 * self.dim), encoded.dtype) for _ in self.decoder],
            "source": BatchShared({"memory": memory, "mask": ops.cast(mask, "int32")}),
        }

    def step(self, tokens: Any, state: dict[str, Any]) -> tuple[Logits, dict[str, Any]]:
        """One step of a search, as `zoo.decoding` calls it: tokens `(rows,)` -> logits `(rows, vocabulary)`, state."""
        time, source, written = state["time"], state["source"].value, []
        values = self.at(self.target_embedding.look_up(tokens), time)[:, None]  # (rows, 1, dim)
        places = ops.arange(self.max_length)[None]
        here, past = places == time[:, None], (places <= time[:, None])[:, None, None]
        memory_mask = ops.cast(source["mask"], "bool")[:, None, None]
        for block, kept, memory in zip(self.decoder, state["own"], source["memory"], strict=True):
            own = ops.where(here[..., None], block.own_memory(values), kept)
            written.append(own)
            values = block(values, own, past, memory, memory_mask)
        logits = ops.cast(self._logits(values)[:, 0], "float32")
        return Logits(logits), {"time": time + 1, "own": written, "source": state["source"]}

    def search(self, inputs: Any, **options: Any) -> dict[str, Any]:
        """What this model writes about a batch of source ids; see `zoo.builders.search`."""
        if options["max_new_tokens"] > self.max_length:
            raise UserError(f"This model writes {self.max_length} tokens at most; got {options['max_new_tokens']}.")
        return builders.search(self, inputs, **options)
