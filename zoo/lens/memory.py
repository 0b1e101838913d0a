"""`zoo lens memory`: each cell is trained on a memory test; how far back does it remember?"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import training
from zoo.errors import UserError
from zoo.lens import choices, figures, tables
from zoo.lens.settings import Memory
from zoo.task import Installed

RIGHT = 0.9
"""From this accuracy on a cell counts as right: far from chance, with room for a few slips."""

PREFIX = "accuracy_at_"


@dataclass(frozen=True)
class Result:
    """What one training came to.

    Attributes:
        cell: Its name.
        seed: Of weights and order of the data.
        accuracy: On the test split, by distance.
        minutes: Of training.
    """

    cell: str
    seed: int
    accuracy: Mapping[int, float]
    minutes: float

    @property
    def remembers(self) -> int:
        """The largest distance up to which the cell is right at all that were tried; 0 if at none."""
        best = 0
        for distance in sorted(self.accuracy):
            if self.accuracy[distance] < RIGHT:
                break
            best = distance
        return best


def measure(ask: Memory) -> Iterator[Result]:
    """Trains every cell with every seed by one recipe, which differs in nothing but these two."""
    task, settings = choices.test(ask.test)
    own = {name: value for name in ("epochs", "limit") if (value := getattr(ask, name)) is not None}
    for cell in choices.chosen(ask.cells):
        for seed in choices.seeds(ask.seeds):
            told = {**settings, **own, "dataset": f"{ask.test}/{ask.steps}", "cell": cell, "seed": seed}
            yield _trained(task, task.recipe.Train(**told))


def _trained(task: Installed, recipe: Any) -> Result:
    with tempfile.TemporaryDirectory(prefix="zoo-lens-") as folder:
        metrics = training.train(task, recipe, Path(folder) / "model", plot=False).metrics
    scores = metrics["scores"]["test"]
    found = {int(name.removeprefix(PREFIX)): value for name, value in scores.items() if name.startswith(PREFIX)}
    if not found:
        raise UserError(f"{recipe.dataset} is no memory test: its scores have no {PREFIX}N.")
    return Result(recipe.cell, recipe.seed, found, metrics["training"]["minutes"])


def show_memory(ask: Memory, models: Sequence = ()) -> Iterator[str]:
    """A row for each training: accuracy by distance, and how far it remembers."""
    results = list(measure(ask))
    distances = sorted(results[0].accuracy)
    _draw(Path(ask.out), results, distances)
    if ask.json:
        told = [
            {
                "cell": result.cell,
                "seed": result.seed,
                "accuracy": {str(distance): round(value, 4) for distance, value in sorted(result.accuracy.items())},
                "remembers": result.remembers,
                "minutes": result.minutes,
            }
            for result in results
        ]
        yield json.dumps({"test": ask.test, "steps": ask.steps, "right": RIGHT, "results": told, "figure": ask.out})
        return
    yield f"accuracy on {ask.test}, by steps between telling and asking"
    rows = [
        [f"{r.cell}, seed {r.seed}", *(f"{r.accuracy[distance]:.2f}" for distance in distances), r.remembers]
        for r in results
    ]
    yield from tables.table(["cell", *map(str, distances), "remembers"], rows)
    yield from _verdicts(results)
    yield ask.out


def _verdicts(results: Sequence[Result]) -> Iterator[str]:
    for cell in dict.fromkeys(result.cell for result in results):
        found = sorted(result.remembers for result in results if result.cell == cell)
        much = f"{found[0]}" if found[0] == found[-1] else f"{found[0]} to {found[-1]}"
        yield f"{cell}: right ({RIGHT:.0%} or more) up to {much} steps, {len(found)} seed{'s' * (len(found) > 1)}"


def _draw(path: Path, results: Sequence[Result], distances: Sequence[int]) -> None:
    curves = {}
    for cell in dict.fromkeys(result.cell for result in results):
        rows = [[result.accuracy[distance] for distance in distances] for result in results if result.cell == cell]
        curves[cell] = ([str(distance) for distance in distances], np.mean(rows, axis=0))
    figures.draw_lines(path, curves, ("steps between telling and asking", "accuracy, mean over seeds"), level=RIGHT)
