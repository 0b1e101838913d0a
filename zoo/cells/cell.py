"""What all cells share: Keras's cell contract, so that each works in a plain `keras.layers.RNN`."""

from typing import Any

import keras
from keras import ops


class Cell(keras.layers.Layer):
    """One step of a recurrence.

    A subclass defines `build`, `call(inputs, states, training=None) -> (output, new_states)`, and `states` if it
    carries more than its output. Shapes: inputs `(batch, features)`, output and each state `(batch, units)`.

    Where inputs enter as one product, a subclass may define `gates`, `project` and `step` instead of `call`: then a
    layer that knows all inputs beforehand computes that product once, outside its loop.

    Args:
        units: Size of the output and of each state.
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
        """How far each gate is open in one step, for those who want to look inside.

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
        """Zeros, one `(batch, units)` a state."""
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in range(self.states)]

    def fused(self, **options: Any) -> keras.layers.RNN | None:
        """Keras's own layer with the same equations and the same weights in the same order, if there is one.

        It runs cuDNN's kernel on a GPU, where a loop over this cell would be many times slower.

        Args:
            **options: Of `keras.layers.RNN`: `return_sequences`, `return_state`, ...
        """
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def sizes(cell: Any) -> list[int]:
    """Units of each state of any Keras cell."""
    size = cell.state_size
    return [size] if isinstance(size, int) else list(size)


def stored(cell: Any) -> Any:
    """A `cell` argument as a config can hold it: a name or None stays, an instance becomes a dictionary."""
    return cell if cell is None or isinstance(cell, str) else keras.saving.serialize_keras_object(cell)


def restored(config: dict[str, Any], *names: str) -> dict[str, Any]:
    """A config in which the arguments of these names are again what `stored` got."""
    made = {
        name: keras.saving.deserialize_keras_object(config[name]) for name in names if isinstance(config[name], dict)
    }
    return {**config, **made}
