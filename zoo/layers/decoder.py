"""The recurrent decoder: a stack of cells that may look at a memory in every step.

What does not depend on the previous step stays outside the loop: the input products of the first cell, the keys of
the attention, and, unless it is fed back, the readout. The same `advance` runs in the loop over a whole target and in
the single steps of a search, so the two cannot drift apart.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from zoo import cells
from zoo.cells.cell import Cell, restored, sizes, stored
from zoo.layers.attention import attention as make_attention
from zoo.layers.masked import Masked


class Memory(NamedTuple):
    """What attention looks at: values `(batch, time, features)`, keys, mask `(batch, time)` with True = real."""

    values: Any
    keys: Any
    mask: Any


@keras.saving.register_keras_serializable("zoo")
class RecurrentDecoder(Masked):
    """Embedded tokens and a first state -> one readout vector a step.

    A step, in the order of Luong, Pham and Manning (2015), section 3, for query s and context c:

        s_t = cells(x_t, s_{t-1})
        c_t = attention(s_t, memory)
        r_t = tanh(W_s s_t + W_c c_t + W_x x_t + b)              readout, of which the output layer makes logits

    With `input_feeding` (section 3.3) the first cell reads r_{t-1} beside x_t. With `conditional`, attention stands
    between two steps of the first layer, as in the dl4mt lineage (Sennrich et al., "Nematus", 2017, section 2):

        s'_t = cell_1(x_t, s_{t-1});  c_t = attention(s'_t, memory);  s_t = cell_2(c_t, s'_t)

    Args:
        cell: A name, a cell class, or an instance as a pattern.
        units: Units of the cells, if `cell` is no instance.
        depth: Cells on top of each other.
        attention: `"additive"`, `"dot"`, `"general"`, or None for a decoder that knows its first state only.
        attention_units: Size of additive attention's space; default `units`.
        conditional: Two steps with attention between them in the first layer.
        input_feeding: Feed the readout back.
        readout: Size of the readout; default `units`.
        layer_norm: Normalise what the readout is made of (Ba, Kiros and Hinton 2016).
        dropout: Locked dropout between layers.
        context_gate: Weigh the context by sigmoid(w^T s + b): how much this step looks at all (Xu et al., "Show,
            Attend and Tell", 2015, section 4.2.1, where s is that of the step before).

    Raises:
        ValueError: If `conditional` or `context_gate` is asked for without attention.
    """

    def __init__(
        self,
        cell: Any = "gru",
        units: int = 256,
        depth: int = 1,
        attention: str | None = "additive",
        attention_units: int | None = None,
        conditional: bool = False,
        input_feeding: bool = False,
        readout: int | None = None,
        layer_norm: bool = False,
        dropout: float = 0.0,
        context_gate: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (conditional or context_gate) and not attention:
            what = "A conditional decoder" if conditional else "A context gate"
            raise ValueError(f"{what} needs an attention.")
        if depth < 1:
            raise ValueError(f"A decoder needs at least one layer; got depth={depth}.")
        self.cell = cell(units) if isinstance(cell, type) else cell
        self.units, self.depth, self.attention_units = units, depth, attention_units
        self.conditional, self.input_feeding, self.layer_norm, self.dropout = (
            conditional, input_feeding, layer_norm, dropout,
        )  # fmt: skip
        self.kind, self.readout = attention, readout or units
        self.cells = [cells.make(self.cell, units) for _ in range(depth)]
        self.second = cells.make(self.cell, units) if conditional else None
        self.look: Any = make_attention(attention, attention_units or units, name="attention") if attention else None
        self.gate = keras.layers.Dense(1, activation="sigmoid", name="gate") if context_gate else None
        self.norm = keras.layers.LayerNormalization(name="norm") if layer_norm else None
        self.seed_generator = keras.random.SeedGenerator()

    @property
    def sizes(self) -> list[list[int]]:
        """Units of the states, a list by layer: what a `Bridge` must make."""
        return [sizes(cell) for cell in self.cells]

    @property
    def hoisted(self) -> bool:
        """Whether the first cell's input products are computed outside the loop."""
        return isinstance(self.cells[0], Cell) and self.cells[0].gates > 0

    def build(self, inputs_shape: tuple, memory_shape: tuple | None = None) -> None:
        """inputs `(batch, time, size)`, memory `(batch, time, features)`."""
        size, out = inputs_shape[-1], sizes(self.cells[0])[0]
        features = memory_shape[-1] if self.look is not None and memory_shape else 0
        fed = self.readout if self.input_feeding else 0
        self.cells[0].build((None, size if self.hoisted else size + fed))
        for cell in self.cells[1:]:
            cell.build((None, out))
        if self.second is not None:
            self.second.build((None, features))
        if self.look is not None:
            self.look.build((None, out), memory_shape)
        if self.gate is not None:
            self.gate.build((None, out))
        if self.input_feeding and self.hoisted:
            shape = (self.readout, self.cells[0].gates * self.cells[0].units)
            self.feed_kernel = self.add_weight(shape, "glorot_uniform", name="feed_kernel")
        if self.norm is not None:
            self.norm.build((None, out + features))
        self.input_kernel = self.add_weight((size, self.readout), "glorot_uniform", name="input_kernel")
        self.state_kernel = self.add_weight((out + features, self.readout), "glorot_uniform", name="state_kernel")
        self.bias = self.add_weight((self.readout,), "zeros", name="bias")

    def prepare(self, values: Any, mask: Any = None) -> Memory:
        """What attention looks at, its keys computed once: values `(batch, time, features)`, mask `(batch, time)`."""
        if mask is None:
            mask = ops.ones(ops.shape(values)[:2], "bool")
        return Memory(values, self.look.keys(values), mask)

    def start(self, states: Sequence[Sequence[Any]], memory: Any = None) -> dict[str, Any]:
        """The state before the first step.

        Args:
            states: A list by layer of lists of `(batch, units)`, as a `Bridge` makes them.
            memory: What `prepare` gave; None without attention.
        """
        state: dict[str, Any] = {"cells": [list(layer) for layer in states]}
        batch = ops.shape(states[0][0])[0]
        if self.look is not None:
            state["context"] = ops.zeros((batch, memory.values.shape[-1]), states[0][0].dtype)
        if self.input_feeding:
            state["readout"] = ops.zeros((batch, self.readout), states[0][0].dtype)
        return state

    def step(self, inputs: Any, state: dict[str, Any], memory: Any = None) -> tuple[Any, dict, Any]:
        """One step of a search.

        Args:
            inputs: `(rows, size)`, the embedded previous token.
            state: As `start` or the previous step gave it, rows of one example side by side.
            memory: What `prepare` gave, one row an example.

        Returns:
            The readout `(rows, readout)`, the new state, and the attention's weights `(rows, time)` or None.
        """
        projected, part = self._outside(inputs)
        state, weights = self._advance(projected, part, state, memory)
        readout = state["readout"] if self.input_feeding else self._read(state["cells"][-1][0], state, part)
        return readout, state, weights

    def call(
        self,
        inputs: Any,
        states: Sequence[Sequence[Any]],
        memory: Any = None,
        training: bool | None = None,
        return_attention: bool = False,
    ) -> Any:
        """All steps of known inputs in one pass.

        Args:
            inputs: `(batch, time, size)`, embedded tokens, padded on the right.
            states: As for `start`.
            memory: What `prepare` gave; None without attention.
            training: Whether dropout is applied.
            return_attention: Return the weights `(batch, time, memory's time)` as well.

        Returns:
            Readouts `(batch, time, readout)`; with `return_attention` a pair of those and the weights.

        Raises:
            ValueError: If the weights of a decoder without attention are asked for.
        """
        if return_attention and self.look is None:
            raise ValueError("This decoder has no attention whose weights it could return.")
        projected, part = self._outside(inputs)
        noise = self._noise(ops.shape(inputs)[0]) if training and self.dropout else None
        start = self.start(states, memory)
        if return_attention:
            start["attention"] = ops.zeros((ops.shape(inputs)[0], ops.shape(memory.values)[1]), memory.values.dtype)

        def body(state: dict, now: Any) -> tuple[dict, dict]:
            now, fed = (now[:, : -self.readout], now[:, -self.readout :]) if self.input_feeding else (now, None)
            state, weights = self._advance(now, fed, state, memory, noise)
            if return_attention:
                state["attention"] = weights
            return state, state  # ops.scan on TensorFlow wants to emit what it carries, no less

        # One tensor, as ops.scan on TensorFlow cannot go over two whose length is unknown before.
        over = ops.concatenate([projected, part], axis=-1) if self.input_feeding else projected
        _, emitted = ops.scan(body, start, _swapped(over))
        if self.input_feeding:
            readouts = _swapped(emitted["readout"])
        else:
            kept = {name: _swapped(emitted[name]) for name in ("context",) if name in emitted}
            readouts = self._read(_swapped(emitted["cells"][-1][0]), kept, part)
        return (readouts, _swapped(emitted["attention"])) if return_attention else readouts

    def _outside(self, inputs: Any) -> tuple[Any, Any]:
        """What the loop gets of its inputs: the first cell's products, and the readout's."""
        projected = self.cells[0].project(inputs) if self.hoisted else inputs
        return projected, ops.matmul(inputs, self.input_kernel) + self.bias

    def _advance(
        self, projected: Any, part: Any, state: dict, memory: Any, noise: list | None = None
    ) -> tuple[dict, Any]:
        """The part of a step that depends on the previous one: new state, and attention's weights or None."""
        weights: Any = None
        new: dict[str, Any] = {"cells": []}
        hidden, states = self._first(projected, state)
        if self.second is not None:
            new["context"], weights = self._context(hidden, memory)
            hidden, states = self.second(new["context"], states)
        new["cells"].append(list(states))
        for level, cell in enumerate(self.cells[1:], 1):
            below = hidden if noise is None else hidden * noise[level - 1]
            hidden, states = cell(below, state["cells"][level])
            new["cells"].append(list(states))
        if self.look is not None and self.second is None:
            new["context"], weights = self._context(hidden, memory)
        if self.input_feeding:
            new["readout"] = self._read(hidden, new, part)
        return new, weights

    def _context(self, hidden: Any, memory: Memory) -> tuple[Any, Any]:
        """What a query `(rows, units)` finds in the memory, and where it has looked."""
        context, weights = self.look(hidden, *memory)
        return (context if self.gate is None else context * self.gate(hidden)), weights

    def _first(self, projected: Any, state: dict) -> tuple[Any, list]:
        """The first cell's step, the fed-back readout added to its inputs."""
        if not self.hoisted:
            if self.input_feeding:
                projected = ops.concatenate([projected, state["readout"]], axis=-1)
            return self.cells[0](projected, state["cells"][0])
        if self.input_feeding:
            projected = projected + ops.matmul(state["readout"], self.feed_kernel)
        return self.cells[0].step(projected, state["cells"][0])

    def _read(self, hidden: Any, state: dict, part: Any) -> Any:
        """r = tanh(W [s; c] + W_x x + b), for one step or all of them; `part` is W_x x + b."""
        if self.look is not None:
            hidden = ops.concatenate([hidden, state["context"]], axis=-1)
        if self.norm is not None:
            hidden = self.norm(hidden)
        return ops.tanh(ops.matmul(hidden, self.state_kernel) + part)

    def _noise(self, batch: Any) -> list:
        """Locked dropout's factors between layers, the same at every step: each `(batch, units)`."""
        units = [sizes(cell)[0] for cell in self.cells[:-1]]
        return [
            keras.random.dropout(ops.ones((batch, size), self.compute_dtype), self.dropout, seed=self.seed_generator)
            for size in units
        ]

    def compute_output_shape(self, inputs_shape: tuple, *_: Any, **__: Any) -> tuple:
        return (*inputs_shape[:2], self.readout)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "cell": stored(self.cell),
            "units": self.units,
            "depth": self.depth,
            "attention": self.kind,
            "attention_units": self.attention_units,
            "conditional": self.conditional,
            "input_feeding": self.input_feeding,
            "readout": self.readout,
            "layer_norm": self.layer_norm,
            "dropout": self.dropout,
            "context_gate": self.gate is not None,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RecurrentDecoder":
        return cls(**restored(config, "cell"))


def _swapped(sequence: Any) -> Any:
    """`(batch, time, ...)` to `(time, batch, ...)` and back."""
    return ops.swapaxes(sequence, 0, 1)
