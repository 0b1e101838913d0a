"""`zoo lens memory`: each cell is trained on a memory test, which shows how far back it remembers."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import figures, training
from zoo.errors import UserError
from zoo.lens import choices, tables
from zoo.lens.settings import Memory
from zoo.task import Installed

SOLVED = 0.9
"""Accuracy from which a distance counts as solved: far from chance, with room for a few errors."""

PREFIX = "accuracy_at_"


@dataclass(frozen=True)
class Result:
    """The result of one training.

    Attributes:
        cell: Name of the cell.
        seed: Random seed of the training.
        accuracy: On the test split, by distance in steps.
        minutes: Duration of the training.
    """

    cell: str
    seed: int
    accuracy: Mapping[int, float]
    minutes: float

    @property
    def remembers(self) -> int:
        """The largest distance up to which every tested distance is solved; 0 if none is."""
        best = 0
        for distance in sorted(self.accuracy):
            if self.accuracy[distance] < SOLVED:
                break
            best = distance
        return best


def measure(config: Memory) -> Iterator[Result]:
    """Trains every cell with every seed; nothing else differs between the trainings."""
    task, settings = choices.memory_test(config.test)
    own = {name: value for name in ("epochs", "limit") if (value := getattr(config, name)) is not None}
    for cell in choices.cell_names(config.cells):
        for seed in choices.seeds(config.seeds):
            values = {**settings, **own, "dataset": f"{config.test}/{config.steps}", "cell": cell, "seed": seed}
            yield _trained(task, task.recipe.train(**values))


def _trained(task: Installed, recipe: Any) -> Result:
    with tempfile.TemporaryDirectory(prefix="zoo-lens-") as folder:
        metrics = training.train(task, recipe, Path(folder) / "model", plot=False).metrics
    scores = metrics["scores"]["test"]
    by_distance = {int(name.removeprefix(PREFIX)): value for name, value in scores.items() if name.startswith(PREFIX)}
    if not by_distance:
        raise UserError(f"{recipe.dataset} is not a memory test: its scores have no {PREFIX}N.")
    return Result(recipe.cell, recipe.seed, by_distance, metrics["training"]["minutes"])


def show_memory(config: Memory, models: Sequence = ()) -> Iterator[str]:
    """A row for each training: accuracy by distance, and how far back it remembers."""
    results = list(measure(config))
    distances = sorted(results[0].accuracy)
    _draw(Path(config.plot), results, distances)
    if config.json:
        objects = [
            {
                "cell": result.cell,
                "seed": result.seed,
                "accuracy": {str(distance): round(value, 4) for distance, value in sorted(result.accuracy.items())},
                "remembers": result.remembers,
                "minutes": result.minutes,
            }
            for result in results
        ]
        yield json.dumps(
            {"test": config.test, "steps": config.steps, "right": SOLVED, "results": objects, "figure": config.plot}
        )
        return
    yield f"accuracy on {config.test}, by distance in steps"
    rows = [
        [f"{r.cell}, seed {r.seed}", *(f"{r.accuracy[distance]:.2f}" for distance in distances), r.remembers]
        for r in results
    ]
    yield from tables.table(["cell", *map(str, distances), "remembers"], rows)
    yield from _verdicts(results)
    yield config.plot


def _verdicts(results: Sequence[Result]) -> Iterator[str]:
    for cell in dict.fromkeys(result.cell for result in results):
        reach = sorted(result.remembers for result in results if result.cell == cell)
        steps = f"{reach[0]}" if reach[0] == reach[-1] else f"{reach[0]} to {reach[-1]}"
        seeds = f"{len(reach)} seed{'s' * (len(reach) > 1)}"
        yield f"{cell}: accuracy of at least {SOLVED:.0%} up to {steps} steps, {seeds}"


def _draw(path: Path, results: Sequence[Result], distances: Sequence[int]) -> None:
    curves = {}
    for cell in dict.fromkeys(result.cell for result in results):
        rows = [[result.accuracy[distance] for distance in distances] for result in results if result.cell == cell]
        curves[cell] = ([str(distance) for distance in distances], np.mean(rows, axis=0))
    labels = ("distance (steps)", "accuracy, mean over seeds")
    figures.draw_lines(path, curves, labels, title="Memory by distance", level=SOLVED)
