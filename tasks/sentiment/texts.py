"""Labelled texts as they lie in a TFDS set or in a file, before any tokenization."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo import sources, tables
from zoo.errors import UserError
from zoo.names import unknown

from .recipe import EMBEDDED

HELD_OUT = 10
"""Where no split is given, one text in ten is held out: enough to choose by, little lost for training."""

SPLITS = ("train", "validation", "test", "unlabelled")
"""The order in which sizes are told."""


@dataclass(frozen=True)
class Source:
    """A TFDS set: its name or builder, its two features, and which of its splits serve for what.

    `labels` replaces TFDS's names where those are codes (`neg`, `1`), so that models of like data sets can be scored
    on each other's. Splits are TFDS's, slices included. Without a validation split, a part of `train` serves, chosen
    by a hash of the text, so that copies of a text stay on one side.
    """

    name: Any
    text: str = "text"
    label: str = "label"
    validation: str | None = None
    test: str | None = "test"
    licence: str = "see the TFDS catalogue"
    unlabelled: str | None = None
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Texts:
    """Labelled texts before tokenization: `split(name)` streams `(text, label)`, both scalars."""

    split: Callable[[str], tf.data.Dataset]
    labels: Sequence[str]
    sizes: Mapping[str, int]
    facts: Mapping[str, Any]


def from_tfds(name: str, source: Source) -> Texts:
    """Texts of a TFDS set, one feature of text and one class label."""
    builder = sources.prepared(source.name, EMBEDDED)
    info = builder.info
    labels = source.labels or info.features[source.label].names
    splits = {
        "train": "train", "validation": source.validation, "test": source.test, "unlabelled": source.unlabelled,
    }  # fmt: skip

    def read(split: str) -> tf.data.Dataset:
        whole = builder.as_dataset(split=split, shuffle_files=False)
        return whole.map(lambda item: (item[source.text], item[source.label]))

    def split(wanted: str) -> tf.data.Dataset:
        known = {*info.splits, *(name for name, own in splits.items() if own), "validation"}
        if wanted not in known:
            raise unknown("split", wanted, known)
        if source.validation is None and wanted in ("train", "validation"):
            held = wanted == "validation"
            return read("train").filter(lambda item, _: (_hash(item) < border) == held)
        return read(splits.get(wanted) or wanted)

    sizes = {name: info.splits[own].num_examples for name, own in splits.items() if own}
    border = 0
    if source.validation is None:
        hashes = [h for batch in read("train").batch(1000).map(lambda item, _: _hash(item)) for h in batch.numpy()]
        border = sorted(hashes)[len(hashes) // HELD_OUT]
        held = sum(int(h < border) for h in hashes)
        sizes |= {"train": sizes["train"] - held, "validation": held}
    rule = "TFDS's" if source.validation else f"one training text in {HELD_OUT} held out by a hash of the text"
    facts = {
        "name": name,
        "version": str(info.version),
        "embedded": name == EMBEDDED,
        "licence": source.licence,
        "splits": f"train and validation: {rule}; test: {source.test}",
        "labels": list(labels),
    }
    return Texts(split, labels, {k: sizes[k] for k in SPLITS if k in sizes}, facts)


def _hash(item: tf.Tensor) -> tf.Tensor:
    """Decides whether a training text is held out: depends on the text alone, so copies of it stay together."""
    return tf.strings.to_hash_bucket_fast(item, 1 << 62)


def from_file(path: Path, seed: int, known: Sequence[str] | None = None) -> Texts:
    """Texts of a CSV or TSV file with the columns `text` and `label`: 80 % train, 10 % validation, 10 % test.

    A text's split follows from a hash of its letters and the seed, so that copies of a text stay together.

    Raises:
        UserError: With the number of the first row that cannot be used.
    """
    counts: dict[str, int] = {}
    sizes = {"train": 0, "validation": 0, "test": 0}
    for row, label in _labelled(path):
        if known is not None and label not in known:
            close = unknown("label", label, known)
            raise UserError(f"{path}: {close}")
        counts[label] = counts.get(label, 0) + 1
        sizes[_side(row, seed)] += 1
    if not counts:
        raise UserError(f"{path} has a header but no rows. Each row needs a text and a label.")
    labels = list(known) if known is not None else sorted(counts)
    if len(labels) < 2:
        raise UserError(f"{path}: every row has the label {labels[0]!r}. A classifier needs two labels at least.")
    empty = [name for name, size in sizes.items() if not size]
    if empty and known is None:
        total = sum(sizes.values())
        raise UserError(f"{path} has {total} rows, too few: none fell into {' and '.join(empty)}. Give 30 or more.")
    index = {label: i for i, label in enumerate(labels)}

    def split(wanted: str) -> tf.data.Dataset:
        if wanted not in (*sizes, "all"):
            raise unknown("split", wanted, [*sizes, "all"])

        def rows() -> Iterator[tuple[str, int]]:
            for row, label in _labelled(path):
                if wanted in ("all", _side(row, seed)):
                    yield row, index[label]

        signature = (tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64))
        return tf.data.Dataset.from_generator(rows, output_signature=signature)

    facts = {
        "name": path.stem,
        "embedded": False,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "splits": f"80/10/10 % by a hash of the text and seed {seed}",
        "labels": labels,
    }
    return Texts(split, labels, sizes, facts)


def _side(row: str, seed: int) -> str:
    place = int.from_bytes(hashlib.sha256(f"{seed} {' '.join(row.split())}".encode()).digest()[:4], "big") % 10
    return {0: "validation", 1: "test"}.get(place, "train")


def _labelled(path: Path) -> Iterator[tuple[str, str]]:
    """`(text, label)` of each row."""
    return ((fields["text"], fields["label"].strip()) for _, fields in tables.rows(path, ("text", "label")))
