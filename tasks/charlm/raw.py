"""Documents of a TFDS data set or of a file, before any tokenization: each an iterable of pieces of text.

A piece is short, a document may be long. Only one piece is in memory at a time.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from zoo.data import files, own
from zoo.data.datasets import DatasetCard, find_row
from zoo.data.raw import RawDataset
from zoo.data.tfds import open_dataset
from zoo.errors import UserError

from .datasets import DATASETS

PIECE = 1 << 16
"""Characters of a text that are read together."""

PART = 0.1
"""Fraction of a file that validation and test have each, at its end: no text of theirs is near that of training."""

MOST_DIGESTS = 20
"""Files of a folder whose digests the card has."""

MAX_PART = 1_000_000
"""Characters of each at most: enough for steady scores, and read in minutes."""

OWN = "Or give a text file, or a folder of text files"

SUFFIXES = (".txt", ".text", ".md", "")
"""Files of a folder that are read; all of them may be compressed (`.gz`)."""


def open_texts(dataset: str, validation: str | None = None, test: str | None = None) -> RawDataset:
    """The documents of a TFDS data set, a file or a folder; `split(name)` is an iterable of documents.

    Args:
        dataset: Name or path.
        validation: File or folder of the validation split.
        test: File or folder of the test split.

    Raises:
        UserError: If there is no such data set, or a file is no text.
    """
    only_own = {"--validation-dataset": validation, "--test-dataset": test}
    raw = open_dataset(dataset, DATASETS, OWN, lambda path: from_path(path, validation, test), only_own)
    if dataset and Path(dataset).exists() and find_row(dataset, DATASETS, OWN) is None:
        return raw
    return replace(raw, read=lambda split: map(_document, raw.read(split).as_numpy_iterator()))


def _document(example: tuple[bytes]) -> Iterator[str]:
    text = example[0].decode("utf-8", "replace")
    return (text[place : place + PIECE] for place in range(0, len(text), PIECE))


class Text:
    """The text of a file, or of the files of a folder one after another, read piece by piece.

    Files of a folder stand in an order that a hash of their names decides, so that the end of it is like the rest.

    Args:
        path: File or folder.

    Raises:
        UserError: If a file is no text in UTF-8, or there is no text.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file() and not path.is_dir():
            raise UserError(f"{path} is no regular file. {OWN}.")
        self.files = [path] if path.is_file() else [file for file in files.visible(path, "**/*") if _is_text(file)]
        self.files.sort(key=lambda file: hashlib.sha256(str(file.relative_to(path)).encode()).digest())
        if not self.files:
            raise UserError(f"{path} has no text files ({', '.join(filter(None, SUFFIXES))}). {OWN}.")
        self.sizes = [sum(map(len, files.blocks(file, PIECE))) for file in self.files]
        if not sum(self.sizes):
            raise UserError(f"{path} is empty. A language model needs text to learn from.")
        if path.is_dir():
            own.report_left_out(path, set(self.files))

    @property
    def length(self) -> int:
        """Characters of all files."""
        return sum(self.sizes)

    def documents(self, first: int, last: int) -> Iterator[Iterator[str]]:
        """A document of each file that has characters from `first` to `last - 1`."""
        start = 0
        for file, size in zip(self.files, self.sizes, strict=True):
            low, high = max(first - start, 0), min(last - start, size)
            if low < high:
                yield _between(file, low, high)
            start += size


def from_path(path: Path, validation: str | None = None, test: str | None = None) -> RawDataset:
    """Texts of users' files. Missing splits are the end of train: a tenth of its characters each.

    Of a large text, test and validation have `MAX_PART` characters each. Files are read piece by piece.

    Raises:
        UserError: If there is no text in UTF-8.
    """
    texts = {split: Text(part) for split, part in own.parts(path, _is_text, validation, test, free_names=True).items()}
    length = texts["train"].length
    held_out = min(max(int(length * PART), 1), MAX_PART)
    missing = [split for split in ("test", "validation") if split not in texts]
    borders = {split: (text, 0, text.length) for split, text in texts.items()}
    end = length
    for split in missing:  # from the end: test, and before it validation
        borders[split] = (texts["train"], end - held_out, end)
        end -= held_out
    borders = {"train": (texts["train"], 0, end), **{s: borders[s] for s in ("validation", "test")}}
    borders["all"] = (texts["train"], 0, length)
    rule = {
        0: "its own",
        1: f"the last {held_out:,} characters of train {missing[0] if missing else ''}",
        2: f"the last {held_out:,} characters test, the {held_out:,} before them validation, the others train",
    }[len(missing)]
    digests = {file.name: files.digest(file) for text in texts.values() for file in text.files[:MOST_DIGESTS]}
    card = DatasetCard(path.resolve().stem, splits=rule, sha256=digests)

    def read(split: str) -> Iterable[Iterator[str]]:
        text, first, last = borders[split]
        return text.documents(first, last)

    return RawDataset(read, tuple(borders), card, count=lambda split: len(texts.get(split, texts["train"]).files))


def _is_text(path: Path) -> bool:
    return path.is_file() and files.suffix(path) in SUFFIXES


def _between(path: Path, first: int, last: int) -> Iterator[str]:
    """The characters of a file from `first` to `last - 1`."""
    place = 0
    for piece in files.blocks(path, PIECE):
        part = piece[max(first - place, 0) : max(last - place, 0)]
        place += len(piece)
        if part:
            yield part
        if place >= last:
            return
