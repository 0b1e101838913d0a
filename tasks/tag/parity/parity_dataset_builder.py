"""The builder of running sums modulo a number: parity here, and the base of `mod3`."""

from typing import ClassVar

import numpy as np
import tensorflow_datasets.public_api as tfds

from zoo.data.memory_tests import UNSCORED, Config, MemoryTest, config

__all__ = ["Builder", "config", "example"]


def example(length: int, modulus: int, last_only: bool, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A sign that begins the sequence, then digits; the label of a step is the sum of the digits so far.

    Args:
        length: Number of digits.
        modulus: Digits are 0 to `modulus` - 1, and sums are taken modulo it.
        last_only: Whether only the last step has a label.
        rng: Where the digits come from.

    Returns:
        Steps `(1 + length, modulus + 1)` float32, one-hot, the last feature the sign; labels `(1 + length,)` int64.
    """
    digits = rng.integers(0, modulus, length)
    labels = np.concatenate([[UNSCORED], digits.cumsum() % modulus])
    if last_only:
        labels[:-1] = UNSCORED
    return np.eye(modulus + 1, dtype="float32")[[modulus, *digits]], labels.astype("int64")


class Builder(MemoryTest):
    """Running sums modulo a number; a configuration is the number of digits of the longest sequences."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    BUILDER_CONFIGS: ClassVar[list[Config]] = [config("40")]
    SIZES: ClassVar[dict[str, int]] = {**MemoryTest.SIZES, "test": 2_100}
    MODULUS: ClassVar[int] = 2
    FEATURES = 3  # the digits, and the sign that begins a sequence

    def _seed(self, split: str) -> list[int]:
        return [*super()._seed(split), self.MODULUS]

    def example(self, distance: int, split: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See the function `example`; in the test split, only the last step has a label."""
        return example(distance, self.MODULUS, split == "test", rng)
