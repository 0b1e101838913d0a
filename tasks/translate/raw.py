"""Parallel texts as they lie in a TFDS data set or in a folder, before any tokenization."""

import dataclasses
import functools
import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.data import tables
from zoo.data.datasets import DatasetCard
from zoo.data.raw import RawDataset
from zoo.data.tfds import open_dataset
from zoo.errors import UserError
from zoo.names import unknown

from .datasets import DATASETS

SPLITS = ("train", "validation", "test")

OWN = "Or give a folder with train.SRC and train.TGT; --reverse swaps source and target"


def open_pairs(dataset: str, reverse: bool = False, source: str | None = None, *, read_all: bool = True) -> RawDataset:
    """The pairs of a TFDS data set or of a folder: examples `(source, target)`, both scalars.

    Args:
        dataset: A name with its config, e.g. `"multi30k/en-de"`, or the path of a folder.
        reverse: Swap source and target.
        source: The language to translate from, before `reverse`; default the data set's own order, and for a folder
            the alphabet.
        read_all: See `from_folder`.

    Returns:
        The data set. The details of its card have `languages`, source first.

    Raises:
        UserError: If there is no such data set, or it cannot be used.
    """
    details: dict[str, Any] = {}

    def features(builder: Any) -> list[str]:
        details["languages"] = _oriented(builder.info.supervised_keys, source, reverse)
        if builder.builder_config is not None and builder.builder_config.description:
            details["description"] = builder.builder_config.description
        return details["languages"]

    def folder(path: Path) -> RawDataset:
        return from_folder(path, reverse, source, read_all=read_all)

    raw = open_dataset(dataset, DATASETS, OWN, folder, features=features, clean=_clean)
    return dataclasses.replace(raw, card=raw.card.with_details(**details))


def _clean(split: str, pairs: tf.data.Dataset) -> tf.data.Dataset:
    """Texts without a line's end, which those of opus have; in training, no pair with an empty side."""

    def strip(*pair: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tuple(tf.strings.regex_replace(text, r"[\r\n]+$", "") for text in pair)

    def filled(*pair: tf.Tensor) -> tf.Tensor:
        return tf.reduce_all(tf.strings.length(tf.strings.strip(pair)) > 0)

    pairs = pairs.map(strip)
    return pairs.filter(filled) if split == "train" else pairs


def _oriented(languages: Sequence[str], source: str | None, reverse: bool) -> list[str]:
    """`[source, target]`."""
    first, second = languages
    if source is not None and source not in languages:
        raise unknown("language of this data set", source, languages)
    return [second, first] if (source == second) != reverse else [first, second]


def from_folder(path: Path, reverse: bool = False, source: str | None = None, *, read_all: bool = True) -> RawDataset:
    """Pairs of a folder with `train.SRC` and `train.TGT`, and `validation.*` and `test.*` if it has them.

    A line is a text, in UTF-8; pairs with an empty side are skipped. The suffixes are the languages. Missing splits are
    held out of train.

    Args:
        path: The folder.
        reverse: Swap source and target.
        source: The language to translate from, before `reverse`; default the first in the alphabet.
        read_all: Check all files at once, and write their digests and the number of skipped pairs into the card.
            Without it, a split is checked when it is first asked for.

    Raises:
        UserError: With the file, and the number of the line that cannot be used.
    """
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise UserError(f"{path} {what}. Give a folder with train.SRC and train.TGT, e.g. train.en and train.de.")
    found = {split: _files(path, split) for split in SPLITS}
    languages = _oriented(sorted(found["train"]), source, reverse)
    files = {split: _both(by_language, languages) for split, by_language in found.items() if by_language}

    @functools.cache
    def count(split: str) -> int:
        left, right = files[split]
        pairs = sum(1 for _ in _rows(left, right))
        if not pairs:
            raise UserError(f"{left} and {right.name} have no line in which both hold a text. Fill them.")
        return pairs

    def read(split: str) -> tf.data.Dataset:
        count(split)  # errors are raised here: within tf.data they would become others
        text = tf.TensorSpec((), tf.string)
        return tf.data.Dataset.from_generator(lambda: _rows(*files[split]), output_signature=(text, text))

    card = DatasetCard(path.resolve().name, details={"languages": languages})
    if read_all:
        sha256 = {file.name: _digest(file) for both in files.values() for file in both}
        skipped = {split: _count_lines(left) - count(split) for split, (left, _) in files.items()}
        card = dataclasses.replace(card, sha256=sha256).with_details(skipped=skipped)
    return RawDataset(read, tuple(files), card, count=count).hold_out(what="source texts")


def _files(folder: Path, split: str) -> dict[str, Path]:
    """A split's file for each of two languages, or nothing if an optional split has none.

    Raises:
        UserError: If there are one or three languages, or no training files, or an empty file.
    """
    parts = {path: path.name.split(".") for path in sorted(folder.iterdir()) if path.is_file()}
    found = {name[1]: path for path, name in parts.items() if len(name) == 2 and name[0] == split and name[1]}
    if split != "train" and not found:
        return {}
    if len(found) != 2:
        have = ", ".join(path.name for path in found.values()) or f"no {split}.SRC"
        raise UserError(f"{folder} has {have}. It needs {split}.SRC and {split}.TGT, two languages, e.g. {split}.en.")
    empty = next((path for path in found.values() if not path.stat().st_size), None)
    if empty:
        raise UserError(f"{empty} is empty. Each line has to hold a text, the same one as in the other language.")
    return found


def _both(found: Mapping[str, Path], languages: Sequence[str]) -> tuple[Path, Path]:
    """The files of the source and of the target."""
    for language in languages:
        if language not in found:
            have = " and ".join(map(str, found.values()))
            raise UserError(f"{have}: none is in {language!r}, as train is. Use the same two languages in every split.")
    return found[languages[0]], found[languages[1]]


def _rows(left: Path, right: Path) -> Iterator[tuple[str, str]]:
    """The pairs of two files without those that have an empty side.

    Raises:
        UserError: If one file has more lines than the other, with the first line at which they may have diverged.
    """
    diverged = 0
    for number, (text, other) in enumerate(itertools.zip_longest(_lines(left), _lines(right)), 1):
        if text is None or other is None:
            ends = [_count_lines(path) for path in (left, right)]
            raise UserError(
                f"{left} has {ends[0]:,} lines and {right.name} {ends[1]:,}; line {diverged or number:,} is the first "
                "that only one side has. Give each line its translation in the same line of the other file."
            )
        if text.strip() and other.strip():
            yield text, other
        elif (text.strip() or other.strip()) and not diverged:
            diverged = number


def _lines(path: Path) -> Iterator[str]:
    """A file's lines without their ends."""
    return (line.removesuffix("\n").removesuffix("\r") for line in tables.lines(path))


def _count_lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def _digest(path: Path) -> str:
    """SHA-256 of a file, which may be larger than the memory."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        for line in stream:
            state.update(line)
    return state.hexdigest()
