"""Draws a story as gray frames."""

import random

import numpy as np

from .story import SIDE, Story

GROUND, BOX, THING = (0, 40), (100, 140), (190, 255)
"""Darkest and lightest shade. What moves is the lightest, or in a negative the darkest, so that it is easy to see."""

NEGATIVE = 0.5
"""Fraction of clips in which light and dark are swapped."""

DURATION = 0.08
"""Seconds for which a frame is shown; `datasets.py` says the same."""


def render(story: Story, rng: random.Random) -> np.ndarray:
    """The frames of a clip.

    Args:
        story: What happens.
        rng: Chooses shades and shape, which do not depend on the labels.

    Returns:
        `(time, SIDE, SIDE, 1)`, uint8.
    """
    ground, thing, box = (rng.randint(*shades) for shades in (GROUND, THING, BOX))
    shape = _shape(rng.choice(("square", "disc")), story.size)
    frames = np.full((len(story.places), SIDE, SIDE, 1), ground, "uint8")
    for frame, places in zip(frames, story.places, strict=True):
        for x, y in places:
            frame[y : y + story.size, x : x + story.size, 0][shape] = thing
        if story.box:
            left, top, width, height = story.box
            frame[top : top + height, left : left + width] = box
    return 255 - frames if rng.random() < NEGATIVE else frames


def _shape(kind: str, size: int) -> np.ndarray:
    """Mask `(size, size)` of the pixels that belong to the object."""
    if kind == "square":
        return np.ones((size, size), bool)
    offset = np.arange(size) - (size - 1) / 2
    return np.hypot(*np.meshgrid(offset, offset)) <= size / 2
