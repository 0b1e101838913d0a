"""The builder: the word hello, again and again, as a TensorFlow dataset."""

from collections.abc import Iterator
from typing import Any, ClassVar

import tensorflow_datasets.public_api as tfds

SIZES = {"train": 1_600, "validation": 64, "test": 64}
"""Copies: enough for an epoch of training steps."""


class Builder(tfds.core.GeneratorBasedBuilder):
    """Every example is the same word; a model has learned it when it is no longer surprised by any letter."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict({"text": tfds.features.Text()}))

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(size) for split, size in SIZES.items()}

    def _generate_examples(self, size: int) -> Iterator[tuple[int, dict[str, Any]]]:
        for key in range(size):
            yield key, {"text": "hello"}
