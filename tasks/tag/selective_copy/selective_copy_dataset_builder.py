"""The builder: symbols scattered among blanks, and the question for them, generated as those of copy memory are."""

import numpy as np
import tensorflow_datasets.public_api as tfds
from zoo.tasks.tag.copy_memory import copy_memory_dataset_builder as copy_memory
from zoo.tasks.tag.copy_memory.copy_memory_dataset_builder import ASK, BLANK, SHOWN, SYMBOLS

from zoo.data.memory_tests import UNSCORED, config

__all__ = ["ASK", "BLANK", "SHOWN", "SYMBOLS", "Builder", "config", "example"]


def example(distance: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A sequence: steps `(distance + SHOWN, SYMBOLS + 2)` float32, labels int64.

    The symbols stand anywhere in the first `distance` steps, in the order in which they are to be repeated.
    """
    symbols = rng.integers(0, SYMBOLS, SHOWN)
    steps = np.full(distance + SHOWN, BLANK)
    steps[np.sort(rng.choice(distance, SHOWN, replace=False))] = symbols
    steps[distance:] = ASK
    labels = np.concatenate([np.full(distance, UNSCORED), symbols])
    return np.eye(SYMBOLS + 2, dtype="float32")[steps], labels.astype("int64")


class Builder(copy_memory.Builder):
    """Selective copying: symbols stand anywhere before the question."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    def example(self, distance: int, split: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See the function `example`."""
        return example(distance, rng)
