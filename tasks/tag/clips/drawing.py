"""Draws a story: every frame a grey picture."""

import random

import numpy as np

from .story import SIDE, Story

GROUND, BOX, THING = (0, 40), (100, 140), (190, 255)
"""Darkest and lightest shade: what moves is the lightest, or in a negative the darkest, so that it is soon seen."""

NEGATIVE = 0.5
"""How often light and dark are swapped."""

DURATION = 0.08
"""Seconds for which a frame is shown."""


def render(story: Story, rng: random.Random) -> np.ndarray:
    """The frames of a clip.

    Args:
        story: What happens.
        rng: Chooses shades and shape; they say nothing about the labels.

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
    """Which pixels of a square are the thing's, `(size, size)`."""
    if kind == "square":
        return np.ones((size, size), bool)
    place = np.arange(size) - (size - 1) / 2
    return np.hypot(*np.meshgrid(place, place)) <= size / 2
