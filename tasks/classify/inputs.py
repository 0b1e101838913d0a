"""A picture file as pixels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.data import images


def read_picture(file: str | Path, shape: Sequence[int], invert: bool = False) -> np.ndarray:
    """A picture as a model of this shape takes it: uint8 `(height, width, channels)`; gray if it has one channel.

    Args:
        file: The file, or a data URI.
        shape: `(height, width, channels)`, 1 or 3 channels.
        invert: Swap light and dark.

    Raises:
        UserError: If it cannot be read.
    """
    picture = images.resized(images.read(file), shape[0], shape[1])
    picture = 255 - picture if invert else picture
    if shape[2] == 3:
        return picture
    gray = picture @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as in Pillow
    return np.rint(gray).astype("uint8")[..., None]
