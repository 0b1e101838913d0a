"""What all cells share: Keras's cell contract, so that each works in a plain `keras.layers.RNN`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops, tree

from zoo.errors import UserError
from zoo.names import nearest
from zoo.serialization import Configured

_KINDS = {"initializer": keras.initializers, "regularizer": keras.regularizers, "constraint": keras.constraints}
"""What an argument such as `kernel_initializer` is -> the Keras module that reads it."""

_GROUPS = ("kernel", "recurrent", "bias")
"""Groups of weights that have arguments of their own."""


class Cell(Configured):
    """One step of a recurrence.

    A subclass defines `build`, `call(inputs, states, training=None) -> (output, new_states)`, and `states` if it
    carries more than its output. Shapes: inputs `(batch, features)`, output and each state `(batch, units)`. Its
    config follows from its constructor, see `zoo.serialization`. It creates its weights by `add_kernel`,
    `add_recurrent_kernel` and `add_bias`, which apply the arguments below.

    Where inputs enter as one product, a subclass may define `gates`, `project` and `step` instead of `call`: then a
    layer that knows all inputs beforehand computes that product once, outside its loop.

    Args:
        units: Size of the output and of each state.
        use_bias: Whether the cell has biases.
        weight_dropout: Fraction of the recurrent weights that a layer of `zoo` drops in each training step, see
            `zoo.cells.weight_dropout`; 0 for a cell without a recurrent matrix.
        kernel_initializer: Initializer of the input weights. This and all that follow: a name, a config or an
            object, as in `keras.layers.LSTMCell`.
        recurrent_initializer: Initializer of the recurrent weights.
        bias_initializer: Initializer of the biases.
        kernel_regularizer: Regularizer of the input weights.
        recurrent_regularizer: Regularizer of the recurrent weights.
        bias_regularizer: Regularizer of the biases.
        kernel_constraint: Constraint of the input weights.
        recurrent_constraint: Constraint of the recurrent weights.
        bias_constraint: Constraint of the biases.

    Raises:
        UserError: If `units` is less than 1, `weight_dropout` is no fraction or the cell has no recurrent matrix, or
            Keras does not know an initializer, regularizer or constraint.
    """

    states = 1
    """How many tensors the cell carries from step to step."""

    gates = 0
    """How many times `units` the product of the inputs has; 0 if it cannot be separated from the step."""

    output_is_state = True
    """Whether the output is the first state."""

    recurrent_matrix = False
    """Whether `recurrent_kernel` is a matrix that multiplies the state: what `weight_dropout` drops from."""

    def __init__(
        self,
        units: int,
        *,
        use_bias: bool = True,
        weight_dropout: float = 0.0,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if units < 1:
            raise UserError(f"A cell needs at least one unit; got units={units}.")
        if not isinstance(weight_dropout, (int, float)) or not 0 <= weight_dropout < 1:
            raise UserError(f"weight_dropout is at least 0 and below 1; got {weight_dropout!r}.")
        if weight_dropout and not self.recurrent_matrix:
            raise UserError(
                f"{type(self).__name__} has no recurrent matrix whose weights could be dropped. Leave weight_dropout "
                "out, or choose another cell, such as lstm."
            )
        self.units, self.use_bias, self.weight_dropout = units, use_bias, weight_dropout
        # Initializers are read when a weight is created: reading one draws a seed, and each weight needs its own.
        self.kernel_initializer, self.recurrent_initializer = kernel_initializer, recurrent_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = _read("kernel_regularizer", kernel_regularizer)
        self.recurrent_regularizer = _read("recurrent_regularizer", recurrent_regularizer)
        self.bias_regularizer = _read("bias_regularizer", bias_regularizer)
        self.kernel_constraint = _read("kernel_constraint", kernel_constraint)
        self.recurrent_constraint = _read("recurrent_constraint", recurrent_constraint)
        self.bias_constraint = _read("bias_constraint", bias_constraint)
        self._check_arguments()

    def _check_arguments(self) -> None:
        """Reads the initializers that were given, and stores configs as the objects that they mean."""
        for name in sorted(self.given & {f"{group}_{kind}" for kind in _KINDS for group in _GROUPS}):
            value = _read(name, vars(self.arguments)[name])
            if isinstance(vars(self.arguments)[name], dict):
                setattr(self.arguments, name, value)
                setattr(self, name, value)

    def get_config(self) -> dict[str, Any]:
        """The arguments, without some that were not given.

        A cell has defaults of its own for initializers, and Keras's cells, which read this config, no weight dropout.
        """
        left_out = {"weight_dropout", *(f"{group}_initializer" for group in _GROUPS)} - self.given
        return {name: value for name, value in super().get_config().items() if name not in left_out}

    def add_kernel(self, shape: tuple, name: str = "kernel", initializer: Any = None) -> Any:
        """Input weights.

        Args:
            shape: Their shape.
            name: Their name.
            initializer: Of this weight, unless `kernel_initializer` was given to the cell.
        """
        return self._add("kernel", shape, name, self._chosen("kernel", initializer))

    def add_recurrent_kernel(
        self, shape: tuple, name: str = "recurrent_kernel", initializer: Any = None, autocast: bool = True
    ) -> Any:
        """Recurrent weights.

        Args:
            shape: Their shape.
            name: Their name.
            initializer: Of this weight, unless `recurrent_initializer` was given to the cell.
            autocast: Whether they are rounded to half precision where the cell computes in it.
        """
        return self._add("recurrent", shape, name, self._chosen("recurrent", initializer), autocast)

    def add_bias(self, shape: tuple, name: str = "bias", initializer: Any = None) -> Any | None:
        """A bias, or None with `use_bias=False`.

        Args:
            shape: Its shape.
            name: Its name.
            initializer: Of this weight, unless `bias_initializer` was given to the cell.
        """
        return self._add("bias", shape, name, self._chosen("bias", initializer)) if self.use_bias else None

    def add_gate_bias(self, gates: int, forget_gate: int | None = None) -> Any | None:
        """One bias `(gates * units,)` for all gates, or None with `use_bias=False`.

        Args:
            gates: Their number.
            forget_gate: The gate whose bias starts at 1, whatever `bias_initializer` says; None: no gate's.
        """
        if not self.use_bias:
            return None
        initializer, units = self._chosen("bias", None), self.units
        if forget_gate is None:
            return self._add("bias", (gates * units,), "bias", initializer)
        before, after = forget_gate * units, (gates - forget_gate - 1) * units

        def initialize(shape: tuple, dtype: Any = None) -> Any:
            parts = [initializer((size,), dtype=dtype) for size in (before, after) if size]
            return ops.concatenate([*parts[: before > 0], ops.ones((units,), dtype), *parts[before > 0 :]])

        return self._add("bias", (gates * units,), "bias", initialize)

    def _add(self, group: str, shape: tuple, name: str, initializer: Any, autocast: bool = True) -> Any:
        """A weight with the regularizer and the constraint of its group: kernel, recurrent or bias."""
        return self.add_weight(
            shape,
            initializer,
            name=name,
            regularizer=getattr(self, f"{group}_regularizer"),
            constraint=getattr(self, f"{group}_constraint"),
            autocast=autocast,
        )

    def _chosen(self, group: str, own: Any) -> Any:
        """A new initializer of a weight: the argument of its group if it was given, else the weight's own, if any."""
        argument = f"{group}_initializer"
        value = own if own is not None and argument not in self.given else getattr(self, argument)
        initializer = _read(argument, value)
        # An object without a seed would give two weights of one shape the same numbers.
        return initializer.clone() if isinstance(initializer, keras.initializers.Initializer) else initializer

    def common_arguments(self) -> dict[str, Any]:
        """The arguments that every cell has, as `keras.layers.LSTM` and its like take them too; without `units`."""
        named = {f"{group}_{kind}": getattr(self, f"{group}_{kind}") for kind in _KINDS for group in _GROUPS}
        return {"use_bias": self.use_bias, "dtype": self.dtype_policy, **named}

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
        """Zeros, one `(batch, size)` per state."""
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in state_sizes(self)]

    def fused(self, **options: Any) -> keras.layers.RNN | None:
        """Keras's own layer with the same equations and the same weights in the same order, if there is one.

        It runs cuDNN's kernel on a GPU, where a loop over this cell would be many times slower.

        Args:
            **options: Of `keras.layers.RNN`: `return_sequences`, `return_state`, ...
        """
        return None


def biased(product: Any, bias: Any | None) -> Any:
    """`product + bias`, or the product of a cell without a bias."""
    return product if bias is None else ops.add(product, bias)


def _read(argument: str, value: Any) -> Any:
    """The object that a name, a config or an object stands for.

    Args:
        argument: Its argument, such as `kernel_initializer`.
        value: What was given.

    Raises:
        UserError: If Keras does not know it; names the nearest.
    """
    kind = argument.rpartition("_")[2]
    try:
        return _KINDS[kind].get(value)
    except (ValueError, TypeError) as error:
        close = nearest(value, vars(_KINDS[kind])) if isinstance(value, str) else None
        hint = f" Did you mean {close!r}?" if close else ""
        raise UserError(
            f"{argument}={value!r} is unknown to Keras.{hint} Give a name of keras.{kind}s, or an object."
        ) from error


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
    return cell.output_is_state if isinstance(cell, Cell) else type(cell) in keras_cells


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
