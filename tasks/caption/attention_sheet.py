"""Attention of a caption: the picture once for each word, bright where the decoder looked."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo import figures
from zoo.ids import SPECIAL


def grids(attention: np.ndarray) -> np.ndarray:
    """Weights `(words, places)` as `(words, side, side)`: pictures are squares of places, row by row."""
    side = math.isqrt(attention.shape[1])
    return attention.reshape(-1, side, side)


def draw(path: Path, picture: np.ndarray, words: Sequence[str], attention: np.ndarray, *, title: str = "") -> None:
    """Draws a sheet of one tile per word.

    Args:
        path: A PNG file.
        picture: `(height, width, 3)` uint8.
        words: Of the caption, the end token included.
        attention: `(words, places)`; without any places only the picture is drawn.
        title: Above the sheet; default the words.

    Raises:
        UserError: If the file cannot be written.
    """
    tiles = list(zip(words, grids(attention), strict=True)) if attention.shape[1] else []
    figures.draw_sheet(path, picture, tiles, title=title or " ".join(word for word in words if word not in SPECIAL))
