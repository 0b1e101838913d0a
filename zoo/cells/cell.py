"""What all cells share: Keras's cell contract, so that each works in a plain `keras.layers.RNN`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops, tree

from zoo.serialization import Configured


class Cell(Configured):
    """One step of a recurrence.

    A subclass defines `build`, `call(inputs, states, training=None) -> (output, new_states)`, and `states` if it
    carries more than its output. Shapes: inputs `(batch, features)`, output and each state `(batch, units)`. Its
    config follows from its constructor, see `zoo.serialization`.

    Where inputs enter as one product, a subclass may define `gates`, `project` and `step` instead of `call`: then a
    layer that knows all inputs beforehand computes that product once, outside its loop.

    Args:
        units: Size of the output and of each state.

    Raises:
        ValueError: If there is no unit.
    """

    states = 1
    """How many tensors the cell carries from step to step; the first is its output."""

    gates = 0
    """How many times `units` the product of the inputs has; 0 if it cannot be separated from the step."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"A cell needs at least one unit; got units={units}.")
        self.units = units

    def project(self, inputs: Any) -> Any:
        """The part of a step that does not depend on the previous one, bias included.

        Args:
            inputs: `(..., features)`: one step or all of them.

        Returns:
            `(..., gates * units)`. Further inputs may be added as a product of this size.
        """
        raise NotImplementedError(f"{type(self).__name__} has gates = 0: its inputs enter in call alone.")

    def step(self, projected: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        """The rest of a step: what `project` returned `(batch, gates * units)`, states -> output, new states."""
        raise NotImplementedError(f"{type(self).__name__} has gates = 0: its inputs enter in call alone.")

    def call(self, inputs: Any, states: list, training: bool | None = None) -> tuple[Any, list]:
        """One step of Keras's cell contract."""
        return self.step(self.project(inputs), states, training=training)

    def gate_values(self, inputs: Any, states: list) -> dict[str, Any]:
        """How far each gate is open in one step.

        Args:
            inputs: `(batch, features)`.
            states: As for `call`, those before the step.

        Returns:
            Gate name -> `(batch, units)`, each number from 0 (shut) to 1 (open); empty for a cell without gates.
        """
        return {}

    @property
    def state_size(self) -> int | list[int]:
        """Sizes of the states, in Keras's form: a number, or a list of them."""
        return self.units if self.states == 1 else [self.units] * self.states

    @property
    def output_size(self) -> int:
        """Size of the output."""
        return self.units

    def get_initial_state(self, batch_size: Any = None) -> list:
        """Zeros, one `(batch, units)` per state."""
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in range(self.states)]

    def fused(self, **options: Any) -> keras.layers.RNN | None:
        """Keras's own layer with the same equations and the same weights in the same order, if there is one.

        It runs cuDNN's kernel on a GPU, where a loop over this cell would be many times slower.

        Args:
            **options: Of `keras.layers.RNN`: `return_sequences`, `return_state`, ...
        """
        return None


def state_sizes(cell: Any) -> list[int]:
    """Units of each state of any Keras cell, nested states one after the other."""
    return [int(size) for size in tree.flatten(cell.state_size)]


def output_size(cell: Any) -> int:
    """Units of the output of any Keras cell: as it says, else those of its first state, as in Keras."""
    size = getattr(cell, "output_size", None)
    return state_sizes(cell)[0] if size is None else int(size)


def output_is_state(cell: Any) -> bool:
    """Whether the output of a cell is known to be its first state."""
    keras_cells = (keras.layers.LSTMCell, keras.layers.GRUCell, keras.layers.SimpleRNNCell)
    return isinstance(cell, Cell) or type(cell) in keras_cells


def initial_states(cell: Any, batch_size: Any) -> list:
    """The states before the first step, in the order of `state_sizes`: zeros, unless the cell says otherwise."""
    if hasattr(cell, "get_initial_state"):
        return tree.flatten(cell.get_initial_state(batch_size=batch_size))
    return [ops.zeros((batch_size, size), cell.compute_dtype) for size in state_sizes(cell)]


def nested(cell: Any, states: Sequence[Any]) -> list:
    """Flat states as the cell itself takes them: a list, in which those of cells within the cell are lists."""
    size = cell.state_size
    if not tree.is_nested(size):
        return list(states)
    return list(tree.pack_sequence_as(tree.map_structure(int, size), list(states)))


def advance(cell: Any, inputs: Any, states: Sequence[Any]) -> tuple[Any, list]:
    """One step of any Keras cell: inputs `(batch, features)` and flat states -> output and new flat states."""
    output, new = cell(inputs, nested(cell, states))
    return output, tree.flatten(new)
