"""What a translator and a captioner share: a decoder that writes tokens about whatever has been read."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.builders.built_model import TokenModel
from zoo.builders.searcher import search
from zoo.decoding import BatchShared, Constant, Emitted, Logits
from zoo.ids import PAD
from zoo.layers import Bridge, RecurrentDecoder, TokenEmbedding
from zoo.layers.memory import Memory
from zoo.layers.padding import pack, unpack


class EncoderDecoder(TokenModel):
    """Something in, tokens out, one at a time.

    A subclass defines `read(inputs, training) -> (states, memory)`: the first states of the decoder, as its bridge
    makes them, and the memory that its `prepare` makes, or None without attention. Its constructor calls
    `add_decoder`.
    """

    folds_memory = False
    """Whether a search folds the memory (`RecurrentDecoder.fold`): where it has about as many positions as steps."""

    def add_decoder(
        self,
        embedding: TokenEmbedding,
        decoder: RecurrentDecoder,
        *,
        tie_output: bool,
        output_dropout: float,
        scheduled_sampling: float,
        suppress_tokens: Sequence[int],
    ) -> None:
        """Adds all layers that write.

        Args:
            embedding: Embedding of the tokens that are written.
            decoder: The decoder.
            tie_output: Share weights between embedding and output layer (Press and Wolf 2017); then the readout has
                the size of the embedding.
            output_dropout: Dropout before the output layer.
            scheduled_sampling: Fraction of the decoder's inputs that is its own guess while training.
            suppress_tokens: Ids that a search never writes, such as that of the unknown word.
        """
        policy = self.dtype_policy
        self.target_embedding, self.decoder = embedding, decoder
        self.scheduled_sampling, self.suppress_tokens = scheduled_sampling, tuple(suppress_tokens)
        self.bridge = Bridge(decoder.state_sizes, dtype=policy, name="bridge")
        self.output_dropout = keras.layers.Dropout(output_dropout, dtype=policy, name="output_dropout")
        self.output_layer = None
        if not tie_output:
            self.output_layer = keras.layers.Dense(embedding.vocabulary_size, dtype=policy, name="output")

    def read(self, inputs: Any, training: bool | None) -> tuple[list, Memory | None]:
        """The decoder's first states, and the memory that its attention reads."""
        raise NotImplementedError

    def build_decoder(self, memory: tuple, summary: int) -> None:
        """Builds all layers that write.

        Args:
            memory: Shape of the memory, `(batch, time, features)`.
            summary: Length of the vector that the bridge begins with.
        """
        self.target_embedding.build((None, None))
        self.bridge.build((None, summary))
        self.decoder.build((None, None, self.target_embedding.embedding_dim), memory)
        if self.output_layer is None:
            self.output_bias = self.add_weight((self.target_embedding.vocabulary_size,), "zeros", name="output_bias")
        else:
            self.output_layer.build((None, self.decoder.readout_dim))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Teacher-forced logits.

        Args:
            inputs: A pair of what is read and target ids, the latter `(batch, time)`, beginning with the start token
                and padded with 0; or `(batch, group, time)`, several targets of one input, which is then read once.
            training: Whether dropout and scheduled sampling are on.

        Returns:
            The shape of the ids with the vocabulary as last axis: at t the logits of the token after that at t.
        """
        given, target = inputs
        states, memory = self.read(given, training)
        shape = ops.shape(target)
        if len(shape) == 3:  # one row for each target; a decoder's memory need not be repeated
            states = [[ops.repeat(state, shape[1], axis=0) for state in layer] for layer in states]
            target = ops.reshape(target, (-1, shape[2]))  # (batch * group, time)
        mask = ops.not_equal(target, PAD)
        target, _ = pack(target, mask)
        if training and self.scheduled_sampling:
            guess = ops.argmax(self.teacher_forced(target, states, memory, training=False), axis=-1)
            target = self._with_guesses(target, ops.cast(guess, target.dtype))
        logits = unpack(self.teacher_forced(target, states, memory, training), mask)
        return ops.reshape(logits, (*shape, logits.shape[-1])) if len(shape) == 3 else logits

    def encode(self, inputs: Any) -> dict[str, Any]:
        """Reads; returns the state before the first step of a search."""
        states, memory = self.read(inputs, training=False)
        state = self.decoder.start(states, memory)
        if self.output_layer is None and states[0][0].shape[0] != 1:  # one row reads it as it is as fast
            state["output_kernel"] = Constant(ops.transpose(self.target_embedding.vectors()))
        if memory is not None:
            del state["context"]  # each step computes it anew
            state["memory"] = BatchShared(self.decoder.fold(memory) if self.folds_memory else memory)
            state["attention"] = Emitted(ops.zeros(ops.shape(memory.values)[:2], memory.values.dtype))
        return state

    def step(self, tokens: Any, state: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """One step of a search, as `zoo.decoding` calls it.

        Args:
            tokens: `(rows,)` ids of the previous tokens.
            state: What `encode` or the step before returned. Its `"attention"`, `Emitted` `(rows, time)`, are the
                weights of this step.

        Returns:
            Log-probabilities `(rows, vocabulary)` float32, and the new state.
        """
        logits, new = self.step_logits(tokens, state)
        return ops.log_softmax(logits.values), new

    def step_logits(self, tokens: Any, state: dict[str, Any]) -> tuple[Logits, dict[str, Any]]:
        """The same as `step` with logits, of which a search normalizes only those that it needs."""
        memory = state["memory"].value if "memory" in state else None
        readout, new, weights = self.decoder.step(self.target_embedding.look_up(tokens), state, memory)
        kernel = state.get("output_kernel")
        if kernel is not None:
            new["output_kernel"] = kernel
        if memory is not None:
            del new["context"]
            new |= {"memory": state["memory"], "attention": Emitted(weights)}
        logits = self._logits(readout, None if kernel is None else kernel.value)
        return Logits(suppressed(logits, self.suppress_tokens)), new

    def generate(
        self,
        inputs: Any,
        *,
        beam_size: int = 5,
        length_penalty: float = 0.6,
        coverage_penalty: float = 0.0,
        consensus: float = 0.0,
        num_return: int = 1,
        max_new_tokens: int = 100,
        forced_prefix: Any | None = None,
    ) -> np.ndarray:
        """Writes about a batch of inputs by beam search; see `zoo.builders.search`, which also returns scores.

        Args:
            inputs: What the model reads, `(batch, ...)`.
            beam_size: Hypotheses kept for each input; 1 is greedy search.
            length_penalty: Exponent of the length normalization.
            coverage_penalty: Weight of the coverage penalty.
            consensus: If above 0, how sharply the scores weight the hypotheses whose likeness ranks them.
            num_return: Answers to each input.
            max_new_tokens: Most tokens of an answer, its end included.
            forced_prefix: Ids that every answer begins with, `(batch, time)`.

        Returns:
            Ids `(batch, time)` int32, ended by the end token and padded with 0; with `num_return` above 1
            `(batch, num_return, time)`, best first.
        """
        result = search(
            self, np.asarray(inputs), beam_size=beam_size, length_penalty=length_penalty,
            coverage_penalty=coverage_penalty, consensus=consensus, num_return=num_return,
            max_new_tokens=max_new_tokens,
            forced_prefix=forced_prefix,
        )  # fmt: skip
        tokens = np.asarray(result["tokens"], "int32")  # (batch, num_return, time)
        return tokens[:, 0] if num_return == 1 else tokens

    def search(self, inputs: Any, **options: Any) -> dict[str, Any]:
        """What this model writes about a batch of inputs, as arrays by name; see `zoo.builders.search`."""
        return search(self, inputs, **options)

    @property
    def compiles_shapes(self) -> bool:
        """Whether each new shape of a batch costs a compilation, as on JAX."""
        return keras.backend.backend() == "jax"

    def teacher_forced(self, target: Any, states: list, memory: Memory | None, training: bool | None) -> Any:
        """Logits `(rows, time, vocabulary)` of ids `(rows, time)`, padded on the right."""
        mask = ops.not_equal(target, PAD)
        embedded = self.target_embedding(target, mask=mask, training=training)
        readouts = self.readouts(embedded, mask, states, memory, training)
        return self._logits(self.output_dropout(readouts, training=training))

    def readouts(self, embedded: Any, mask: Any, states: list, memory: Memory | None, training: bool | None) -> Any:
        """The decoder's readouts `(rows, time, readout_dim)` of embedded tokens, mask `(rows, time)` True = real."""
        return self.decoder(embedded, states, memory, training=training, mask=mask)

    def _logits(self, readout: Any, kernel: Any | None = None) -> Any:
        """Logits of readouts; `kernel` are the transposed vectors of a tied output, if a search has made them."""
        if self.output_layer is not None:
            return self.output_layer(readout)
        if kernel is None:
            kernel = ops.transpose(self.target_embedding.vectors())
        product = ops.matmul(readout, ops.cast(kernel, readout.dtype))
        return ops.add(product, ops.cast(self.output_bias, readout.dtype))

    def _with_guesses(self, target: Any, guess: Any) -> Any:
        """Targets `(rows, time)` of which a part is replaced by the model's guess after the true tokens before."""
        guessed = ops.concatenate([target[:, :1], guess[:, :-1]], axis=1)
        draw = keras.random.uniform(ops.shape(target), seed=self.target_embedding.words.seed_generator)
        swap = ops.logical_and(draw < self.scheduled_sampling, ops.not_equal(target, PAD))
        return ops.where(swap, guessed, target)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape[1], self.target_embedding.vocabulary_size)


def suppressed(logits: Any, ids: Sequence[int]) -> Any:
    """Logits `(rows, vocabulary)` in float32, those of some ids so low that they are never chosen."""
    logits = ops.cast(logits, "float32")
    if not ids:
        return logits
    every = ops.arange(logits.shape[-1], dtype="int32")
    return ops.where(ops.any(every[:, None] == ops.array(list(ids), "int32"), axis=1), -1e9, logits)


def ids_spec() -> keras.InputSpec:
    """A batch of ids `(batch, time)` of any size, for `export`."""
    return keras.InputSpec(shape=(None, None), dtype="int32")
