"""`zoo lens hello`: a net of a few units learns one word letter by letter, and every number in it is shown.

Reference:
    Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks" (2015), second figure: one-hot inputs, three
    hidden units, and the letter that should come next marked among the logits.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import builders
from zoo.errors import UserError
from zoo.lens import diagrams, nets, tables
from zoo.lens.settings import Hello

LEARNING_RATE = 0.03
"""Of Adam: a net of a few units learns a word in a few hundred steps."""

MAX_LETTERS = 10
"""Longest word: more columns cannot be read in one picture."""


@dataclass(frozen=True)
class Reading:
    """What happens in a net at one time step.

    Attributes:
        letter: The letter that it reads.
        one_hot: The same as a vector, `(letters,)`.
        hidden: The hidden vector after it, `(units,)`.
        logits: One number for each letter, `(letters,)`.
        next: The letter that should follow, while training; or the one that was drawn, while sampling.
    """

    letter: str
    one_hot: np.ndarray
    hidden: np.ndarray
    logits: np.ndarray
    next: str

    @property
    def probabilities(self) -> np.ndarray:
        """The softmax of the logits."""
        powers = np.exp(self.logits - self.logits.max())
        return powers / powers.sum()


@dataclass(frozen=True)
class Lesson:
    """A trained net with everything that the picture shows.

    Attributes:
        letters: The vocabulary, in the order of the vectors.
        net: The tagger: its labels are the next letters.
        training: The steps over the word, with the right next letters.
        sampling: The steps from the first letter on, each drawn letter read next.
        losses: Cross-entropy per letter in nats, before and after training.
    """

    letters: str
    net: keras.Model
    training: Sequence[Reading]
    sampling: Sequence[Reading]
    losses: tuple[float, float]

    @property
    def written(self) -> str:
        """The first letter and those that were drawn."""
        return self.sampling[0].letter + "".join(reading.next for reading in self.sampling)


def learn(word: str = "hello", cell: str = "simple_rnn", units: int = 3, steps: int = 400, seed: int = 1) -> Lesson:
    """Trains a net to predict each letter of a word from those before it.

    Args:
        word: The word.
        cell: A cell's name, with arguments after colons.
        units: Size of the hidden vector.
        steps: Training steps; 0 leaves the net as it begins.
        seed: Random seed of the weights and of the letters that are drawn.

    Raises:
        UserError: If the word is too short or too long.
    """
    letters = "".join(dict.fromkeys(word))
    if not 2 <= len(word) <= MAX_LETTERS or len(letters) < 2:
        raise UserError(f"--word {word[:40]!r}: give 2 to {MAX_LETTERS} letters, two of them different.")
    keras.utils.set_random_seed(seed)
    net = builders.tagger(len(letters), cell, units, feature_dim=len(letters), bidirectional=False)
    inputs = _one_hot(word[:-1], letters)[None]  # (1, time, letters)
    targets = np.array([[letters.index(letter) for letter in word[1:]]])  # (1, time)
    before = _loss(net, inputs, targets)
    if steps:
        net.optimizer.learning_rate = LEARNING_RATE
        net.fit(np.repeat(inputs, steps, axis=0), np.repeat(targets, steps, axis=0), batch_size=1, verbose=0)
    training = _readings(net, letters, word[:-1], word[1:])
    losses = (before, _loss(net, inputs, targets))
    return Lesson(letters, net, training, _sample(net, letters, word[0], len(word) - 1, seed), losses)


def _one_hot(text: str, letters: str) -> np.ndarray:
    return np.eye(len(letters), dtype="float32")[[letters.index(letter) for letter in text]]


def _loss(net: keras.Model, inputs: np.ndarray, targets: np.ndarray) -> float:
    """Cross-entropy in nats per letter."""
    probabilities = ops.convert_to_numpy(net(inputs))[0]  # (time, letters)
    return float(-np.log(probabilities[np.arange(len(probabilities)), targets[0]]).mean())


def _readings(net: keras.Model, letters: str, text: str, following: str) -> list[Reading]:
    """The steps of a net over a text from a zero state."""
    inputs = _one_hot(text, letters)[None]
    hidden = ops.convert_to_numpy(net.recurrent(ops.convert_to_tensor(inputs)))[0]  # (time, units)
    logits = hidden @ ops.convert_to_numpy(net.label.kernel) + ops.convert_to_numpy(net.label.bias)
    return [Reading(*parts) for parts in zip(text, inputs[0], hidden, logits, following, strict=True)]


def _sample(net: keras.Model, letters: str, first: str, count: int, seed: int) -> list[Reading]:
    """Draws letters from the softmax, each of them the next input."""
    rng, text = np.random.default_rng(seed), first
    for _ in range(count):
        latest = _readings(net, letters, text, text)[-1]
        text += letters[rng.choice(len(letters), p=latest.probabilities / latest.probabilities.sum())]
    return _readings(net, letters, text[:-1], text[1:])


STEP = 1.15
"""Units from one time step to the next."""


def draw(lesson: Lesson, file: Path | None = None) -> Any:
    """Draws the net at training time and at sampling time, side by side.

    Args:
        lesson: From `learn`.
        file: A PNG file, or None for none.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    panel = 1.5 + STEP * len(lesson.training)
    letters, units = diagrams.CELL * len(lesson.letters), diagrams.CELL * len(lesson.training[0].hidden)
    levels = (0.75 + letters / 2, 1.45 + letters + units / 2, 2.15 + 1.5 * letters + units)
    height = levels[2] + letters / 2 + 1.45
    with diagrams.drawing(file, 2 * panel + 0.4, height) as (figure, axes):
        before, after = lesson.losses
        title = f"training: the target is marked; loss {before:.2f} before, {after:.2f} after"
        _draw_panel(axes, lesson, lesson.training, (0.2, height), levels, title, sampled=False)
        title = f"sampling: each drawn letter is read next; it wrote “{lesson.written}”"
        _draw_panel(axes, lesson, lesson.sampling, (panel + 0.4, height), levels, title, sampled=True)
    return figure


def _draw_panel(
    axes: Any,
    lesson: Lesson,
    readings: Sequence[Reading],
    corner: tuple[float, float],
    levels: tuple[float, float, float],
    title: str,
    *,
    sampled: bool,
) -> None:
    """One row of time steps; `corner` is its left side and its top."""
    left, top = corner
    low, middle, high = levels
    letters = diagrams.CELL * len(lesson.letters) / 2
    units = diagrams.CELL * len(readings[0].hidden) / 2
    axes.text(left + 0.1, top - 0.35, title, fontsize=9, weight="bold", va="center")
    names = {
        low: "input\nlayer",
        middle: "hidden\nlayer",
        high: "softmax\nof the\nlogits" if sampled else "output\nlogits",
    }
    for level, name in names.items():
        axes.text(left + 0.4, level, name, fontsize=8, ha="center", va="center")
    axes.text(left + 0.4, 0.35, "input", fontsize=8, ha="center", va="center")
    axes.text(left + 0.4, high + letters + 0.35, "drawn" if sampled else "target", fontsize=8, ha="center", va="center")
    for step, reading in enumerate(readings):
        x = left + 1.5 + STEP * step
        mark = lesson.letters.index(reading.next)
        values = reading.probabilities if sampled else reading.logits
        diagrams.column(axes, (x, low), reading.one_hot, "input", digits=0)
        diagrams.column(axes, (x, middle), reading.hidden, "hidden")
        diagrams.column(axes, (x, high), values, "output", digits=2 if sampled else 1, mark=mark)
        diagrams.arrow(axes, (x, low + letters), (x, middle - units))
        diagrams.arrow(axes, (x, middle + units), (x, high - letters))
        axes.text(x, 0.35, f"“{reading.letter}”", ha="center", va="center", fontsize=10)
        axes.text(x, high + letters + 0.35, f"“{reading.next}”", ha="center", va="center", fontsize=10)
        if step:
            diagrams.arrow(axes, (x - STEP + 0.36, middle), (x - 0.36, middle))
            if sampled:
                gap, above = x - STEP / 2, high + letters + 0.35
                diagrams.detour(axes, [(x - STEP + 0.2, above), (gap, above), (gap, 0.35), (x - 0.2, 0.35)])
    for level in (low, high):
        for place, letter in enumerate(lesson.letters):
            y = level + letters - diagrams.CELL * (place + 0.5)
            axes.text(left + 1.02, y, letter, fontsize=7, ha="center", va="center", color="#555555")


def show_hello(config: Hello, models: Sequence = ()) -> Iterator[str]:
    """A row for each time step while training, and what the net writes."""
    lesson = learn(config.word, config.cell, config.units, config.steps, config.seed)
    draw(lesson, Path(config.plot))
    before, after = lesson.losses
    if config.json:
        steps = {
            name: [_numbers(lesson, reading) for reading in readings]
            for name, readings in (("training", lesson.training), ("sampling", lesson.sampling))
        }
        facts = {"word": config.word, "letters": list(lesson.letters), **steps, "written": lesson.written}
        yield json.dumps(
            {**facts, "loss": {"before": before, "after": after}, "figure": config.plot}, ensure_ascii=False
        )
        return
    cell = nets.cell_of(lesson.net.recurrent.runs[0][0])
    weights = sum(int(np.prod(weight.shape)) for weight in lesson.net.weights)
    net = f"{config.cell} with {cell.output_size} units and {weights} weights"
    yield f"{net}, {config.steps} training steps on {config.word!r}"
    rows = [
        [reading.letter, reading.next, *(f"{value:+.2f}" for value in reading.hidden[:4]),
         f"{reading.probabilities[lesson.letters.index(reading.next)]:.3f}"]
        for reading in lesson.training
    ]  # fmt: skip
    hidden = [f"h[{unit}]" for unit in range(min(4, config.units))]
    yield from tables.table(["input", "target", *hidden, "p(target)"], rows)
    yield f"loss per letter: {before:.3f} before training, {after:.3f} after, in nats"
    yield f"sampling from {lesson.sampling[0].letter!r}: {lesson.written!r}"
    yield config.plot


def _numbers(lesson: Lesson, reading: Reading) -> dict[str, Any]:
    rounded = {name: [round(float(value), 4) for value in getattr(reading, name)] for name in ("hidden", "logits")}
    probability = float(reading.probabilities[lesson.letters.index(reading.next)])
    return {"input": reading.letter, **rounded, "next": reading.next, "probability": round(probability, 4)}
