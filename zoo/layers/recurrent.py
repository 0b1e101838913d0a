"""From a cell to a layer: masked, stacked, bidirectional, residual.

Padding is on the right, always. Then a step that is real never sees one that is not, and the forward direction
needs no mask at all, neither here nor in cuDNN. The backward direction reads each sequence reversed within its own
length, which puts its padding on the right as well:

    tokens       mask         reversed
    a b c d      1 1 1 1      d c b a
    e f 0 0      1 1 0 0      f e 0 0
    g 0 0 0      1 0 0 0      g 0 0 0
"""

from typing import Any

import keras
from keras import ops

from zoo import cells
from zoo.cells.cell import Cell, restored, sizes, stored
from zoo.layers.dropout import LockedDropout
from zoo.layers.masked import Masked


def reverse(sequence: Any, mask: Any | None) -> Any:
    """Reverses each sequence within its length; padding stays on the right.

    Args:
        sequence: `(batch, time, features)`.
        mask: `(batch, time)`, True = real, padding on the right; None if all steps are real.
    """
    if mask is None:
        return ops.flip(sequence, axis=1)
    batch, steps, features = ops.shape(sequence)
    time = ops.arange(steps, dtype="int32")[None, :]  # (1, time)
    length = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)  # (batch, 1)
    index = ops.where(time < length, length - 1 - time, time)
    # One gather of whole rows from (batch * time, features): take_along_axis would look up every number by itself.
    rows = index + steps * ops.arange(batch, dtype="int32")[:, None]
    return ops.take(ops.reshape(sequence, (-1, features)), rows, axis=0)


@keras.saving.register_keras_serializable("zoo")
class Recurrent(Masked):
    """A stack of recurrent layers over right-padded sequences.

    Where Keras has a fused layer for the cell (`Cell.fused`), that is what runs: cuDNN on a GPU. Any other cell runs
    in `keras.layers.RNN`. Dropout is applied between layers, never inside the recurrence, which would switch cuDNN
    off and make a step about 25 times slower.

    Args:
        cell: A name, a cell class, or an instance as a pattern; see `zoo.cells.make`.
        units: Units of each direction, if the cell is no instance.
        depth: Layers on top of each other.
        bidirectional: Read backward as well; outputs and states of the two are concatenated.
        residual: Add a layer's input to its output where their sizes agree.
        layer_norm: Normalise the output of every layer over its features (Ba, Kiros and Hinton 2016).
        dropout: Rate of locked dropout on the input of every layer but the first.
        return_state: Also return the final states: a list by layer of lists of `(batch, features)`.
    """

    def __init__(
        self,
        cell: Any = "gru",
        units: int = 128,
        depth: int = 1,
        bidirectional: bool = False,
        residual: bool = False,
        layer_norm: bool = False,
        dropout: float = 0.0,
        return_state: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if depth < 1:
            raise ValueError(f"A recurrent stack needs at least one layer; got depth={depth}.")
        self.cell = cell(units) if isinstance(cell, type) else cell
        self.units, self.depth, self.bidirectional = units, depth, bidirectional
        self.residual, self.layer_norm, self.dropout, self.return_state = residual, layer_norm, dropout, return_state
        directions = ["forward", "backward"] if bidirectional else ["forward"]
        self.runs = [[self._layer(f"{way}_{level}") for way in directions] for level in range(depth)]
        self.norms = [keras.layers.LayerNormalization(name=f"norm_{level}") for level in range(depth) if layer_norm]
        self.drops = [LockedDropout(dropout, name=f"dropout_{level}") for level in range(1, depth) if dropout]

    def _layer(self, name: str) -> keras.layers.RNN:
        """One direction of one layer: fused if there is such a layer for the cell, else a loop over it."""
        cell = cells.make(self.cell, self.units)
        options = {"return_sequences": True, "return_state": self.return_state, "name": name}
        fused = cell.fused(**options) if isinstance(cell, Cell) else None
        return fused or keras.layers.RNN(cell, **options)

    @property
    def fused(self) -> bool:
        """Whether Keras's own fused layers run."""
        return type(self.runs[0][0]) is not keras.layers.RNN

    @property
    def sizes(self) -> list[list[int]]:
        """Units of the states of the forward direction, a list by layer."""
        return [sizes(ways[0].cell) for ways in self.runs]

    @property
    def output_size(self) -> int:
        """Features of the output."""
        return sum(_size(layer) for layer in self.runs[-1])

    def build(self, input_shape: tuple) -> None:
        features = input_shape[-1]
        for level, ways in enumerate(self.runs):
            for layer in ways:
                layer.build((input_shape[0], None, features))
            features = sum(_size(layer) for layer in ways)
            if self.norms:
                self.norms[level].build((input_shape[0], None, features))

    def call(
        self, inputs: Any, mask: Any | None = None, training: bool | None = None, initial_state: list | None = None
    ) -> Any:
        """Runs the stack.

        Args:
            inputs: `(batch, time, features)`, padded on the right.
            mask: `(batch, time)`, True = real. Outputs at other steps mean nothing: mask whatever reads them.
            initial_state: Where to begin, as `return_state` gives it; default zeros. Forward stacks only.

        Returns:
            `(batch, time, units or 2 * units)`; with `return_state` a pair of that and the final states.

        Raises:
            ValueError: If a bidirectional stack is given a state: its backward half would begin at the end.
        """
        if initial_state is not None and self.bidirectional:
            raise ValueError("A bidirectional stack reads whole sequences; it cannot begin from a state.")
        hidden, states = inputs, []
        # A mask holds the state where a sequence has ended. Only who asks for final states needs that.
        held = mask if self.return_state else None
        for level, ways in enumerate(self.runs):
            if level and self.drops:
                hidden = self.drops[level - 1](hidden, training=training)
            begin = None if initial_state is None else list(initial_state[level])
            results = [ways[0](hidden, initial_state=begin, mask=held, training=training)]
            if self.bidirectional:
                results.append(ways[1](reverse(hidden, mask), mask=held, training=training))
            if self.return_state:
                finals = [out[1:] for out in results]
                results = [out[0] for out in results]
                states.append([ops.concatenate(pair, axis=-1) for pair in zip(*finals, strict=True)])
            out = results[0]
            if self.bidirectional:
                out = ops.concatenate([out, reverse(results[1], mask)], axis=-1)
            if self.norms:
                out = self.norms[level](out)
            hidden = hidden + out if self.residual and hidden.shape[-1] == out.shape[-1] else out
        return (hidden, states) if self.return_state else hidden

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
            out, state = layer.cell(hidden, states[level])
            new.append(list(state))
            if self.norms:
                out = self.norms[level](out)
            hidden = hidden + out if self.residual and hidden.shape[-1] == out.shape[-1] else out
        return hidden, new

    def initial(self, batch: Any) -> list:
        """Zeros for `batch` sequences: the states of a forward stack before its first step."""
        return [[ops.zeros((batch, size), self.compute_dtype) for size in layer] for layer in self.sizes]

    def compute_output_shape(self, input_shape: tuple) -> Any:
        sequence = (*input_shape[:2], self.output_size)
        if not self.return_state:
            return sequence
        return sequence, [[(input_shape[0], size * len(ways)) for size in sizes(ways[0].cell)] for ways in self.runs]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "cell": stored(self.cell),
            "units": self.units,
            "depth": self.depth,
            "bidirectional": self.bidirectional,
            "residual": self.residual,
            "layer_norm": self.layer_norm,
            "dropout": self.dropout,
            "return_state": self.return_state,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Recurrent":
        return cls(**restored(config, "cell"))


def _size(layer: keras.layers.RNN) -> int:
    size = getattr(layer.cell, "output_size", None)
    return size or sizes(layer.cell)[0]
