"""What each command of `zoo lens` can be told; `zoo.options` turns the fields into options."""

from dataclasses import dataclass

from zoo.settings import setting

CELLS = "simple_rnn,lstm,gru"


@dataclass(frozen=True)
class Gradients:
    """Norm of d(loss at time T) / d(hidden state at time t) against T - t, for each cell."""

    cells: str = setting(CELLS, "Cells to compare, with commas between them; fresh ones are made.")
    model: str | None = setting(
        None, "Saved models to compare instead, with commas between them: their first recurrent layers."
    )
    gain: float = setting(
        1.0, "Factor on a fresh cell's recurrent weights: above 1, gradients may explode.", minimum=0.0
    )
    steps: int = setting(100, "Time T of the loss.", minimum=2, maximum=2_000)
    units: int = setting(64, "Units of a fresh cell.", minimum=1, maximum=1_024)
    sequences: int = setting(8, "Sequences over which is averaged.", minimum=1, maximum=256)
    seed: int = setting(1, "Seed of weights, inputs and readout.", minimum=0)
    out: str = setting("gradients.png", "PNG file to draw into.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Jacobian(Gradients):
    """Largest singular value of d(state at t) / d(state at t - 1), for each cell and step."""

    sequences: int = setting(2, "Sequences over which is averaged.", minimum=1, maximum=256)
    out: str = setting("jacobian.png", "PNG file to draw into.")


@dataclass(frozen=True)
class Gates:
    """How far each gate of a trained model is open at each token of a text."""

    text: str = ""
    model: str | None = setting(None, "A saved model that reads text through a cell with gates.")
    layer: int = setting(1, "Which of several recurrent layers.", minimum=1)
    out: str = setting("gates.png", "PNG file to draw into.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Memory:
    """Train each cell on a memory test, and tell up to which distance it is right."""

    cells: str = setting(CELLS, "Cells to compare, with commas between them.")
    test: str = setting("adding", "Memory test of an installed task; a wrong name lists them.")
    steps: int = setting(100, "Longest distance that occurs.", minimum=5, maximum=1_000)
    seeds: str = setting("1,2,3", "Seeds to train each cell with, commas between them.")
    epochs: int | None = setting(None, "Passes over the training data; default what the test needs.", minimum=1)
    limit: int | None = setting(None, "Use only the first N training examples.", minimum=1)
    out: str = setting("memory.png", "PNG file to draw into.")
    json: bool = setting(False, "Print one JSON object.")
