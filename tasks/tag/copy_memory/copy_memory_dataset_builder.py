"""The builder: symbols, blanks, and the question for the symbols, one label per step; the base of `selective_copy`."""

import numpy as np
import tensorflow_datasets.public_api as tfds

from zoo.data.memory_tests import UNSCORED, MemoryTest, config

__all__ = ["Builder", "config", "example"]

SYMBOLS, SHOWN = 4, 3
"""Different symbols, and how many a sequence repeats: few, so that a small net learns it in minutes."""

BLANK, ASK = SYMBOLS, SYMBOLS + 1
"""Features of a step besides the symbols: the blank, and the question."""


def example(distance: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A sequence: steps `(distance + SHOWN, SYMBOLS + 2)` float32, labels int64; its blanks are distance - SHOWN."""
    symbols = rng.integers(0, SYMBOLS, SHOWN)
    steps = np.concatenate([symbols, np.full(distance - SHOWN, BLANK), np.full(SHOWN, ASK)])
    labels = np.concatenate([np.full(distance, UNSCORED), symbols])
    return np.eye(SYMBOLS + 2, dtype="float32")[steps], labels.astype("int64")


class Builder(MemoryTest):
    """Copy memory; a configuration is the longest distance from a symbol to its repetition."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    SHORTEST = SHOWN + 1
    FEATURES = SYMBOLS + 2

    def example(self, distance: int, split: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See the function `example`."""
        return example(distance, rng)
