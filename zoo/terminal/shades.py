"""Text whose words are colored by a number, for a terminal or a page; by signs or digits where there is no color."""

import html
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from zoo.errors import UserError
from zoo.terminal.console import has_color as _has_color
from zoo.terminal.console import printable

SHADES = (231, 195, 153, 117, 75, 33, 27, 18)
"""Colors of the 256-color palette from white to dark blue."""

DARK = 5
"""From this shade on, letters are white."""

WIDTH = 80
"""Characters of a line."""


LEGEND = "The darker the background, the nearer to 1; white is 0."
"""What the colors of `shaded` mean."""

LEGEND_PLAIN = "The digits below are tenths: 9 is nearest to 1, 0 is 0."
"""What the digits of `shaded` mean."""

FOR, AGAINST = (24, 25, 26), (94, 130, 166)
"""Blues and oranges of the 256-color palette, from weak to strong. Color-blind people can tell them apart."""

PAGE_FOR, PAGE_AGAINST = "0, 90, 170", "200, 80, 0"
"""The same in HTML: red, green, blue."""

STRONGEST = 0.6
"""Opacity of the strongest background: text on it can still be read, on a light page and on a dark one."""

WEAKEST = 0.03
"""Numbers of a smaller size get no color in HTML."""

SIGNED_LEGEND = "Blue supports the answer, orange speaks against it; the stronger the color, the more."
"""What the colors of `signed` and `background` mean."""


def has_color() -> bool:
    """Whether standard output is a terminal that shows colors."""
    return _has_color(sys.stdout)


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


def explained(tokens: Sequence[str], values: Iterable[float]) -> Iterator[str]:
    """`shaded`, as standard output can show it, and what that means."""
    color = has_color()
    yield from shaded(tokens, values, color)
    yield LEGEND if color else LEGEND_PLAIN


def _styled(text: str, value: float) -> str:
    shade = min(int(value * len(SHADES)), len(SHADES) - 1)
    return click.style(printable(text), fg=231 if shade >= DARK else 16, bg=SHADES[shade])


def signed(parts: Iterable[tuple[str, float]]) -> str:
    """A line whose words are blue where their number is above 0 and orange where it is below.

    Args:
        parts: Texts with their numbers, the largest of size 1.
    """
    return "".join(_signed(" ".join(text.split("\n")), value) for text, value in parts)


def _signed(text: str, value: float) -> str:
    strength = int(abs(value) * 3.999) - 1
    if strength < 0:
        return printable(text)
    return click.style(printable(text), fg=231, bg=(FOR if value > 0 else AGAINST)[strength])


def background(value: float) -> str:
    """The style of a word in HTML: blue above 0, orange below, none where the size is next to nothing.

    Args:
        value: A number from -1 to 1.
    """
    if abs(value) < WEAKEST:
        return ""
    return f"background: rgba({PAGE_FOR if value > 0 else PAGE_AGAINST}, {STRONGEST * min(abs(value), 1):.2f})"


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 1em/1.6 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}
p {{ white-space: pre-wrap; overflow-wrap: anywhere }} .legend {{ color: #555 }}
mark {{ color: inherit }}</style></head>
<body><h1>{title}</h1>
<p class="legend">{legend}</p>
{body}
</body></html>
"""


def page(title: str, legend: str, panels: Iterable[tuple[str, Iterable[tuple[str, float]]]]) -> str:
    """A page of HTML with colored texts.

    Args:
        title: Its title.
        legend: What the colors mean.
        panels: Headings, each with its texts and their numbers from -1 to 1, see `background`.
    """
    body = "\n".join(f"<h2>{html.escape(head)}</h2>\n<p>{''.join(map(_marked, parts))}</p>" for head, parts in panels)
    return _PAGE.format(title=html.escape(title), legend=html.escape(legend), body=body)


def _marked(part: tuple[str, float]) -> str:
    text, value = part
    style = background(value)
    return f'<mark style="{style}" title="{value:+.2f}">{html.escape(text)}</mark>' if style else html.escape(text)


def write_page(file: str, title: str, legend: str, panels: Iterable[tuple[str, Iterable[tuple[str, float]]]]) -> None:
    """Writes `page` into a file.

    Raises:
        UserError: If it cannot be written.
    """
    try:
        Path(file).write_text(printable(page(title, legend, panels), lines=True), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}. Choose another --html FILE.") from error
