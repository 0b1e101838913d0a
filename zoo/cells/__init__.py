"""Recurrent cells, and the table that finds them by name.

Importing this package does not import Keras; taking a class out of it does. A new cell is one file here and one
row in `TABLE`.
"""

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.names import look_up

if TYPE_CHECKING:
    from zoo.cells.choice import make, pattern
    from zoo.cells.gru import GRUCell
    from zoo.cells.lstm import LSTMCell
    from zoo.cells.min_gru import MinGRUCell
    from zoo.cells.min_lstm import MinLSTMCell
    from zoo.cells.simple_rnn import SimpleRNNCell


class Row(NamedTuple):
    """A cell of the table: its class, and the facts that `zoo list cells` shows.

    Attributes:
        cls: Name of its class in the module of its name.
        text: What it is, in a few words.
        paper: Its authors, as they are cited: "Cho et al.".
        year: Year of the paper.
        states: Letters of what it carries from step to step, as in the paper: "h, c".
        products: Matrix products in the loop over the steps; those of the inputs that are computed before it do not
            count.
        parameters: Weights per unit squared where inputs have as many features as the cell has units.
        reason: One reason to choose it, in at most 50 characters.
    """

    cls: str
    text: str
    paper: str
    year: int
    states: str
    products: int
    parameters: float
    reason: str

    @property
    def source(self) -> str:
        """The paper as it is cited: "Cho et al. 2014"."""
        return f"{self.paper} {self.year}"


TABLE = {
    "simple_rnn": Row(
        "SimpleRNNCell", "vanilla recurrent cell", "Elman", 1990, "h", 1, 2, "the simplest: shows how gradients vanish"
    ),
    "lstm": Row(
        "LSTMCell", "long short-term memory with a forget gate", "Hochreiter, Schmidhuber", 1997, "h, c", 1, 8,
        "the standard; counts, and remembers long",
    ),
    "gru": Row(
        "GRUCell", "gated recurrent unit", "Cho et al.", 2014, "h", 1, 6, "nearly an LSTM with a quarter fewer weights"
    ),
    "min_gru": Row(
        "MinGRUCell", "minimal GRU: gates from the input alone", "Feng et al.", 2024, "h", 0, 2,
        "linear recurrence: several times faster than a GRU",
    ),
    "min_lstm": Row(
        "MinLSTMCell", "minimal LSTM: gates from the input alone", "Feng et al.", 2024, "h", 0, 3,
        "linear recurrence with two gates",
    ),
}  # fmt: skip
"""Name, which is also the file's name -> its class and what is to be known about it."""

__all__ = [
    "TABLE",
    "GRUCell",
    "LSTMCell",
    "MinGRUCell",
    "MinLSTMCell",
    "Row",
    "SimpleRNNCell",
    "find",
    "make",
    "pattern",
]


def __getattr__(name: str) -> Any:
    if name in ("make", "pattern"):
        return getattr(importlib.import_module(f"{__name__}.choice"), name)
    for module, row in TABLE.items():
        if row.cls == name:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def find(name: str) -> type:
    """The class of a cell name.

    Raises:
        UserError: If no cell has this name; names the nearest.
    """
    return __getattr__(look_up(TABLE, name, "cell").cls)
