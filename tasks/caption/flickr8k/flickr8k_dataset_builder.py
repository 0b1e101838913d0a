"""The builder: Flickr8k's two archives as a TensorFlow dataset, with the official splits."""

import contextlib
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import tensorflow_datasets.public_api as tfds

from zoo.errors import UserError

_IMAGES, _TEXTS = "Flickr8k_Dataset.zip", "Flickr8k_text.zip"

_LISTS = {
    "train": "Flickr_8k.trainImages.txt",
    "validation": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}
"""From a split's name to the file that lists its images."""

_CAPTIONS = "Flickr8k.token.txt"


class Builder(tfds.core.GeneratorBasedBuilder):
    """Flickr8k. It was given out on request and for research alone, so that its archives are put there by hand."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Put {_IMAGES} and {_TEXTS}, as they are, into downloads/manual of TFDS's folder ($TFDS_DATA_DIR, else "
        "~/tensorflow_datasets). Their authors gave them out through https://illinois.edu/fb/sec/1713398; "
        "https://github.com/jbrownlee/Datasets/releases/tag/Flickr8k has copies. They are for non-commercial research."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
                    "captions": tfds.features.Sequence(tfds.features.Text()),
                    "filename": tfds.features.Text(),
                }
            ),
            homepage="https://doi.org/10.1613/jair.3994",
            disable_shuffling=True,  # the order of the official lists
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        manual = os.fspath(dl_manager.manual_dir)
        images, texts = (os.path.join(manual, name) for name in (_IMAGES, _TEXTS))
        missing = [os.path.basename(path) for path in (images, texts) if not os.path.isfile(path)]
        if missing:
            raise UserError(f"{manual} has no {' and no '.join(missing)}. {self.MANUAL_DOWNLOAD_INSTRUCTIONS}")
        lists = {split: _text(texts, name).split() for split, name in _LISTS.items()}
        captions = _captions(texts)
        with _opened(images) as archive:
            members = _members(archive)
        for split, names in lists.items():
            _check(names, members, f"{_LISTS[split]} lists images that {images} does not have")
            _check(names, captions, f"{_LISTS[split]} lists images that have no caption in {_CAPTIONS}")
        return {split: self._generate_examples(images, names, captions) for split, names in lists.items()}

    def _generate_examples(
        self, images: str, names: Sequence[str], captions: Mapping[str, list[str]]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        with _opened(images) as archive:
            members = _members(archive)
            for key, name in enumerate(names):
                yield key, {"image": archive.read(members[name]), "captions": captions[name], "filename": name}


@contextlib.contextmanager
def _opened(path: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise UserError(f"{path} is no zip archive, or only a part of one ({error}). Download it anew.") from error


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by their names without folders, but for what a Mac adds."""
    real = [item for item in archive.infolist() if not item.is_dir() and "__MACOSX" not in item.filename.split("/")]
    return {item.filename.rpartition("/")[2]: item for item in real}


def _text(path: str, name: str) -> str:
    with _opened(path) as archive:
        members = _members(archive)
        if name not in members:
            raise UserError(f"{path} has no {name}. Take the archive as its authors made it.")
        return archive.read(members[name]).decode("utf-8")


def _captions(path: str) -> dict[str, list[str]]:
    """Captions by image. A line is `name#number`, a tab, and the caption; some of the names are in no split."""
    found: dict[str, list[str]] = {}
    for line in _text(path, _CAPTIONS).splitlines():
        key, _, caption = line.partition("\t")
        if caption.strip():
            found.setdefault(key.rpartition("#")[0], []).append(caption.strip())
    return found


def _check(names: Sequence[str], known: Mapping[str, Any], message: str) -> None:
    missing = [name for name in names if name not in known]
    if missing:
        more = f" and {len(missing) - 1:,} more" if missing[1:] else ""
        raise UserError(f"{message}: {missing[0]}{more}. Take both archives as their authors made them.")
