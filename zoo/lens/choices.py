"""The choices of a user of `zoo lens`, checked before Keras is imported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import cells
from zoo.cells import arguments
from zoo.errors import UserError
from zoo.names import look_up, split
from zoo.settings import seeds
from zoo.task import Installed, installed


def check(config: Any) -> None:
    """Checks everything that can be checked without a computation.

    Raises:
        UserError: If a cell, a seed or a memory test does not exist, or the plot cannot be written there.
    """
    if getattr(config, "plot", None) is not None:
        picture(config.plot)
    if hasattr(config, "cell"):
        cell_names(config.cell)
    if getattr(config, "model", None) is None and hasattr(config, "cells"):
        cell_names(config.cells)
    if getattr(config, "trained_on", None) is not None:
        memory_test(config.trained_on)
    if hasattr(config, "gain"):
        _untrained_only(config)
        _trained_only(config)
    if hasattr(config, "seeds"):
        seeds(config.seeds)
        memory_test(config.test)


def _untrained_only(config: Any) -> None:
    """Refuses options that would have no effect."""
    if config.model is not None and config.trained_on is not None:
        raise UserError("--model and --trained-on both say which nets to show: give one of them.")
    if config.gain != 1 and (config.model or config.trained_on):
        raise UserError(
            "--gain multiplies the recurrent weights of untrained cells: omit it with --model and --trained-on."
        )


def _trained_only(config: Any) -> None:
    """Refuses options of a training where there is none."""
    given = {"--before": config.before, "--epochs": config.epochs, "--limit": config.limit}
    useless = [name for name, value in given.items() if value]
    if useless and config.trained_on is None:
        raise UserError(
            f"{useless[0]} is about the training of --trained-on: name a memory test there, such as adding."
        )


def cell_names(words: str) -> tuple[str, ...]:
    """Cells from `"lstm,min_gru:signed"`, or all of them from `"all"`; see `zoo.cells.arguments`."""
    return arguments.cell_names(words, cells.TABLE, cells.TABLE)


def models(words: str) -> list[str]:
    """Names or folders of saved models from `"a,b"`.

    Raises:
        UserError: If there is none.
    """
    names = split(words)
    if not names:
        raise UserError("--model names no model. `zoo list models` shows them.")
    return names


def memory_test(name: str) -> tuple[Installed, Mapping[str, Any]]:
    """The task of a memory test, and its settings for it.

    Raises:
        UserError: If no installed task has it.
    """
    known = {test: (task, settings) for task in installed().values() for test, settings in task.recipe.memory.items()}
    return look_up(known, name, "memory test")


def picture(file: str) -> Path:
    """The path of a plot that is about to be written.

    Raises:
        UserError: If it does not end in .png, or its folder does not exist.
    """
    path = Path(file)
    if path.suffix.lower() != ".png":
        raise UserError(f"--plot {file}: plots are PNG files; give a name that ends in .png.")
    if not path.parent.is_dir():
        raise UserError(f"--plot {file}: there is no folder {path.parent}; create it first.")
    return path
