"""The builder: generated clips with one label per frame as a TensorFlow dataset."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets.public_api as tfds

from . import compose, story


class Builder(tfds.core.GeneratorBasedBuilder):
    """Short clips of moving objects, generated: nothing is downloaded."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}

    def _info(self) -> tfds.core.DatasetInfo:
        side = story.SIDE
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    # Not a Video: that would write every frame as a PNG file, which takes a minute.
                    "frames": tfds.features.Tensor(shape=(None, side, side, 1), dtype=np.uint8, encoding="zlib"),
                    "labels": tfds.features.Sequence(tfds.features.ClassLabel(names=story.LABELS)),
                }
            ),
            supervised_keys=("frames", "labels"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split) for split in compose.SIZES}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for key, (frames, labels) in enumerate(compose.examples(split)):
            yield key, {"frames": frames, "labels": labels}
