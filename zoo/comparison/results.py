"""What a grid found, as plain values: `results.json`."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import cards, statistics
from zoo.comparison import grid as grids

METHOD = (
    "Differences of mean test scores from the first cell. Interval (95 %) and p count the variance over seeds (Welch) "
    "and over test examples (paired bootstrap), by Student's t; p_holm is p corrected for the number of cells. "
    "p_examples is the paired permutation test over test examples, for these trained nets alone. Weights were chosen "
    "on the validation split; each net was scored on the test split once its training had ended."
)
"""What the numbers mean, in words."""


def collect(grid: grids.Grid) -> dict[str, Any]:
    """Scores of all finished trainings of a grid, and how far each cell differs from the first.

    Args:
        grid: The grid; its task is imported, which imports Keras.

    Returns:
        A JSON object. `cells` has an entry for each cell with a finished training; the seeds of a cell are its own,
        and a difference is over the seeds that both cells have.
    """
    task = grid.installed.task
    rows = [row for cell in grid.cells if (row := _cell(grid, cell, task.monitor))]
    trained = {row["cell"]: _trained(grid, row, task.monitor) for row in rows}
    if rows and rows[0]["cell"] == grid.cells[0]:
        first, *others = rows
        pairs = [_common(trained[first["cell"]], trained[row["cell"]]) for row in others]
        found = [statistics.difference(*pair, task.combine) if pair else None for pair in pairs]
        for row, item in zip(others, statistics.corrected(found), strict=True):
            row["difference"] = dataclasses.asdict(item) if item else None
    return {
        "task": grid.task,
        "dataset": grid.recipe(grid.runs()[0]).dataset,
        "monitor": task.monitor,
        "higher_is_better": task.higher_is_better,
        "settings": grid.settings,
        "seeds": list(grid.seeds),
        "parameters": grid.parameters,
        "first": grid.cells[0],
        "method": METHOD,
        "cells": rows,
        "notes": _notes(rows),
    }


def _cell(grid: grids.Grid, cell: str, monitor: str) -> dict[str, Any] | None:
    """One cell's entry, or None if none of its trainings is finished."""
    runs = [row for seed in grid.seeds if (row := _run(grid, grids.Run(cell, seed)))]
    if not runs:
        return None
    values = {split: [run[split][monitor] for run in runs] for split in ("validation", "test")}
    return {
        "cell": cell,
        "units": runs[0]["units"],
        "parameters": runs[0]["parameters"],
        **{split: _spread(scores) for split, scores in values.items()},
        "minutes": float(np.mean([run["minutes"] for run in runs])),
        "examples_per_second": float(np.mean([run["examples_per_second"] for run in runs])),
        "difference": None,
        "runs": runs,
    }


def _run(grid: grids.Grid, run: grids.Run) -> dict[str, Any] | None:
    summary = grids.finished(grid, run)
    if summary is None:
        return None
    metrics, training = summary.metrics, summary.metrics["training"]
    return {
        "seed": run.seed,
        "model": run.name,
        "units": summary.recipe["train"].get("units"),
        "parameters": training["parameters"],
        **metrics["scores"],
        **{name: training[name] for name in ("minutes", "examples_per_second", "epochs", "best_epoch")},
        "threads": _threads(grid.statistics(run)),
        "cores": metrics["machine"]["cores"],
        "versions": metrics["versions"],
        "data": metrics["data"],
    }


def _spread(scores: Sequence[float]) -> dict[str, float | None]:
    """Mean, standard deviation over seeds (None of one seed), smallest and largest of some scores."""
    deviation = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
    return {"mean": float(np.mean(scores)), "std": deviation, "min": min(scores), "max": max(scores)}


def _threads(file: Path) -> int | None:
    if not file.is_file():
        return None
    with np.load(file, allow_pickle=False) as stored:
        return int(stored["threads"]) or None


def _trained(grid: grids.Grid, row: Mapping[str, Any], monitor: str) -> dict[int, tuple[float, np.ndarray | None]]:
    """Seed -> test score, and the statistics of its examples."""
    found = {}
    for run in row["runs"]:
        file = grid.statistics(grids.Run(row["cell"], run["seed"]))
        values = None
        if file.is_file():
            with np.load(file, allow_pickle=False) as stored:
                values = stored["statistics"] if len(stored["statistics"]) else None
        found[run["seed"]] = (run["test"][monitor], values)
    return found


def _common(
    first: Mapping[int, tuple[float, np.ndarray | None]], other: Mapping[int, tuple[float, np.ndarray | None]]
) -> tuple[statistics.Trained, statistics.Trained] | None:
    """Both cells' trainings with the seeds that both have; None if there is no such seed."""
    seeds = [seed for seed in first if seed in other]
    return (_of(first, seeds), _of(other, seeds)) if seeds else None


def _of(cell: Mapping[int, tuple[float, np.ndarray | None]], seeds: Sequence[int]) -> statistics.Trained:
    """A cell's trainings with some seeds; their examples count only if all have been looked at."""
    examples = [values for seed in seeds if (values := cell[seed][1]) is not None]
    scores = np.array([cell[seed][0] for seed in seeds])
    return statistics.Trained(scores, np.stack(examples) if len(examples) == len(seeds) else None)


def _notes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader of the numbers has to know."""
    runs = [run for row in rows for run in row["runs"]]
    notes = []
    if len({(run["threads"], run["cores"]) for run in runs}) > 1:
        notes.append("Minutes and examples per second come from different numbers of threads or cores.")
    for key, words in (("versions", "versions of Keras, backend or Python"), ("data", "versions of the data")):
        if len({str(run[key]) for run in runs}) > 1:
            notes.append(f"The trainings had different {words}: the scores do not compare.")
    if len(rows) > 1 and any(len(row["runs"]) == 1 for row in rows):
        notes.append("With one seed, differences are those of single nets: another seed may turn them around.")
    if len({len(row["runs"]) for row in rows}) > 1:
        notes.append("Some trainings are missing; a difference is over the seeds that both cells have.")
    return notes


def summary_line(row: Mapping[str, Any], first: str, higher_is_better: bool) -> str:
    """A difference in words."""
    item = row["difference"]
    if item is None:
        return ""
    better = (item["difference"] > 0) == higher_is_better
    clear = item["p_holm"] is not None and item["p_holm"] < 1 - statistics.CONFIDENCE
    verdict = ("better" if better else "worse") if clear else "no clear difference"
    return f"{row['cell']} vs {first}: {verdict} ({item['covers']})"


def score(value: float | None) -> str:
    """A score in a table; a dash where there is none."""
    return "-" if value is None else cards.number(float(value))
