"""`zoo lens equations`: a cell's equations, and one step computed from them in numpy and by the cell."""

import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import cells
from zoo.cells.arguments import split
from zoo.cells.cell import advance, initial_states
from zoo.errors import UserError
from zoo.lens import tables
from zoo.lens.numpy_steps import NUMPY_STEPS
from zoo.lens.settings import Equations

STEPS_BEFORE = 3
"""Steps that the cell takes before the one that is compared, so that its states are no longer zero."""

NOISE = 0.3
"""Standard deviation of what is added to the initial weights: biases that are zero would hide mistakes."""

CLOSE = 1e-5
"""Largest difference that rounding to float32 explains."""

MAX_ROWS = 8
"""Most numbers of each tensor in the table."""


@dataclass(frozen=True)
class Comparison:
    """One step, twice: tensor name -> its values `(batch, size)` by numpy and by the cell."""

    by_numpy: Mapping[str, np.ndarray]
    by_cell: Mapping[str, np.ndarray]

    @property
    def largest_difference(self) -> float:
        """Over the output and all states."""
        return max(float(np.abs(self.by_numpy[name] - self.by_cell[name]).max()) for name in self.by_cell)


def documentation(name: str) -> str:
    """Source, equations and remarks of a cell: the docstring of its module."""
    return inspect.cleandoc(sys.modules[cells.find(name).__module__].__doc__ or "")


def equations(name: str) -> list[str]:
    """The lines of that docstring which are equations: indented, with an equals sign."""
    lines = documentation(name).splitlines()
    return [line.strip() for line in lines if line.startswith("    ") and "=" in line]


def compare(cell: str, units: int, features: int, seed: int = 1) -> Comparison:
    """One step of a cell with random weights, by the cell and by numpy in float64.

    Args:
        cell: A cell's name, with arguments after colons.
        units: Units of the cell.
        features: Number of inputs.
        seed: Random seed of weights and inputs.

    Raises:
        UserError: If there is no numpy step of this cell.
    """
    name, _ = split(cell)
    if name not in NUMPY_STEPS:
        raise UserError(f"There is no numpy step of {name!r}. Cells that have one: {', '.join(NUMPY_STEPS)}.")
    made = _random_cell(cell, units, features, seed)
    inputs = np.random.default_rng([seed, 1]).normal(size=(STEPS_BEFORE + 1, 1, features)).astype("float32")
    states = initial_states(made, 1)
    for row in inputs[:-1]:
        _, states = advance(made, ops.convert_to_tensor(row), states)
    output, new = advance(made, ops.convert_to_tensor(inputs[-1]), states)
    weights = {weight.name: _double(weight) for weight in made.weights}
    step = NUMPY_STEPS[name](weights, _double(inputs[-1]), [_double(state) for state in states], made.get_config())
    letters = [letter.strip() for letter in cells.TABLE[name].states.split(",")]
    return Comparison(_named(letters, *step), _named(letters, _double(output), [_double(state) for state in new]))


def _random_cell(cell: str, units: int, features: int, seed: int) -> Any:
    keras.utils.set_random_seed(seed)
    made = cells.make(cell, units)
    made.build((None, features))
    rng = np.random.default_rng(seed)
    for weight in made.weights:
        weight.assign(ops.convert_to_numpy(weight) + rng.normal(0, NOISE, weight.shape).astype("float32"))
    return made


def _double(tensor: Any) -> np.ndarray:
    return ops.convert_to_numpy(tensor).astype("float64")


def _named(letters: Sequence[str], output: np.ndarray, states: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The output and the states by the letters of the paper."""
    return {"output": output, **{f"state {letter}": state for letter, state in zip(letters, states, strict=True)}}


def show_equations(config: Equations, models: Sequence = ()) -> Iterator[str]:
    """The docstring of a cell's module, a row for each number of a step, and the largest difference."""
    comparison = compare(config.cell, config.units, config.features, config.seed)
    name, _ = split(config.cell)
    if config.json:
        values = {
            which: {tensor: _rounded(rows[0]) for tensor, rows in tensors.items()}
            for which, tensors in (("numpy", comparison.by_numpy), ("cell", comparison.by_cell))
        }
        facts = {"cell": config.cell, "equations": equations(name), **values}
        yield json.dumps({**facts, "largest_difference": comparison.largest_difference}, ensure_ascii=False)
        return
    yield documentation(name)
    yield ""
    yield f"One step of {config.cell} with {config.units} units and {config.features} inputs, random weights:"
    yield ""
    yield from tables.table(["", "numpy", "cell", "difference"], list(_rows(comparison)))
    yield ""
    gap = comparison.largest_difference
    verdict = "rounding" if gap < CLOSE else "more than rounding: the cell and these equations disagree"
    yield f"largest difference {gap:.1e}: {verdict}"


def _rows(comparison: Comparison) -> Iterator[list[str]]:
    for name, values in comparison.by_cell.items():
        by_numpy, by_cell = comparison.by_numpy[name][0], values[0]
        for unit in range(min(len(by_cell), MAX_ROWS)):
            one, other = by_numpy[unit], by_cell[unit]
            yield [f"{name}[{unit}]", f"{one:+.6f}", f"{other:+.6f}", f"{abs(one - other):.0e}"]
        if len(by_cell) > MAX_ROWS:
            yield [f"{name}: {len(by_cell) - MAX_ROWS} more", "", "", ""]


def _rounded(row: np.ndarray) -> list[float]:
    return [round(float(value), 7) for value in row]
