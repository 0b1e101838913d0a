"""The builder: Python's own reference texts as a TensorFlow dataset."""

import hashlib
import platform
from collections.abc import Iterator
from pydoc_data import topics
from typing import Any, ClassVar

import tensorflow_datasets.public_api as tfds

TEST_FRACTION = 0.08
"""Fraction of all characters that validation and test have each."""


class Builder(tfds.core.GeneratorBasedBuilder):
    """What `help()` knows of the language, one topic a document: nothing is downloaded."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    # Each version of Python has its own wording, so each is a data set of its own on disk.
    BUILDER_CONFIGS: ClassVar[list] = [
        tfds.core.BuilderConfig(
            name="python" + ".".join(platform.python_version_tuple()), description="The texts of this Python."
        )
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"topic": tfds.features.Text(), "text": tfds.features.Text()})
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(names) for split, names in splits(topics.topics).items()}

    def _generate_examples(self, names: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for name in names:
            yield name, {"topic": name, "text": topics.topics[name]}


def splits(texts: dict[str, str]) -> dict[str, list[str]]:
    """Whole topics by split, in an order that their names decide; a topic too large for a small split is trained on."""
    most = TEST_FRACTION * sum(map(len, texts.values()))
    sides: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    size = dict.fromkeys(sides, 0)
    for name in sorted(texts, key=lambda name: hashlib.sha256(name.encode()).digest()):
        side = next((s for s in ("test", "validation") if size[s] + len(texts[name]) <= most), "train")
        sides[side].append(name)
        size[side] += len(texts[name])
    return sides
