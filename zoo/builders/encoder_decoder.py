"""What a translator and a captioner share: a decoder that writes tokens about whatever has been read."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.decoding import BatchShared
from zoo.layers import Bridge, RecurrentDecoder, TokenEmbedding
from zoo.layers.decoder import Memory

PAD, START, END = 0, 2, 3
"""The ids that `zoo.data.text` gives to padding, and to the beginning and the end of a text."""


class EncoderDecoder(keras.Model):
    """Something in, tokens out, one at a time.

    A subclass defines `read(inputs, training) -> (states, memory)`: the first states of the decoder, as its bridge
    makes them, and what its `prepare` made of the things to look at, or None without attention.

    Args:
        table: Embedding of the tokens that are written.
        decoder: What writes them.
        tie_output: Whether the output layer is the embedding (Press and Wolf 2017); then the readout has its size.
        output_dropout: Dropout before the output layer.
        scheduled_sampling: Part of the decoder's inputs that is its own guess while training.
        forbidden: Ids that a search never writes, such as the unknown word's.
    """

    def __init__(
        self,
        table: TokenEmbedding,
        decoder: RecurrentDecoder,
        tie_output: bool = True,
        output_dropout: float = 0.0,
        scheduled_sampling: float = 0.0,
        forbidden: Sequence[int] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.target_embedding, self.decoder = table, decoder
        self.sampling, self.forbidden = scheduled_sampling, tuple(forbidden)
        self.bridge = Bridge(decoder.sizes, name="bridge")
        self.output_dropout = keras.layers.Dropout(output_dropout, name="output_dropout")
        self.output_layer = None if tie_output else keras.layers.Dense(table.vocabulary, name="output")

    def read(self, inputs: Any, training: bool | None) -> tuple[list, Memory | None]:
        """The decoder's first states, and what it may look at."""
        raise NotImplementedError

    def build_decoder(self, memory: tuple, summary: int) -> None:
        """Builds all that writes.

        Args:
            memory: Shape of what the decoder looks at, `(batch, time, features)`.
            summary: Length of the vector that the bridge begins with.
        """
        self.target_embedding.build((None, None))
        self.bridge.build((None, summary))
        self.decoder.build((None, None, self.target_embedding.size), memory)
        if self.output_layer is None:
            self.output_bias = self.add_weight((self.target_embedding.vocabulary,), "zeros", name="output_bias")
        else:
            self.output_layer.build((None, self.decoder.readout))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Teacher-forced logits.

        Args:
            inputs: A pair of what is read and target ids, the latter `(batch, time)`, beginning with the start token
                and padded with 0 on the right; or `(batch, group, time)`, several targets of one input, which is then
                read once.
            training: Whether dropout and scheduled sampling are on.

        Returns:
            The shape of the ids and the vocabulary behind it: at t the logits of the token after that at t.
        """
        given, target = inputs
        states, memory = self.read(given, training)
        shape = ops.shape(target)
        if len(shape) == 3:  # one row for each target; a decoder's memory need not be repeated
            states = [[ops.repeat(state, shape[1], axis=0) for state in layer] for layer in states]
            target = ops.reshape(target, (-1, shape[2]))
        if training and self.sampling:
            guess = ops.argmax(self.forced(target, states, memory, training=False), axis=-1)
            target = self._mixed(target, ops.cast(guess, target.dtype))
        logits = self.forced(target, states, memory, training)
        return ops.reshape(logits, (*shape, logits.shape[-1])) if len(shape) == 3 else logits

    def encode(self, inputs: Any) -> dict[str, Any]:
        """Reads; returns the state before the first step of a search."""
        states, memory = self.read(inputs, training=False)
        state = self.decoder.start(states, memory)
        if memory is not None:
            state["memory"] = BatchShared(memory)
            state["attention"] = ops.zeros(ops.shape(memory.values)[:2], memory.values.dtype)
        return state

    def step(self, tokens: Any, state: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """One step of a search, as `zoo.decoding` asks for it.

        Args:
            tokens: `(rows,)` ids of the previous tokens.
            state: What `encode` or the step before returned. Its `"attention"` `(rows, time)` tells where this
                step has looked.

        Returns:
            Log-probabilities `(rows, vocabulary)` float32, and the new state.
        """
        memory = state["memory"].value if "memory" in state else None
        readout, new, weights = self.decoder.step(self.target_embedding(tokens[:, None])[:, 0], state, memory)
        if memory is not None:
            new |= {"memory": state["memory"], "attention": weights}
        logits = ops.cast(self._logits(readout), "float32")
        if self.forbidden:
            ids = ops.arange(logits.shape[-1], dtype="int32")
            logits = ops.where(ops.any(ids[:, None] == ops.array(self.forbidden, "int32"), axis=1), -1e9, logits)
        return ops.log_softmax(logits), new

    def forced(self, target: Any, states: list, memory: Memory | None, training: bool | None) -> Any:
        """Logits `(rows, time, vocabulary)` of ids `(rows, time)`."""
        mask = ops.not_equal(target, PAD)
        embedded = self.target_embedding(target, mask=mask, training=training)
        readouts = self.readouts(embedded, mask, states, memory, training)
        return self._logits(self.output_dropout(readouts, training=training))

    def readouts(self, embedded: Any, mask: Any, states: list, memory: Memory | None, training: bool | None) -> Any:
        """What the decoder makes of embedded tokens `(rows, time, size)`, mask True = real; `(rows, time, readout)`."""
        return self.decoder(embedded, states, memory, training=training)

    def _logits(self, readout: Any) -> Any:
        if self.output_layer is not None:
            return self.output_layer(readout)
        table = ops.cast(self.target_embedding.table.embeddings, readout.dtype)
        return ops.matmul(readout, ops.transpose(table)) + self.output_bias

    def _mixed(self, target: Any, guess: Any) -> Any:
        """Targets `(rows, time)` of which a part is what the model itself says after the true tokens before."""
        said = ops.concatenate([target[:, :1], guess[:, :-1]], axis=1)
        shape = ops.shape(target)
        swap = keras.random.uniform(shape, seed=self.target_embedding.words.seed_generator) < self.sampling
        return ops.where(ops.logical_and(swap, ops.not_equal(target, PAD)), said, target)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape[1], self.target_embedding.vocabulary)
