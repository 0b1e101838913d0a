"""Recurrent cells, and the table that finds them by name.

Importing this package does not import Keras; taking a class out of it does. A new cell is one file here and one
row in `TABLE`.
"""

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.names import look_up

if TYPE_CHECKING:
    from zoo.cells.cell import Cell
    from zoo.cells.choice import make, pattern
    from zoo.cells.gated_delta import GatedDeltaCell
    from zoo.cells.gru import GRUCell
    from zoo.cells.ind_rnn import IndRNNCell
    from zoo.cells.layer_norm_lstm import LayerNormLSTMCell
    from zoo.cells.lru import LRUCell
    from zoo.cells.lstm import LSTMCell
    from zoo.cells.min_gru import MinGRUCell
    from zoo.cells.min_lstm import MinLSTMCell
    from zoo.cells.mogrifier_lstm import MogrifierLSTMCell
    from zoo.cells.peephole_lstm import PeepholeLSTMCell
    from zoo.cells.rg_lru import RGLRUCell
    from zoo.cells.simple_rnn import SimpleRNNCell
    from zoo.cells.slstm import SLSTMCell
    from zoo.cells.sru import SRUCell
    from zoo.cells.ssru import SSRUCell


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
    "layer_norm_lstm": Row(
        "LayerNormLSTMCell", "LSTM with layer normalization", "Ba et al.", 2016, "h, c", 1, 8,
        "stable with large weights and learning rates",
    ),
    "peephole_lstm": Row(
        "PeepholeLSTMCell", "LSTM whose gates see the cell state", "Gers et al.", 2002, "h, c", 1, 8,
        "precise timing of events",
    ),
    "mogrifier_lstm": Row(
        "MogrifierLSTMCell", "LSTM whose inputs and state gate each other", "Melis et al.", 2019, "h, c",
        7, 13, "records on text, character by character",
    ),
    "slstm": Row(
        "SLSTMCell", "LSTM with exponential gates and a normalizer", "Beck et al.", 2024, "h, c, n, m", 1, 8,
        "revises what it has stored; learns parity",
    ),
    "ind_rnn": Row(
        "IndRNNCell", "independently recurrent units with bounded weights", "Li et al.", 2018, "h", 0, 1,
        "the cheapest nonlinear cell; deep stacks",
    ),
    "min_gru": Row(
        "MinGRUCell", "minimal GRU: gates from the input alone", "Feng et al.", 2024, "h", 0, 2,
        "linear recurrence: several times faster than a GRU",
    ),
    "min_lstm": Row(
        "MinLSTMCell", "minimal LSTM: gates from the input alone", "Feng et al.", 2024, "h", 0, 3,
        "linear recurrence with two gates",
    ),
    "sru": Row(
        "SRUCell", "simple recurrent unit with a highway", "Lei et al.", 2018, "c", 0, 3,
        "fast, and its highway lets layers be stacked",
    ),
    "ssru": Row(
        "SSRUCell", "simpler simple recurrent unit", "Kim et al.", 2019, "c", 0, 2,
        "one gate; decoders of translation in browsers",
    ),
    "lru": Row(
        "LRUCell", "linear recurrent unit, complex channels", "Orvieto et al.", 2023, "x", 0, 5,
        "long memory of fixed decays and frequencies",
    ),
    "rg_lru": Row(
        "RGLRUCell", "real-gated linear recurrent unit", "De et al.", 2024, "h", 0, 3,
        "long memory that inputs can open and clear",
    ),
    "gated_delta": Row(
        "GatedDeltaCell", "gated delta rule, a matrix as memory", "Yang et al.", 2024, "S", 0, 4,
        "recalls what was stored under a key",
    ),
}  # fmt: skip
"""Name, which is also the file's name -> its class and what is to be known about it."""

__all__ = [
    "TABLE",
    "Cell",
    "GRUCell",
    "GatedDeltaCell",
    "IndRNNCell",
    "LRUCell",
    "LSTMCell",
    "LayerNormLSTMCell",
    "MinGRUCell",
    "MinLSTMCell",
    "MogrifierLSTMCell",
    "PeepholeLSTMCell",
    "RGLRUCell",
    "Row",
    "SLSTMCell",
    "SRUCell",
    "SSRUCell",
    "SimpleRNNCell",
    "find",
    "make",
    "pattern",
]


def __getattr__(name: str) -> Any:
    if name in ("make", "pattern"):
        return getattr(importlib.import_module(f"{__name__}.choice"), name)
    if name == "Cell":
        return importlib.import_module(f"{__name__}.cell").Cell
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
