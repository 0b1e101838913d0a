"""Answers as HTML. All texts are escaped here; colors differ in brightness and have a meaning that a legend says."""

import html
import re
from collections.abc import Iterable, Sequence

from zoo.terminal.console import printable
from zoo.terminal.shades import background

LABELS = ("#8da0cb", "#fc8d62", "#66c2a5", "#e78ac3", "#a6d854", "#ffd92f", "#e5c494", "#b3b3b3")
"""Backgrounds of labels in turn (ColorBrewer's Set2); black letters can be read on all of them."""


def text(value: str) -> str:
    """A text as HTML; characters that are no text become visible."""
    return html.escape(printable(value, lines=True))


def block(*parts: str) -> str:
    """Parts of an answer below each other."""
    return f'<div class="zoo">{"".join(parts)}</div>'


def head(value: str) -> str:
    """The answer itself, in large letters."""
    return f'<p class="zoo-head">{text(value)}</p>'


def title(value: str) -> str:
    """What the next part shows."""
    return f'<p class="zoo-title">{text(value)}</p>'


def note(value: str) -> str:
    """A remark in small letters; words between backticks are code."""
    marked = re.sub("`([^`]*)`", r"<code>\1</code>", text(value))
    return f'<p class="zoo-note">{marked}</p>'


def message(value: str) -> str:
    """A sentence that says why there is no answer."""
    return f'<div class="zoo"><p class="zoo-message" role="alert">{text(value)}</p></div>'


def written(before: str, after: str) -> str:
    """A given text and what a model wrote after it."""
    return f'<p class="zoo-text zoo-written"><b>{text(before)}</b>{text(after)}</p>'


def words(parts: Iterable[tuple[str, float]]) -> str:
    """A text with colored words.

    Args:
        parts: Texts with numbers from -1 to 1: blue above 0; orange, underlined with dashes, below 0.
    """
    return f'<p class="zoo-text">{"".join(_word(part, value) for part, value in parts)}</p>'


def _word(part: str, value: float) -> str:
    style = background(value) if part.strip() else ""
    if not style:
        return text(part)
    kind = "zoo-for" if value > 0 else "zoo-against"
    return f'<span class="{kind}" style="{style}" title="{value:+.2f}">{text(part)}</span>'


def bars(rows: Iterable[tuple[str, float]]) -> str:
    """Labels with their probabilities, each as a bar."""
    lines = (
        f'<div class="zoo-bar"><span class="zoo-label">{text(label)}</span><span class="zoo-track">'
        f'<span class="zoo-fill" style="width: {100 * min(max(value, 0), 1):.1f}%"></span></span>'
        f'<span class="zoo-number">{100 * value:.1f} %</span></div>'
        for label, value in rows
    )
    return f'<div class="zoo-bars">{"".join(lines)}</div>'


def attention(rows: Iterable[tuple[str, Sequence[tuple[str, float]]]]) -> str:
    """A row for each word that was written, with the words that were read, blue where the model looked.

    Args:
        rows: A written word, and every read word with its weight from 0 to 1.
    """
    lines = []
    for word, read in rows:
        shown = " ".join(_word(part, weight) for part, weight in read)
        lines.append(f'<div class="zoo-row"><b>{text(word)}</b><span>{shown}</span></div>')
    return f'<div class="zoo-rows">{"".join(lines)}</div>'


def tiles(items: Iterable[tuple[str, str]], large: bool = False) -> str:
    """Pictures side by side.

    Args:
        items: What stands below a picture, and its `data:` URI.
        large: Whether small pictures are enlarged, pixel by pixel.
    """
    shown = (
        f'<figure><img src="{html.escape(uri)}" alt="{text(below)}"><figcaption>{text(below)}</figcaption></figure>'
        for below, uri in items
    )
    return f'<div class="zoo-tiles{" zoo-large" if large else ""}">{"".join(shown)}</div>'


def thumbnails(uris: Iterable[str], name: str) -> str:
    """Small pictures to click, as gradio shows examples, in an element of this name."""
    shown = "".join(
        f'<button class="gallery-item"><img src="{html.escape(uri)}" alt="Example"></button>' for uri in uris
    )
    return f'<p>Examples</p><div class="zoo-examples" id="{name}">{shown}</div>'


def timeline(spans: Sequence[tuple[float, float, str, float]], unit: str) -> str:
    """Labels along time: a strip, and a line for each span.

    Args:
        spans: Start, end, label and probability of each, in order and without gaps.
        unit: Of start and end, such as `"s"`.
    """
    names = list(dict.fromkeys(label for _, _, label, _ in spans))
    colors = {name: LABELS[place % len(LABELS)] for place, name in enumerate(names)}
    whole = max(spans[-1][1] - spans[0][0], 1e-9)
    strip = "".join(
        f'<span style="width: {100 * (end - start) / whole:.3f}%; background: {colors[label]}" '
        f'title="{text(label)}"></span>'
        for start, end, label, _ in spans
    )
    rows = "".join(
        f'<tr><td>{start:.2f}-{end:.2f} {unit}</td><td><span class="zoo-key" style="background: {colors[label]}">'
        f"{text(label)}</span></td><td>{100 * probability:.1f} %</td></tr>"
        for start, end, label, probability in spans
    )
    return f'<div class="zoo-strip">{strip}</div><table class="zoo-table">{rows}</table>'
