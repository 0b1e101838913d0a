"""Memory tests: generated sequences, and a data set configuration that says how far back a net has to remember.

A test is a subclass of `MemoryTest` in a module `<name>_dataset_builder.py`, which also has this module's `config`.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets.public_api as tfds

SEEDS = {"train": 1, "validation": 2, "test": 3}

STEPS = (5, 1_000)
"""Bounds of the longest distance: shorter ones test nothing, longer ones take hours."""

UNSCORED = -1
"""Label of a step that is not scored."""


@dataclass
class Config(tfds.core.BuilderConfig):
    """A configuration by the longest distance, in steps."""

    steps: int = 100


def config(text: str) -> Config:
    """The configuration of a longest distance, whose name is the number.

    Raises:
        ValueError: If the text is no whole number within bounds.
    """
    least, most = STEPS
    if not (text.isdecimal() and least <= int(text) <= most):
        raise ValueError(f"the longest distance is a whole number from {least} to {most:,}.")
    return _config(int(text))


@functools.cache  # TFDS takes a listed configuration for another one unless it is the same object
def _config(steps: int) -> Config:
    return Config(name=str(steps), steps=steps)


class MemoryTest(tfds.core.GeneratorBasedBuilder):
    """Base of the memory tests; nothing is downloaded.

    A subclass defines `example`, and `CLASSES` if a sequence has one label.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar[list[Config]] = [config("100")]

    SIZES: ClassVar[dict[str, int]] = {"train": 10_000, "validation": 500, "test": 2_000}
    SHORTEST: ClassVar[int] = 1
    """Smallest distance of the training and validation splits."""
    DISTANCES: ClassVar[tuple[int, ...]] = (5, 10, 20, 50, 100, 200, 500, 1_000)
    """Distances of the test split, up to the longest; about as many sequences of each."""
    FEATURES: ClassVar[int] = 2
    """Features of a step."""
    CLASSES: ClassVar[tuple[str, ...]] = ()
    """Labels of a sequence; empty if every step has a label."""

    @classmethod
    def distances(cls, split: str, steps: int, rng: np.random.Generator, count: int | None = None) -> np.ndarray:
        """Distances of a split's sequences `(count,)`: fixed ones for test, else up to `steps`, log-uniform.

        Short sequences teach the rule to nets that cannot learn it from long ones alone.
        """
        count = cls.SIZES[split] if count is None else count
        if split == "test":
            return np.resize([*(distance for distance in cls.DISTANCES if distance < steps), steps], count)
        drawn = rng.uniform(np.log(cls.SHORTEST), np.log(steps + 1), count)
        return np.minimum(np.exp(drawn).astype(int), steps)

    def example(self, distance: int, split: str, rng: np.random.Generator) -> tuple[np.ndarray, Any]:
        """A sequence.

        Args:
            distance: Steps over which something has to be remembered.
            split: Of the example.
            rng: Where all that is random comes from.

        Returns:
            Steps `(time, FEATURES)` float32, and the label, or labels `(time,)` int64.
        """
        raise NotImplementedError

    def _info(self) -> tfds.core.DatasetInfo:
        label = (
            {"label": tfds.features.ClassLabel(names=self.CLASSES)}
            if self.CLASSES
            else {"labels": tfds.features.Tensor(shape=(None,), dtype=np.int64)}
        )
        inputs = tfds.features.Tensor(shape=(None, self.FEATURES), dtype=np.float32)
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"inputs": inputs, **label}), supervised_keys=("inputs", *label)
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split) for split in self.SIZES}

    def _seed(self, split: str) -> list[int]:
        return [SEEDS[split], self.builder_config.steps]

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        rng = np.random.default_rng(self._seed(split))
        name = "label" if self.CLASSES else "labels"
        for key, distance in enumerate(self.distances(split, self.builder_config.steps, rng)):
            inputs, label = self.example(int(distance), split, rng)
            yield key, {"inputs": inputs, name: label}
