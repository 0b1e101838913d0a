"""Cells as they are typed: a name, and arguments after colons."""

from collections.abc import Iterable, Mapping
from typing import Any

from zoo import names
from zoo.errors import UserError

ALL = "all"
"""What stands for all recurrent cells in a list of cells."""


def split(cell: str) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of a cell as it is typed.

    `"min_gru"` has no arguments, `"min_gru:signed"` is `min_gru` with `signed=True`, and `"mogrifier_lstm:rounds=3"` is
    `mogrifier_lstm` with `rounds=3`. Whether the cell has these arguments is checked when it is made.

    Raises:
        UserError: If an argument has no name, or occurs twice.
    """
    name, *words = cell.split(":")
    arguments: dict[str, Any] = {}
    for word in words:
        argument, equals, value = word.strip().partition("=")
        if not argument.isidentifier() or argument in arguments:
            raise UserError(
                f"{cell!r}: write a cell with arguments as NAME:ARGUMENT or NAME:ARGUMENT=VALUE, each argument once, "
                "such as min_gru:signed."
            )
        arguments[argument] = _value(value) if equals else True
    return name.strip(), arguments


def _value(text: str) -> Any:
    """`true`, `false`, `none` or a number; any other text is itself."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def check(cell: str, known: Mapping[str, Any]) -> None:
    """Raises a `UserError` that names the nearest if a cell as it is typed is not one of those known."""
    names.look_up(known, split(cell)[0], "cell", "`zoo list cells` shows them with what they are")


def cell_names(words: str, known: Mapping[str, Any], recurrent: Iterable[str]) -> tuple[str, ...]:
    """Cells as they are typed, from `"lstm,min_gru:signed"`.

    Args:
        words: Cells, separated by commas, or `"all"`.
        known: Name -> anything; the cells that may be given.
        recurrent: The names that `"all"` stands for.

    Raises:
        UserError: If there is none, or one is unknown.
    """
    found = tuple(names.split(words))
    if found == (ALL,):
        return tuple(recurrent)
    if not found:
        raise UserError(f"--cells names no cell. Known: {', '.join(known)}; or {ALL}.")
    for cell in found:
        check(cell, known)
    return found
