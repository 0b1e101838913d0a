"""Cells as they are typed: a name, and arguments after colons."""

from typing import Any

from zoo.errors import UserError


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
