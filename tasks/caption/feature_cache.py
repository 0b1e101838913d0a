"""Image features on disk: a frozen encoder encodes each image once, whatever the number of epochs.

Each split has a folder of its own, with files of a few hundred images in the order of the split:

    <cache>/zoo/features/<data set>-<key>/<split>/00000.npy  00001.npy  ...      each (images, ...)

The key is a hash of the data's fingerprint, the encoder's, and the size of the images. A file gets its name when it is
complete, so an interrupted run loses only the file it was writing, and the next run continues from there.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from zoo.data import cache, text
from zoo.data.images import resized

from .raw import RawImages, user_errors

PART = 256
"""Images per file."""

AT_ONCE = 32
"""Images per call of the encoder."""

Encode = Callable[[np.ndarray], np.ndarray]
"""`(images, size, size, 3)` uint8 -> `(images, ...)`."""


class CachedArrays:
    """The arrays of one split, memory-mapped.

    Args:
        parts: Their files, in order.
    """

    def __init__(self, parts: Sequence[Path]) -> None:
        self.arrays = [np.load(part, mmap_mode="r") for part in parts]

    def __len__(self) -> int:
        return sum(map(len, self.arrays))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image's array."""
        return self.arrays[0].shape[1:]

    @property
    def dtype(self) -> np.dtype:
        """`uint8` for images, `float16` for features."""
        return self.arrays[0].dtype

    def take(self, indices: Iterable[int]) -> np.ndarray:
        """The arrays of some images, `(n, ...)`."""
        return np.stack([self.arrays[i // PART][i % PART] for i in indices])


def cached(
    raw: RawImages, split: str, size: int, encoder: str, encode: Encode | None, count: int | None = None
) -> CachedArrays:
    """The features of a split, from disk; missing ones are computed first.

    Args:
        raw: The data set.
        split: Name of a split.
        size: Height and width to which images are resized.
        encoder: Fingerprint of the encoder, such as the hash of its file.
        encode: The encoder; None keeps the resized images themselves.
        count: Number of images needed, from the first on; default all. There may be more in the result.
    """
    folder, total = _folder(raw, encoder, size) / split, raw.size(split)
    total = min(-(-(count or total) // PART) * PART, total)  # whole files
    parts = [folder / f"{number:05}.npy" for number in range(-(-total // PART))]
    done = next((number for number, part in enumerate(parts) if not part.is_file()), len(parts))
    if done < len(parts):
        folder.mkdir(parents=True, exist_ok=True)
        images = raw.split(split).skip(done * PART).map(lambda image, *_: raw.decode(image)).as_numpy_iterator()
        for part in parts[done:]:
            with user_errors():
                some = list(islice(images, PART))
            _write(part, _encoded(some, size, encode))
            done += 1
            verb = "resized" if encode is None else "encoded"
            print(f"{split}: {min(done * PART, total):,} of {total:,} images {verb}", file=sys.stderr)
    return CachedArrays(parts)


def _folder(raw: RawImages, encoder: str, size: int) -> Path:
    key = hashlib.sha256(json.dumps([raw.fingerprint(), encoder, size, PART]).encode()).hexdigest()[:16]
    name = "".join(c if c.isalnum() else "-" for c in raw.card.name)
    return cache.folder() / "features" / f"{name}-{key}"


def _encoded(images: Sequence[np.ndarray], size: int, encode: Encode | None) -> np.ndarray:
    batches = []
    for some in text.in_batches(images, AT_ONCE):
        scaled = np.stack([resized(image, size, size) for image in some])
        batches.append(scaled if encode is None else encode(scaled).astype("float16"))
    return np.concatenate(batches)


def _write(path: Path, array: np.ndarray) -> None:
    """Writes a file under another name, and renames it when it is complete."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as stream:
        np.save(stream, array)
    os.replace(part, path)
