"""Many-to-many: the next token, at every step; and the same fed back, one token at a time."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from zoo import cells
from zoo.builders.built_model import TokenModel, builder
from zoo.builders.continuation import continued
from zoo.builders.encoder_decoder import ids_spec, suppressed
from zoo.builders.searcher import searcher
from zoo.ids import PAD
from zoo.layers import CarriedState, TokenEmbedding, recurrent_stack


@keras.saving.register_keras_serializable("zoo")
class LanguageModel(TokenModel):
    """A recurrent language model: ids -> logits of the next token at every step.

    Source: Mikolov et al., "Recurrent Neural Network Based Language Model" (2010); its training on contiguous streams
    is the truncated backpropagation through time of Williams and Peng (1990).

    Called with ids `(batch, time)` int32, padded with 0, or with a pair of them and `begins` `(batch,)`, it returns
    logits `(batch, time, vocabulary_size)`. `generate` continues prompts; `read`, `encode` and `step` go on from a
    state.

    Args:
        vocabulary_size: Number of ids; 0 is padding.
        cell: Cell name, class or instance; see `zoo.cells.make`.
        units: Units of every layer.
        embedding_dim: Length of a token's vector; default `units` with a tied output, else at most 128.
        num_layers: Recurrent layers on top of each other.
        tie_output: Share weights between embedding and output layer (Press and Wolf 2017).
        block: `"residual"` makes each recurrent layer a residual block of normalization, cell, gated linear unit and
            skip connection, see `zoo.layers.ResidualStack`; None stacks them plainly.
        residual: Add a layer's input to its output where their sizes agree.
        layer_norm: Normalize the output of every recurrent layer.
        word_dropout: Fraction of the tokens replaced by the unknown one while training.
        embedding_dropout: Fraction of the features of token vectors dropped, the same at every step.
        dropout: Fraction of the features dropped between recurrent layers, the same at every step.
        output_dropout: Dropout before the output layer.
        suppress_tokens: Ids that are never generated, such as that of the unknown token.
        streams: Rows of a training batch, if it is fed with `(tokens, begins)` and each row continues where it ended
            in the batch before; 0 carries no state. It belongs to a training and is not saved with the model.
        name: Name of the model.
        dtype: Precision policy; default the global one.

    Raises:
        ValueError: If a size makes no sense, or a tied output has another size than the units.
        UserError: If a cell or a block is unknown.
    """

    no_second_pass = "it carries its state from one batch to the next"

    def __init__(
        self,
        vocabulary_size: int,
        cell: Any = "gru",
        units: int = 512,
        *,
        embedding_dim: int | None = None,
        num_layers: int = 1,
        tie_output: bool = False,
        block: str | None = None,
        residual: bool = False,
        layer_norm: bool = False,
        word_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        output_dropout: float = 0.0,
        suppress_tokens: Sequence[int] = (),
        streams: int = 0,
        name: str = "language_model",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if vocabulary_size < 2:
            raise ValueError(f"A language model needs two ids at least; got vocabulary_size={vocabulary_size}.")
        if tie_output and embedding_dim not in (None, units):
            raise ValueError(
                f"A tied output layer needs vectors as long as the units; got {embedding_dim} and {units}."
            )
        policy, given = self.dtype_policy, self.arguments
        given.cell = cells.pattern(cell, units)
        given.embedding_dim = embedding_dim = embedding_dim or (units if tie_output else min(units, 128))
        given.streams = 0
        self.vocabulary_size, self.suppress_tokens = vocabulary_size, tuple(suppress_tokens)
        self.embedding = TokenEmbedding(
            vocabulary_size, embedding_dim, word_dropout, embedding_dropout, dtype=policy, name="embedding"
        )
        self.recurrent = recurrent_stack(
            block, given.cell, units, num_layers=num_layers, residual=residual, layer_norm=layer_norm,
            dropout=dropout, return_state=True, dtype=policy, name="recurrent",
        )  # fmt: skip
        self.output_dropout = keras.layers.Dropout(output_dropout, dtype=policy, name="output_dropout")
        self.output_layer = None if tie_output else keras.layers.Dense(vocabulary_size, dtype=policy, name="output")
        self.carry: CarriedState | None = None
        if streams:
            self.carry = CarriedState(streams, self.recurrent.state_sizes, dtype=policy, name="carry")

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers; sizes do not depend on the input."""
        if self.built:
            return
        self.embedding.build((None, None))
        self.recurrent.build((None, None, self.embedding.embedding_dim))
        if self.output_layer is None:
            self.output_bias = self.add_weight((self.vocabulary_size,), "zeros", name="output_bias")
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
            inputs: Ids `(batch, time)`, padded with 0 anywhere; or a pair of ids and `begins` `(batch,)`, True where a
                row does not continue the batch before. Only a training continues; then rows have no padding before
                a token.
            training: Whether dropout is on and states are carried.

        Returns:
            `(batch, time, vocabulary_size)`: at t the logits of the token after that at t.
        """
        tokens, begins = inputs if isinstance(inputs, (tuple, list)) else (inputs, None)
        if not training or self.carry is None or begins is None:
            mask = ops.not_equal(tokens, PAD)
            embedded = self.embedding(tokens, mask=mask, training=training)
            hidden = self.recurrent(embedded, mask=mask, training=training, return_state=False)
            return self._logits(self.output_dropout(hidden, training=training))
        return self._carried(self.carry, tokens, begins, training)

    def _carried(self, carry: CarriedState, tokens: Any, begins: Any, training: bool) -> Any:
        """Logits of streams that go on where the batch before ended."""
        logits, states = self.read(tokens, carry.read(begins), training=training)
        carry.write(states)
        return logits

    def as_teacher(self, student: Any) -> tuple[Callable[[Any], Any], list[keras.Variable]]:
        """Outputs for the streams of a student, through which this model carries a state of its own."""
        carry = CarriedState(student.carry.streams, self.recurrent.state_sizes, dtype=self.dtype_policy)
        carry.build()

        def answer(x: Any) -> Any:
            tokens, begins = x
            return self._carried(carry, tokens, begins, training=False)

        return answer, carry.variables

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
            Logits `(batch, time, vocabulary_size)`, and the states after the last token.
        """
        embedded = self.embedding(tokens, mask=ops.not_equal(tokens, PAD), training=training)
        hidden, states = self.recurrent(embedded, mask=mask, training=training, initial_state=states)
        return self._logits(self.output_dropout(hidden, training=training)), states

    def begin(self, batch: int) -> list:
        """The states before the first token of `batch` texts."""
        return self.recurrent.initial(batch)

    def encode(self, inputs: Any) -> list:
        """The state of a search: after some ids `(batch, time)`, padded with 0 anywhere, or a state itself."""
        if isinstance(inputs, (list, tuple)):
            return [list(layer) for layer in inputs]
        return self.read(inputs, self.begin(ops.shape(inputs)[0]), mask=ops.not_equal(inputs, PAD))[1]

    def step(self, tokens: Any, state: list) -> tuple[Any, list]:
        """One step of a search: ids `(rows,)` -> log-probabilities `(rows, vocabulary_size)` float32, new state."""
        hidden, state = self.recurrent.step(self.embedding(tokens[:, None])[:, 0], state)
        return ops.log_softmax(suppressed(self._logits(hidden), self.suppress_tokens)), state

    def reader(self) -> keras.Model:
        """Goes through texts and computes the loss of each token; see `zoo.builders.reader`."""
        from zoo.builders.reader import reader

        return reader(self)

    def searcher(self, search: str, **options: Any) -> keras.Model:
        """A compiled search that goes on from a state; see `zoo.builders.searcher`."""
        return searcher(self, search, **options)

    def generate(
        self,
        tokens: Any,
        *,
        max_new_tokens: int = 100,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        beam_size: int | None = None,
        seed: int | None = None,
    ) -> Any:
        """Continues prompts by sampling, or by beam search.

        Args:
            tokens: Prompts: ids `(batch, time)`, padded with 0 anywhere, or a list of lists of ids. Each has a token
                at least, such as the start token.
            max_new_tokens: Most tokens that are added, an end token included.
            temperature: Below 1 the probable becomes more probable; 0 takes the best.
            top_k: Sample from this many of the most probable tokens; 0 from all.
            top_p: Sample from the fewest tokens with this probability together.
            beam_size: Beam search with this many hypotheses, 1 for greedy search, instead of sampling.
            seed: The same seed draws the same tokens; default anew at each call.

        Returns:
            The new tokens `(batch, time)` int32, without the prompts, padded with 0 after an end token.

        Raises:
            UserError: If a prompt is empty.
        """
        sampling = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        return continued(self, tokens, max_new_tokens, beam_size, seed, sampling)

    def _logits(self, hidden: Any) -> Any:
        if self.output_layer is not None:
            return self.output_layer(hidden)
        table = ops.cast(self.embedding.vectors(), hidden.dtype)
        return ops.matmul(hidden, ops.transpose(table)) + ops.cast(self.output_bias, hidden.dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        tokens = input_shape[0] if isinstance(input_shape[0], (tuple, list)) else input_shape
        return (*tokens, self.vocabulary_size)

    @property
    def input_signature(self) -> list[Any]:
        return [ids_spec()]


language_model = builder(LanguageModel, "language_model")
