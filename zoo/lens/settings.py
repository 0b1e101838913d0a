"""The settings of each command of `zoo lens`; `zoo.options` turns the fields into options."""

from dataclasses import dataclass

from zoo.settings import setting

CELLS = "simple_rnn,lstm,gru"


@dataclass(frozen=True)
class Gradients:
    """Norm of d(loss at time T) / d(hidden state at time t) against T - t, for each cell.

    Cells are untrained unless --trained-on or --model is given. Gates of a fresh GRU or LSTM are about half open, so
    that its gradients vanish too; training opens them where something has to be kept.
    """

    cells: str = setting(CELLS, "Cells to compare, separated by commas; arguments after colons (min_gru:signed).")
    trained_on: str | None = setting(
        None, "Train each cell on this memory test first, such as adding; by default cells are untrained."
    )
    model: str | None = setting(
        None, "Saved models to compare instead, separated by commas: their first recurrent layers."
    )
    before: bool = setting(False, "Also show each cell as it was before training; needs --trained-on.")
    epochs: int | None = setting(
        None, "Passes over the training data of --trained-on; by default as many as the test needs.", minimum=1
    )
    limit: int | None = setting(None, "Use only the first N training examples of --trained-on.", minimum=1)
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
    """Largest singular value of d(state at t) / d(state at t - 1), for each cell and step.

    Cells are untrained unless --trained-on or --model is given.
    """

    sequences: int = setting(2, "Number of sequences to average over.", minimum=1, maximum=256)
    plot: str = setting("jacobian.png", "PNG file to write.")


@dataclass(frozen=True)
class Gates:
    """Openness of each gate of a trained model at each token of a text."""

    text: str = ""
    model: str | None = setting(None, "Saved model that reads text and whose cell has gates.")
    layer: int = setting(1, "Number of the recurrent layer, from 1 on.", minimum=1)
    plot: str = setting("gates.png", "PNG file to write.")
    html: str | None = setting(None, "HTML file to write the colored text into.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Carry:
    """What the state of a trained model carries: how much of it was written at which token, after each token.

    A cell whose state is multiplied by a gate and added to keeps a sum: of what each token wrote, times the gates of
    all later tokens. Each share is the mean over units of one term's size, divided by that of all terms.
    """

    text: str = ""
    model: str | None = setting(None, "Saved model that reads text and whose cell has a gated state.")
    layer: int = setting(1, "Number of the recurrent layer, from 1 on.", minimum=1)
    plot: str = setting("carry.png", "PNG file to write.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Shapes:
    """Draw the five shapes of sequence tasks, each from a published model and one of its answers."""

    plot: str = setting("shapes.png", "PNG file to write.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Hello:
    """Train a net of a few units to spell a word, and draw every number in it, at training and at sampling time."""

    word: str = setting("hello", "Word to learn, of 2 to 10 letters.")
    cell: str = setting("simple_rnn", "Cell, arguments after colons (min_gru:signed); `zoo list cells` shows them.")
    units: int = setting(3, "Size of the hidden vector.", minimum=1, maximum=16)
    steps: int = setting(400, "Training steps; 0 shows an untrained net.", minimum=0, maximum=100_000)
    seed: int = setting(1, "Random seed of weights and of the letters that are drawn.", minimum=0)
    plot: str = setting("hello.png", "PNG file to write.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Memory:
    """Train each cell on a memory test and report up to which distance it remembers.

    Three tests are about theory. parity and mod3: a linear recurrence h_t = a_t * h_(t-1) + b_t with positive factors
    cannot do parity at every length (Merrill et al. 2024, Grazzi et al. 2024), signed factors down to -1 can, and sums
    modulo 3 need complex or matrix eigenvalues. selective_copy: factors must depend on the inputs (Gu and Dao 2023).

    Rows are printed as trainings end, and kept in a JSON file beside the plot, from which --resume goes on.
    """

    cells: str = setting(
        CELLS, "Cells to compare, separated by commas, arguments after colons (min_gru:signed); 'all' for all cells."
    )
    test: str = setting("adding", "Memory test of an installed task; a wrong name lists them.")
    steps: int | None = setting(
        None,
        "Longest distance between a value and the question about it, in steps; default 100, or 40 for parity and mod3.",
        minimum=5,
        maximum=1_000,
    )
    seeds: str = setting("1,2,3", "Random seeds to train each cell with, separated by commas.")
    epochs: int | None = setting(
        None, "Passes over the training data; by default as many as the test needs.", minimum=1
    )
    limit: int | None = setting(None, "Use only the first N training examples.", minimum=1)
    resume: bool = setting(False, "Use the results in the JSON file beside the plot, and train only what is missing.")
    plot: str = setting("memory.png", "PNG file to write; results go into a JSON file of the same name.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Equations:
    """Print a cell's equations, unroll them over a few steps, and take the last step in numpy too, side by side."""

    cell: str = setting("gru", "Cell, arguments after colons (min_gru:signed); `zoo list cells` shows them.")
    units: int = setting(3, "Units of the cell.", minimum=1, maximum=256)
    features: int = setting(2, "Number of inputs.", minimum=1, maximum=256)
    steps: int = setting(3, "Number of time steps, from a zero state on.", minimum=1, maximum=8)
    seed: int = setting(1, "Random seed of weights and inputs.", minimum=0)
    plot: str | None = setting(None, "PNG file to write: the cell unrolled over its steps, with all numbers.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Connectivity:
    """Show how much each character of a text counts for the next one that a language model writes (Madsen 2019)."""

    text: str = ""
    model: str | None = setting(None, "Saved language model, such as those of charlm.")
    max_new_tokens: int = setting(40, "Largest number of tokens written after the text.", minimum=1, maximum=1_000)
    plot: str = setting("connectivity.png", "PNG file to write.")
    html: str | None = setting(None, "HTML file to write the colored text into.")
    json: bool = setting(False, "Print one JSON object.")


@dataclass(frozen=True)
class Neurons:
    """Find the units of a language model that follow quotes, brackets, lines and indentation (Karpathy et al. 2015).

    The unit of each property is the one with the largest correlation on the first half of the file; the correlation
    that is reported is that on the second half.
    """

    text: str = ""
    model: str | None = setting(None, "Saved language model, such as those of charlm.")
    limit: int = setting(20_000, "Use only the first N characters of the file.", minimum=1)
    plot: str = setting("neurons.png", "PNG file to write.")
    html: str | None = setting(None, "HTML file to write the colored text into.")
    json: bool = setting(False, "Print one JSON object.")
