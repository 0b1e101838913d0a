"""The recurrent decoder: a stack of cells with attention to a memory in every step.

What does not depend on the previous step stays outside the loop: the input products of the first cell, the keys of
the attention, and, unless it is fed back, the readout. The same `advance` runs in the loop over a whole target and in
the single steps of a search, so the two cannot drift apart.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo import cells, engine
from zoo.cells.cell import Cell, advance, output_is_state, output_size, state_sizes
from zoo.cells.weight_dropout import dropped_weights
from zoo.engine import conditional
from zoo.layers.attention import AdditiveAttention
from zoo.layers.attention import attention as make_attention
from zoo.layers.explicit_mask import ExplicitMask
from zoo.layers.memory import FoldedMemory, Memory


@keras.saving.register_keras_serializable("zoo")
class RecurrentDecoder(ExplicitMask):
    """Embedded tokens and a first state -> one readout vector per step.

    One step, in the order of Luong, Pham and Manning (2015), section 3, for query s and context c:

        s_t = cells(x_t, s_{t-1})
        c_t = attention(s_t, memory)
        r_t = tanh(W_s s_t + W_c c_t + W_x x_t + b)              readout, of which the output layer makes logits

    With `input_feeding` (section 3.3) the first cell reads r_{t-1} beside x_t. With `conditional_cell`, attention
    stands between two steps of the first layer, as in the dl4mt lineage (Sennrich et al., "Nematus", 2017, section 2):

        s'_t = cell_1(x_t, s_{t-1});  c_t = attention(s'_t, memory);  s_t = cell_2(c_t, s'_t)

    Args:
        cell: A name, a cell class, or an instance as a pattern.
        units: Units of the cells, if `cell` is no instance.
        num_layers: Cells on top of each other.
        attention: `"additive"`, `"dot"`, `"general"`, or None for a decoder that knows its first state only.
        attention_units: Size of additive attention's space; default `units`.
        conditional_cell: Two cells with attention between them in the first layer.
        input_feeding: Feed the readout back.
        readout_dim: Size of the readout; default `units`.
        layer_norm: Normalize the input of the readout (Ba, Kiros and Hinton 2016).
        dropout: Fraction of the features dropped between layers, the same at every step.
        context_gate: Weigh the context by sigmoid(w^T s + b), one number per step (Xu et al., "Show, Attend and
            Tell", 2015, section 4.2.1, where s is that of the step before).

    Raises:
        ValueError: If `conditional_cell` or `context_gate` is given without attention, or if there is no layer.
        UserError: If the cell or the attention is unknown.
    """

    def __init__(
        self,
        cell: Any = "gru",
        units: int = 256,
        *,
        num_layers: int = 1,
        attention: str | None = "additive",
        attention_units: int | None = None,
        conditional_cell: bool = False,
        input_feeding: bool = False,
        readout_dim: int | None = None,
        layer_norm: bool = False,
        dropout: float = 0.0,
        context_gate: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (conditional_cell or context_gate) and not attention:
            what = "A conditional cell" if conditional_cell else "A context gate"
            raise ValueError(f"{what} needs an attention.")
        if num_layers < 1:
            raise ValueError(f"A decoder needs at least one layer; got num_layers={num_layers}.")
        # XLA on TensorFlow cannot compile `ops.scan` over an unknown number of steps.
        self.supports_jit = keras.backend.backend() != "tensorflow"
        self.arguments.cell = cells.pattern(cell, units)
        self.arguments.readout_dim = self.readout_dim = readout_dim or units
        self.units, self.num_layers, self.input_feeding, self.dropout = units, num_layers, input_feeding, dropout
        policy = self.dtype_policy
        self.cells = [cells.make(self.arguments.cell, units, dtype=policy) for _ in range(num_layers)]
        self.conditional_cell = cells.make(self.arguments.cell, units, dtype=policy) if conditional_cell else None
        self.attention: Any = None
        if attention:
            self.attention = make_attention(attention, attention_units or units, dtype=policy, name="attention")
        self.gate = keras.layers.Dense(1, activation="sigmoid", dtype=policy, name="gate") if context_gate else None
        self.norm = keras.layers.LayerNormalization(dtype=policy, name="norm") if layer_norm else None
        self.seed_generator = keras.random.SeedGenerator()

    @property
    def look(self) -> Any:
        """The attention, under the name that its weights have in files of version 0.1."""
        return self.attention

    @property
    def second(self) -> Any:
        """The conditional cell, under the name that its weights have in files of version 0.1."""
        return self.conditional_cell

    @property
    def state_sizes(self) -> list[list[int]]:
        """Units of the states, a list by layer, for a `Bridge`."""
        return [state_sizes(cell) for cell in self.cells]

    @property
    def hoisted(self) -> bool:
        """Whether the first cell's input products are computed outside the loop."""
        return isinstance(self.cells[0], Cell) and self.cells[0].gates > 0

    def build(self, inputs_shape: tuple, memory_shape: tuple | None = None) -> None:
        """Inputs `(batch, time, size)`, memory `(batch, time, features)`."""
        size, out = inputs_shape[-1], output_size(self.cells[0])
        features = memory_shape[-1] if self.attention is not None and memory_shape else 0
        fed = self.readout_dim if self.input_feeding else 0
        self.cells[0].build((None, size if self.hoisted else size + fed))
        for cell in self.cells[1:]:
            cell.build((None, out))
        if self.conditional_cell is not None:
            self.conditional_cell.build((None, features))
        if self.attention is not None:
            self.attention.build((None, out), memory_shape)
        if self.gate is not None:
            self.gate.build((None, out))
        if self.input_feeding and self.hoisted:
            shape = (self.readout_dim, self.cells[0].gates * self.cells[0].units)
            self.feed_kernel = self.add_weight(shape, "glorot_uniform", name="feed_kernel")
        if self.norm is not None:
            self.norm.build((None, out + features))
        self.input_kernel = self.add_weight((size, self.readout_dim), "glorot_uniform", name="input_kernel")
        self.state_kernel = self.add_weight((out + features, self.readout_dim), "glorot_uniform", name="state_kernel")
        self.bias = self.add_weight((self.readout_dim,), "zeros", name="bias")

    def prepare(self, values: Any, mask: Any = None) -> Memory:
        """What attention reads, its keys computed once: values `(batch, time, features)`, mask `(batch, time)`."""
        if mask is None:
            mask = ops.ones(ops.shape(values)[:2], "bool")
        return Memory(values, self.attention.keys(values), mask)

    @property
    def foldable(self) -> bool:
        """Whether all that is done to a context is a product with fixed weights."""
        cell = self.conditional_cell
        # Of our own cells it is known that their weights of the inputs are one affine function.
        affine = cell is None or (isinstance(cell, Cell) and cell.gates > 0 and engine.kind_of(cell)[0] is not None)
        return self.attention is not None and affine and self.gate is None and self.norm is None

    def fold(self, memory: Memory) -> Memory | FoldedMemory:
        """A memory for many steps of a search: the products of the context computed once for each of its positions.

        A context is a mean of values v_j with weights that sum to 1, so W c + b = sum_j a_j (W v_j + b). A step then
        has no product with W any more. This pays off when rows times steps are more than the positions of the memory.

        Args:
            memory: What `prepare` gave.

        Returns:
            What `step` takes; the memory itself if this decoder does more with a context than products.
        """
        if not self.foldable:
            return memory
        parts = [] if self.conditional_cell is None else [self.conditional_cell.project(memory.values)]
        out = output_size(self.cells[0])
        parts.append(ops.matmul(memory.values, ops.convert_to_tensor(self.state_kernel)[out:]))
        return FoldedMemory(ops.concatenate(parts, axis=-1), memory.keys, memory.mask)

    def start(self, states: Sequence[Sequence[Any]], memory: Any = None) -> dict[str, Any]:
        """The state before the first step.

        Args:
            states: A list by layer of lists of `(batch, units)`, as a `Bridge` makes them.
            memory: What `prepare` gave; None without attention.
        """
        state: dict[str, Any] = {"cells": [list(layer) for layer in states]}
        batch = ops.shape(states[0][0])[0]
        if self.attention is not None:
            state["context"] = ops.zeros((batch, memory.values.shape[-1]), states[0][0].dtype)
        if self.input_feeding:
            state["readout"] = ops.zeros((batch, self.readout_dim), states[0][0].dtype)
        if not output_is_state(self.cells[-1]):
            state["output"] = ops.zeros((batch, output_size(self.cells[-1])), states[0][0].dtype)
        return state

    def step(self, inputs: Any, state: dict[str, Any], memory: Any = None) -> tuple[Any, dict, Any]:
        """One step of a search.

        Args:
            inputs: `(rows, size)`, the embedded previous token.
            state: As `start` or the previous step gave it, rows of one example side by side.
            memory: What `prepare` or `fold` gave, one row per example.

        Returns:
            The readout `(rows, readout_dim)`, the new state, and the attention's weights `(rows, time)` or None.
        """
        input_part = self._input_part(inputs)
        state, weights = self._advance(self._projected(inputs), input_part, state, memory, searching=True)
        if self.input_feeding:
            return state["readout"], state, weights
        return self._read(_output(state), state, input_part, isinstance(memory, FoldedMemory)), state, weights

    def call(
        self,
        inputs: Any,
        states: Sequence[Sequence[Any]],
        memory: Any = None,
        training: bool | None = None,
        return_attention: bool = False,
        mask: Any = None,
    ) -> Any:
        """All steps of known inputs in one pass.

        Args:
            inputs: `(batch, time, size)`, embedded tokens, padded on the right.
            states: As for `start`.
            memory: What `prepare` gave; None without attention.
            training: Whether dropout is applied.
            return_attention: Return the weights `(batch, time, memory's time)` as well.
            mask: `(batch, time)`, True = real. In training, padded steps may be skipped.

        Returns:
            Readouts `(batch, time, readout_dim)`, in training undefined at padded steps; with `return_attention` a
            pair of those and the weights.

        Raises:
            ValueError: If `return_attention` is given without attention.
        """
        if return_attention and self.attention is None:
            raise ValueError("This decoder has no attention whose weights it could return.")
        dropout_mask = self._dropout_mask(ops.shape(inputs)[0]) if training and self.dropout else None
        choice = self.choice(training, inputs.shape[0])
        own = [*self.cells, *([self.conditional_cell] if self.conditional_cell is not None else [])]
        rate = getattr(own[0], "weight_dropout", 0.0) if training else 0.0
        with dropped_weights([self], own, rate, self.seed_generator):
            if choice.path != "compiled" or (return_attention and self.conditional_cell is not None):
                return self._by_steps(inputs, states, memory, dropout_mask, return_attention)
            mask = mask if training else None  # a prediction has the same numbers on every path, at padded steps too
            output, contexts, weights = self._by_layers(inputs, states, memory, mask, dropout_mask, training)
        readouts = self._read(output, {"context": contexts}, self._input_part(inputs))
        return (readouts, weights) if return_attention else readouts

    def choice(self, training: bool | None = None, batch: int | None = None) -> engine.Choice:
        """How a whole target would run here and now, and why; see `zoo.engine.choose`."""
        if self.input_feeding:
            return engine.Choice("plain", "Plain: a decoder that feeds its readout back has no kernel.")
        if self.conditional_cell is None:
            return engine.choose(self.cells[0], training=training, batch=batch)
        if type(self.attention) is not AdditiveAttention or self.gate is not None:
            return engine.Choice("plain", "Plain: only additive attention without a gate has a conditional kernel.")
        return conditional.decide(self.cells[0], training, batch)

    def _by_layers(
        self, inputs: Any, states: Any, memory: Any, mask: Any, dropout_mask: list | None, training: bool | None
    ) -> tuple[Any, Any, Any]:
        """All steps of one layer after the other: outputs of the last one, contexts, and weights if they are known.

        Without a conditional cell nothing in the recurrence depends on the contexts: all are computed at once.
        """
        hidden, contexts, weights = inputs, None, None
        for level, cell in enumerate(self.cells):
            if level and dropout_mask is not None:
                hidden = hidden * dropout_mask[level - 1][:, None]
            if level == 0 and self.conditional_cell is not None:
                hidden, contexts = conditional.run(
                    cell, self.conditional_cell, self.attention, cell.project(hidden), list(states[0]), memory, mask
                )
            else:
                hidden, _ = engine.run(cell, hidden, mask, list(states[level]), training=training)
        if self.attention is not None and contexts is None:
            batch, steps = ops.shape(hidden)[:2]
            queries = ops.reshape(hidden, (-1, hidden.shape[-1]))  # those of one memory stand side by side
            contexts, weights = self._context(queries, memory, searching=False)
            contexts = ops.reshape(contexts, (batch, steps, contexts.shape[-1]))
            weights = ops.reshape(weights, (batch, steps, -1))
        return hidden, contexts, weights

    def _by_steps(self, inputs: Any, states: Any, memory: Any, dropout_mask: list | None, attention: bool) -> Any:
        """All steps by a loop in the backend: readouts, with `attention` the weights as well."""
        projected, input_part = self._projected(inputs), self._input_part(inputs)
        start = self.start(states, memory)
        if attention:
            batch, positions = ops.shape(projected)[0], ops.shape(memory.values)[1]
            start["attention"] = ops.zeros((batch, positions), memory.values.dtype)

        def body(state: dict, now: Any) -> tuple[dict, dict]:
            own = None
            if self.input_feeding:
                now, own = now[:, : -self.readout_dim], now[:, -self.readout_dim :]
            state, weights = self._advance(now, own, state, memory, dropout_mask)
            if attention:
                state["attention"] = weights
            return state, state  # ops.scan on TensorFlow must emit all that it carries

        # One tensor, as ops.scan on TensorFlow cannot go over two whose length is unknown before.
        over = ops.concatenate([projected, input_part], axis=-1) if self.input_feeding else projected
        _, emitted = ops.scan(body, start, _swapped(over))
        if self.input_feeding:
            readouts = _swapped(emitted["readout"])
        else:
            kept = {name: _swapped(emitted[name]) for name in ("context",) if name in emitted}
            readouts = self._read(_swapped(_output(emitted)), kept, input_part)
        return (readouts, _swapped(emitted["attention"])) if attention else readouts

    def _projected(self, inputs: Any) -> Any:
        """What the first cell gets in the loop: the products of its inputs, if they can be computed outside."""
        return self.cells[0].project(inputs) if self.hoisted else inputs

    def _input_part(self, inputs: Any) -> Any:
        """The readout's product of the inputs, and its bias."""
        return ops.add(ops.matmul(inputs, self.input_kernel), self.bias)

    def _advance(
        self,
        projected: Any,
        input_part: Any,
        state: dict,
        memory: Any,
        dropout_mask: list | None = None,
        searching: bool = False,
    ) -> tuple[dict, Any]:
        """The part of a step that depends on the previous one: new state, and attention's weights or None."""
        weights: Any = None
        new: dict[str, Any] = {"cells": []}
        hidden, states = self._first(projected, state)
        if self.conditional_cell is not None:
            new["context"], weights = self._context(hidden, memory, searching)
            if isinstance(memory, FoldedMemory):
                projected_context, new["context"] = self._unfolded(new["context"])
                hidden, states = self.conditional_cell.step(projected_context, states)
            else:
                hidden, states = advance(self.conditional_cell, new["context"], states)
        new["cells"].append(list(states))
        for level, cell in enumerate(self.cells[1:], 1):
            below = hidden if dropout_mask is None else hidden * dropout_mask[level - 1]
            hidden, states = advance(cell, below, state["cells"][level])
            new["cells"].append(list(states))
        if "output" in state:
            new["output"] = hidden
        if self.attention is not None and self.conditional_cell is None:
            new["context"], weights = self._context(hidden, memory, searching)
        if self.input_feeding:
            new["readout"] = self._read(hidden, new, input_part, isinstance(memory, FoldedMemory))
        return new, weights

    def _unfolded(self, context: Any) -> tuple[Any, Any]:
        """The two parts of a context of a `FoldedMemory`: for the conditional cell and for the readout."""
        size = context.shape[-1] - self.readout_dim
        return context[:, :size], context[:, size:]

    def _context(self, hidden: Any, memory: Memory | FoldedMemory, searching: bool) -> tuple[Any, Any]:
        """What a query `(rows, units)` reads from the memory, and its weights."""
        context, weights = self.attention(hidden, *memory, searching=searching)
        return (context if self.gate is None else context * self.gate(hidden)), weights

    def _first(self, projected: Any, state: dict) -> tuple[Any, list]:
        """The first cell's step, the fed-back readout added to its inputs."""
        if not self.hoisted:
            if self.input_feeding:
                projected = ops.concatenate([projected, state["readout"]], axis=-1)
            return advance(self.cells[0], projected, state["cells"][0])
        if self.input_feeding:
            projected = projected + ops.matmul(state["readout"], self.feed_kernel)
        return self.cells[0].step(projected, state["cells"][0])

    def _read(self, hidden: Any, state: dict, input_part: Any, folded: bool = False) -> Any:
        """R = tanh(W [s; c] + W_x x + b), for one step or all of them; `input_part` is W_x x + b."""
        if folded:  # the context is W_c c already
            kernel = ops.convert_to_tensor(self.state_kernel)[: hidden.shape[-1]]
            return ops.tanh(ops.matmul(hidden, kernel) + (input_part + state["context"]))
        if self.attention is not None:
            hidden = ops.concatenate([hidden, state["context"]], axis=-1)
        if self.norm is not None:
            hidden = self.norm(hidden)
        return ops.tanh(ops.matmul(hidden, self.state_kernel) + input_part)

    def _dropout_mask(self, batch: Any) -> list:
        """Factors of the dropout between layers, the same at every step: each `(batch, units)`."""
        units = [output_size(cell) for cell in self.cells[:-1]]
        return [
            keras.random.dropout(ops.ones((batch, size), self.compute_dtype), self.dropout, seed=self.seed_generator)
            for size in units
        ]

    def compute_output_shape(self, inputs_shape: tuple, *_: Any, **__: Any) -> tuple:
        return (*inputs_shape[:2], self.readout_dim)


def _output(state: dict) -> Any:
    """The output of the last cell: its first state, unless a cell has both."""
    return state["output"] if "output" in state else state["cells"][-1][0]


def _swapped(sequence: Any) -> Any:
    """`(batch, time, ...)` to `(time, batch, ...)` and back."""
    return ops.swapaxes(sequence, 0, 1)
