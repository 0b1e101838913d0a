"""`zoo lens equations`: a cell's equations, unrolled over a few steps, each computed in numpy and by the cell."""

import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import cells, figures
from zoo.cells.arguments import split
from zoo.cells.cell import advance, initial_states
from zoo.errors import UserError
from zoo.lens import diagrams, tables
from zoo.lens.numpy_steps import NUMPY_STEPS
from zoo.lens.settings import Equations

STEPS = 4
"""Steps of which the last is compared: by then no state is zero."""

NOISE = 0.3
"""Standard deviation of what is added to the initial weights: biases that are zero would hide mistakes."""

CLOSE = 1e-5
"""Largest difference that rounding to float32 explains."""

MAX_ROWS = 8
"""Most numbers of each tensor in the table."""


@dataclass(frozen=True)
class Comparison:
    """One step, twice.

    Attributes:
        inputs: What the step reads, `(1, features)`.
        by_numpy: Tensor name -> its values `(1, size)` by numpy.
        by_cell: The same by the cell.
    """

    inputs: np.ndarray
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
    """The last of a few steps, see `unroll`."""
    return unroll(cell, units, features, STEPS, seed)[-1]


def unroll(cell: str, units: int, features: int, steps: int, seed: int = 1) -> list[Comparison]:
    """The steps of a cell with random weights from a zero state on, each by the cell and by numpy in float64.

    Each step of numpy begins with the states of the cell, so that a difference is that of one step.

    Args:
        cell: A cell's name, with arguments after colons.
        units: Units of the cell.
        features: Number of inputs.
        steps: Number of steps.
        seed: Random seed of weights and inputs.

    Raises:
        UserError: If there is no numpy step of this cell.
    """
    name, _ = split(cell)
    if name not in NUMPY_STEPS:
        raise UserError(f"There is no numpy step of {name!r}. Cells that have one: {', '.join(NUMPY_STEPS)}.")
    made = _random_cell(cell, units, features, seed)
    weights, config = {weight.name: _double(weight) for weight in made.weights}, made.get_config()
    letters = [letter.strip() for letter in cells.TABLE[name].states.split(",")]
    inputs = np.random.default_rng([seed, 1]).normal(size=(steps, 1, features)).astype("float32")
    states, found = initial_states(made, 1), []
    for row in inputs:
        before = [_double(state) for state in states]
        output, states = advance(made, ops.convert_to_tensor(row), states)
        step = NUMPY_STEPS[name](weights, row.astype("float64"), before, config)
        after = [_double(state) for state in states]
        found.append(Comparison(row, _named(letters, *step), _named(letters, _double(output), after)))
    return found


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
    """The docstring of a cell's module, all steps by the cell, and the last one by numpy too."""
    steps = unroll(config.cell, config.units, config.features, config.steps, config.seed)
    if config.plot is not None:
        draw(config.cell, steps, Path(config.plot))
    gap = max(step.largest_difference for step in steps)
    if config.json:
        yield json.dumps({**_facts(config, steps), "largest_difference": gap}, ensure_ascii=False)
        return
    yield documentation(split(config.cell)[0])
    yield ""
    yield f"{config.cell} with {config.units} units, {config.features} inputs and random weights, from a zero state on:"
    yield ""
    yield from tables.table(["", *(f"t = {time}" for time in range(1, len(steps) + 1))], list(_unrolled(steps)))
    yield ""
    yield f"Step {len(steps)} by numpy and by the cell:"
    yield ""
    yield from tables.table(["", "numpy", "cell", "difference"], list(_rows(steps[-1])))
    yield ""
    verdict = "rounding" if gap < CLOSE else "more than rounding: the cell and these equations disagree"
    yield f"largest difference of all steps {gap:.1e}: {verdict}"
    if config.plot is not None:
        yield config.plot


def _facts(config: Equations, steps: Sequence[Comparison]) -> dict[str, Any]:
    """The JSON output: the last step by numpy and by the cell, and all steps by the cell."""
    values = {
        which: {tensor: _rounded(rows[0]) for tensor, rows in tensors.items()}
        for which, tensors in (("numpy", steps[-1].by_numpy), ("cell", steps[-1].by_cell))
    }
    unrolled = [
        {"inputs": _rounded(step.inputs[0]), **{name: _rounded(rows[0]) for name, rows in step.by_cell.items()}}
        for step in steps
    ]
    figure = {} if config.plot is None else {"figure": config.plot}
    equation = equations(split(config.cell)[0])
    return {"cell": config.cell, "equations": equation, **values, "unrolled": unrolled, **figure}


def _unrolled(steps: Sequence[Comparison]) -> Iterator[list[str]]:
    """A row for each number: its values over time."""
    every = [{"input x": step.inputs, **step.by_cell} for step in steps]
    for name, first in every[0].items():
        size = first.shape[1]
        for place in range(min(size, MAX_ROWS)):
            yield [f"{name}[{place}]", *(f"{values[name][0, place]:+.4f}" for values in every)]
        if size > MAX_ROWS:
            yield [f"{name}: {size - MAX_ROWS} more", *[""] * len(steps)]


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


COLUMN = 0.78
"""Units of the picture for one state."""

LINE = 0.24
"""Units of the picture for one line of text."""


def draw(cell: str, steps: Sequence[Comparison], file: Path | None = None) -> Any:
    """Draws the unrolled cell: inputs below, states above, and the equations at the bottom.

    Args:
        cell: The cell as it was typed.
        steps: From `unroll`.
        file: A PNG file, or None for none.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    name, _ = split(cell)
    lines = equations(name)
    names = [tensor.removeprefix("state ") for tensor in steps[0].by_cell if tensor != "output"]
    stride = max(2.0, COLUMN * len(names) + 0.3)  # from one step to the next
    wide = max(1.2 + stride * len(steps), 0.108 * max(map(len, lines)) + 0.6, 5.5)
    shown = [min(step, MAX_ROWS) for step in (steps[0].inputs.shape[1], *(s.shape[1] for s in _states(steps[0])))]
    text = LINE * len(lines) + 0.5
    low = text + 0.5 + diagrams.CELL * shown[0] / 2
    middle = low + diagrams.CELL * shown[0] / 2 + 0.65
    high = middle + 0.65 + diagrams.CELL * max(shown[1:]) / 2
    height = high + diagrams.CELL * max(shown[1:]) / 2 + 1.0
    with diagrams.drawing(file, wide, height) as (figure, axes):
        title = f"{figures.label(cell)}, unrolled over {len(steps)} steps: the same weights at every step"
        axes.text(0.3, height - 0.3, title, fontsize=10, weight="bold", va="center")
        for number, line in enumerate(lines):
            axes.text(0.3, text - 0.2 - LINE * number, figures.label(line), fontsize=8, family="monospace", va="center")
        for time, step in enumerate(steps):
            diagrams.box(axes, (1.1 + stride * (time + 0.5), middle), name, "plain", (1.3, 0.5))
            start = (1.1 + stride * (time - 0.5) + 0.65) if time else (0.45 + stride / 2 - 0.25)
            diagrams.arrow(axes, (start, middle), (0.45 + stride * (time + 0.5), middle))
            _draw_step(axes, names, step, time + 1, (1.1 + stride * (time + 0.5), low, middle, high))
        axes.text(0.15 + stride / 2, middle, "zero", ha="right", va="center", fontsize=8)
    return figure


def _states(step: Comparison) -> list[np.ndarray]:
    return [values for name, values in step.by_cell.items() if name != "output"]


def _draw_step(
    axes: Any, names: Sequence[str], step: Comparison, time: int, places: tuple[float, float, float, float]
) -> None:
    """The numbers of a step; `places` are its x-coordinate and those of inputs, cell and states upward."""
    x, low, middle, high = places
    inputs, states = step.inputs[0][:MAX_ROWS], [values[0][:MAX_ROWS] for values in _states(step)]
    below, above = diagrams.CELL * len(inputs) / 2, diagrams.CELL * max(map(len, states)) / 2
    diagrams.column(axes, (x, low), inputs, "input", digits=2)
    axes.text(x, low - below - 0.2, f"$x_{time}$", ha="center", va="center", fontsize=9)
    diagrams.arrow(axes, (x, low + below), (x, middle - 0.25))
    diagrams.arrow(axes, (x, middle + 0.25), (x, high - above))
    for place, (name, values) in enumerate(zip(names, states, strict=True)):
        center = x + COLUMN * (place - (len(states) - 1) / 2)
        diagrams.column(axes, (center, high), values, "hidden", digits=2)
        top = high + diagrams.CELL * len(values) / 2 + 0.2
        axes.text(center, top, f"${name}_{time}$", ha="center", va="center", fontsize=9)
