"""What a task hands over for a report: the answers to the examples of a split, one small value per kind of task.

Each value says for example `i` how it is shown (`shown(i)`), the answer and the truth as text, and has an array
`quality` of one number per example, higher for better answers; so examples can be listed, ranked, and compared between
models.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class Shown:
    """An example as a reader sees it.

    Attributes:
        text: The input as text, or what it is where it has none.
        picture: The input as a picture `(height, width)` or `(height, width, 3)` uint8.
        marks: Parts of a text with the effect of each on the answer: above 0 it supports the answer, below 0 it speaks
            against it.
        draw: Writes a picture of what the model attended to into the file it is given.
    """

    text: str = ""
    picture: np.ndarray | None = None
    marks: Sequence[tuple[str, float]] = ()
    draw: Callable[[Any], None] | None = None


Show = Callable[[int], Shown]
"""Number of an example -> how it is shown; what takes long is done only here."""


class Answers(Protocol):
    """What all kinds have in common."""

    @property
    def shown(self) -> Show:
        """How an example is shown."""

    @property
    def quality(self) -> np.ndarray:
        """`(examples,)`, higher for better answers."""

    def answer(self, i: int) -> str:
        """The model's answer to example `i`."""

    def truth(self, i: int) -> str:
        """The reference of example `i`."""


@dataclass(frozen=True)
class Classified:
    """Answers of a classifier.

    Attributes:
        labels: Names of the classes.
        targets: `(examples,)`, the right class of each example.
        probabilities: `(examples, classes)`.
        shown: How an example is shown.
    """

    labels: Sequence[str]
    targets: np.ndarray
    probabilities: np.ndarray
    shown: Show

    @property
    def predicted(self) -> np.ndarray:
        """`(examples,)`, the class of each answer."""
        return self.probabilities.argmax(axis=1)

    @property
    def quality(self) -> np.ndarray:
        """The probability of the right class."""
        return self.probabilities[np.arange(len(self.targets)), self.targets]

    def answer(self, i: int) -> str:
        """The predicted label with its probability."""
        return f"{self.labels[self.predicted[i]]} ({self.probabilities[i].max():.3f})"

    def truth(self, i: int) -> str:
        """The right label."""
        return self.labels[self.targets[i]]


@dataclass(frozen=True)
class Generated:
    """Texts that a model wrote for inputs.

    Attributes:
        answers: One text per example.
        references: Right texts of each example, one at least.
        quality: `(examples,)`, a score of each text by itself; `quality_name` says which.
        quality_name: Its name, with unit.
        statistics: `(examples, statistics)`, from whose sums `combine` makes the score `monitor`.
        combine: From sums to that score.
        monitor: Name of the score.
        words: A text -> its words, for lengths and frequencies.
        shown: How an example is shown.
        pictures: Whether inputs are pictures, so that a contact sheet is drawn.
    """

    answers: Sequence[str]
    references: Sequence[Sequence[str]]
    quality: np.ndarray
    quality_name: str
    statistics: np.ndarray
    combine: Callable[[np.ndarray], Any]
    monitor: str
    words: Callable[[str], Sequence[str]]
    shown: Show
    pictures: bool = False

    def answer(self, i: int) -> str:
        """The text that the model wrote."""
        return self.answers[i]

    def truth(self, i: int) -> str:
        """The references, one per line."""
        return "\n".join(self.references[i])


Span = tuple[int, int, str]
"""First step, the step after the last, label."""


@dataclass(frozen=True)
class Tagged:
    """Labels of sequences.

    Attributes:
        labels: Their names.
        targets: `(time,)` of each sequence, the right label of each labeled step.
        predicted: `(time,)` of each sequence, the model's labels of the same steps.
        shown: How a sequence is shown.
        spans: Names of labels -> spans, where spans mean something.
    """

    labels: Sequence[str]
    targets: Sequence[np.ndarray]
    predicted: Sequence[np.ndarray]
    shown: Show
    spans: Callable[[Sequence[str]], Sequence[Span]] | None = None

    @property
    def quality(self) -> np.ndarray:
        """The fraction of right labels of each sequence; 1 for a sequence without labels."""
        pairs = zip(self.targets, self.predicted, strict=True)
        return np.array([np.mean(truth == ours) if len(truth) else 1.0 for truth, ours in pairs])

    def answer(self, i: int) -> str:
        """Runs of labels with their steps."""
        return self._runs(self.predicted[i])

    def truth(self, i: int) -> str:
        """The same of the right labels."""
        return self._runs(self.targets[i])

    def names(self, steps: np.ndarray) -> list[str]:
        """Labels by name."""
        return [self.labels[step] for step in steps]

    def _runs(self, steps: np.ndarray) -> str:
        edges = [0, *(np.flatnonzero(np.diff(steps)) + 1).tolist(), len(steps)]
        pairs = itertools.pairwise(edges)
        return "; ".join(f"{start}-{end} {self.labels[steps[start]]}" for start, end in pairs if end > start)


@dataclass(frozen=True)
class TextLoss:
    """How well a language model predicted a text, token by token.

    Attributes:
        tokens: The predicted tokens, as text.
        nats: `(tokens,)`, the cross-entropy of each.
        positions: `(tokens,)`, how many tokens of its window the model had read before it.
        noun: What a token is, in the singular.
    """

    tokens: Sequence[str]
    nats: np.ndarray
    positions: np.ndarray
    noun: str = "character"
    window: int = field(default=400)

    @property
    def quality(self) -> np.ndarray:
        """Mean log-probability per token of pieces of `window` tokens."""
        edges = range(0, len(self.nats), self.window)
        return np.array([-float(self.nats[edge : edge + self.window].mean()) for edge in edges])

    def shown(self, i: int) -> Shown:
        """A piece of the text; the mark of each token is its cross-entropy, as a share of the largest."""
        part = slice(i * self.window, (i + 1) * self.window)
        largest = max(float(self.nats[part].max(initial=0.0)), 1e-9)
        pairs = zip(self.tokens[part], self.nats[part], strict=True)
        return Shown(marks=[(token, -float(nats) / largest) for token, nats in pairs])

    def answer(self, i: int) -> str:
        """The mean cross-entropy of a piece."""
        return f"{-self.quality[i]:.3f} nats per {self.noun}"

    def truth(self, i: int) -> str:
        """The piece itself."""
        return "".join(self.tokens[i * self.window : (i + 1) * self.window])
