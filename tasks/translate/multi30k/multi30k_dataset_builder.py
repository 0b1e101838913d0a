"""The builder: Multi30k's files of raw text as a TensorFlow dataset, a config for each pair of languages."""

import dataclasses
import gzip
import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import tensorflow_datasets.public_api as tfds

_URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"

_PAIRS = tuple(pair for other in ("de", "fr", "cs") for pair in (("en", other), (other, "en")))

_SPLITS = {"train": "train", "validation": "val", "test_2016_flickr": "test_2016_flickr"}
"""From a split's name to that of its files."""

_LATER = {"2017_flickr": ("en", "de", "fr"), "2017_mscoco": ("en", "de", "fr"), "2018_flickr": ("en", "de", "fr", "cs")}
"""The test sets of later years, and the languages that each exists in."""


@dataclasses.dataclass(eq=False)
class Config(tfds.core.BuilderConfig):
    """A pair of languages, and the files that its splits come from."""

    languages: tuple[str, str] = ("en", "de")
    files: Mapping[str, str] = dataclasses.field(default_factory=lambda: _SPLITS)


def _configs() -> list[Config]:
    pairs = [Config(name="-".join(pair), description=f"{pair[0]} to {pair[1]}", languages=pair) for pair in _PAIRS]
    later = [
        Config(
            name=f"{'-'.join(pair)}-{year}",
            description=f"{pair[0]} to {pair[1]}, nothing but the test set {year}",
            languages=pair,
            files={f"test_{year}": f"test_{year}"},
        )
        for year, languages in _LATER.items()
        for pair in _PAIRS
        if set(pair) <= set(languages)
    ]
    return pairs + later


def configs() -> list[str]:
    """The names of the configs that can be trained on: `"en-de"` and so on."""
    return ["-".join(pair) for pair in _PAIRS]


def extra_splits(config: str) -> dict[str, str]:
    """The later test sets of a config such as `"en-de"`: split name -> name of the config that has it."""
    later = {one.name: one.files for one in Builder.BUILDER_CONFIGS if one.name.startswith(f"{config}-")}
    return {split: name for name, files in later.items() for split in files}


class Builder(tfds.core.GeneratorBasedBuilder):
    """Multi30k, task 1. The later test sets are configs of their own, so that nobody fetches them unasked."""

    # The folder is not where its module name says; TFDS looks for checksums.tsv beside code_path.
    code_path = tfds.core.Path(__file__)
    pkg_dir_path = code_path.parent

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar[list[Config]] = _configs()

    def _info(self) -> tfds.core.DatasetInfo:
        languages = self.builder_config.languages
        return self.dataset_info_from_configs(
            features=tfds.features.Translation(languages=languages),
            supervised_keys=languages,
            homepage="https://github.com/multi30k/dataset",
            disable_shuffling=True,  # the order of the files, so that an answer can be held against its line
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        urls = {
            split: [f"{_URL}/{stem}.{language}.gz" for language in self.builder_config.languages]
            for split, stem in self.builder_config.files.items()
        }
        return {split: self._generate_examples(*paths) for split, paths in dl_manager.download(urls).items()}

    def _generate_examples(self, source: Any, target: Any) -> Iterator[tuple[int, dict[str, str]]]:
        first, second = self.builder_config.languages
        for key, (left, right) in enumerate(itertools.zip_longest(_lines(source), _lines(target))):
            if left is None or right is None:
                counts = [sum(1 for _ in _lines(path)) for path in (source, target)]
                raise ValueError(
                    f"{os.fspath(source)} has {counts[0]:,} lines and {os.fspath(target)} {counts[1]:,}: "
                    f"line {key + 1:,} has no translation. Delete both files and fetch them anew."
                )
            yield key, {first: left, second: right}


def _lines(path: Any) -> Iterator[str]:
    """Lines of a packed file; nothing but a line feed ends one, as other separators may stand inside a sentence."""
    with gzip.open(os.fspath(path), "rt", encoding="utf-8", newline="\n") as stream:
        for line in stream:
            yield line.removesuffix("\n")
