"""Deals out clips: `examples` gives a split of the data set."""

import random
from collections.abc import Iterator

import numpy as np

from . import drawing, story

SIZES = {"train": 4_000, "validation": 200, "test": 400}

SEED = 1


def examples(split: str, count: int | None = None, seed: int = SEED) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Yields clips, each with the labels of its frames.

    Args:
        split: Of `SIZES`.
        count: How many, the split's own number if not given. Fewer of them are a prefix of more.
        seed: Equal arguments give equal clips, on every machine.

    Yields:
        Frames `(time, SIDE, SIDE, 1)` uint8, and `time` of `story.LABELS`.
    """
    for index in range(SIZES[split] if count is None else count):
        rng = random.Random(f"{seed}/{split}/{index}")
        told = story.tell(rng)
        yield drawing.render(told, rng), told.labels
