"""Residual blocks around a recurrent cell, for deep stacks.

Source: Orvieto et al., "Resurrecting Recurrent Neural Networks for Long Sequences" (2023), figure 1: "Norm, Recurrence,
GLU, Skip", there for linear and nonlinear recurrences alike. With the input of block l as x_l, at each time step:

    n = LayerNorm(x_l)
    h = Recurrence(n)                                  forward, or forward and backward side by side
    x_{l+1} = x_l + (W h + b) * sigmoid(V h + c)       a gated linear unit (Dauphin et al. 2017, equation 1)

    output = LayerNorm(x_L)                            after the last block, as in De et al. 2024, section 2.1

Here: x_0 is the input if it has as many features as the cell has units, else a linear projection of it, the linear
encoder of that figure. There is no activation between recurrence and gated linear unit, since most cells here are
nonlinear. While training, dropout follows the recurrence and the gated linear unit, with the same features dropped at
every step, as in the S5 layers from which the paper's architecture comes (Smith, Warrington and Linderman 2023).

De et al., "Griffin: Mixing Gated Linear Recurrences with Local Attention for Efficient Language Models" (2024), put a
second residual branch with a gated MLP three times as wide beside the recurrence; at equal sizes its parameters are
most of the model, which would hide the differences between cells.
"""

from typing import Any

import keras
from keras import ops

from zoo import engine
from zoo.cells.cell import output_size
from zoo.errors import UserError
from zoo.layers.explicit_mask import ExplicitMask
from zoo.layers.recurrent import Recurrent
from zoo.names import unknown

BLOCKS = ("residual",)
"""What the argument `block` of the builders takes, besides None."""

EPSILON = 1e-5
"""Of layer normalization. Keras's default, 1e-3, is not small against the variance of freshly projected inputs."""


@keras.saving.register_keras_serializable("zoo")
class ResidualBlock(ExplicitMask):
    """One block: normalization, recurrence, gated linear unit, skip connection.

    Reference: Orvieto et al. 2023, figure 1; the equations stand at the head of this module.

    Args:
        cell: A name, a cell class, or an instance as a pattern; see `zoo.cells.make`.
        units: Units of each direction, if the cell is no instance. The input has as many features as the cell's output.
        bidirectional: Also read backward. The gated linear unit makes one vector of `units` features of the two.
        dropout: Fraction of the features dropped after the recurrence and after the gated linear unit, the same at
            all steps.
        return_state: Also return the final states, a list of `(batch, features)`.

    Raises:
        UserError: If the cell is unknown.
    """

    def __init__(
        self,
        cell: Any = "gru",
        units: int = 128,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        return_state: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.norm = keras.layers.LayerNormalization(epsilon=EPSILON, dtype=policy, name="norm")
        self.recurrent = Recurrent(
            cell, units, bidirectional=bidirectional, return_state=return_state, dtype=policy, name="recurrent"
        )
        self.arguments.cell = self.recurrent.arguments.cell
        self.width = output_size(self.recurrent.runs[0][0].cell)
        self.gated = keras.layers.Dense(2 * self.width, dtype=policy, name="gated")
        self.recurrent_dropout = keras.layers.SpatialDropout1D(dropout, dtype=policy, name="recurrent_dropout")
        self.output_dropout = keras.layers.SpatialDropout1D(dropout, dtype=policy, name="output_dropout")

    def build(self, input_shape: tuple) -> None:
        if input_shape[-1] != self.width:
            raise ValueError(
                f"A residual block of {self.width} units takes as many features, to add to them; got {input_shape[-1]}."
            )
        self.norm.build(input_shape)
        self.recurrent.build(input_shape)
        self.gated.build((*input_shape[:-1], self.recurrent.output_size))

    def call(
        self,
        inputs: Any,
        mask: Any | None = None,
        training: bool | None = None,
        initial_state: list | None = None,
        return_state: bool | None = None,
    ) -> Any:
        """Runs the block; arguments and results as of `Recurrent.call`, with the states of one layer.

        Args:
            inputs: `(batch, time, units)`.
            mask: `(batch, time)`, True = real.
            training: Whether dropout is applied.
            initial_state: A list of `(batch, features)`; default zeros.
            return_state: False returns no states.
        """
        begin = None if initial_state is None else [initial_state]
        result = self.recurrent(
            self.norm(inputs), mask=mask, training=training, initial_state=begin, return_state=return_state
        )
        hidden, states = result if isinstance(result, tuple) else (result, None)
        branch = self._glu(self.recurrent_dropout(hidden, training=training))
        output = inputs + self.output_dropout(branch, training=training)
        return output if states is None else (output, states[0])

    def _glu(self, hidden: Any) -> Any:
        """`(..., units or 2 * units)` -> `(..., units)`."""
        value, gate = ops.split(self.gated(hidden), 2, axis=-1)
        return value * ops.sigmoid(gate)

    def step(self, inputs: Any, states: list) -> tuple[Any, list]:
        """One step of a forward block: inputs `(batch, units)` and states -> output and new states."""
        hidden, new = self.recurrent.step(self.norm(inputs), [states])
        return inputs + self._glu(hidden), new[0]

    def compute_output_shape(self, input_shape: tuple) -> Any:
        result = self.recurrent.compute_output_shape(input_shape)
        sequence = (*input_shape[:2], self.width)
        return (sequence, result[1][0]) if self.recurrent.return_state else sequence


@keras.saving.register_keras_serializable("zoo")
class ResidualStack(ExplicitMask):
    """Residual blocks on top of each other: `zoo.layers.Recurrent` with `ResidualBlock` for each of its layers.

    Reference: Orvieto et al. 2023, figure 1; the equations stand at the head of this module.

    Args:
        cell: A name, a cell class, or an instance as a pattern; see `zoo.cells.make`.
        units: Units of each direction, if the cell is no instance; the output has as many features.
        num_layers: Blocks on top of each other.
        bidirectional: Read backward as well.
        dropout: Fraction of the features dropped after each recurrence and each gated linear unit, the same at all
            steps.
        return_state: Also return the final states: a list by layer of lists of `(batch, features)`.

    Raises:
        ValueError: If there is no layer.
        UserError: If the cell is unknown.
    """

    def __init__(
        self,
        cell: Any = "gru",
        units: int = 128,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        return_state: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_layers < 1:
            raise ValueError(f"A recurrent stack needs at least one layer; got num_layers={num_layers}.")
        self.num_layers, self.bidirectional, self.return_state = num_layers, bidirectional, return_state
        self.blocks = [
            ResidualBlock(
                cell, units, bidirectional=bidirectional, dropout=dropout, return_state=return_state,
                dtype=self.dtype_policy, name=f"block_{level}",
            )
            for level in range(num_layers)
        ]  # fmt: skip
        self.arguments.cell = self.blocks[0].arguments.cell
        self.norm = keras.layers.LayerNormalization(epsilon=EPSILON, dtype=self.dtype_policy, name="norm")
        self.kernel = self.bias = None

    def build(self, input_shape: tuple) -> None:
        width = self.output_size
        if input_shape[-1] != width:
            self.kernel = self.add_weight((input_shape[-1], width), "glorot_uniform", name="kernel")
            # Not zeros: of a single feature, normalization would keep the sign alone.
            self.bias = self.add_weight((width,), keras.initializers.RandomUniform(-0.3, 0.3), name="bias")
        hidden = (input_shape[0], None, width)
        for block in self.blocks:
            block.build(hidden)
        self.norm.build(hidden)

    def call(
        self,
        inputs: Any,
        mask: Any | None = None,
        training: bool | None = None,
        initial_state: list | None = None,
        return_state: bool | None = None,
    ) -> Any:
        """Runs the stack; arguments and results as of `Recurrent.call`, with `units` features in both directions.

        Args:
            inputs: `(batch, time, features)`.
            mask: `(batch, time)`, True = real; padding may stand anywhere. Outputs at padded steps mean nothing.
            training: Whether dropout is applied.
            initial_state: Where to begin, as `return_state` gives it; default zeros. Forward stacks only.
            return_state: False returns no states, even if the layer was made to.

        Returns:
            `(batch, time, units)`; with `return_state` a pair of that and the final states.

        Raises:
            ValueError: If a bidirectional stack is given a state.
        """
        hidden, states = self._projected(inputs), []
        for level, block in enumerate(self.blocks):
            begin = None if initial_state is None else initial_state[level]
            result = block(hidden, mask=mask, training=training, initial_state=begin, return_state=return_state)
            hidden, final = result if isinstance(result, tuple) else (result, None)
            states.append(final)
        hidden = self.norm(hidden)
        return hidden if states[0] is None else (hidden, states)

    def _projected(self, inputs: Any) -> Any:
        """`(..., features)` -> `(..., units)`."""
        if self.kernel is None:
            return inputs
        inputs = ops.convert_to_tensor(inputs, dtype=self.compute_dtype)
        return ops.matmul(inputs, ops.cast(self.kernel, inputs.dtype)) + ops.cast(self.bias, inputs.dtype)

    def step(self, inputs: Any, states: list) -> tuple[Any, list]:
        """One step of a forward stack: inputs `(batch, features)` and states -> output `(batch, units)`, new states."""
        hidden, new = self._projected(inputs), []
        for block, state in zip(self.blocks, states, strict=True):
            hidden, after = block.step(hidden, state)
            new.append(after)
        return self.norm(hidden), new

    def initial(self, batch: Any) -> list:
        """The states of a forward stack before the first step of `batch` sequences."""
        return [block.recurrent.initial(batch)[0] for block in self.blocks]

    def choice(self, training: bool | None = None, batch: int | None = None) -> engine.Choice:
        """How the cell would run here and now, and why; see `zoo.engine.choose`."""
        return self.blocks[0].recurrent.choice(training, batch)

    @property
    def runs(self) -> list[list[keras.layers.RNN]]:
        """The recurrent layers of each block, one for each direction."""
        return [block.recurrent.runs[0] for block in self.blocks]

    @property
    def state_sizes(self) -> list[list[int]]:
        """Units of the states of the forward direction, a list by layer."""
        return [block.recurrent.state_sizes[0] for block in self.blocks]

    @property
    def output_size(self) -> int:
        """Features of the output."""
        return self.blocks[0].width

    def compute_output_shape(self, input_shape: tuple) -> Any:
        shapes = [block.compute_output_shape((*input_shape[:2], self.output_size)) for block in self.blocks]
        return (shapes[-1][0], [states for _, states in shapes]) if self.return_state else shapes[-1]


def recurrent_stack(
    block: str | None, cell: Any, units: int, *, residual: bool = False, layer_norm: bool = False, **options: Any
) -> Recurrent | ResidualStack:
    """The recurrent layers of a builder: a plain stack, or one of blocks.

    Args:
        block: None for `Recurrent`, `"residual"` for `ResidualStack`.
        cell: See `zoo.cells.make`.
        units: Units of each direction.
        residual: Of `Recurrent`.
        layer_norm: Of `Recurrent`.
        **options: What both layers take.

    Raises:
        UserError: If there is no such block, or what a block already has is asked for as well.
    """
    if block is None:
        return Recurrent(cell, units, residual=residual, layer_norm=layer_norm, **options)
    if block not in BLOCKS:
        raise unknown("block", block, BLOCKS)
    if residual or layer_norm:
        raise UserError(
            "block='residual' has a skip connection and normalization of its own: leave out residual and layer_norm."
        )
    return ResidualStack(cell, units, **options)
