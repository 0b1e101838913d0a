"""The builder: CLDR's phrases in two languages as a TensorFlow dataset, one configuration for each pair."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

import tensorflow_datasets.public_api as tfds

from . import compose, locales
from .composer import Phrase

_PAIRS = "en-de de-en en-fr fr-en en-es es-en en-it en-pt_BR en-nl en-sv en-pl en-cs en-ru en-tr en-ja en-zh_Hans"


def _described(name: str) -> tfds.core.BuilderConfig:
    source, target = locales.pair(name)
    return tfds.core.BuilderConfig(name=name, description=f"From {source} to {target}, {locales.source()}.")


class Builder(tfds.core.GeneratorBasedBuilder):
    """Phrases of two languages, written on the spot from the data of Babel: nothing is downloaded."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar[list[tfds.core.BuilderConfig]] = [_described(name) for name in _PAIRS.split()]

    def _info(self) -> tfds.core.DatasetInfo:
        languages = locales.pair(self.builder_config.name)
        return self.dataset_info_from_configs(
            features=tfds.features.Translation(languages=languages), supervised_keys=languages
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager  # nothing to download
        splits = compose.splits(*locales.pair(self.builder_config.name))
        return {split: self._generate_examples(phrases) for split, phrases in splits.items()}

    def _generate_examples(self, phrases: Iterable[Phrase]) -> Iterator[tuple[int, dict[str, str]]]:
        source, target = locales.pair(self.builder_config.name)
        for key, phrase in enumerate(phrases):
            yield key, {source: phrase.source, target: phrase.target}


def config(name: str) -> tfds.core.BuilderConfig:
    """The configuration of any pair of CLDR's locales, for `Builder(config=...)`.

    Args:
        name: Source and target locale, e.g. `"en-de"` or `"pt_BR-zh_Hant"`.

    Raises:
        UserError: If it does not name two different languages that CLDR covers.
    """
    # TFDS takes only its own object for a configuration that it knows.
    return Builder.builder_configs.get(name) or _described(name)
