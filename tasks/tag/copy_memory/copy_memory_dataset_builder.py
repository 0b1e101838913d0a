"""The builder: symbols, blanks, and the question for the symbols, one label per step; the base of `selective_copy`."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets.public_api as tfds

SIZES = {"train": 10_000, "validation": 500, "test": 2_000}

SEEDS = {"train": 1, "validation": 2, "test": 3}

SYMBOLS, SHOWN = 4, 3
"""Different symbols, and how many a sequence repeats: few, so that a small net learns it in minutes."""

STEPS = (5, 1_000)
"""Smallest and largest longest distance of a configuration."""

DISTANCES = (5, 10, 20, 50, 100, 200, 500, 1_000)
"""Steps from a symbol to its repetition in the test split, up to the longest; about as many sequences of each."""

BLANK, ASK = SYMBOLS, SYMBOLS + 1
"""Features of a step besides the symbols: the blank, and the question."""

UNSCORED = -1
"""Label of a step without a question."""


@dataclass
class Config(tfds.core.BuilderConfig):
    """A set by the longest distance from a symbol to its repetition, in steps."""

    steps: int = 100


@functools.cache  # TFDS takes a listed configuration for another one unless it is the same object
def _config(steps: int) -> Config:
    return Config(name=str(steps), steps=steps)


def config(text: str) -> Config:
    """The configuration of a longest distance, whose name is the number.

    Raises:
        ValueError: If the text is no such number.
    """
    least, most = STEPS
    if not (text.isdecimal() and least <= int(text) <= most):
        raise ValueError(f"the longest distance is a whole number from {least} to {most:,}.")
    return _config(int(text))


def distances(split: str, count: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Distances of a split's sequences `(count,)`: fixed ones for test, else up to `steps`, log-uniform."""
    if split == "test":
        grid = [*(distance for distance in DISTANCES if distance < steps), steps]
        return np.resize(grid, count)
    return np.minimum(np.exp(rng.uniform(np.log(SHOWN + 1), np.log(steps + 1), count)).astype(int), steps)


def example(distance: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A sequence: steps `(distance + SHOWN, SYMBOLS + 2)` float32, labels int64; its blanks are distance - SHOWN."""
    symbols = rng.integers(0, SYMBOLS, SHOWN)
    steps = np.concatenate([symbols, np.full(distance - SHOWN, BLANK), np.full(SHOWN, ASK)])
    labels = np.concatenate([np.full(distance, UNSCORED), symbols])
    return np.eye(SYMBOLS + 2, dtype="float32")[steps], labels.astype("int64")


class Builder(tfds.core.GeneratorBasedBuilder):
    """Generated sequences: nothing is downloaded."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar[list[Config]] = [config("100")]
    example = staticmethod(example)

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "inputs": tfds.features.Tensor(shape=(None, SYMBOLS + 2), dtype=np.float32),
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
        rng = np.random.default_rng([SEEDS[split], steps])
        for key, distance in enumerate(distances(split, SIZES[split], steps, rng)):
            inputs, labels = self.example(int(distance), rng)
            yield key, {"inputs": inputs, "labels": labels}
