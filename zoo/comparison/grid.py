"""A grid of trainings, cells times seeds, in one folder. No Keras here: the trainings run in processes of their own.

    <output>/  grid.json  <cell>-seed-<n>/ (saved models)  statistics/  logs/  results.json  comparison.png

`grid.json` says what all trainings have in common. Cells and seeds may be added to a grid; another setting makes
another grid, which needs another folder.
"""

import dataclasses
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo import cards
from zoo.errors import UserError
from zoo.settings import changes, differences
from zoo.task import Installed, find

GRID = "grid.json"

OWN = ("cell", "seed")
"""Settings that differ between the trainings of a grid; with a budget of parameters also `units`."""


@dataclass(frozen=True)
class Run:
    """One training of a grid."""

    cell: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its saved model."""
        cell = re.sub(r"[^A-Za-z0-9._-]", "-", self.cell)  # a cell may have arguments: min_gru:signed
        return f"{cell}-seed-{self.seed}"


@dataclass(frozen=True)
class Grid:
    """What a grid consists of.

    Attributes:
        task: Name of the task.
        output: Its folder.
        settings: Settings that the user chose for all trainings; the others are the task's defaults.
        cells: Names of cells; all are compared with the first.
        seeds: Seeds of the trainings of each cell.
        parameters: The budget of parameters of each net; None leaves the units as they are.
        units: Units of each cell under that budget, as far as they are known.
    """

    task: str
    output: Path
    settings: dict[str, Any]
    cells: tuple[str, ...]
    seeds: tuple[int, ...]
    parameters: int | None = None
    units: dict[str, int] = field(default_factory=dict)

    @property
    def installed(self) -> Installed:
        """The task."""
        return find(self.task)

    def recipe(self, run: Run) -> Any:
        """The settings of a training."""
        units = {"units": self.units[run.cell]} if run.cell in self.units else {}
        return self.installed.recipe.train(**{**self.settings, **units, "cell": run.cell, "seed": run.seed})

    def runs(self) -> list[Run]:
        """All trainings, seed by seed, so that all cells are there early."""
        return [Run(cell, seed) for seed in self.seeds for cell in self.cells]

    def path(self, run: Run) -> Path:
        """The saved model that a training becomes."""
        return self.output / run.name

    def statistics(self, run: Run) -> Path:
        """The file of its statistics of single test examples."""
        return self.output / "statistics" / f"{run.name}.npz"

    def log(self, run: Run) -> Path:
        """The file of what it said."""
        return log(self.output, run)


def log(output: Path, run: Run) -> Path:
    """The file of what a training of the grid in a folder said."""
    return output / "logs" / f"{run.name}.log"


def resume(grid: Grid) -> Grid:
    """The grid with what its folder knows of it already; changes nothing there.

    Raises:
        UserError: If the folder holds a grid with other settings, or something that is no grid.
    """
    file = grid.output / GRID
    if not file.is_file():
        if grid.output.exists() and (not grid.output.is_dir() or any(grid.output.iterdir())):
            raise UserError(f"{grid.output} exists and is no comparison. Choose another --output.")
        return grid
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        settings, task, parameters, units = (stored[key] for key in ("settings", "task", "parameters", "units"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is damaged ({error!r}). Choose another --output.") from error
    changed = [] if task == grid.task else [f"task ({task} -> {grid.task})"]
    if not changed:
        # Settings may go with some cells only: a perceptron has no directions.
        train, cell = grid.installed.recipe.train, grid.cells[0]
        before, now = (train(**{**values, "cell": cell}) for values in (settings, grid.settings))
        changed = differences(before, now, ignore=OWN)
        if parameters != grid.parameters:
            changed.append(f"parameters ({parameters} -> {grid.parameters})")
    if changed:
        raise UserError(
            f"{grid.output} holds a comparison with other settings: {', '.join(changed)}. "
            "Give the old ones to add to it, or choose another --output; nothing was changed."
        )
    return dataclasses.replace(grid, units=units)


def write(grid: Grid) -> None:
    """Writes `grid.json`, whole or not at all.

    Raises:
        UserError: If the folder cannot be written.
    """
    values = {
        "task": grid.task,
        "settings": grid.settings,
        "parameters": grid.parameters,
        "units": grid.units,
    }
    new = grid.output / f".{GRID}.new"
    try:
        grid.output.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        os.replace(new, grid.output / GRID)
    except OSError as error:
        raise UserError(f"{grid.output} cannot be written: {error}. Choose another --output.") from error


def read(output: Path) -> Grid:
    """The grid of a folder, without its cells and seeds: enough to train one of its runs."""
    stored = json.loads((output / GRID).read_text(encoding="utf-8"))
    return Grid(stored["task"], output, stored["settings"], (), (), stored["parameters"], stored["units"])


def finished(grid: Grid, run: Run) -> cards.Summary | None:
    """The saved model of a training, or None if it is not there yet.

    Raises:
        UserError: If there is one of other settings; nothing is deleted.
    """
    path = grid.path(run)
    if not path.is_dir():
        return None
    summary = cards.summarize(path)
    changed = changes(summary.recipe["train"], grid.recipe(run))
    if summary.task != grid.task or changed:
        raise UserError(
            f"{path} was trained with other settings: {', '.join(changed) or f'for the task {summary.task}'}. "
            "Choose another --output, or move it away; nothing was changed."
        )
    return summary


def is_scored(grid: Grid, run: Run) -> bool:
    """Whether a finished training's test examples have been looked at one by one, or it is known that none can be."""
    return grid.statistics(run).is_file()


def begun(grid: Grid, run: Run) -> bool:
    """Whether a training was interrupted and can go on."""
    return (cards.under_way(grid.path(run)) / "training.json").is_file()
