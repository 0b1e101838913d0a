"""One input: a picture file as pixels, or a sequence of numbers written as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.data import images
from zoo.errors import UserError


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


def parse_steps(text: str, features: int, count: int | None = None) -> np.ndarray:
    """Steps `(time, features)` float32 from JSON: a list of lists of numbers, or of numbers if there is one feature.

    Args:
        text: The JSON.
        features: Numbers of a step.
        count: Number of steps; None for any.

    Raises:
        UserError: If it is anything else.
    """
    steps_of = "steps" if count is None else f"{count} steps"
    each = f"a list of {features} numbers" if features > 1 else "a number"
    allowed = f"a JSON list of {steps_of}, each {each}"
    shown = text if len(text) <= 40 else f"{text[:40]}..."
    try:
        steps = np.array(json.loads(text), "float32")
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        example = "[[1, 1], [-1, 0]]" if features > 1 else "[0.5, -1.2]"
        raise UserError(f"{shown!r} is not {allowed}, as in {example}.") from error
    steps = steps[:, None] if steps.ndim == 1 and features == 1 else steps
    if steps.ndim != 2 or steps.shape[1] != features or not len(steps) or not np.isfinite(steps).all():
        raise UserError(f"{shown!r} is not {allowed}; its shape is {steps.shape}.")
    if count is not None and len(steps) != count:
        raise UserError(f"{shown!r} is not {allowed}; it has {len(steps)} steps.")
    return steps
