"""The builder: two marked digits among others, and their sum."""

import numpy as np
import tensorflow_datasets.public_api as tfds

from zoo.data.memory_tests import MemoryTest, config

__all__ = ["Builder", "config", "example"]

DIGITS = 3
"""Digits are 0 to 2, sums 0 to 4: few enough for a small net to learn it in a minute."""


def example(length: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """A sequence `(length, 2)` float32 and its label.

    A step is a digit, scaled to 0 to 1, and a mark, 1 or 0. The first mark is among the first tenth of the steps, the
    second anywhere before the middle, or on the second step if there is no such place.
    """
    digits = rng.integers(0, DIGITS, length)
    first = int(rng.integers(0, max(1, length // 10)))
    second = int(rng.integers(first + 1, max(first + 2, length // 2)))
    marks = np.isin(np.arange(length), (first, second))
    return np.stack([digits / (DIGITS - 1), marks], axis=1).astype("float32"), int(digits[first] + digits[second])


class Builder(MemoryTest):
    """The adding problem; a configuration is the length of the longest sequences."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    SHORTEST = 3  # two marked digits, and one to ignore
    CLASSES = tuple(str(total) for total in range(2 * DIGITS - 1))

    def example(self, distance: int, split: str, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """See the function `example`."""
        return example(distance, rng)
