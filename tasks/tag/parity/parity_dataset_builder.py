"""The builder of running sums modulo a number: parity here, and the base of `mod3`."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets.public_api as tfds

SIZES = {"train": 10_000, "validation": 500, "test": 2_100}

SEEDS = {"train": 1, "validation": 2, "test": 3}

STEPS = (5, 1_000)
"""Smallest and largest number of digits of the longest sequences of a configuration."""

DISTANCES = (5, 10, 20, 50, 100, 200, 500, 1_000)
"""Digits before the answer in the test split, up to the longest; about as many sequences of each."""

UNSCORED = -1
"""Label of a step that is not scored."""


@dataclass
class Config(tfds.core.BuilderConfig):
    """A set by the number of digits of its longest sequences."""

    steps: int = 40


@functools.cache  # TFDS takes a listed configuration for another one unless it is the same object
def _config(steps: int) -> Config:
    return Config(name=str(steps), steps=steps)


def config(text: str) -> Config:
    """The configuration of a largest number of digits, whose name is the number.

    Raises:
        ValueError: If the text is no such number.
    """
    least, most = STEPS
    if not (text.isdecimal() and least <= int(text) <= most):
        raise ValueError(f"the longest distance is a whole number from {least} to {most:,}.")
    return _config(int(text))


def lengths(split: str, count: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Digits of a split's sequences `(count,)`: fixed numbers for test, else 1 to `steps`, log-uniform.

    Short sequences teach the rule to cells that cannot learn it from long ones alone.
    """
    if split == "test":
        grid = [*(distance for distance in DISTANCES if distance < steps), steps]
        return np.resize(grid, count)
    return np.minimum(np.exp(rng.uniform(0, np.log(steps + 1), count)).astype(int), steps)


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


class Builder(tfds.core.GeneratorBasedBuilder):
    """Generated sequences: nothing is downloaded."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar[list[Config]] = [config("40")]
    MODULUS = 2

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "inputs": tfds.features.Tensor(shape=(None, self.MODULUS + 1), dtype=np.float32),
                    "labels": tfds.features.Tensor(shape=(None,), dtype=np.int64),
                }
            ),
            supervised_keys=("inputs", "labels"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        steps = self.builder_config.steps
        rng = np.random.default_rng([SEEDS[split], steps, self.MODULUS])
        for key, length in enumerate(lengths(split, SIZES[split], steps, rng)):
            inputs, labels = example(int(length), self.MODULUS, split == "test", rng)
            yield key, {"inputs": inputs, "labels": labels}
