"""Where a decoder looked, drawn: the picture once for each word, bright where the word was found."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import UserError

COLUMNS = 6
"""Pictures beside each other."""


def grids(attention: np.ndarray) -> np.ndarray:
    """Weights `(words, places)` as `(words, side, side)`: pictures are squares of places, row by row."""
    side = math.isqrt(attention.shape[1])
    return attention.reshape(-1, side, side)


def show(axes: Any, picture: np.ndarray, grid: np.ndarray | None = None) -> None:
    """Draws a picture `(height, width, 3)`, and over it where a word was looked for, `(side, side)`."""
    height, width = picture.shape[:2]
    axes.imshow(picture, extent=(0, width, height, 0))
    if grid is not None:
        axes.imshow(grid, extent=(0, width, height, 0), cmap="gray", alpha=0.65, interpolation="bicubic", vmin=0)


def draw(path: Path, picture: np.ndarray, words: Sequence[str], attention: np.ndarray) -> None:
    """Writes a sheet.

    Args:
        path: A PNG file.
        picture: `(height, width, 3)` uint8.
        words: Of the caption, the end token included.
        attention: `(words, places)`; without any places only the picture is drawn.

    Raises:
        UserError: If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [("", None), *zip(words, grids(attention), strict=True)] if attention.shape[1] else [("", None)]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(1.8 * columns, 2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
        if not shown:
            continue
        word, grid = shown.pop(0)
        show(axes, picture, grid)
        axes.set_title(word, fontsize=10)
    try:
        figure.savefig(path, dpi=100)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be written ({error}). Name a PNG file in a folder that exists.") from error
