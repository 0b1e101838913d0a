"""The builder: two marked digits among others, and their sum."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets.public_api as tfds

SIZES = {"train": 10_000, "validation": 500, "test": 2_000}

SEEDS = {"train": 1, "validation": 2, "test": 3}

LENGTHS = (5, 10, 20, 50, 100, 200, 500, 1_000)
"""Lengths of the test split, up to the longest; about as many sequences of each."""

SHORTEST = 3
"""Steps of the shortest sequence: two marked digits, and one to ignore."""

DIGITS = 3
"""Digits are 0 to 2, sums 0 to 4: few enough for a small net to learn it in a minute."""

MIN_STEPS, MAX_STEPS = 5, 1_000
"""Bounds of the longest length: shorter ones test nothing, longer ones take hours."""


@dataclass
class Config(tfds.core.BuilderConfig):
    """A set by the length of its longest sequences."""

    steps: int = 100


def config(text: str) -> Config:
    """The configuration of a longest length, whose name is the number.

    Raises:
        ValueError: If it is not a whole number within bounds.
    """
    if not text.isdecimal() or not MIN_STEPS <= int(text) <= MAX_STEPS:
        raise ValueError(f"the longest length is a whole number from {MIN_STEPS} to {MAX_STEPS:,}, as in adding/100.")
    return _config(int(text))


@functools.cache  # TFDS takes a listed configuration for another one unless it is the same object
def _config(steps: int) -> Config:
    return Config(name=str(steps), steps=steps)


def lengths(split: str, count: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Lengths of a split `(count,)`: fixed ones for test, else up to `steps`, each order of size as often."""
    if split == "test":
        grid = [*(length for length in LENGTHS if length < steps), steps]
        return np.resize(grid, count)
    return np.minimum(np.exp(rng.uniform(np.log(SHORTEST), np.log(steps + 1), count)).astype(int), steps)


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


class Builder(tfds.core.GeneratorBasedBuilder):
    """Sequences drawn on the spot: nothing is downloaded."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar[list[Config]] = [config("100")]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "inputs": tfds.features.Tensor(shape=(None, 2), dtype=np.float32),
                    "label": tfds.features.ClassLabel(names=[str(total) for total in range(2 * DIGITS - 1)]),
                }
            ),
            supervised_keys=("inputs", "label"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        steps = self.builder_config.steps
        rng = np.random.default_rng([SEEDS[split], steps])
        for key, length in enumerate(lengths(split, SIZES[split], steps, rng)):
            inputs, label = example(int(length), rng)
            yield key, {"inputs": inputs, "label": label}
