"""Small tables of numbers for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Lines of a table: the first column left-aligned, numbers right-aligned with three significant digits."""
    cells = [list(head), *[[_format(value) for value in row] for row in rows]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    for row in cells:
        first, *others = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        yield "  ".join([row[0].ljust(widths[0]), *others]) if first else ""


def _format(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
