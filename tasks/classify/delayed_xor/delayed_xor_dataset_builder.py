"""The builder: two bits, a delay, and the question for their exclusive or."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets.public_api as tfds

SIZES = {"train": 10_000, "validation": 500, "test": 2_000}

SEEDS = {"train": 1, "validation": 2, "test": 3}

DELAYS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""Delays of the test split, up to the longest; about as many sequences of each."""

BITS = 2
"""Steps of a sequence that are not delay."""

NOISE = 3.0
"""Standard deviation of what must not be let in: louder than the bits, so that a gate has to be shut, not ajar."""

MIN_STEPS, MAX_STEPS = 5, 1_000
"""Bounds of the longest delay: shorter ones test nothing, longer ones take hours."""


@dataclass
class Config(tfds.core.BuilderConfig):
    """A set by its longest delay, in steps."""

    steps: int = 100


def config(text: str) -> Config:
    """The configuration of a longest delay, whose name is the number.

    Raises:
        ValueError: If it is not a whole number within bounds.
    """
    if not text.isdecimal() or not MIN_STEPS <= int(text) <= MAX_STEPS:
        raise ValueError(
            f"the longest delay is a whole number from {MIN_STEPS} to {MAX_STEPS:,}, as in delayed_xor/100."
        )
    return _config(int(text))


@functools.cache  # TFDS takes a listed configuration for another one unless it is the same object
def _config(steps: int) -> Config:
    return Config(name=str(steps), steps=steps)


def delays(split: str, count: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Delays of a split `(count,)`: fixed ones for test, else 1 to `steps`, each order of size as often."""
    if split == "test":
        grid = [*(delay for delay in DELAYS if delay < steps), steps]
        return np.resize(grid, count)
    return np.minimum(np.exp(rng.uniform(0, np.log(steps + 1), count)).astype(int), steps)


def example(delay: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """A sequence `(2 + delay, 2)` float32 and its label.

    A step is a number and a mark, 1 or 0. The first two steps are marked bits, -1 or 1; the others are noise.
    """
    bits = rng.integers(0, 2, BITS)
    numbers = np.concatenate([2 * bits - 1, rng.normal(0, NOISE, delay)])
    marks = np.arange(BITS + delay) < BITS
    return np.stack([numbers, marks], axis=1).astype("float32"), int(bits[0] ^ bits[1])


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
                    "label": tfds.features.ClassLabel(names=["equal", "different"]),
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
        for key, delay in enumerate(delays(split, SIZES[split], steps, rng)):
            inputs, label = example(int(delay), rng)
            yield key, {"inputs": inputs, "label": label}
