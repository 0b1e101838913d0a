"""Labeled sequences as they lie in a TFDS data set, a CoNLL file or a folder of clips, before words become ids."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data.datasets import DatasetCard, DatasetRow, find_row
from zoo.data.raw import RawDataset, index_labels
from zoo.data.tfds import open_dataset
from zoo.errors import UserError
from zoo.names import unknown

from . import clips_folder, conll
from .datasets import DATASETS

OWN = f"Or give a CoNLL file, one word and its label per line, or a folder of clips with {clips_folder.TABLE}"

UNLABELED = -1
"""Label of a step that is neither learned nor scored."""


def open_sequences(
    dataset: str,
    column: str | None = None,
    known: Sequence[str] | None = None,
    clip_format: clips_folder.ClipFormat | None = None,
) -> RawDataset:
    """The sequences of a TFDS data set, a file or a folder.

    Args:
        dataset: Name or path.
        column: Which labels, where a data set has several; default the first.
        known: Labels of a saved model, for a file or folder that need not have all of them.
        clip_format: How the clips of a folder are read; default that of the built-in clips.

    Returns:
        Examples `(sequence, labels)`: `(time, *shape)`, uint8 frames, strings or float32 numbers; labels `(time,)`
        int64, below 0 where a step has none. The card's details have the `kind` of steps.

    Raises:
        UserError: If there is no such data set or column, or the file or folder cannot be used.
    """
    found = find_row(dataset, DATASETS, OWN)
    if found is None:
        return open_dataset(dataset, DATASETS, OWN, lambda path: _from_path(path, column, known, clip_format))
    row = found[1]
    column = _column(row, column)
    raw = open_dataset(dataset, DATASETS, OWN, from_file, features=(row.features[0], column))
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


def _from_path(
    path: Path, column: str | None, known: Sequence[str] | None, clip_format: clips_folder.ClipFormat | None
) -> RawDataset:
    if column:
        raise UserError(f"--labels is for data sets that have several; {path} has one. Leave it out.")
    if path.is_dir():
        return from_folder(path, known, clip_format or clips_folder.ClipFormat())
    return from_file(path, known)


def from_file(path: Path, known: Sequence[str] | None = None) -> RawDataset:
    """Sentences of a CoNLL file: 80 % train, 10 % validation, 10 % test.

    Raises:
        UserError: If the file has a line or a label that cannot be used, or too few sentences.
    """
    examples = list(conll.sentences(path))
    if not examples:
        raise UserError(f"{path} has no sentences. Give one word and its label per line.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = DatasetCard(path.stem, sha256={path.name: digest}, details={"kind": "tokens"})
    return _in_memory(path, examples, tf.TensorSpec((None,), tf.string), card, known, "sentences")


def from_folder(
    path: Path, known: Sequence[str] | None = None, clip_format: clips_folder.ClipFormat | None = None
) -> RawDataset:
    """Clips of a folder with `labels.csv`, split as a file is. They are read once and kept in memory.

    Raises:
        UserError: If the table or a clip cannot be used, or there are too few.
    """
    clip_format = clip_format or clips_folder.ClipFormat()
    clips = list(clips_folder.read(path, clip_format))
    card = DatasetCard(
        path.resolve().name,
        sha256={clips_folder.TABLE: hashlib.sha256((path / clips_folder.TABLE).read_bytes()).hexdigest()},
        details={"kind": "frames", "seconds": round(float(np.median([clip.seconds for clip, _ in clips])), 4)},
    )
    spec = tf.TensorSpec((None, clip_format.side, clip_format.side, clip_format.channels), tf.uint8)
    return _in_memory(path, [(clip.frames, labels) for clip, labels in clips], spec, card, known, "clips")


def _in_memory(
    path: Path,
    examples: Sequence[tuple[Any, Sequence[str | None]]],
    spec: tf.TensorSpec,
    card: DatasetCard,
    known: Sequence[str] | None,
    what: str,
) -> RawDataset:
    """Sequences with the names of their labels, None for a step without one."""
    names = index_labels((label for _, row in examples for label in row if label is not None), known, str(path))
    index = {name: i for i, name in enumerate(names)} | {None: UNLABELED}

    def read(split: str) -> tf.data.Dataset:
        def rows() -> Iterator[tuple[Any, np.ndarray]]:
            return ((sequence, np.array([index[label] for label in row], "int64")) for sequence, row in examples)

        return tf.data.Dataset.from_generator(rows, output_signature=(spec, tf.TensorSpec((None,), tf.int64)))

    card = replace(card, labels=names)
    raw = RawDataset(read, ("train", "all"), card, tuple(names), lambda split: len(examples))
    return raw.hold_out(what=what)
