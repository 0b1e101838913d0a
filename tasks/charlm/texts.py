"""Documents as they lie in a TFDS set or in a file, before any tokenization."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data import tfds as sources
from zoo.errors import UserError
from zoo.names import look_up, unknown

from .hello.hello_dataset_builder import Builder as Hello
from .python_docs.python_docs_dataset_builder import Builder as PythonDocs
from .recipe import EMBEDDED

PIECE = 1 << 16
"""Characters of a file that are read together."""

HELD_OUT = 0.1
"""Part of a text file's end that validation has, and test: text from elsewhere, as in nanoGPT's splits."""

MOST_HELD_OUT = 1_000_000
"""Characters of each at most: enough for steady scores, and read in minutes."""

HINT = "Or give the path of a text file"


@dataclass(frozen=True)
class Source:
    """A TFDS set: its name or builder, the feature with the text, which splits serve for what, and its licence."""

    name: Any = None
    text: str = "text"
    validation: str = "validation"
    test: str = "test"
    train: str = "train"
    licence: str = "see the TFDS catalogue"


SOURCES = {
    "python_docs": Source(PythonDocs, licence="Python Software Foundation License, Version 2"),
    "hello": Source(Hello, licence="Apache-2.0"),
    "tiny_shakespeare": Source(licence="public domain"),
    "lm1b": Source(train="train[:99%]", validation="train[99%:]"),
    "wiki40b": Source(),
    "imdb_reviews": Source(train="train[:90%]+unsupervised", validation="train[90%:]"),
}
"""By base name; after a slash may follow a config."""


@dataclass(frozen=True)
class Texts:
    """Documents by split, each an iterable of pieces of text; a piece is short, a document may be long."""

    split: Callable[[str], Iterator[Iterable[str]]]
    facts: Mapping[str, Any]


def open_texts(dataset: str) -> Texts:
    """The documents of a TFDS set, or of a file.

    Raises:
        UserError: If there is no such data set, or the file is no text or too short.
    """
    base = dataset.partition("/")[0]
    if base in SOURCES:
        return from_tfds(dataset, SOURCES[base])
    if Path(dataset).exists():
        return from_file(Path(dataset))
    raise unknown("data set", dataset, SOURCES, HINT)


def from_tfds(name: str, source: Source) -> Texts:
    """Documents of a TFDS set with a feature of text; one example is one document."""
    builder = sources.prepared(source.name or name, EMBEDDED)
    info = builder.info
    own = {"train": source.train, "validation": source.validation, "test": source.test}

    def split(wanted: str) -> Iterator[Iterable[str]]:
        for part in wanted.split("+"):
            look_up({**info.splits, **own}, part, "split")
            for item in builder.as_dataset(split=own.get(part, part), shuffle_files=False).as_numpy_iterator():
                yield _pieces(item[source.text].decode("utf-8", "replace"))

    facts = {
        "name": name,
        "version": str(info.version),
        "embedded": source.name is not None,
        "licence": source.licence,
        "splits": ", ".join(f"{side}: {part}" for side, part in own.items() if side != part) or "its own",
    }
    if builder.builder_config is not None:
        facts["config"] = builder.builder_config.name
    return Texts(split, facts)


def _pieces(text: str) -> Iterator[str]:
    return (text[place : place + PIECE] for place in range(0, len(text), PIECE))


def from_file(path: Path) -> Texts:
    """One document: the last tenth of a file's characters is test, the tenth before it validation, the rest train.

    Of a large file, test and validation have `MOST_HELD_OUT` characters each. The file is read piece by piece, whatever
    its size.

    Raises:
        UserError: If it is no text in UTF-8, or empty.
    """
    if not path.is_file():
        raise UserError(f"{path} is no file. {HINT}.")
    digest, length = hashlib.sha256(), 0
    for piece in _read(path):
        digest.update(piece.encode())
        length += len(piece)
    if not length:
        raise UserError(f"{path} is empty. A language model needs text to learn from.")
    held = min(max(int(length * HELD_OUT), 1), MOST_HELD_OUT)
    borders = {
        "train": (0, length - 2 * held),
        "validation": (length - 2 * held, length - held),
        "test": (length - held, length),
        "all": (0, length),
    }

    def split(wanted: str) -> Iterator[Iterable[str]]:
        for part in wanted.split("+"):
            yield _between(path, *look_up(borders, part, "split"))

    facts = {
        "name": path.stem,
        "embedded": False,
        "file": path.name,
        "sha256": digest.hexdigest(),
        "splits": f"the last {held:,} characters test, the {held:,} before them validation, the others train",
    }
    return Texts(split, facts)


def _between(path: Path, first: int, last: int) -> Iterator[str]:
    """The characters of a file from `first` to `last - 1`."""
    place = 0
    for piece in _read(path):
        here = piece[max(first - place, 0) : max(last - place, 0)]
        place += len(piece)
        if here:
            yield here
        if place >= last:
            return


def _read(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            while piece := stream.read(PIECE):
                yield piece
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
