"""The settings of each command of `zoo lens`; `zoo.options` turns the fields into options."""

from dataclasses import dataclass

from zoo.settings import setting

CELLS = "simple_rnn,lstm,gru"


@dataclass(frozen=True)
class Gradients:
    """Norm of d(loss at time T) / d(hidden state at time t) against T - t, for each cell."""

    cells: str = setting(CELLS, "Cells to compare, separated by commas; they are untrained.")
    model: str | None = setting(
        None, "Saved models to compare instead, separated by commas: their first recurrent layers."
    )
    gain: float = setting(
        1.0, "Factor on an untrained cell's recurrent weights; above 1, gradients may explode.", minimum=0.0
    )
    steps: int = setting(100, "Time T of the loss.", minimum=2, maximum=2_000)
    units: int = setting(64, "Units of an untrained cell.", minimum=1, maximum=1_024)
    sequences: int = setting(8, "Number of sequences to average over.", minimum=1, maximum=256)
    seed: int = setting(1, "Random seed of weights, inputs and readout.", minimum=0)
    plot: str = setting("gradients.png", "PNG file to write.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Jacobian(Gradients):
    """Largest singular value of d(state at t) / d(state at t - 1), for each cell and step."""

    sequences: int = setting(2, "Number of sequences to average over.", minimum=1, maximum=256)
    plot: str = setting("jacobian.png", "PNG file to write.")


@dataclass(frozen=True)
class Gates:
    """Openness of each gate of a trained model at each token of a text."""

    text: str = ""
    model: str | None = setting(None, "Saved model that reads text and whose cell has gates.")
    layer: int = setting(1, "Number of the recurrent layer, from 1 on.", minimum=1)
    plot: str = setting("gates.png", "PNG file to write.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Memory:
    """Train each cell on a memory test and report up to which distance it remembers."""

    cells: str = setting(CELLS, "Cells to compare, separated by commas.")
    test: str = setting("adding", "Memory test of an installed task; a wrong name lists them.")
    steps: int = setting(
        100, "Longest distance between a value and the question about it, in steps.", minimum=5, maximum=1_000
    )
    seeds: str = setting("1,2,3", "Random seeds to train each cell with, separated by commas.")
    epochs: int | None = setting(
        None, "Passes over the training data; by default as many as the test needs.", minimum=1
    )
    limit: int | None = setting(None, "Use only the first N training examples.", minimum=1)
    plot: str = setting("memory.png", "PNG file to write.")
    json: bool = setting(False, "Print one JSON object.")
