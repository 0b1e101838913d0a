"""Boxes, arrows and columns of numbers: the parts of which the diagrams of recurrent nets are drawn."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import figures

FILLS = {"input": "#F6D5CF", "hidden": "#DDEBD3", "output": "#D3E0F5", "plain": "#FFFFFF"}
"""Color of a box by what it holds. Position and label say the same, for readers who see no color."""

FED_BACK = "#666666"
"""Color of arrows from an output to the next input."""

INCHES = 0.74
"""Length of one unit of a diagram: a box of 0.9 units holds nine letters of size 8."""

CELL = 0.34
"""Height of one number of a column, in units."""


@contextlib.contextmanager
def drawing(file: Path | None, width: float, height: float) -> Iterator[tuple[Any, Any]]:
    """A figure without axes, `width` by `height` units, whose y-coordinate grows upward.

    Args:
        file: A PNG file, or None for none.
        width: In units.
        height: In units.

    Yields:
        The figure, and the axes that cover it.
    """
    with figures.canvas(file, INCHES * width, INCHES * height, tight=False) as figure:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(0, height))
        axes.set_axis_off()
        yield figure, axes


def box(axes: Any, center: tuple[float, float], text: str, kind: str, size: tuple[float, float] = (0.9, 0.5)) -> None:
    """A rounded box with a text; `kind` is one of `FILLS`."""
    from matplotlib.patches import FancyBboxPatch

    (x, y), (width, height) = center, size
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.08"
    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, facecolor=FILLS[kind], edgecolor="black"))
    axes.text(x, y, figures.label(text), ha="center", va="center", fontsize=8)


def arrow(
    axes: Any, start: tuple[float, float], end: tuple[float, float], *, dashed: bool = False, both: bool = False
) -> None:
    """An arrow, or one with two heads; a dashed one is an output that becomes the next input."""
    style: dict[str, Any] = {"arrowstyle": "<|-|>" if both else "-|>", "color": "black", "linewidth": 0.9}
    if dashed:
        style |= {"linestyle": (0, (3, 2)), "color": FED_BACK}
    if both:
        style["mutation_scale"] = 7
    axes.annotate("", xy=end, xytext=start, arrowprops={**style, "shrinkA": 0, "shrinkB": 0})


def detour(axes: Any, corners: Sequence[tuple[float, float]]) -> None:
    """A dashed arrow along several corners: an output that becomes the next input."""
    axes.plot(*zip(*corners[:-1], strict=True), color=FED_BACK, linewidth=0.9, linestyle=(0, (3, 2)))
    arrow(axes, corners[-2], corners[-1], dashed=True)


def column(
    axes: Any,
    center: tuple[float, float],
    values: Sequence[float] | np.ndarray,
    kind: str,
    *,
    digits: int = 1,
    mark: int | None = None,
) -> None:
    """A vector as a column of numbers, the first one at the top.

    Args:
        axes: Of `drawing`.
        center: Center of the column.
        values: The numbers.
        kind: One of `FILLS`.
        digits: Digits after the point.
        mark: Place of the number with a thick frame, if any.
    """
    from matplotlib.patches import Rectangle

    x, y = center
    top = y + CELL * len(values) / 2
    for place, value in enumerate(values):
        low = top - CELL * (place + 1)
        thick = place == mark
        shape = Rectangle(
            (x - 0.36, low), 0.72, CELL, facecolor=FILLS[kind], edgecolor="black",
            linewidth=2.4 if thick else 0.7, zorder=3 if thick else 2,
        )  # fmt: skip
        axes.add_patch(shape)
        text = f"{value + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        axes.text(x, low + CELL / 2, text, ha="center", va="center", fontsize=8, zorder=4,
                  weight="bold" if thick else "normal")  # fmt: skip


def picture(axes: Any, center: tuple[float, float], pixels: np.ndarray, side: float = 0.9) -> None:
    """A small picture `(height, width)` or `(height, width, channels)`, values 0 to 255."""
    x, y = center
    pixels = np.squeeze(pixels)
    extent = (x - side / 2, x + side / 2, y - side / 2, y + side / 2)
    gray = {"cmap": "gray", "vmin": 0, "vmax": 255} if pixels.ndim == 2 else {}
    axes.imshow(pixels, extent=extent, aspect="auto", interpolation="nearest", zorder=2, **gray)
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
