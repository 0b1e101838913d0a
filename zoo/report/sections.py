"""What a page of a report consists of; `page` renders it, and the modules of each kind of task fill it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.report.values import Answers

MOST_EXAMPLES = 10
"""Examples in a list of the best or worst ones."""

LONGEST_TEXT = 1_500
"""Characters of a text that are shown."""


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    head: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Picture:
    """A PNG file in the folder of the report, and its description for those who cannot see it."""

    file: str
    description: str


@dataclass(frozen=True)
class Example:
    """An example with its answer: pairs of a name and a text, colored parts of a text, pictures."""

    facts: Sequence[tuple[str, str]]
    marks: Sequence[tuple[str, float]] = ()
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Section:
    """A part of a report under a heading."""

    title: str
    text: str = ""
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    examples: Sequence[Example] = ()


@dataclass(frozen=True)
class Context:
    """Where a report is drawn, and what it is about.

    Attributes:
        folder: Its folder.
        subject: Model, data set and split, for titles of pictures.
    """

    folder: Path
    subject: str

    def picture(
        self, name: str, description: str, draw: Callable[..., None], *arguments: Any, **options: Any
    ) -> Picture:
        """Draws a picture `draw(file, ...)` into the folder."""
        draw(self.folder / f"{name}.png", *arguments, **options)
        return Picture(f"{name}.png", description)

    def title(self, text: str) -> str:
        """Title of a picture: what it shows, of which model on which data."""
        return f"{text}\n{self.subject}"


def examples(context: Context, answers: Answers, places: Iterable[int], name: str, unit: str) -> list[Example]:
    """Examples with their answers.

    Args:
        context: Where pictures go.
        answers: Of the model.
        places: Numbers of the examples.
        name: Begins the names of pictures.
        unit: What `answers.quality` is.
    """
    found = []
    for place in map(int, places):
        shown, pictures = answers.shown(place), []
        if shown.picture is not None:
            pictures.append(
                context.picture(f"{name}-{place}", f"input of example {place}", write_picture, shown.picture)
            )
        if shown.draw is not None:
            pictures.append(context.picture(f"{name}-{place}-figure", f"figure of example {place}", shown.draw))
        facts = [("example", f"{place:,}"), ("input", "" if shown.marks else shortened(shown.text))]
        facts += [("truth", shortened(answers.truth(place))), ("answer", shortened(answers.answer(place)))]
        facts.append((unit, f"{answers.quality[place]:.4f}"))
        found.append(Example([fact for fact in facts if fact[1]], shown.marks, pictures))
    return found


def shortened(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} …"


def write_picture(file: Path, picture: np.ndarray) -> None:
    """Writes pixels `(height, width)` or `(height, width, 3)` uint8, small ones enlarged so that they can be seen."""
    from PIL import Image

    image = Image.fromarray(picture)
    factor = max(1, round(160 / max(image.size)))
    image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST).save(file)
