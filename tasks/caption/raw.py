"""Images with their captions as they lie in a TFDS data set or in a user's folder, before any decoding."""

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.data import files, images, raw
from zoo.data.datasets import DatasetCard
from zoo.data.raw import RawDataset
from zoo.data.tfds import open_dataset
from zoo.errors import UserError

from . import annotations
from .datasets import DATASETS

OWN = "Or give a folder with images and captions.csv"


def decode_bytes(image: tf.Tensor) -> tf.Tensor:
    """The content of an image file -> uint8 `(height, width, 3)`."""
    return tf.io.decode_image(image, channels=3, expand_animations=False)


@dataclass(frozen=True)
class RawImages(RawDataset):
    """Images with captions: examples `(image, captions, facts)`.

    `image` is a string that `decode` turns into pixels, so that captions can be read without decoding an image;
    `captions` are strings `(number,)`; `facts` is JSON of what the image shows, or an empty string.

    Attributes:
        decode: Such a string -> uint8 `(height, width, 3)`, of any size.
    """

    decode: Callable[[tf.Tensor], tf.Tensor] = decode_bytes


def open_images(dataset: str) -> RawImages:
    """The images of a data set or of a folder.

    Args:
        dataset: Name or path.

    Raises:
        UserError: If there is no such data set, or it cannot be used.
    """
    found = open_dataset(dataset, DATASETS, OWN, from_folder, decoders={"image": tfds.decode.SkipDecoding()})
    if isinstance(found, RawImages):
        return found

    def read(split: str) -> tf.data.Dataset:
        return found.read(split).map(lambda image, captions, *facts: (image, captions, *(facts or [tf.constant("")])))

    return RawImages(**{**vars(found), "read": read})


def from_folder(path: Path) -> RawImages:
    """Images of a folder with captions in one of the formats of `annotations`.

    Images without a split are for training; missing splits are held out of train by a hash of the image's name. An
    image is read when it is used; see `user_errors`.

    Raises:
        UserError: With the line, or the image, that cannot be used.
    """
    captions, splits, sources = annotations.read(path)
    table = sources[0]
    stamps = _stamps(path, captions, table.name)
    parts = {split: [name for name in captions if splits[name] == split] for split in annotations.SPLITS}
    names = tuple(split for split in annotations.SPLITS if parts[split])
    if "train" not in names:
        raise UserError(f"{table} has no images to train on: no row has the split train. Add some.")
    digests = {source.name: files.digest(source) for source in sources}

    def read(split: str) -> tf.data.Dataset:
        text = tf.TensorSpec((), tf.string)
        return tf.data.Dataset.from_generator(
            lambda: ((name, captions[name], "") for name in parts[split]),
            output_signature=(text, tf.TensorSpec((None,), tf.string), text),
        )

    def decode(image: tf.Tensor) -> tf.Tensor:
        pixels = tf.numpy_function(
            lambda name: images.read(path / np.asarray(name, object).item().decode("utf-8")), [image], tf.uint8
        )
        return tf.ensure_shape(pixels, (None, None, 3))

    def fingerprint() -> str:
        content = json.dumps([digests, stamps, raw.SEED, raw.FRACTION, raw.AT_MOST])
        return f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"

    name = path.resolve().name
    own = RawImages(
        read, names, DatasetCard(name, sha256=digests), count=lambda split: len(parts[split]),
        fingerprint=fingerprint, decode=decode,
    )  # fmt: skip
    return cast(RawImages, own.hold_out(what="images"))


def _stamps(folder: Path, names: Iterable[str], table: str) -> dict[str, tuple[int, int]]:
    """Bytes of each image, and when it was changed."""
    files = {name: (folder / name).stat() if (folder / name).is_file() else None for name in names}
    found = {name: (stat.st_size, stat.st_mtime_ns) if stat else (-1, 0) for name, stat in files.items()}
    for problem, length in (("does not exist", -1), ("is empty", 0)):
        named = [name for name, (size, _) in found.items() if size == length]
        if named:
            more = f" (and {len(named) - 1:,} more)" if named[1:] else ""
            raise UserError(
                f"{folder / named[0]} {problem}{more}. Put there the image that {table} lists, or delete its rows."
            )
    return found


@contextlib.contextmanager
def user_errors() -> Iterator[Any]:
    """Within it, an image of a folder that cannot be read is a `UserError` again, not TensorFlow's report of it.

    Use it around whatever iterates over decoded images.

    Raises:
        UserError: If that is what stopped the data.
    """
    try:
        yield
    except tf.errors.OpError as error:
        message = re.search(r"\bUserError: (.+)", str(error.message))
        if message is None:
            raise
        raise UserError(message[1]) from error
