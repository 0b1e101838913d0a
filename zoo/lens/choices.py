"""What the user of `zoo lens` chose, checked before Keras is imported."""

from pathlib import Path
from typing import Any

from zoo import cells
from zoo.errors import UserError
from zoo.names import look_up
from zoo.task import Installed, installed


def check(ask: Any) -> None:
    """Looks at all that can be told to be wrong without a computation.

    Raises:
        UserError: If a cell, a seed or a memory test does not exist, or the picture has no place.
    """
    picture(ask.out)
    if getattr(ask, "model", None) is None and hasattr(ask, "cells"):
        chosen(ask.cells)
    if hasattr(ask, "seeds"):
        seeds(ask.seeds)
        test(ask.test)


def chosen(words: str) -> list[str]:
    """Cell names out of `"lstm,gru"`.

    Raises:
        UserError: If there is none, or one is unknown.
    """
    names = _words(words)
    if not names:
        raise UserError(f"--cells names no cell. Known: {', '.join(cells.TABLE)}.")
    for name in names:
        look_up(cells.TABLE, name, "cell", "`zoo list cells` shows them with what they are")
    return names


def models(words: str) -> list[str]:
    """Names or folders of saved models out of `"a,b"`.

    Raises:
        UserError: If there is none.
    """
    names = _words(words)
    if not names:
        raise UserError("--model names no model. `zoo list models` shows those that there are.")
    return names


def seeds(words: str) -> list[int]:
    """Seeds out of `"1,2,3"`.

    Raises:
        UserError: If there is none, or one is no whole number.
    """
    found = _words(words)
    if not found or not all(word.isdecimal() for word in found):
        raise UserError(f"--seeds {words!r}: give whole numbers from 0 on with commas between them, such as 1,2,3.")
    return [int(word) for word in found]


def _words(words: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))


def test(name: str) -> tuple[Installed, dict[str, Any]]:
    """The task that has a memory test, and the settings for it.

    Raises:
        UserError: If no installed task has it.
    """
    known = {
        test: (task, settings)
        for task in installed().values()
        for test, settings in getattr(task.recipe, "MEMORY", {}).items()
    }
    return look_up(known, name, "memory test")


def picture(file: str) -> Path:
    """The path of a picture that is about to be made.

    Raises:
        UserError: If it does not end in .png, or its folder does not exist.
    """
    path = Path(file)
    if path.suffix.lower() != ".png":
        raise UserError(f"--out {file}: the picture is a PNG file; give a name that ends in .png.")
    if not path.parent.is_dir():
        raise UserError(f"--out {file}: there is no folder {path.parent}; make it first.")
    return path
