"""Labeled texts as they lie in a TFDS data set or in a file, before any tokenization."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from zoo.data import tables
from zoo.data.datasets import DatasetCard
from zoo.data.raw import RawDataset, index_labels
from zoo.data.tfds import open_dataset
from zoo.errors import UserError

from .datasets import DATASETS

OWN = "Or give a CSV or TSV file with columns text,label"


def open_texts(dataset: str, known: list[str] | None = None) -> RawDataset:
    """The texts of a TFDS data set or of a file: examples `(text, label)`, both scalars.

    Args:
        dataset: Name or path.
        known: Labels of a saved model, for a file that need not have all of them.

    Raises:
        UserError: If there is no such data set, or the file has a row that cannot be used.
    """
    return open_dataset(dataset, DATASETS, OWN, lambda path: from_file(path, known))


def from_file(path: Path, known: list[str] | None = None) -> RawDataset:
    """Texts of a CSV or TSV file with the columns `text` and `label`: 80 % train, 10 % validation, 10 % test.

    Raises:
        UserError: With the number of the first row that cannot be used.
    """
    if not path.is_file():
        raise UserError(f"{path} is a folder. Give a CSV or TSV file with columns text,label.")
    every = [label for _, label in _rows(path)]
    if not every:
        raise UserError(f"{path} has a header but no rows. Each row needs a text and a label.")
    labels = index_labels(every, known, str(path))
    index = {label: i for i, label in enumerate(labels)}

    def read(split: str) -> tf.data.Dataset:
        def rows() -> Iterator[tuple[str, int]]:
            return ((text, index[label]) for text, label in _rows(path))

        signature = (tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64))
        return tf.data.Dataset.from_generator(rows, output_signature=signature)

    card = DatasetCard(
        path.stem,
        labels=labels,
        sha256={path.name: hashlib.sha256(path.read_bytes()).hexdigest()},
    )
    return RawDataset(read, ("train", "all"), card, tuple(labels), lambda split: len(every)).hold_out(what="texts")


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """`(text, label)` of each row."""
    return ((fields["text"], fields["label"].strip()) for _, fields in tables.rows(path, ("text", "label")))
