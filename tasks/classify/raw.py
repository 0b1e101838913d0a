"""Labeled pictures from scikit-learn, TFDS or folders, series and memory tests, before they become batches."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

from zoo.data import files, own, tables
from zoo.data.datasets import DatasetCard, find_row
from zoo.data.raw import SEED, RawDataset, index_labels, label_of
from zoo.data.tfds import open_dataset, refuse_options
from zoo.errors import UserError

from . import series
from .datasets import BUILTIN, DATASETS
from .inputs import read_picture
from .recipe import Train

OWN = "Or give a folder with one subfolder of pictures per class, or a table of series (CSV, TSV, JSON Lines, Parquet)"

FRACTIONS = {"validation": 0.1, "test": 0.2}
"""Fractions of each class; a quarter or more of a small set held out keeps the scores steady."""

EXTENSIONS = (".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
"""Files of a folder that count as pictures."""

SPLIT_NAMES = {"train", "validation", "test", "val", "valid"}


def open_examples(
    recipe: Train, known: Sequence[str] | None = None, any_length: bool = False, steps: Sequence[str] = ()
) -> RawDataset:
    """The data set of a recipe: examples `(pixels, label)`, or `(steps, label)` of series and memory tests.

    Args:
        recipe: Names the data set, and how a user's own is read.
        known: Labels of a saved model, for own data that need not have all of them.
        any_length: Whether a saved model takes series of any length.
        steps: The columns of steps that a saved model was trained on.

    The card's details have the `order` of a variant such as digits/permuted, whose pictures are left as they are.
    Pixels are `(height, width, channels)` uint8, steps `(time, features)` float32, labels int64 scalars.

    Raises:
        UserError: If there is no such data set, or it cannot be used.
    """
    name, order = _split_order(recipe.dataset)
    if order is not None:
        raw = open_examples(replace(recipe, dataset=name), known)
        return replace(raw, card=replace(raw.card.with_details(order=order), name=recipe.dataset))
    only_own = {
        "--label-column": recipe.label_column,
        "--validation-dataset": recipe.validation_dataset,
        "--test-dataset": recipe.test_dataset,
    }
    if recipe.dataset == BUILTIN:
        refuse_options(BUILTIN, only_own)
        return digits()
    from_path = functools.partial(_from_path, recipe=recipe, known=known, any_length=any_length, steps=steps)
    return open_dataset(recipe.dataset, DATASETS, OWN, from_path, only_own, stratum=label_of)


def _split_order(dataset: str) -> tuple[str, str | None]:
    """The name of a data set without its variant, and the variant: `("digits", "permuted")`; None if it has none."""
    found = find_row(dataset, DATASETS, OWN)
    if found is not None and found[2] in found[1].variants:
        return found[0], found[2]
    return dataset, None


def is_memory_test(dataset: str) -> bool:
    """Whether a name is that of a memory test, with or without its steps."""
    found = find_row(dataset, DATASETS, OWN)
    return found is not None and "distance_offset" in found[1].details


def digits() -> RawDataset:
    """scikit-learn's digits: the test set of the UCI set "Optical recognition of handwritten digits"."""
    bunch = load_digits()
    pixels = np.rint(bunch.images * (255 / 16)).astype("uint8")[..., None]  # counts from 0 to 16
    labels = tuple(str(name) for name in bunch.target_names)
    row = DATASETS[BUILTIN]
    return from_arrays(pixels, bunch.target, DatasetCard(BUILTIN, license=row.license, builtin=True, labels=labels))


def _from_path(
    path: Path, recipe: Train, known: Sequence[str] | None, any_length: bool, steps: Sequence[str]
) -> RawDataset:
    """Pictures of folders or series of tables, one for each split; missing splits are held out of train.

    Raises:
        UserError: If a folder or a table cannot be used.
    """
    column = recipe.label_column
    columns = [replace(series.LABEL, given=column)]
    found = own.parts(path, tables.is_table, recipe.validation_dataset, recipe.test_dataset, columns=columns)
    name = path.resolve().stem if path.is_file() else path.resolve().name
    if tables.is_table(found["train"]):
        return series.open_tables(name, found, known, column, any_length, steps, FRACTIONS, label_of)
    if column is not None:
        raise UserError(f"--label-column is for tables; {path} is a folder of pictures. Leave it out.")
    least = 1 if known is not None else 1 + sum(split not in found for split in FRACTIONS)
    part = functools.partial(_from_folder, recipe=recipe, least=least)
    return own.combine(name, found, part, known, "pictures", FRACTIONS, label_of)


def _from_folder(path: Path, known: Sequence[str] | None, recipe: Train, least: int) -> RawDataset:
    """Pictures of a folder that has one subfolder per class.

    Args:
        path: The folder.
        known: The classes, if they are not those of the folder.
        recipe: Its image size, and whether colors are kept.
        least: Pictures that each class needs.

    Raises:
        UserError: If there are fewer than two classes, a class has too few pictures, or one cannot be read.
    """
    if not path.is_dir():
        raise UserError(f"{path} is no table and no folder. {OWN}.")
    classes = [item.name for item in files.visible(path) if item.is_dir()]
    if classes and set(classes) <= SPLIT_NAMES:
        raise UserError(
            f"{path} has the subfolders {', '.join(classes)}, which are splits without train. Name the folder of "
            "training pictures train, or give a folder with one subfolder per class."
        )
    if len(classes) < (2 if known is None else 1):
        have = f"only {classes[0]!r}" if classes else "no subfolder"
        raise UserError(f"{path} has {have}. Give it one subfolder of pictures per class, at least two.")
    found = {name: [item for item in files.visible(path / name, "**/*") if _is_picture(item)] for name in classes}
    for name in classes:
        if len(found[name]) < least:
            raise UserError(
                f"{path / name} has {len(found[name])} pictures; each class needs at least {least}, one for each split."
            )
    own.report_left_out(path, {item for pictures in found.values() for item in pictures})
    labels = index_labels(classes, known, str(path))
    shape = (recipe.image_size, recipe.image_size, 3 if recipe.color else 1)
    pixels = np.stack([read_picture(file, shape) for name in classes for file in found[name]])
    targets = np.array([labels.index(name) for name in classes for _ in found[name]])
    return _in_memory(pixels, targets, DatasetCard(path.resolve().name, labels=tuple(labels)), ("train", "all"))


def from_arrays(pixels: np.ndarray, targets: np.ndarray, card: DatasetCard) -> RawDataset:
    """Pictures in memory, in an order that their pixels decide, so that the first few have all classes.

    Args:
        pixels: `(examples, height, width, channels)` uint8.
        targets: `(examples,)` indices of the card's labels.
        card: What is known of them.
    """
    return _in_memory(pixels, targets, card, ("train",)).hold_out(FRACTIONS, stratum=label_of, what="pictures")


def _in_memory(pixels: np.ndarray, targets: np.ndarray, card: DatasetCard, names: Sequence[str]) -> RawDataset:
    # SHA-256 twice: `hold_out` ranks by the first one, by which all pictures that are held out would come early.
    digests = [hashlib.sha256(b"%d " % SEED + item.tobytes()).digest() for item in pixels]
    order = sorted(range(len(digests)), key=lambda i: hashlib.sha256(digests[i]).digest())
    pixels, targets = pixels[order], targets[order].astype("int64")
    return RawDataset(
        read=lambda split: tf.data.Dataset.from_tensor_slices((pixels, targets)),
        names=names,
        card=card,
        labels=card.labels,
        count=lambda split: len(targets),
    )


def cached(raw: RawDataset) -> RawDataset:
    """The same; a split that was read to its end stays in memory, and is neither decoded nor divided again."""
    return replace(raw, read=functools.cache(lambda split: raw.read(split).cache()))


def _is_picture(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in EXTENSIONS
