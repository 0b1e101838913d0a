"""The builder: two bits, a delay, and the question for their exclusive or."""

import numpy as np
import tensorflow_datasets.public_api as tfds

from zoo.data.memory_tests import MemoryTest, config

__all__ = ["Builder", "config", "example"]

BITS = 2
"""Steps of a sequence that are not delay."""

NOISE = 3.0
"""Standard deviation of what must not be let in: louder than the bits, so that a gate has to be shut, not ajar."""


def example(delay: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """A sequence `(2 + delay, 2)` float32 and its label.

    A step is a number and a mark, 1 or 0. The first two steps are marked bits, -1 or 1; the others are noise.
    """
    bits = rng.integers(0, 2, BITS)
    numbers = np.concatenate([2 * bits - 1, rng.normal(0, NOISE, delay)])
    marks = np.arange(BITS + delay) < BITS
    return np.stack([numbers, marks], axis=1).astype("float32"), int(bits[0] ^ bits[1])


class Builder(MemoryTest):
    """Exclusive or of two bits; a configuration is the longest delay."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    DISTANCES = (1, 2, *MemoryTest.DISTANCES)
    CLASSES = ("equal", "different")

    def example(self, distance: int, split: str, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """See the function `example`."""
        return example(distance, rng)
