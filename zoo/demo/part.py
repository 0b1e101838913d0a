"""What a task brings to the page: inputs, a function that answers in HTML, examples. No gradio and no Keras here."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.cards import Summary
from zoo.data import images
from zoo.errors import UserError

MOST_DRAWN = 2_000_000
"""Characters of the largest drawing: those of the page have some thousands."""

NOTHING_DRAWN = "Nothing is drawn yet: draw with the mouse or a finger, or click an example."


@dataclass(frozen=True)
class Text:
    """A field for text.

    Attributes:
        label: What stands above the field.
        max_length: Most characters; longer texts are refused.
        lines: Height of the empty field.
        placeholder: What an empty field shows.
        empty: Whether an empty text is an input.
    """

    label: str
    max_length: int
    lines: int = 2
    placeholder: str = ""
    empty: bool = False

    def check(self, value: Any) -> str:
        """The text.

        Raises:
            UserError: If it is no text, empty or too long.
        """
        if not isinstance(value, str):
            raise UserError(f"{self.label}: a text is needed; got {type(value).__name__}.")
        value = value.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no character
        if len(value) > self.max_length:
            raise UserError(
                f"The text has {len(value):,} characters; up to {self.max_length:,} are answered here. Shorten it."
            )
        if not self.empty and not value.strip():
            raise UserError(f"The field {self.label!r} is empty: type something, or click an example.")
        return value


@dataclass(frozen=True)
class Slider:
    """A number between two limits.

    Attributes:
        label: What stands above the slider.
        minimum: Smallest number.
        maximum: Largest number.
        value: Where it stands at first.
        step: Distance of neighboring numbers; whole numbers give whole numbers.
    """

    label: str
    minimum: float
    maximum: float
    value: float
    step: float

    def check(self, value: Any) -> float:
        """The number.

        Raises:
            UserError: If it is no number between the limits.
        """
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
        if not self.minimum <= number <= self.maximum:
            raise UserError(
                f"{self.label}: give a number from {self.minimum:g} to {self.maximum:g}; got {str(value)[:40]}."
            )
        return round(number) if isinstance(self.step, int) else float(number)


@dataclass(frozen=True)
class Picture:
    """A picture, or an animation, from a file or a camera. The function gets the path of a file or a `data:` URI.

    Attributes:
        label: What stands above it.
        webcam: Whether a camera may take it.
    """

    label: str
    webcam: bool = False

    def check(self, value: Any) -> str:
        """The path, or the `data:` URI.

        Raises:
            UserError: If there is none.
        """
        if not isinstance(value, str) or not value:
            raise UserError("There is no picture yet: upload one, or click an example.")
        return value


@dataclass(frozen=True)
class Sketch:
    """A square to draw into. The function gets the ink: `(height, width)` float32, 0 is paper and 1 is ink.

    Attributes:
        label: What stands above it.
        size: Side in pixels.
        brush: Width of a stroke in pixels.
    """

    label: str
    size: int = 280
    brush: int = 24

    def check(self, value: Any) -> np.ndarray:
        """The ink of a drawing, which is a picture in a `data:` URI, dark on light.

        Raises:
            UserError: If nothing is drawn, or it is no drawing.
        """
        if not isinstance(value, str) or not value.startswith("data:image/"):
            raise UserError(NOTHING_DRAWN)
        if len(value) > MOST_DRAWN:
            raise UserError(f"The drawing has {len(value):,} bytes; up to {MOST_DRAWN:,} are read. Draw it here.")
        ink = 1 - images.read(value).astype("float32").mean(axis=2) / 255
        if ink.max() < 0.5:
            raise UserError(NOTHING_DRAWN)
        return ink


Input = Text | Slider | Picture | Sketch


@dataclass(frozen=True)
class Demo:
    """A tab of the page.

    Attributes:
        title: On the tab.
        shape: One line that says which shape of task this is: what is read, what is answered.
        inputs: The fields, from top to bottom.
        answer: `(saved, *values) -> HTML`, one value for each field; an iterator of HTML if the answer comes slowly, in
            which each item replaces the one before.
        examples: `() -> values` of the first field to click; pictures and drawings as `data:` URIs.
        accepts: Whether a model can be used here; a task's demo is only asked about models of its task. A `UserError`
            means that it is damaged.
        button: What the button says.
    """

    title: str
    shape: str
    inputs: Sequence[Input]
    answer: Callable[..., str | Iterator[str]]
    examples: Callable[[], Sequence[str]]
    accepts: Callable[[Summary], bool] = lambda summary: True
    button: str = "Answer"

    @property
    def name(self) -> str:
        """The title as an identifier of HTML."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())


def has_assets(summary: Summary, *names: str) -> bool:
    """Whether a saved model has all these assets, such as `"tokenizer"`."""
    return all(os.path.isfile(summary.path / "assets" / f"{name}.json") for name in names)
