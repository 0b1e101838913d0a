"""`zoo lens memory`: each cell is trained on a memory test, which shows how far back it remembers."""

import dataclasses
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import cells, figures, training
from zoo.errors import UserError
from zoo.lens import choices, results
from zoo.lens.results import SOLVED, Result
from zoo.lens.settings import Memory
from zoo.lens.theory import THEORY
from zoo.saved import SavedModel
from zoo.settings import changes, seeds
from zoo.task import Installed

PREFIX = "accuracy_at_"


def recipes(config: Memory) -> tuple[Installed, list[Any]]:
    """The task of a memory test, and the recipe of each training: only cell and seed differ."""
    task, settings = choices.memory_test(config.test)
    own = {name: value for name in ("epochs", "limit") if (value := getattr(config, name)) is not None}
    steps = config.steps or task.recipe.datasets[config.test].config
    values = {**settings, **own, "dataset": f"{config.test}/{steps}"}
    names, numbers = choices.cell_names(config.cells), seeds(config.seeds)
    return task, [task.recipe.train(**values, cell=cell, seed=seed) for cell in names for seed in numbers]


def check_cells(config: Memory) -> None:
    """Makes each cell once, so that a wrong argument is refused before hours of training.

    Raises:
        UserError: If a cell has no such argument, or the test's number of units does not suit it.
    """
    _, settings = choices.memory_test(config.test)
    for name in choices.cell_names(config.cells):
        cells.make(name, settings["units"])


def measure(config: Memory, known: Sequence[Result] = ()) -> Iterator[Result]:
    """Trains every cell with every seed; trainings whose results are known are not repeated."""
    task, planned = recipes(config)
    for recipe in planned:
        found = next((result for result in known if not changes(result.recipe, recipe)), None)
        yield found or _trained(task, recipe)


def fit(task: Installed, recipe: Any) -> SavedModel:
    """Trains by a recipe; the model is not kept on disk."""
    with tempfile.TemporaryDirectory(prefix="zoo-lens-") as folder:
        return training.train(task, recipe, Path(folder) / "model", plot=False)


def _trained(task: Installed, recipe: Any) -> Result:
    metrics = fit(task, recipe).metrics
    scores = metrics["scores"]["test"]
    by_distance = {int(name.removeprefix(PREFIX)): value for name, value in scores.items() if name.startswith(PREFIX)}
    if not by_distance:
        raise UserError(f"{recipe.dataset} is not a memory test: its scores have no {PREFIX}N.")
    settings = dataclasses.asdict(recipe)
    return Result(recipe.cell, recipe.seed, by_distance, metrics["training"]["minutes"], settings)


def chance(task: Installed, recipe: Any) -> float:
    """Accuracy of an answer that is always the most frequent one, on the test split."""
    counts: Counter[int] = Counter()
    for _, targets, weights in task.task.load(recipe).split("test"):
        targets = np.asarray(targets)[np.asarray(weights) > 0]
        counts.update(targets[targets >= 0].ravel().tolist())
    return max(counts.values()) / counts.total()


def show_memory(config: Memory, models: Sequence = ()) -> Iterator[str]:
    """A row for each training as it ends: accuracy by distance, and how far back the cell remembers."""
    check_cells(config)
    task, planned = recipes(config)
    file, plot = Path(config.plot).with_suffix(".json"), Path(config.plot)
    known = results.read(file) if config.resume else []
    guess = chance(task, planned[0])
    facts = {"test": planned[0].dataset, "threshold": SOLVED, "chance": round(guess, 4), "figure": config.plot}
    if not config.json:
        yield f"accuracy on {planned[0].dataset}, by distance in steps; always the same answer has {guess:.2f}"
    found: list[Result] = []
    for result in measure(config, known):
        found.append(result)
        others = [kept for kept in known if kept not in found]  # of other commands, or still to come
        results.write(file, {**facts, "figure": plot.name}, [*found, *others])  # they lie in one folder
        _draw(plot, found, guess, planned[0].dataset)
        if not config.json:
            yield from _row(result, planned, first=len(found) == 1)
    if config.json:
        yield json.dumps({**facts, "results": [result.to_json() for result in found]})
        return
    yield from _verdicts(found)
    if config.test in THEORY:
        yield THEORY[config.test]
    yield config.plot


def _row(result: Result, planned: Sequence[Any], first: bool) -> Iterator[str]:
    """A line of the table; before the first, its head. Widths are known beforehand, so that rows need not wait."""
    width = max(len(f"{recipe.cell}, seed {recipe.seed}") for recipe in planned)
    distances = sorted(result.accuracy)
    if first:
        yield "  ".join([f"{'cell':{width}}", *(f"{distance:>5}" for distance in distances), "remembers", "minutes"])
    numbers = (f"{result.accuracy[distance]:5.2f}" for distance in distances)
    name = f"{result.cell}, seed {result.seed}"
    yield "  ".join([f"{name:{width}}", *numbers, f"{result.remembers:9}", f"{result.minutes:7.1f}"])


def _verdicts(found: Sequence[Result]) -> Iterator[str]:
    for cell in dict.fromkeys(result.cell for result in found):
        reach = sorted(result.remembers for result in found if result.cell == cell)
        steps = f"{reach[0]}" if reach[0] == reach[-1] else f"{reach[0]} to {reach[-1]}"
        seeds = f"{len(reach)} seed{'s' * (len(reach) > 1)}"
        yield f"{cell}: accuracy of at least {SOLVED:.0%} up to {steps} steps, {seeds}"


def _draw(path: Path, found: Sequence[Result], guess: float, test: str) -> None:
    """Mean over seeds, and from the least to the largest accuracy as error bars."""
    distances = sorted(found[0].accuracy)
    curves, spread = {}, {}
    for cell in dict.fromkeys(result.cell for result in found):
        rows = np.array([[result.accuracy[d] for d in distances] for result in found if result.cell == cell])
        curves[cell] = ([str(distance) for distance in distances], rows.mean(axis=0))
        spread[cell] = (rows.min(axis=0), rows.max(axis=0))
    counts = set(Counter(result.cell for result in found).values())
    seeds = max(counts)
    bars = f", mean and range of {'up to ' * (len(counts) > 1)}{seeds} seeds" if seeds > 1 else ""
    figures.draw_lines(
        path,
        curves,
        ("distance (steps)", f"accuracy{bars}"),
        title=f"Memory by distance: {test}",
        levels={"solved": SOLVED, "chance": guess},
        spread=spread if seeds > 1 else None,
    )
