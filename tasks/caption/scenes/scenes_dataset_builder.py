"""The builder: drawn scenes with captions as a TensorFlow dataset."""

from collections.abc import Iterator
from typing import Any, ClassVar

import tensorflow_datasets.public_api as tfds

from . import compose, drawing, scene


class Builder(tfds.core.GeneratorBasedBuilder):
    """Colored shapes and true captions, drawn and written on the spot: nothing is downloaded."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(scene.SIDE, scene.SIDE, 3), encoding_format="png"),
                    "captions": tfds.features.Sequence(tfds.features.Text()),
                    "facts": tfds.features.Text(),
                }
            ),
            supervised_keys=("image", "captions"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split) for split in compose.SIZES}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for key, (drawn, captions) in enumerate(compose.examples(split)):
            yield key, {"image": drawing.render(drawn), "captions": captions, "facts": drawn.facts()}
