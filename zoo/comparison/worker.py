"""One training of a grid, in a process of its own: `python -m zoo.comparison.worker OUTPUT CELL SEED`.

It trains or goes on training, scores the test examples one by one, and ends when the process that started it ends.
"""

import dataclasses
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np

from zoo.comparison import grid as grids
from zoo.errors import UserError
from zoo.workers.processes import end_with_parent


def main() -> int:
    """Entry point. Returns 2 after an error of the user, whose sentence is the last line of standard error."""
    output, cell, seed = sys.argv[1:]
    end_with_parent()
    try:
        work(Path(output), grids.Run(cell, int(seed)))
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


def work(output: Path, run: grids.Run) -> None:
    """Trains what is left of a training, and writes its statistics."""
    from zoo import saved, training

    grid = grids.read(output)
    recipe, path = grid.recipe(run), grid.path(run)
    if path.is_dir():
        model = saved.load(path)
    else:
        model = training.train(
            grid.installed, recipe, path, command=command(grid, recipe, run), resume=grids.begun(grid, run)
        )
    statistics = training.example_statistics(model)
    _keep(grid.statistics(run), np.zeros((0, 0)) if statistics is None else statistics)


def _keep(file: Path, statistics: np.ndarray) -> None:
    file.parent.mkdir(exist_ok=True)
    new = file.with_suffix(".new")
    threads = int(os.environ.get("ZOO_ENGINE_THREADS", 0))
    with new.open("wb") as stream:
        np.savez_compressed(stream, statistics=statistics, threads=threads)
    os.replace(new, file)


def command(grid: grids.Grid, recipe: Any, run: grids.Run) -> str:
    """The `zoo train` that does the same, for the model's card."""
    words = ["zoo", "train", grid.task]
    for item in dataclasses.fields(recipe):
        value, name = getattr(recipe, item.name), item.name.replace("_", "-")
        if value == item.default or value is None:
            continue
        words += [f"--{name}" if value else f"--no-{name}"] if isinstance(value, bool) else [f"--{name}", str(value)]
    return shlex.join([*words, "--models-dir", str(grid.output), "--name", run.name])


if __name__ == "__main__":
    sys.exit(main())
