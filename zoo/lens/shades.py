"""Text whose characters are shaded by a number, for a terminal: by color, or by digits below where there is none."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence

import click

SHADES = (231, 195, 153, 117, 75, 33, 27, 18)
"""Colors of the 256-color palette from white to dark blue."""

DARK = 5
"""From this shade on, letters are white."""

WIDTH = 80
"""Characters of a line."""


def has_color() -> bool:
    """Whether standard output is a terminal that shows colors, and the user has not turned them off (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def visible(token: str) -> str:
    """A token with white space as visible symbols."""
    for character, symbol in ((" ", "␣"), ("\n", "↵"), ("\t", "⇥")):
        token = token.replace(character, symbol)
    return token or "∅"


def rows(tokens: Sequence[str], values: Iterable[float], width: int = WIDTH) -> Iterator[list[tuple[str, float]]]:
    """Lines of shown tokens with their values: a new line after a line feed, and where a line is full.

    Args:
        tokens: As they are in the text.
        values: As many numbers from 0 to 1.
        width: Most characters of a line, the symbol of a line feed not counted.
    """
    row: list[tuple[str, float]] = []
    for token, value in zip(tokens, values, strict=True):
        ends = token.endswith("\n")
        shown = "".join(" " if character == " " else visible(character) for character in token)
        if row and sum(len(text) for text, _ in row) + len(shown) - ends > width:
            yield row
            row = []
        row.append((shown, float(value)))
        if ends:
            yield row
            row = []
    if row:
        yield row


def shaded(tokens: Sequence[str], values: Iterable[float], color: bool) -> Iterator[str]:
    """Lines of text, dark where values are near 1; without color, digits from 0 to 9 stand below each line."""
    for row in rows(tokens, values):
        if color:
            yield "".join(_styled(text, value) for text, value in row)
        else:
            yield "".join(text for text, _ in row)
            yield "".join(str(min(int(value * 10), 9)) * len(text) for text, value in row)


def _styled(text: str, value: float) -> str:
    shade = min(int(value * len(SHADES)), len(SHADES) - 1)
    return click.style(text, fg=231 if shade >= DARK else 16, bg=SHADES[shade])
