"""Recurrent cells, and the table that finds them by name.

Importing this package does not import Keras; taking a class out of it does. A new cell is one file here and one
line in `TABLE`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo.errors import UserError
from zoo.names import look_up

if TYPE_CHECKING:
    from zoo.cells.choice import make, pattern
    from zoo.cells.gru import GRUCell
    from zoo.cells.lstm import LSTMCell
    from zoo.cells.min_gru import MinGRUCell
    from zoo.cells.min_lstm import MinLSTMCell
    from zoo.cells.simple_rnn import SimpleRNNCell

TABLE = {
    "simple_rnn": ("SimpleRNNCell", "Vanilla recurrent cell (Elman 1990)"),
    "lstm": ("LSTMCell", "Long short-term memory with a forget gate (Hochreiter and Schmidhuber 1997)"),
    "gru": ("GRUCell", "Gated recurrent unit (Cho et al. 2014)"),
    "min_gru": ("MinGRUCell", "Minimal GRU, a linear recurrence (Feng et al. 2024)"),
    "min_lstm": ("MinLSTMCell", "Minimal LSTM, a linear recurrence (Feng et al. 2024)"),
}
"""Name, which is also the file's name -> class and what it is."""

__all__ = [
    "TABLE",
    "GRUCell",
    "LSTMCell",
    "MinGRUCell",
    "MinLSTMCell",
    "SimpleRNNCell",
    "find",
    "make",
    "pattern",
    "split",
]


def __getattr__(name: str) -> Any:
    if name in ("make", "pattern"):
        return getattr(importlib.import_module(f"{__name__}.choice"), name)
    for module, (cls, _) in TABLE.items():
        if cls == name:
            return getattr(importlib.import_module(f"{__name__}.{module}"), cls)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def find(name: str) -> type:
    """The class of a cell name.

    Raises:
        UserError: If no cell has this name; names the nearest.
    """
    cls, _ = look_up(TABLE, name, "cell")
    return __getattr__(cls)


def split(cell: str) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of a cell as it is typed, arguments after colons.

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
