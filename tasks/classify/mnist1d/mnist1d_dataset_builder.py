"""The builder: the series that the package `mnist1d` generates with its default arguments."""

import random
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets.public_api as tfds

STEPS = 40
"""Length of every series."""

CLASSES = 10


def generate() -> dict[str, np.ndarray]:
    """The published set: `x` `(4000, 40)` and `x_test` `(1000, 40)` float64, labels `y` and `y_test` int64.

    The package seeds the global generators of Python and numpy; afterward they are as before.
    """
    from mnist1d.data import make_dataset  # takes a second: it imports pyplot and requests

    states = random.getstate(), np.random.get_state()
    try:
        return make_dataset()
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


class Builder(tfds.core.GeneratorBasedBuilder):
    """Series generated on the spot: nothing is downloaded."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "inputs": tfds.features.Tensor(shape=(STEPS, 1), dtype=np.float32),
                    "label": tfds.features.ClassLabel(names=[str(digit) for digit in range(CLASSES)]),
                }
            ),
            supervised_keys=("inputs", "label"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        made = generate()
        return {
            "train": self._generate_examples(made["x"], made["y"]),
            "test": self._generate_examples(made["x_test"], made["y_test"]),
        }

    def _generate_examples(self, series: np.ndarray, labels: np.ndarray) -> Iterator[tuple[int, dict[str, Any]]]:
        for key, (steps, label) in enumerate(zip(series.astype("float32"), labels, strict=True)):
            yield key, {"inputs": steps[:, None], "label": int(label)}
