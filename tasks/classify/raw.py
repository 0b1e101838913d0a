"""Labeled pictures from scikit-learn, TFDS or a folder, and memory tests, before they become batches."""

import functools
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

from zoo.data.datasets import DatasetCard, find_row
from zoo.data.raw import SEED, RawDataset
from zoo.data.tfds import open_dataset
from zoo.errors import UserError

from .datasets import BUILTIN, DATASETS
from .inputs import read_picture
from .recipe import Train

OWN = "Or give a folder with one subfolder of pictures per class"

FRACTIONS = {"validation": 0.1, "test": 0.2}
"""Fractions of each class; a quarter or more of a small set held out keeps the scores steady."""

EXTENSIONS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
"""Files of a folder that count as pictures."""

SPLIT_NAMES = {"train", "validation", "test", "val", "valid"}


def open_examples(recipe: Train) -> RawDataset:
    """The data set of a recipe: examples `(pixels, label)`, or `(steps, label)` of series and memory tests.

    The card's details have the `order` of a variant such as digits/permuted, whose pictures are left as they are.
    Pixels are `(height, width, channels)` uint8, steps `(time, features)` float32, labels int64 scalars.

    Raises:
        UserError: If there is no such data set, or it cannot be used.
    """
    name, order = _split_order(recipe.dataset)
    if order is not None:
        raw = open_examples(replace(recipe, dataset=name))
        return replace(raw, card=replace(raw.card.with_details(order=order), name=recipe.dataset))
    if recipe.dataset == BUILTIN:
        return digits()
    from_path = functools.partial(from_folder, recipe=recipe)
    return open_dataset(recipe.dataset, DATASETS, OWN, from_path, stratum=_label)


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


def from_folder(path: Path, recipe: Train) -> RawDataset:
    """Pictures of a folder that has one subfolder per class.

    Args:
        path: The folder.
        recipe: Its image size, and whether colors are kept.

    Raises:
        UserError: If there are fewer than two classes, a class has too few pictures, or one cannot be read.
    """
    if not path.is_dir():
        raise UserError(f"{path} is a file. Give a folder with one subfolder of pictures per class.")
    classes = sorted(item.name for item in path.iterdir() if item.is_dir() and not item.name.startswith("."))
    if classes and set(classes) <= SPLIT_NAMES:
        raise UserError(
            f"{path} has the subfolders {', '.join(classes)}, which are splits. Give a folder with one subfolder per "
            "class; the splits are made here."
        )
    if len(classes) < 2:
        have = f"only {classes[0]!r}" if classes else "no subfolder"
        raise UserError(f"{path} has {have}. Give it one subfolder of pictures per class, at least two.")
    files = {name: sorted(item for item in (path / name).rglob("*") if _is_picture(item)) for name in classes}
    for name in classes:
        if len(files[name]) < 3:
            raise UserError(
                f"{path / name} has {len(files[name])} pictures; each class needs at least 3, one for each split."
            )
    shape = (recipe.image_size, recipe.image_size, 3 if recipe.color else 1)
    pixels = np.stack([read_picture(file, shape) for name in classes for file in files[name]])
    targets = np.array([index for index, name in enumerate(classes) for _ in files[name]])
    return from_arrays(pixels, targets, DatasetCard(path.resolve().name, labels=tuple(classes)))


def from_arrays(pixels: np.ndarray, targets: np.ndarray, card: DatasetCard) -> RawDataset:
    """Pictures in memory, in an order that their pixels decide, so that the first few have all classes.

    Args:
        pixels: `(examples, height, width, channels)` uint8.
        targets: `(examples,)` indices of the card's labels.
        card: What is known of them.
    """
    # SHA-256 twice: `hold_out` ranks by the first one, by which all pictures that are held out would come early.
    digests = [hashlib.sha256(b"%d " % SEED + item.tobytes()).digest() for item in pixels]
    order = sorted(range(len(digests)), key=lambda i: hashlib.sha256(digests[i]).digest())
    pixels, targets = pixels[order], targets[order].astype("int64")
    raw = RawDataset(
        read=lambda split: tf.data.Dataset.from_tensor_slices((pixels, targets)),
        names=("train",),
        card=card,
        labels=card.labels,
        count=lambda split: len(targets),
    )
    return raw.hold_out(FRACTIONS, stratum=_label, what="pictures")


def cached(raw: RawDataset) -> RawDataset:
    """The same; a split that was read to its end stays in memory, and is neither decoded nor divided again."""
    return replace(raw, read=functools.cache(lambda split: raw.read(split).cache()))


def _label(example: tuple) -> int:
    return int(example[1])


def _is_picture(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in EXTENSIONS
