"""From a cell to a layer: masked, stacked, bidirectional, residual.

Inside, padding is on the right; rows that are padded elsewhere are packed first, see `zoo.layers.padding`. Then no real
step ever reads a padded one, and the forward direction needs no mask at all, neither here nor in cuDNN. The backward
direction reads each sequence reversed within its own length, which puts its padding on the right as well:

    tokens       mask         reversed
    a b c d      1 1 1 1      d c b a
    e f 0 0      1 1 0 0      f e 0 0
    g 0 0 0      1 0 0 0      g 0 0 0
"""

from typing import Any

import keras
from keras import ops, tree

from zoo import cells, engine
from zoo.cells.cell import Cell, advance, initial_states, nested, output_size, state_sizes
from zoo.cells.weight_dropout import dropped_weights
from zoo.layers.explicit_mask import ExplicitMask
from zoo.layers.padding import pack, take_steps, unpack

PLAIN = engine.Choice("plain", "Plain: asked for by the layer.")
"""The path of a loop over steps, whatever `engine.choose` would say."""


def reverse(sequence: Any, mask: Any | None) -> Any:
    """Reverses each sequence within its length; padding stays on the right.

    Args:
        sequence: `(batch, time, features)`.
        mask: `(batch, time)`, True = real, padding on the right; None if all steps are real.
    """
    if mask is None:
        return ops.flip(sequence, axis=1)
    time = ops.arange(ops.shape(sequence)[1], dtype="int32")[None, :]  # (1, time)
    length = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)  # (batch, 1)
    return take_steps(sequence, ops.where(time < length, length - 1 - time, time))


@keras.saving.register_keras_serializable("zoo")
class Recurrent(ExplicitMask):
    """A stack of recurrent layers.

    `zoo.engine` chooses how the cell runs: by compiled kernels on a CPU; on a GPU by Keras's fused layer (`Cell.fused`)
    with cuDNN, or on JAX by a loop with a hand-written gradient; by the cell's own `sequence` method; or as a loop in
    `keras.layers.RNN`, for any cell. All give the same numbers. Dropout is applied between layers, never inside the
    recurrence, which would switch cuDNN off and make a step about 25 times slower; a cell's `weight_dropout` drops
    recurrent weights before it.

    Args:
        cell: A name, a cell class, or an instance as a pattern; see `zoo.cells.make`.
        units: Units of each direction, if the cell is no instance.
        num_layers: Layers on top of each other.
        bidirectional: Read backward as well; outputs and states of the two are concatenated.
        residual: Add a layer's input to its output where their sizes agree.
        layer_norm: Normalize the output of every layer over its features (Ba, Kiros and Hinton 2016).
        dropout: Fraction of the features dropped from the input of every layer but the first, the same at all steps.
        return_state: Also return the final states: a list by layer of lists of `(batch, features)`.

    Raises:
        ValueError: If there is no layer.
        UserError: If the cell is none.
    """

    def __init__(
        self,
        cell: Any = "gru",
        units: int = 128,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        residual: bool = False,
        layer_norm: bool = False,
        dropout: float = 0.0,
        return_state: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_layers < 1:
            raise ValueError(f"A recurrent stack needs at least one layer; got num_layers={num_layers}.")
        self.arguments.cell = cells.pattern(cell, units)
        self.units, self.num_layers, self.bidirectional = units, num_layers, bidirectional
        self.residual, self.layer_norm, self.dropout, self.return_state = residual, layer_norm, dropout, return_state
        self.seed_generator: Any = None
        policy, directions = self.dtype_policy, ["forward", "backward"] if bidirectional else ["forward"]
        self.runs = [[self._layer(f"{way}_{level}") for way in directions] for level in range(num_layers)]
        self.norms = [
            keras.layers.LayerNormalization(dtype=policy, name=f"norm_{level}")
            for level in range(num_layers)
            if layer_norm
        ]
        self.drops = [
            keras.layers.SpatialDropout1D(dropout, dtype=policy, name=f"dropout_{level}")
            for level in range(1, num_layers)
            if dropout
        ]

    def _layer(self, name: str) -> keras.layers.RNN:
        """One direction of one layer: fused if there is such a layer for the cell, else a loop over it."""
        cell = cells.make(self.arguments.cell, self.units, dtype=self.dtype_policy)
        self.weight_dropout = getattr(cell, "weight_dropout", 0.0)  # Keras's fused layers know nothing of it
        if self.weight_dropout and self.seed_generator is None:
            self.seed_generator = keras.random.SeedGenerator()
        options = {"return_sequences": True, "return_state": self.return_state, "name": name}
        fused = cell.fused(**options) if isinstance(cell, Cell) else None
        return fused or keras.layers.RNN(cell, dtype=self.dtype_policy, **options)

    def choice(self, training: bool | None = None, batch: int | None = None) -> engine.Choice:
        """How the cell would run here and now, and why; see `zoo.engine.choose`."""
        return engine.choose(self.runs[0][0].cell, training=training, batch=batch)

    @property
    def state_sizes(self) -> list[list[int]]:
        """Units of the states of the forward direction, a list by layer."""
        return [state_sizes(ways[0].cell) for ways in self.runs]

    @property
    def output_size(self) -> int:
        """Features of the output."""
        return sum(output_size(layer.cell) for layer in self.runs[-1])

    def build(self, input_shape: tuple) -> None:
        features = input_shape[-1]
        for level, ways in enumerate(self.runs):
            for layer in ways:
                layer.build((input_shape[0], None, features))
            features = sum(output_size(layer.cell) for layer in ways)
            if self.norms:
                self.norms[level].build((input_shape[0], None, features))

    def call(
        self,
        inputs: Any,
        mask: Any | None = None,
        training: bool | None = None,
        initial_state: list | None = None,
        return_state: bool | None = None,
    ) -> Any:
        """Runs the stack.

        Args:
            inputs: `(batch, time, features)`.
            mask: `(batch, time)`, True = real; padding may stand anywhere. Outputs at padded steps mean nothing: mask
                whatever reads them.
            training: Whether dropout is applied, and gradients are going to be asked for.
            initial_state: Where to begin, as `return_state` gives it; default zeros. Forward stacks only.
            return_state: False returns no states, even if the layer was made to: then a mask costs nothing.

        Returns:
            `(batch, time, units or 2 * units)`; with `return_state` a pair of that and the final states, those of
            cells within cells one after the other.

        Raises:
            ValueError: If a bidirectional stack is given a state: its backward half would begin at the end.
        """
        if initial_state is not None and self.bidirectional:
            raise ValueError("A bidirectional stack reads whole sequences; it cannot begin from a state.")
        with_states = self.return_state if return_state is None else self.return_state and return_state
        original, states = mask, []
        hidden, mask = (inputs, None) if mask is None else pack(inputs, mask)
        choice = self.choice(training, hidden.shape[0])
        for level, ways in enumerate(self.runs):
            if level and self.drops:
                hidden = self.drops[level - 1](hidden, training=training)
            begin = None if initial_state is None else list(initial_state[level])
            rate = self.weight_dropout if training else 0.0
            with dropped_weights(ways, [way.cell for way in ways], rate, self.seed_generator):
                if engine.has_kernel(ways[0].cell, choice) or hasattr(ways[0].cell, "sequence"):
                    # Only final states and the backward direction need the mask. Kernels skip what is padded.
                    needed = mask if choice.path == "compiled" or with_states or self.bidirectional else None
                    out, finals = self._by_engine(ways, hidden, needed, training, begin, choice)
                else:
                    out, finals = self._by_keras(ways, hidden, mask, training, begin, with_states)
            if with_states:
                states.append([ops.concatenate(pair, axis=-1) for pair in zip(*finals, strict=True)])
            if self.norms:
                out = self.norms[level](out)
            hidden = hidden + out if self.residual and hidden.shape[-1] == out.shape[-1] else out
        hidden = hidden if original is None else unpack(hidden, original)
        return (hidden, states) if with_states else hidden

    def _by_engine(
        self, ways: list, inputs: Any, mask: Any, training: bool | None, begin: list | None, choice: engine.Choice
    ) -> tuple[Any, list[list]]:
        """One layer by compiled kernels or its cells' `sequence`: outputs of all directions, final states of each."""
        cells = [layer.cell for layer in ways]
        if self.bidirectional:
            return engine.run_bidirectional(cells[0], cells[1], inputs, mask, training, choice)
        outputs, final = engine.run(cells[0], inputs, mask, begin, training=training, choice=choice)
        return outputs, [final]

    def _by_keras(
        self, ways: list, inputs: Any, mask: Any, training: bool | None, begin: list | None, with_states: bool
    ) -> tuple[Any, list[list]]:
        """One layer by Keras's layers; the final states only `with_states`."""
        # A mask holds the state where a sequence has ended. Only final states need that.
        state_mask = mask if with_states else None
        begin = None if begin is None else nested(ways[0].cell, begin)
        results = [self._run(ways[0], inputs, state_mask, training, begin)]
        out = results[0][0]
        if self.bidirectional:
            results.append(self._run(ways[1], reverse(inputs, mask), state_mask, training))
            out = ops.concatenate([out, reverse(results[1][0], mask)], axis=-1)
        return out, [finals for _, finals in results]

    def _run(
        self, layer: keras.layers.RNN, inputs: Any, mask: Any, training: bool | None, begin: list | None = None
    ) -> tuple[Any, list]:
        """One direction of one layer: its outputs `(batch, time, units)`, and its flat final states if it has them."""
        if type(layer) is keras.layers.RNN and isinstance(layer.cell, Cell) and layer.cell.gates:
            # The product of the inputs is computed once for all steps, where Keras's loop would do it in each.
            return engine.run(layer.cell, inputs, mask, begin, training=training, choice=PLAIN)
        result = layer(inputs, initial_state=begin, mask=mask, training=training)
        return (result[0], tree.flatten(result[1:])) if self.return_state else (result, [])

    def step(self, inputs: Any, states: list) -> tuple[Any, list]:
        """One step of a forward stack, by the same weights.

        Args:
            inputs: `(batch, features)`.
            states: As `return_state` gives them, or `initial`.

        Returns:
            The output `(batch, units)`, and the new states.
        """
        hidden, new = inputs, []
        for level, (layer,) in enumerate(self.runs):
            out, state = advance(layer.cell, hidden, states[level])
            new.append(state)
            if self.norms:
                out = self.norms[level](out)
            hidden = hidden + out if self.residual and hidden.shape[-1] == out.shape[-1] else out
        return hidden, new

    def initial(self, batch: Any) -> list:
        """The states of a forward stack before the first step of `batch` sequences."""
        return [initial_states(ways[0].cell, batch) for ways in self.runs]

    def compute_output_shape(self, input_shape: tuple) -> Any:
        sequence = (*input_shape[:2], self.output_size)
        if not self.return_state:
            return sequence
        states = [[(input_shape[0], size * len(ways)) for size in state_sizes(ways[0].cell)] for ways in self.runs]
        return sequence, states
