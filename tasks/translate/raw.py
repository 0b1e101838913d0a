"""Parallel texts as they lie in a TFDS data set or in a folder, before any tokenization."""

import dataclasses
import functools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.data import files
from zoo.data.datasets import DatasetCard
from zoo.data.raw import RawDataset
from zoo.data.tfds import open_dataset
from zoo.errors import UserError
from zoo.names import unknown

from . import parallel
from .datasets import DATASETS

OWN = "Or give a folder with train.SRC and train.TGT, or a table of pairs; --reverse swaps source and target"


def open_pairs(
    dataset: str,
    reverse: bool = False,
    source: str | None = None,
    *,
    columns: tuple[str | None, str | None] = (None, None),
    validation: str | None = None,
    test: str | None = None,
    read_all: bool = True,
) -> RawDataset:
    """The pairs of a TFDS data set, a folder or a table: examples `(source, target)`, both scalars.

    Args:
        dataset: A name with its config, e.g. `"multi30k/en-de"`, or a path.
        reverse: Swap source and target.
        source: The language to translate from, before `reverse`; default the data set's own order, and for two files
            the alphabet.
        columns: Names of a table's columns of sources and targets.
        validation: File with the validation split.
        test: File with the test split.
        read_all: See `from_path`.

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

    def own(path: Path) -> RawDataset:
        found = parallel.find(path, columns, validation, test)
        return from_parts(path, found, reverse, source, read_all=read_all)

    only_own = {
        "--source-column": columns[0],
        "--target-column": columns[1],
        "--validation-dataset": validation,
        "--test-dataset": test,
    }
    raw = open_dataset(dataset, DATASETS, OWN, own, only_own, features=features, clean=_clean)
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


def from_parts(
    path: Path,
    found: Mapping[str, parallel.Part],
    reverse: bool = False,
    source: str | None = None,
    *,
    read_all: bool = True,
) -> RawDataset:
    """Pairs of users' files. Pairs with an empty side are skipped; missing splits are held out of train.

    Args:
        path: What the user gave.
        found: The part of each split.
        reverse: Swap source and target.
        source: The language to translate from, before `reverse`; default the order of the parts.
        read_all: Check all files at once, and write their digests and the number of skipped pairs into the card.
            Without it, a split is checked when it is first asked for.

    Raises:
        UserError: With the file, and the number of the line that cannot be used.
    """
    first = parallel.leading(found)
    languages = _oriented(first.languages, source, reverse)
    if len(first.files) == 2:
        names = ", ".join(f"{split} = {part.names}" for split, part in found.items())
        direction = f"source = {languages[0]}, target = {languages[1]}; --reverse swaps them."
        print(f"{path.name}: {names}; {direction}", file=sys.stderr)

    def swapped(part: parallel.Part) -> bool:
        if set(part.languages) == set(languages):
            return list(part.languages) != languages
        # One names no languages: it has the order of train, but not that of two files, which is the alphabet's.
        return len(first.files) == 1 and list(first.languages) != languages

    parts = {split: part.swapped() if swapped(part) else part for split, part in found.items()}

    @functools.cache
    def counts(split: str) -> tuple[int, int]:
        """Pairs with text on both sides, and the others."""
        filled = skipped = 0
        for left, right in parts[split].rows():
            both = bool(left.strip() and right.strip())
            filled, skipped = filled + both, skipped + (not both)
        if not filled:
            names = " and ".join(str(file) for file in parts[split].files)
            raise UserError(f"{names} have no line in which both hold a text. Fill them.")
        return filled, skipped

    def read(split: str) -> tf.data.Dataset:
        counts(split)  # errors are raised here: within tf.data they would become others
        text = tf.TensorSpec((), tf.string)
        return tf.data.Dataset.from_generator(lambda: parts[split].filled(), output_signature=(text, text))

    card = DatasetCard(path.resolve().stem, details={"languages": languages})
    if len(found) > 1 and len({part.files for part in found.values()}) == 1:
        card = dataclasses.replace(card, splits="named by each row")
    if read_all:
        sha256 = {file.name: files.digest(file) for part in found.values() for file in part.files}
        skipped = {split: counts(split)[1] for split in parts}
        card = dataclasses.replace(card, sha256=sha256).with_details(skipped=skipped)
        if any(skipped.values()):
            print(f"{path.name}: {sum(skipped.values()):,} pairs with an empty side dropped.", file=sys.stderr)
    return RawDataset(read, tuple(parts), card, count=lambda split: counts(split)[0]).hold_out(what="source texts")
