"""Documents of a TFDS data set or of a file, before any tokenization: each an iterable of pieces of text.

A piece is short, a document may be long. Only one piece is in memory at a time.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from zoo.data.datasets import DatasetCard, unknown_dataset
from zoo.data.raw import RawDataset
from zoo.data.tfds import from_tfds
from zoo.errors import UserError

from .datasets import DATASETS

PIECE = 1 << 16
"""Characters of a text that are read together."""

PART = 0.1
"""Fraction of a file that validation and test have each, at its end: no text of theirs is near that of training."""

MAX_PART = 1_000_000
"""Characters of each at most: enough for steady scores, and read in minutes."""

OWN = "Or give the path of a text file"


def open_texts(dataset: str) -> RawDataset:
    """The documents of a TFDS data set, or of a file; `split(name)` is an iterable of documents.

    Raises:
        UserError: If there is no such data set, or the file is no text.
    """
    raw = from_tfds(dataset, DATASETS, OWN)
    if raw is not None:
        return replace(raw, read=lambda split: map(_document, raw.read(split).as_numpy_iterator()))
    if not dataset or not Path(dataset).exists():
        raise unknown_dataset(dataset, DATASETS, OWN)
    return from_file(Path(dataset))


def _document(example: tuple[bytes]) -> Iterator[str]:
    text = example[0].decode("utf-8", "replace")
    return (text[place : place + PIECE] for place in range(0, len(text), PIECE))


def from_file(path: Path) -> RawDataset:
    """One document: the last tenth of a file's characters is test, the tenth before it validation, the rest train.

    Of a large file, test and validation have `MAX_PART` characters each. The file is read piece by piece.

    Raises:
        UserError: If it is no text in UTF-8, or empty.
    """
    if not path.is_file():
        raise UserError(f"{path} is not a file. {OWN}.")
    digest, length = hashlib.sha256(), 0
    for piece in _read(path):
        digest.update(piece.encode())
        length += len(piece)
    if not length:
        raise UserError(f"{path} is empty. A language model needs text to learn from.")
    held_out = min(max(int(length * PART), 1), MAX_PART)
    borders = {
        "train": (0, length - 2 * held_out),
        "validation": (length - 2 * held_out, length - held_out),
        "test": (length - held_out, length),
        "all": (0, length),
    }
    card = DatasetCard(
        path.stem,
        splits=f"the last {held_out:,} characters test, the {held_out:,} before them validation, the others train",
        sha256={path.name: digest.hexdigest()},
    )

    def read(split: str) -> Iterable[Iterator[str]]:
        return [_between(path, *borders[split])]

    return RawDataset(read, tuple(borders), card, count=lambda split: 1)


def _between(path: Path, first: int, last: int) -> Iterator[str]:
    """The characters of a file from `first` to `last - 1`."""
    place = 0
    for piece in _read(path):
        part = piece[max(first - place, 0) : max(last - place, 0)]
        place += len(piece)
        if part:
            yield part
        if place >= last:
            return


def _read(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            while piece := stream.read(PIECE):
                yield piece
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
