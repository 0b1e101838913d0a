"""Recurrent cells, and the table that finds them by name.

Importing this package does not import Keras; taking a class out of it does. A new cell is one file here and one
line in `TABLE`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo.errors import UserError
from zoo.names import look_up

if TYPE_CHECKING:
    from zoo.cells.gru import GRUCell
    from zoo.cells.lstm import LSTMCell
    from zoo.cells.simple_rnn import SimpleRNNCell

TABLE = {
    "simple_rnn": ("SimpleRNNCell", "Vanilla recurrent cell (Elman 1990)"),
    "lstm": ("LSTMCell", "Long short-term memory with a forget gate (Hochreiter and Schmidhuber 1997)"),
    "gru": ("GRUCell", "Gated recurrent unit (Cho et al. 2014)"),
}
"""Name, which is also the file's name -> class and what it is."""

__all__ = ["TABLE", "GRUCell", "LSTMCell", "SimpleRNNCell", "find", "make"]


def __getattr__(name: str) -> Any:
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


def make(cell: Any, units: int) -> Any:
    """A new, unbuilt cell.

    Args:
        cell: A name in `TABLE`, a cell class (called with `units`), or an instance, which serves as a pattern:
            its config is used, its weights are not.
        units: Units for a name or a class; an instance has its own.

    Raises:
        UserError: If a name is unknown, or the value is no cell.
    """
    if isinstance(cell, str):
        return find(cell)(units)
    if isinstance(cell, type):
        return cell(units)
    if hasattr(cell, "state_size") and hasattr(cell, "from_config"):
        config = cell.get_config()
        config.pop("name", None)
        return type(cell).from_config(config)
    raise UserError(f"A cell is a name ({', '.join(TABLE)}), a cell class or an instance; got {cell!r}.")
