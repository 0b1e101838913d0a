"""The choices of a user of `zoo lens`, checked before Keras is imported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import cells
from zoo.cells.arguments import split
from zoo.errors import UserError
from zoo.names import look_up
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


def cell_names(words: str) -> list[str]:
    """Cells from `"lstm,min_gru:signed"`, or all of them from `"all"`; see `zoo.cells.arguments.split` for arguments.

    Raises:
        UserError: If there is none, or one is unknown.
    """
    names = list(cells.TABLE) if words.strip() == "all" else _words(words)
    if not names:
        raise UserError(f"--cells names no cell. Known: {', '.join(cells.TABLE)}.")
    for name in names:
        look_up(cells.TABLE, split(name)[0], "cell", "`zoo list cells` shows them with what they are")
    return names


def models(words: str) -> list[str]:
    """Names or folders of saved models from `"a,b"`.

    Raises:
        UserError: If there is none.
    """
    names = _words(words)
    if not names:
        raise UserError("--model names no model. `zoo list models` shows them.")
    return names


def seeds(words: str) -> list[int]:
    """Seeds from `"1,2,3"`.

    Raises:
        UserError: If there is none, or one is not a whole number.
    """
    numbers = _words(words)
    if not numbers or not all(number.isdecimal() and len(number) < 100 for number in numbers):
        raise UserError(f"--seeds {words[:60]!r}: give whole numbers from 0 on, separated by commas, such as 1,2,3.")
    if max(map(int, numbers)) >= 2**32:
        raise UserError(f"--seeds {words[:60]!r}: a seed is less than {2**32:,}.")
    return [int(number) for number in numbers]


def _words(words: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))


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
