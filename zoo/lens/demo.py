"""Tabs of `zoo demo`: the gates of a cell along a text, and how much each character counts for the next one."""

import numpy as np

from zoo.demo import markup
from zoo.demo.part import Demo, Slider, Text, has_assets
from zoo.errors import UserError
from zoo.lens import connectivity, gates
from zoo.saved import SavedModel
from zoo.terminal.shades import visible

MOST_UNITS = 512
"""Largest unit that the slider reaches."""

WRITTEN = 40
"""Tokens that are written after a text."""


def answer_gates(saved: SavedModel, text: str, unit: int) -> str:
    """The text once for each gate, blue where the gate is open."""
    tokens, found = gates.read(saved, text)
    units = next(iter(found.values())).shape[1]
    if unit > units:
        raise UserError(
            f"The first layer of {saved.path.name} has {units} units: choose one of them, or 0 for the mean."
        )
    parts = []
    for name, values in found.items():
        shown = values.mean(axis=1) if unit == 0 else values[:, unit - 1]  # (tokens,)
        parts += [markup.title(_range(name, shown)), markup.words(_spaced(text, tokens, _relative(shown)))]
    what = "The mean of all units" if unit == 0 else f"Unit {unit} of {units}"
    return markup.block(
        *parts,
        markup.note(
            f"{what}, in the first layer, reading forward. No color is the gate's smallest value in this text, full "
            "blue its largest; a gate of 0 lets nothing through, one of 1 everything."
        ),
    )


def _range(name: str, values: np.ndarray) -> str:
    return f"{name} gate, from {values.min():.2f} to {values.max():.2f}"


def _relative(values: np.ndarray) -> np.ndarray:
    """Values as numbers from 0, the smallest, to 1, the largest."""
    return (values - values.min()) / max(float(values.max() - values.min()), 1e-6)


def _spaced(text: str, tokens: list[str], values: np.ndarray) -> list[tuple[str, float]]:
    """Tokens with their values, and what is between them in the text."""
    parts, done = [], 0
    for token, value in zip(tokens, values, strict=True):
        start = text.find(token, done)
        start = done if start < 0 else start
        parts += [(text[done:start], 0.0), (token, float(value))]
        done = start + len(token)
    return [*parts, (text[done:], 0.0)]


def answer_connectivity(saved: SavedModel, text: str) -> str:
    """The text, blue where it counts for the next character; the most probable ones; what the model writes on."""
    found = connectivity.connect(saved, text, WRITTEN)
    shares = found.norms / (found.norms.max() or 1.0)
    return markup.block(
        markup.title(f"What counts for the next character, {visible(found.candidates[0][0])}"),
        markup.words(_spaced(text, list(found.tokens), shares)),
        markup.title("Next characters"),
        markup.bars([(visible(token), probability) for token, probability in found.candidates]),
        markup.title("Writes on, always the most probable"),
        markup.written(text, found.continuation),
        markup.note(
            "The stronger the color, the larger the gradient of the next character's log-probability by this one "
            "(Madsen 2019)."
        ),
    )


GATES = Demo(
    title="Lens: gates",
    shape="Inside a recurrent cell: how far each gate opens at each step of a text.",
    inputs=[
        Text("Text", max_length=400, placeholder="Write a sentence"),
        Slider("Unit (0: the mean of all)", 0, MOST_UNITS, 0, 1),
    ],
    answer=answer_gates,
    examples=lambda: [
        "The film was not good, it was great.",
        'He said "come here (quickly)" and left.',
        "def f(x):\n    return x + 1",
    ],
    accepts=lambda summary: has_assets(summary, "tokenizer") and not has_assets(summary, "search"),
    button="Look inside",
)

CONNECTIVITY = Demo(
    title="Lens: memory",
    shape="Inside a language model: which of the characters it has read count for the one it writes next.",
    inputs=[Text("Text", max_length=200, placeholder="Write the beginning of a text")],
    answer=answer_connectivity,
    examples=lambda: ["The king is dead, long live the ", "ROMEO:\nO, she doth teach the tor", "for i in range(1"],
    accepts=lambda summary: has_assets(summary, "tokenizer", "tokens"),
    button="Trace back",
)

DEMOS = (GATES, CONNECTIVITY)
"""The tabs of the lens."""
