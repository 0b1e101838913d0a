"""The builder: the grammar's reviews as a TensorFlow dataset."""

from collections.abc import Iterator
from typing import ClassVar

import tensorflow_datasets.public_api as tfds

from . import grammar

_SEED = 1
_SIZES = {"train": 20_000, "validation": 2_000, "test": 2_000}


class Builder(tfds.core.GeneratorBasedBuilder):
    """Synthetic reviews, written on the spot: nothing is downloaded."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "label": tfds.features.ClassLabel(names=["negative", "positive"]),
                }
            ),
            supervised_keys=("text", "label"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split, count) for split, count in _SIZES.items()}

    def _generate_examples(self, split: str, count: int) -> Iterator[tuple[int, dict[str, str | int]]]:
        for key, (text, label) in enumerate(grammar.generate(split, count, _SEED)):
            yield key, {"text": text, "label": label}
