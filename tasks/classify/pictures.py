"""Labelled pictures of one size, from scikit-learn, a TFDS set or a folder, with their splits."""

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits

from zoo.data import images, tfds as sources
from zoo.errors import UserError
from zoo.names import look_up

from .recipe import EMBEDDED, Train

SPLITS = ("train", "validation", "test")

SEED = 1
"""Of the splits that are made here. It is not the recipe's, so that two trainings can be compared."""

HELD_OUT = {"validation": 0.1, "test": 0.2}
"""Parts of each class; a quarter of a small set held back keeps the scores steady."""

ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
"""Files of a folder that are taken for pictures."""

TFDS = {
    "mnist": "CC BY-SA 3.0",
    "fashion_mnist": "MIT",
    "kmnist": "CC BY-SA 4.0",
}
"""TFDS sets with the features `image` and `label` and the splits `train` and `test`: name -> licence."""


@dataclass(frozen=True)
class Pictures:
    """Pictures in memory.

    Attributes:
        parts: Split -> images `(examples, height, width, channels)` uint8 and labels `(examples,)` int64. Their order
            is mixed, so that the first few have all classes.
        labels: Names of the classes.
        facts: For the card.
    """

    parts: Mapping[str, tuple[np.ndarray, np.ndarray]]
    labels: Sequence[str]
    facts: Mapping[str, Any]


@functools.cache
def digits() -> Pictures:
    """scikit-learn's digits: the test set of the UCI set "Optical recognition of handwritten digits"."""
    found = load_digits()
    pixels = np.rint(found.images * (255 / 16)).astype("uint8")[..., None]  # counts from 0 to 16
    facts = {
        "name": EMBEDDED,
        "embedded": True,
        "licence": "CC BY 4.0",
        "splits": f"10 % of each class for validation, 20 % for test, by a hash of the pixels and seed {SEED}",
    }
    return _divided(pixels, found.target, [str(name) for name in found.target_names], facts)


def from_tfds(name: str) -> Pictures:
    """A set of `TFDS`; a tenth of each class of its training split is held out for validation."""
    builder = sources.prepared(name, EMBEDDED)

    def read(split: str) -> tuple[np.ndarray, np.ndarray]:
        config = tfds.ReadConfig(try_autocache=False)  # it is read once
        found = builder.as_dataset(split=split, shuffle_files=False, read_config=config)
        batches = list(found.batch(1000).as_numpy_iterator())
        return np.concatenate([b["image"] for b in batches]), np.concatenate([b["label"] for b in batches])

    facts = {
        "name": name,
        "version": str(builder.info.version),
        "embedded": False,
        "licence": TFDS[name],
        "splits": f"test: its own; validation: 10 % of each class of train, by a hash of the pixels and seed {SEED}",
    }
    labels = builder.info.features["label"].names
    known = _divided(*read("train"), labels, facts, {"validation": HELD_OUT["validation"]})
    return Pictures({**known.parts, "test": read("test")}, labels, known.facts)


def from_folder(path: Path, recipe: Train) -> Pictures:
    """Pictures of a folder that has one sub-folder a class.

    Args:
        path: The folder.
        recipe: Its image size, and whether colours are kept.

    Raises:
        UserError: If there are fewer than two classes, a class has too few pictures, or one cannot be read.
    """
    if not path.is_dir():
        raise UserError(f"{path} is a file. Give a folder with one sub-folder of pictures for each class.")
    classes = sorted(item.name for item in path.iterdir() if item.is_dir() and not item.name.startswith("."))
    if classes and set(classes) <= {*SPLITS, "val", "valid"}:
        raise UserError(
            f"{path} has the sub-folders {', '.join(classes)}, which are splits. Give a folder with one sub-folder for "
            "each class; the splits are made here."
        )
    files = {name: sorted(item for item in (path / name).rglob("*") if _is_picture(item)) for name in classes}
    if len(classes) < 2:
        have = f"only {classes[0]!r}" if classes else "no sub-folder"
        raise UserError(f"{path} has {have}. Give it one sub-folder of pictures for each class, two at least.")
    few = [name for name in classes if len(files[name]) < 3]
    if few:
        raise UserError(f"{path / few[0]} has {len(files[few[0]])} pictures; each class needs 3, one for each split.")
    labels = np.array([place for place, name in enumerate(classes) for _ in files[name]], "int64")
    size = (recipe.image_size, recipe.image_size)
    pixels = [scaled(file, (*size, 3 if recipe.colour else 1)) for name in classes for file in files[name]]
    facts = {
        "name": path.resolve().name,
        "embedded": False,
        "splits": f"10 % of each class for validation, 20 % for test, by a hash of the pixels and seed {SEED}; "
        "equal pictures stay together",
    }
    known = _divided(np.stack(pixels), labels, classes, facts)
    empty = [name for name in SPLITS if not len(known.parts[name][0])]
    if empty:
        raise UserError(f"{path} has too few different pictures: none is left for {empty[0]}. Add some.")
    return known


def scaled(file: str | Path, shape: Sequence[int], invert: bool = False) -> np.ndarray:
    """A picture as a net of this shape takes it: uint8 `(height, width, channels)`; grey if it has one channel.

    Raises:
        UserError: If it cannot be read.
    """
    picture = images.resized(images.read(file), shape[0], shape[1])
    picture = 255 - picture if invert else picture
    if len(shape) == 3 and shape[2] == 3:
        return picture
    grey = picture @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as in Pillow
    return np.rint(grey).astype("uint8")[..., None]


def _is_picture(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in ENDINGS


def _divided(
    pixels: np.ndarray,
    targets: np.ndarray,
    labels: Sequence[str],
    facts: Mapping[str, Any],
    held_out: Mapping[str, float] | None = None,
) -> Pictures:
    """Holds a part of each class out, at least one picture. Equal pictures are a group and stay on one side."""
    digests = [hashlib.sha256(b"%d " % SEED + item.tobytes()).digest() for item in pixels]
    classes: dict[bytes, int] = {}
    for digest, target in zip(digests, targets, strict=True):
        classes.setdefault(digest, int(target))
    side = dict.fromkeys(classes, "train")
    for target in range(len(labels)):
        ranked = sorted(digest for digest, own in classes.items() if own == target)
        start = 0
        for split, part in (held_out or HELD_OUT).items():
            stop = start + max(1, round(part * len(ranked)))
            side |= dict.fromkeys(ranked[start:stop], split)
            start = stop
    # By another hash than the one that ranked them: all of a class that is held out comes early in that order.
    order = sorted(range(len(digests)), key=lambda i: hashlib.sha256(digests[i]).digest())
    chosen = {split: [i for i in order if side[digests[i]] == split] for split in SPLITS}
    return Pictures({split: (pixels[rows], targets[rows]) for split, rows in chosen.items()}, labels, facts)


def open_pictures(recipe: Train) -> Pictures:
    """The pictures of a recipe's data set, a name or the path of a folder.

    Raises:
        UserError: If there is no such data set, or it cannot be used.
    """
    if recipe.dataset == EMBEDDED:
        return digits()
    if recipe.dataset not in TFDS and Path(recipe.dataset).exists():
        return from_folder(Path(recipe.dataset), recipe)
    look_up({EMBEDDED: "", **TFDS}, recipe.dataset, "data set", "Or give a folder with one sub-folder a class")
    return from_tfds(recipe.dataset)


def names(sets: Iterable[str] = ()) -> list[str]:
    """Data sets of this file, and others."""
    return [EMBEDDED, *TFDS, *sets]
