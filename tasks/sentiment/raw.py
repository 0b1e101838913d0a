"""Labeled texts as they lie in a TFDS data set or in users' files, before any tokenization."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from zoo.data import files, own, tables
from zoo.data.datasets import DatasetCard
from zoo.data.raw import RawDataset, check_number_of_labels, index_labels, label_of
from zoo.data.tfds import open_dataset
from zoo.errors import UserError
from zoo.names import MOST_NAMED

from .datasets import DATASETS

OWN = "Or give a table (CSV, TSV, JSON Lines, Parquet) of texts and labels, or a folder with one subfolder per label"

TEXT = tables.Column(
    "text",
    (
        "text", "review", "sentence", "comment", "tweet", "content", "body", "message", "phrase", "review_text",
        "comment_text",
    ),
)  # fmt: skip
LABEL = tables.Column("label", ("label", "sentiment", "class", "category", "target", "polarity", "rating", "stars"))

UNLABELED = ("unsup", "unlabeled", "unlabelled")
"""Subfolders of texts without a label: the first is IMDb's."""


def open_texts(
    dataset: str,
    known: Sequence[str] | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    validation: str | None = None,
    test: str | None = None,
) -> RawDataset:
    """The texts of a TFDS data set, a table or a folder: examples `(text, label)`, both scalars.

    Args:
        dataset: Name or path.
        known: Labels of a saved model, for a file that need not have all of them.
        text_column: Name of a table's column of texts; default the first of `TEXT.common`.
        label_column: Name of its column of labels; default the first of `LABEL.common`.
        validation: File or folder of the validation split.
        test: File or folder of the test split.

    Raises:
        UserError: If there is no such data set, or a file has a row that cannot be used.
    """
    columns = (
        dataclasses.replace(TEXT, given=text_column),
        dataclasses.replace(LABEL, given=label_column),
        tables.SPLIT,
    )

    def from_path(path: Path) -> RawDataset:
        found = own.parts(path, tables.is_table, validation, test, columns=columns)
        part = functools.partial(_open_part, columns=columns)
        return own.combine(path.resolve().stem, found, part, known, "texts", stratum=label_of)

    only_own = {
        "--text-column": text_column,
        "--label-column": label_column,
        "--validation-dataset": validation,
        "--test-dataset": test,
    }
    return open_dataset(dataset, DATASETS, OWN, from_path, only_own)


def _open_part(path: Path, known: Sequence[str] | None, columns: Sequence[tables.Column]) -> RawDataset:
    """The texts of one table or of one folder with a subfolder per label.

    Raises:
        UserError: With the first row or file that cannot be used.
    """
    if path.is_dir():
        return _from_folder(path, known)
    every, splits, numbers = [], [], 0
    for where, fields in tables.rows(path, columns):
        every.append(fields["label"].strip())
        splits += [own.named_split(fields["split"], where)] if "split" in fields else []
        numbers += tables.is_number(fields["text"])
    if numbers == len(every) > 1:
        raise UserError(f"{path}: every text is a number. Name the column of texts: {TEXT.option} NAME.")
    check_number_of_labels(every, str(path), LABEL.option)
    labels = index_labels(every, known, str(path), strict=True)
    index = {label: i for i, label in enumerate(labels)}

    def examples() -> Iterator[tuple[str, int]]:
        return ((fields["text"], index[fields["label"].strip()]) for _, fields in tables.rows(path, columns))

    card = DatasetCard(path.stem, labels=labels, sha256={path.name: files.digest(path)})
    raw = RawDataset(lambda split: _dataset(examples), ("train", "all"), card, tuple(labels), lambda split: len(every))
    return raw.divided(splits)


def _from_folder(path: Path, known: Sequence[str] | None) -> RawDataset:
    """Text files in one subfolder per label; those in `unsup` or `unlabeled` have no label.

    Raises:
        UserError: If there is no text file, or none of a label.
    """
    folders = [item for item in files.visible(path) if item.is_dir()]
    texts = {folder.name: [file for file in files.visible(folder) if _is_text(file)] for folder in folders}
    occurring = [name for name, found in texts.items() if found and name not in UNLABELED]
    if not occurring:
        raise UserError(
            f"{path} has no subfolder with .txt files, and no train.csv. Give a table, or one subfolder of texts per "
            "label."
        )
    for name, found in texts.items():
        if not found:
            others = ", ".join(item.name for item in files.visible(path / name)[:MOST_NAMED]) or "nothing"
            raise UserError(
                f"{path / name} has no .txt files; it has {others}. Put the texts of the label there as .txt files, or "
                "move the folder elsewhere."
            )
    own.report_left_out(path, {file for found in texts.values() for file in found})
    labels = index_labels(occurring, known, str(path))
    labeled = [(file, labels.index(name)) for name in occurring for file in texts[name]]
    unlabeled = [(file, -1) for name in UNLABELED for file in texts.get(name, ())]
    # Ordered by name across labels, so that the first few have all of them.
    labeled.sort(key=lambda item: (item[0].name, item[1]))

    def read(split: str) -> tf.data.Dataset:
        found = unlabeled if split == "unlabeled" else labeled
        return _dataset(lambda: (("".join(files.blocks(file)), label) for file, label in found))

    names = ("train", "unlabeled", "all") if unlabeled else ("train", "all")
    card = DatasetCard(path.name, labels=labels)
    count = {"unlabeled": len(unlabeled)}
    return RawDataset(read, names, card, tuple(labels), lambda split: count.get(split, len(labeled)))


def _is_text(path: Path) -> bool:
    return path.is_file() and files.suffix(path) == ".txt"


def _dataset(examples: Callable[[], Iterator[tuple[str, int]]]) -> tf.data.Dataset:
    signature = (tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64))
    return tf.data.Dataset.from_generator(examples, output_signature=signature)
