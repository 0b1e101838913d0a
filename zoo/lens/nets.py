"""The recurrent cell under examination, untrained or from a trained model, with its inputs."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import cells, engine
from zoo.cells.cell import Cell, state_sizes
from zoo.errors import UserError
from zoo.layers import Recurrent, ResidualStack
from zoo.saved import SavedModel


@dataclass(frozen=True)
class Net:
    """A built cell, its name, and its inputs `(batch, time, features)`."""

    name: str
    cell: Any
    inputs: np.ndarray

    def step(self, state: Any, inputs: Any) -> Any:
        """One step with all states side by side: `(batch, states * units)` -> the same."""
        _, new = self.cell(inputs, self.split(state))
        return ops.concatenate(new, axis=-1)

    def split(self, state: Any) -> list:
        """All states side by side `(rows, states * units)` -> the list that the cell takes."""
        widths = state_sizes(self.cell)
        return [state[:, end - width : end] for end, width in zip(np.cumsum(widths), widths, strict=True)]

    def start(self) -> np.ndarray:
        """The state before the first step, zeros `(batch, states * units)`."""
        return np.zeros((len(self.inputs), sum(state_sizes(self.cell))), "float32")

    def states(self) -> np.ndarray:
        """The states before each step and after the last: `(time + 1, batch, states * units)`."""
        states = [ops.convert_to_tensor(self.start())]
        for time in range(self.inputs.shape[1]):
            states.append(self.step(states[-1], ops.convert_to_tensor(self.inputs[:, time])))
        return np.stack([ops.convert_to_numpy(state) for state in states])


def untrained(name: str, units: int, steps: int, sequences: int, seed: int, gain: float = 1.0) -> Net:
    """An untrained cell that reads noise of unit variance with `units` features, the same for every cell.

    Args:
        name: A cell name, see `zoo.cells`.
        units: Units of the cell.
        steps: Length of the sequences.
        sequences: Number of sequences.
        seed: Random seed of weights and inputs.
        gain: Factor on the recurrent weights.

    Raises:
        UserError: If there is a gain and the cell has no `recurrent_kernel`.
    """
    keras.utils.set_random_seed(seed)
    cell = cells.make(name, units)
    cell.build((None, units))
    if gain != 1:
        if not hasattr(cell, "recurrent_kernel"):
            raise UserError(f"--gain {gain:g}: {name!r} has no recurrent_kernel to multiply. Omit --gain.")
        cell.recurrent_kernel.assign(gain * cell.recurrent_kernel)
    return Net(name, cell, _noise((sequences, steps, units), seed))


def _noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def trained(saved: SavedModel, steps: int, sequences: int, seed: int) -> Net:
    """The first recurrent layer of a trained model.

    It reads random tokens if it takes text, else sequences of the test split it was scored on if that data set is built
    in, else noise.

    Raises:
        UserError: If the model has no such layer, or the test split has no sequence of that many steps.
    """
    run = layer_of(saved).runs[0][0]
    tokenizer = saved.assets.get("tokenizer")
    if tokenizer is not None:
        tokens = np.random.default_rng(seed).integers(2, tokenizer.size, (sequences, steps))
        inputs = inputs_of(saved, run, tokens)
    elif saved.metrics["data"].get("builtin"):
        inputs = _test_inputs(saved, steps, sequences)
    else:
        inputs = _noise((sequences, steps, run.get_weights()[0].shape[0]), seed)
    return Net(saved.path.name, cell_of(run), inputs)


def _test_inputs(saved: SavedModel, steps: int, sequences: int) -> np.ndarray:
    """Inputs of the recurrent layer in the first steps of those test sequences that are long enough."""
    rows: list[np.ndarray] = []
    longest = 0
    for batch, _, weights in saved.installed.task.load(saved.recipe, saved.assets).split("test"):
        layer = layer_of(saved)
        # In a block, the recurrence reads what normalization has made of the inputs.
        reads = layer.blocks[0].recurrent if isinstance(layer, ResidualStack) else layer
        with _recorded(reads) as calls:
            saved.net(batch, training=False)
        inputs, mask = calls[0]
        real = ops.convert_to_numpy(ops.ones(ops.shape(inputs)[:2], "bool") if mask is None else mask)
        real &= np.asarray(weights)[:, None] > 0
        longest = max(longest, int(real.sum(axis=1).max()))
        if inputs.shape[1] >= steps:
            rows += list(ops.convert_to_numpy(inputs)[real[:, :steps].all(axis=1), :steps])
        if len(rows) >= sequences:
            break
    if not rows:
        raise UserError(
            f"{saved.path.name} was scored on sequences of at most {longest:,} steps: "
            f"give --steps {longest} or less, not {steps}."
        )
    return np.stack(rows[:sequences])


def layer_of(saved: SavedModel) -> Recurrent | ResidualStack:
    """The layer "recurrent" of a saved model, a plain stack or one of blocks.

    Raises:
        UserError: If it has none.
    """
    for layer in saved.net.layers:
        if layer.name == "recurrent" and isinstance(layer, (Recurrent, ResidualStack)):
            return layer
    raise UserError(
        f"{saved.path.name} is a model for {saved.installed.name} without one recurrent layer that reads its input: "
        "take a model such as those of sentiment and charlm. `zoo list models` shows them."
    )


def cell_of(run: keras.layers.RNN) -> Any:
    """A cell with the weights of one direction of one layer, fused or not: both have the same layout."""
    if type(run) is keras.layers.RNN:
        return run.cell
    name = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "simple_rnn"}[type(run).__name__]
    cell = cells.make(name, run.units)
    cell.build((None, run.get_weights()[0].shape[0]))
    cell.set_weights(run.get_weights())
    return cell


def inputs_of(saved: SavedModel, run: keras.layers.RNN, tokens: np.ndarray) -> np.ndarray:
    """Inputs of one direction of one layer when the model gets tokens `(batch, time)`.

    Returns:
        `(batch, time, features)`.

    Raises:
        UserError: If the model does not take tokens.
    """
    with _recorded(run) as calls:
        try:
            saved.net(ops.convert_to_tensor(tokens.astype("int32")), training=False)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"{saved.path.name} does not read plain text; take a model of sentiment or charlm."
            ) from error
    return ops.convert_to_numpy(calls[0][0])


@contextlib.contextmanager
def _recorded(layer: keras.layers.Layer) -> Iterator[list]:
    """Records the first argument and the mask of every call of a layer. Only eager calls can be recorded."""
    calls: list = []
    cell = getattr(layer, "cell", None)
    owner, method = layer, "call"
    if hasattr(cell, "sequence"):  # it reads whole sequences by itself; its layer is not run
        owner, method = cell, "sequence"
    elif type(layer) is keras.layers.RNN and isinstance(cell, Cell) and cell.gates:
        owner, method = cell, "project"  # `Recurrent` runs the loop, which begins with this product of all inputs
    plain = getattr(owner, method)

    def call(sequence: Any, *others: Any, **options: Any) -> Any:
        calls.append((sequence, options.get("mask")))
        return plain(sequence, *others, **options)

    setattr(owner, method, call)
    try:
        with engine.plain_only():  # kernels would pass the layers by
            yield calls
    finally:
        setattr(owner, method, plain)
