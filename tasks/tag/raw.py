"""Labeled sequences as they lie in a TFDS data set, a CoNLL file or a folder of clips, before words become ids."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import files, own
from zoo.data.datasets import DatasetCard, DatasetRow, find_row
from zoo.data.raw import RawDataset, index_labels
from zoo.data.tfds import open_dataset
from zoo.errors import UserError
from zoo.names import unknown

from . import clips_folder, conll, word_tables
from .datasets import DATASETS

OWN = f"Or give a file in columns (CoNLL, CoNLL-U), a table of words, or a folder of clips with {clips_folder.TABLE}"

SUFFIXES = (
    ".conllu", ".conll", ".iob", ".iob2", ".bio", ".tsv", ".txt", ".train", ".dev", ".test", ".testa", ".testb",
    *word_tables.SUFFIXES,
)  # fmt: skip
"""Endings of files with labeled words, for the neighbors of a training file."""

UNLABELED = -1
"""Label of a step that is neither learned nor scored."""


def open_sequences(
    dataset: str,
    tags: str | None = None,
    known: Sequence[str] | None = None,
    clip_format: clips_folder.ClipFormat | None = None,
    word_column: int | None = None,
    validation: str | None = None,
    test: str | None = None,
) -> RawDataset:
    """The sequences of a TFDS data set, a file or a folder.

    Args:
        dataset: Name or path.
        tags: Which labels, where a data set has several: a feature of TFDS, a column of CoNLL-U, the number of a column
            of another file; default the first feature, upos, the last column.
        known: Labels of a saved model, for a file or folder that need not have all of them.
        clip_format: How the clips of a folder are read; default that of the built-in clips.
        word_column: Number of a file's column of words; default see `conll.layout`.
        validation: File or folder of the validation split.
        test: File or folder of the test split.

    Returns:
        Examples `(sequence, labels)`: `(time, *shape)`, uint8 frames, strings or float32 numbers; labels `(time,)`
        int64, below 0 where a step has none. The card's details have the `kind` of steps.

    Raises:
        UserError: If there is no such data set or column, or the file or folder cannot be used.
    """
    found = find_row(dataset, DATASETS, OWN)
    if found is None:
        part = functools.partial(_open_part, tags=tags, word_column=word_column, clip_format=clip_format)
        return open_dataset(dataset, DATASETS, OWN, lambda path: from_path(path, part, known, validation, test))
    row = found[1]
    column = _column(row, tags)
    only_own = {
        "--word-column": word_column,
        "--validation-dataset": validation,
        "--test-dataset": test,
    }
    raw = open_dataset(dataset, DATASETS, OWN, _open_part, only_own, features=(row.features[0], column))
    details = dict(row.details)
    if details.pop("label_columns", ()):
        details["label_column"] = column
    return replace(raw, card=replace(raw.card, details=details))


def _column(row: DatasetRow, column: str | None) -> str:
    """The feature to learn."""
    columns = row.details.get("label_columns", row.features[1:])
    if column is not None and column not in columns:
        raise unknown("label column", column, columns)
    return column or row.features[1]


def from_path(
    path: Path, open_part: own.OpenPart, known: Sequence[str] | None, validation: str | None, test: str | None
) -> RawDataset:
    """The data set of a user's file or folder, one part per split where there are several."""
    if path.is_dir() and (path / clips_folder.TABLE).is_file():
        found, what = own.parts(path / clips_folder.TABLE, lambda _: False, validation, test) | {"train": path}, "clips"
    else:
        what = "sentences"
        found = own.parts(path, lambda file: file.is_file() and files.suffix(file) in SUFFIXES, validation, test)
    return own.combine(path.resolve().stem, found, open_part, known, what)


def _open_part(
    path: Path,
    known: Sequence[str] | None = None,
    tags: str | None = None,
    word_column: int | None = None,
    clip_format: clips_folder.ClipFormat | None = None,
) -> RawDataset:
    """The sequences of a file, or of a folder of clips.

    Raises:
        UserError: If it has a line or a label that cannot be used.
    """
    if path.is_dir():
        for name, value in (("--tags", tags), ("--word-column", word_column)):
            if value is not None:
                raise UserError(f"{name} is for files in columns; {path} is a folder of clips. Leave it out.")
        return _from_folder(path, known, clip_format or clips_folder.ClipFormat())
    examples, splits = _read(path, tags, word_column)
    card = DatasetCard(path.stem, sha256={path.name: files.digest(path)}, details={"kind": "tokens"})
    return _in_memory(path, examples, tf.TensorSpec((None,), tf.string), card, known).divided(splits)


def _read(path: Path, tags: str | None, word_column: int | None) -> tuple[list[conll.Sentence], list[str]]:
    """The sentences of a file, and the splits that a table names.

    Raises:
        UserError: If it has none, or they make no sense.
    """
    table = word_tables.is_table(path)
    if table and word_column is not None:
        raise UserError(f"--word-column is for files in columns; {path} is a table. Leave it out.")
    found, splits = word_tables.read(path, tags) if table else (list(conll.sentences(path, tags, word_column)), [])
    if not found:
        raise UserError(f"{path} has no sentences. Give one word and its label per line.")
    layout = None if table else conll.layout(path, tags, word_column)
    conll.check_sense(path, found, layout)
    return found, splits


def _from_folder(path: Path, known: Sequence[str] | None, clip_format: clips_folder.ClipFormat) -> RawDataset:
    """Clips of a folder with `labels.csv`. They are read once and kept in memory.

    Raises:
        UserError: If the table or a clip cannot be used.
    """
    clips = list(clips_folder.read(path, clip_format))
    card = DatasetCard(
        path.resolve().name,
        sha256={clips_folder.TABLE: files.digest(path / clips_folder.TABLE)},
        details={"kind": "frames", "seconds": round(float(np.median([clip.seconds for clip, _ in clips])), 4)},
    )
    spec = tf.TensorSpec((None, clip_format.side, clip_format.side, clip_format.channels), tf.uint8)
    return _in_memory(path, [(clip.frames, labels) for clip, labels in clips], spec, card, known)


def _in_memory(
    path: Path,
    examples: Sequence[tuple[Any, Sequence[str | None]]],
    spec: tf.TensorSpec,
    card: DatasetCard,
    known: Sequence[str] | None,
) -> RawDataset:
    """Sequences with the names of their labels, None for a step without one."""
    names = index_labels((label for _, row in examples for label in row if label is not None), known, str(path))
    index = {name: i for i, name in enumerate(names)} | {None: UNLABELED}

    def read(split: str) -> tf.data.Dataset:
        def rows() -> Iterator[tuple[Any, np.ndarray]]:
            return ((sequence, np.array([index[label] for label in row], "int64")) for sequence, row in examples)

        return tf.data.Dataset.from_generator(rows, output_signature=(spec, tf.TensorSpec((None,), tf.int64)))

    card = replace(card, labels=names)
    return RawDataset(read, ("train", "all"), card, tuple(names), lambda split: len(examples))
