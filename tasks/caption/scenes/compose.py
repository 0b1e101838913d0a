"""Deals out scenes and captions: `examples` gives a split of the data set."""

import random
from collections.abc import Iterator

from . import grammar, scene

SIZES = {"train": 6_000, "validation": 500, "test": 1_000}

SEED = 1


def examples(split: str, count: int | None = None, seed: int = SEED) -> Iterator[tuple[scene.Scene, list[str]]]:
    """Yields scenes, each with its captions.

    Args:
        split: Of `SIZES`; the scenes of test, and only they, have things of `scene.RESERVED_KINDS`.
        count: How many, the split's own number if not given. Fewer of them are a prefix of more.
        seed: Equal arguments give equal scenes and captions, on every machine.
    """
    for index in range(SIZES[split] if count is None else count):
        rng = random.Random(f"{seed}/{split}/{index}")
        drawn = scene.draw(rng, held_out=split == "test")
        yield drawn, grammar.captions(drawn, rng)
