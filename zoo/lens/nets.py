"""The recurrent step that is looked into, fresh or out of a trained model, with inputs as it gets them."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import cells
from zoo.cells.cell import sizes
from zoo.errors import UserError
from zoo.layers import Recurrent
from zoo.saved import SavedModel


@dataclass(frozen=True)
class Net:
    """A built cell, what it is called, and its inputs `(batch, time, features)`."""

    name: str
    cell: Any
    inputs: np.ndarray

    def step(self, state: Any, inputs: Any) -> Any:
        """One step with all states side by side: `(batch, states * units)` -> the same."""
        _, new = self.cell(inputs, _apart(state, sizes(self.cell)))
        return ops.concatenate(new, axis=-1)

    def start(self) -> np.ndarray:
        """The state before the first step, zeros `(batch, states * units)`."""
        return np.zeros((len(self.inputs), sum(sizes(self.cell))), "float32")

    def states(self) -> np.ndarray:
        """The states before each step and after the last: `(time + 1, batch, states * units)`."""
        found = [ops.convert_to_tensor(self.start())]
        for time in range(self.inputs.shape[1]):
            found.append(self.step(found[-1], ops.convert_to_tensor(self.inputs[:, time])))
        return np.stack([ops.convert_to_numpy(state) for state in found])


def _apart(state: Any, widths: Sequence[int]) -> list:
    ends = np.cumsum(widths)
    return [state[:, end - width : end] for end, width in zip(ends, widths, strict=True)]


def fresh(name: str, units: int, steps: int, sequences: int, seed: int, gain: float = 1.0) -> Net:
    """An untrained cell that reads noise of unit variance, as many features as units; every cell reads the same.

    Its recurrent weights are multiplied by `gain`.

    Raises:
        UserError: If there is a gain, and the cell has no weights of that name.
    """
    keras.utils.set_random_seed(seed)
    cell = cells.make(name, units)
    cell.build((None, units))
    if gain != 1:
        if not hasattr(cell, "recurrent_kernel"):
            raise UserError(f"--gain {gain:g}: {name!r} has no recurrent_kernel to multiply. Leave it away.")
        cell.recurrent_kernel.assign(gain * cell.recurrent_kernel)
    return Net(name, cell, _noise((sequences, steps, units), seed))


def _noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def trained(saved: SavedModel, steps: int, sequences: int, seed: int) -> Net:
    """The first recurrent layer of a trained model.

    It reads random tokens if it takes text, else sequences of the test split it was scored on if that is embedded, else
    noise.

    Raises:
        UserError: If the model has no such layer, or that test split no sequence of so many steps.
    """
    run = layer_of(saved).runs[0][0]
    tokenizer = saved.assets.get("tokenizer")
    if tokenizer is not None:
        tokens = np.random.default_rng(seed).integers(2, tokenizer.size, (sequences, steps))
        inputs = inputs_of(saved, run, tokens)
    elif saved.metrics["data"].get("embedded"):
        inputs = _tested(saved, steps, sequences)
    else:
        inputs = _noise((sequences, steps, run.get_weights()[0].shape[0]), seed)
    return Net(saved.path.name, cell_of(run), inputs)


def _tested(saved: SavedModel, steps: int, sequences: int) -> np.ndarray:
    """What the recurrent layer reads in the first steps of sequences of the test split that are as long."""
    found: list[np.ndarray] = []
    longest = 0
    for batch, _, weights in saved.installed.task.load(saved.recipe, saved.assets).split("test"):
        with _watched(layer_of(saved)) as seen:
            saved.model(batch, training=False)
        inputs, mask = seen[0]
        real = ops.convert_to_numpy(ops.ones(ops.shape(inputs)[:2], "bool") if mask is None else mask)
        real &= np.asarray(weights)[:, None] > 0
        longest = max(longest, int(real.sum(axis=1).max()))
        if inputs.shape[1] >= steps:
            found += list(ops.convert_to_numpy(inputs)[real[:, :steps].all(axis=1), :steps])
        if len(found) >= sequences:
            break
    if not found:
        raise UserError(
            f"{saved.path.name} was scored on sequences of {longest:,} steps at most: --steps {steps:,} is too many."
        )
    return np.stack(found[:sequences])


def layer_of(saved: SavedModel) -> Recurrent:
    """The layer "recurrent" of a saved model.

    Raises:
        UserError: If it has none.
    """
    for layer in saved.model.layers:
        if layer.name == "recurrent" and isinstance(layer, Recurrent):
            return layer
    raise UserError(
        f"{saved.path.name} is a model for {saved.installed.name} without one recurrent layer that reads its input: "
        "the lens looks into models such as those of sentiment and charlm. `zoo list models` shows them."
    )


def cell_of(run: keras.layers.RNN) -> Any:
    """A cell with the weights of one direction of one layer, fused or not: they are laid out alike."""
    if type(run) is keras.layers.RNN:
        return run.cell
    name = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "simple_rnn"}[type(run).__name__]
    cell = cells.make(name, run.units)
    cell.build((None, run.get_weights()[0].shape[0]))
    cell.set_weights(run.get_weights())
    return cell


def inputs_of(saved: SavedModel, run: keras.layers.RNN, tokens: np.ndarray) -> np.ndarray:
    """What one direction of one layer reads when the model is given tokens `(batch, time)`.

    Returns:
        `(batch, time, features)`.

    Raises:
        UserError: If the model does not take tokens.
    """
    with _watched(run) as seen:
        try:
            saved.model(ops.convert_to_tensor(tokens.astype("int32")), training=False)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"{saved.path.name} does not read plain text; take a model of sentiment or charlm."
            ) from error
    return ops.convert_to_numpy(seen[0][0])


@contextlib.contextmanager
def _watched(layer: keras.layers.Layer) -> Iterator[list]:
    """Collects the first argument of every call of a layer, and its mask. Only eager calls can be watched."""
    seen: list = []
    plain = layer.call

    def call(sequence: Any, *others: Any, **options: Any) -> Any:
        seen.append((sequence, options.get("mask")))
        return plain(sequence, *others, **options)

    layer.call = call
    try:
        yield seen
    finally:
        layer.call = plain
