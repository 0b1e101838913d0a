"""The splits of the data set."""

import random
from collections.abc import Iterator

import numpy as np

from . import drawing, story

SIZES = {"train": 4_000, "validation": 200, "test": 400}

SEED = 1


def examples(split: str, count: int | None = None, seed: int = SEED) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Generates clips with the labels of their frames.

    Args:
        split: One of `SIZES`.
        count: Number of clips; default the size of the split. Fewer are a prefix of more.
        seed: Seed of all clips. Equal arguments give equal clips, on every machine.

    Yields:
        Frames `(time, SIDE, SIDE, 1)` uint8, and `time` of `story.LABELS`.
    """
    for index in range(SIZES[split] if count is None else count):
        rng = random.Random(f"{seed}/{split}/{index}")
        script = story.random_story(rng)
        yield drawing.render(script, rng), script.labels
