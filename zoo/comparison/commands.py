"""The command `zoo compare`: options, checks before Keras is imported, and what is printed."""

import dataclasses
import importlib
import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from zoo import cards, options
from zoo.cells import arguments
from zoo.comparison import clusters, processes
from zoo.comparison import grid as grids
from zoo.data.datasets import check_dataset
from zoo.errors import UserError
from zoo.settings import LARGEST_INT, seeds
from zoo.task import Installed, find
from zoo.terminal import completion, environment

_TYPED = click.core.ParameterSource.COMMANDLINE


def command(task: Installed, cells: Mapping[str, str], shared: Sequence[click.Option]) -> click.Command:
    """`zoo compare TASK`.

    Args:
        task: The task.
        cells: What its `--cell` takes, with what it is; the recurrent cells come first.
        shared: The options `--json` and `--backend`, the same as in all commands.
    """
    recipe = task.recipe

    def run(**values: Any) -> None:
        ctx = click.get_current_context()
        settings = recipe.settings(values["preset"], options.given(ctx, values, recipe.train))
        grid = _grid(task, settings, values, cells)
        check_dataset(grid.recipe(grid.runs()[0]).dataset, recipe.datasets)
        run_grid(grid, values["processes"], values["backend"], as_json=values["as_json"], ray=values["ray"])

    own = [item for item in options.options(recipe.train, completion.of_settings(task)) if item.name not in grids.OWN]
    return options.Command(
        task.name,
        callback=run,
        params=[
            options.Option(
                ["--cells"],
                group="Model",
                required=True,
                shell_complete=completion.of_settings(task)["cells"],
                help=f"Cells, separated by commas, or {arguments.ALL!r}; all are compared with the first.",
            ),
            options.Option(
                ["--seeds"],
                group="Training",
                default="1,2,3",
                show_default=True,
                help="Seeds; each cell is trained with each.",
            ),
            options.Option(
                ["--parameters"],
                group="Model",
                type=options.Integer(1, largest=LARGEST_INT),
                help="Number of parameters of each net: each cell gets the number of units that comes nearest.",
            ),
            options.Option(
                ["--processes"],
                group="Workers",
                type=options.Integer(1, largest=LARGEST_INT),
                help=f"Trainings side by side.  [default: one for {processes.CORES_PER_PROCESS} cores]",
            ),
            options.Option(
                ["--ray"],
                group="Workers",
                type=options.Text(),
                help="Address of a Ray cluster that schedules the trainings, or 'local' for one on this machine.",
            ),
            options.Option(
                ["--output"],
                group="Output",
                type=options.File(),
                help="Folder of the comparison.  [default: comparisons/TASK-DATASET]",
            ),
            options.Option(
                ["--preset"],
                group="Model",
                type=options.Choice(tuple(recipe.presets)),
                help="A named recipe; options override it.",
            ),
            *own,
            *shared,
        ],
        examples=[
            f"zoo compare {task.name} --cells lstm,gru",
            f"zoo compare {task.name} --cells all --seeds 1,2,3 --parameters 20000",
        ],
        help=(
            f"Train several cells on the same task, with several seeds, and compare their scores.\n\n{task.summary}\n\n"
            "Finished trainings are kept: the same command goes on where it was interrupted, and further cells or "
            "seeds are added to the same folder."
        ),
        short_help=task.summary,
    )


def is_model(word: str) -> bool:
    """Whether a word names a saved model, or its folder."""
    return Path(word).is_dir() or word in [item.name for item in cards.models()]


def models_command(shared: Sequence[click.Option]) -> click.Command:
    """`zoo compare MODEL MODEL`, which is short for `zoo compare models MODEL MODEL`.

    Args:
        shared: The options of `zoo evaluate` but `--report`: which examples, `--json`, `--models-dir`, `--backend`.
    """

    def run(models: Sequence[str], **values: Any) -> None:
        paths = [cards.locate(model, values["models_dir"]) for model in models]
        if values["dataset"] is not None:
            check_dataset(values["dataset"], find(cards.summarize(paths[0]).task).recipe.datasets)
        environment.start_keras(values["backend"])
        load, own = importlib.import_module("zoo.saved").load, importlib.import_module("zoo.comparison.models")
        result = own.compare(*map(load, paths), values["dataset"], values["split"], values["limit"], values["examples"])
        _print([json.dumps(result)] if values["as_json"] else own.lines(result))

    return options.Command(
        "models",
        callback=run,
        params=[
            click.Argument(["models"], nargs=2, metavar="MODEL MODEL", shell_complete=completion.models),
            options.Option(
                ["--examples"],
                group="Output",
                type=options.Integer(0, largest=1_000),
                default=4,
                show_default=True,
                help="Examples shown of those whose answers differ most; 0 saves the time.",
            ),
            *shared,
        ],
        help="Compare two saved models on the same examples; the word `models` may be left out.",
    )


def _grid(task: Installed, settings: dict[str, Any], values: Mapping[str, Any], cells: Mapping[str, str]) -> grids.Grid:
    """The grid of the options, after all that can be checked without Keras."""
    settings = {name: value for name, value in settings.items() if name not in grids.OWN}
    names = arguments.cell_names(values["cells"], cells, [name for name in cells if name not in task.recipe.cells])
    if values["parameters"] and click.get_current_context().get_parameter_source("units") == _TYPED:
        raise UserError("--parameters chooses the units of each cell: leave --units out, or --parameters.")
    dataset = task.recipe.train(**settings, cell=names[0]).dataset
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset).strip("-.")
    output = values["output"] or Path("comparisons") / f"{task.name}-{slug}"
    return grids.Grid(task.name, output, settings, names, seeds(values["seeds"]), values["parameters"])


def run_grid(
    grid: grids.Grid,
    count: int | None,
    backend: str | None = None,
    *,
    as_json: bool = False,
    ray: str | None = None,
) -> None:
    """Runs what is left of a grid, and prints and writes what all of it found.

    Raises:
        UserError: If nothing can be run or shown.
        SystemExit: With 1 after a training failed, when all others are done.
    """
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    if ray:
        clusters.check(ray, count)
    count = count or processes.default_processes()
    grid, failed = train_all(grid, count, backend, ray)
    environment.start_keras(backend)
    results = importlib.import_module("zoo.comparison.results").collect(grid)
    report = importlib.import_module("zoo.comparison.report")
    if not results["cells"]:
        raise UserError(f"No training has finished: {'; '.join(f'{run.name}: {why}' for run, why in failed.items())}")
    report.write(grid.output, results)
    _print([json.dumps(results, ensure_ascii=False)] if as_json else [*report.lines(results), str(grid.output)])
    for run, why in failed.items():
        say(f"{run.name} failed: {why}")
    if failed:
        say("The same command tries them again.")
        raise SystemExit(1)


def train_all(
    grid: grids.Grid, count: int, backend: str | None, ray: str | None
) -> tuple[grids.Grid, dict[grids.Run, str]]:
    """Chooses units where there is a budget, and runs what is left.

    Returns:
        The grid with its units, and the trainings that failed with the reason.
    """
    grid = grids.resume(grid)
    if grid.parameters and (missing := [cell for cell in grid.cells if cell not in grid.units]):
        environment.start_keras(backend)
        grid = with_units(grid, missing)
    for run in grid.runs():
        grids.finished(grid, run)  # refuses, before anything is trained
    grids.write(grid)
    try:
        if ray:
            return grid, clusters.run_all(grid, ray, count, say)
        return grid, processes.run_all(grid, count, say)
    except KeyboardInterrupt:
        say(f"Finished trainings are kept in {grid.output}. The same command goes on from the last whole epochs.")
        raise


def with_units(grid: grids.Grid, cells: Iterable[str]) -> grids.Grid:
    """The grid with units for cells that have none yet.

    Raises:
        UserError: If a cell cannot have as many parameters as the grid's budget.
    """
    budget = importlib.import_module("zoo.comparison.budget")
    assert grid.parameters is not None
    units, data = dict(grid.units), None
    for cell in cells:
        recipe = grid.recipe(grids.Run(cell, grid.seeds[0]))
        data = data or grid.installed.task.load(recipe)
        found = budget.choose(grid.installed, recipe, grid.parameters, data)
        say(f"{cell}: {found.units} units, {found.parameters:,} parameters.")
        units[cell] = found.units
    return dataclasses.replace(grid, units=units)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def say(text: str) -> None:
    """Progress goes to standard error, with the time."""
    click.echo(f"{time.strftime('%H:%M')} {text}", err=True)
