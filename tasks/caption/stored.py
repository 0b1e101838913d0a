"""What pictures have become, kept on disk: a frozen encoder sees each of them once, whatever the number of epochs.

A split lies in a folder of its own, in parts of a few hundred pictures, in the order of the split:

    <cache>/zoo/features/<data set>-<key>/<split>/00000.npy  00001.npy  ...      each (pictures, ...)

The key is a hash of the data's identity, the encoder's, and the size of the pictures. A part gets its name when it is
whole, so a killed run loses the one it was at, and the next run goes on from there.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from zoo.data import text
from zoo.data.images import resized

from .pictures import Pictures, user_errors

PART = 256
"""Pictures of one file."""

AT_ONCE = 32
"""Pictures that the encoder sees together."""

See = Callable[[np.ndarray], np.ndarray]
"""`(pictures, size, size, 3)` uint8 -> `(pictures, ...)`."""


class Stored:
    """Arrays of one split, on disk.

    Args:
        parts: Their files, in order.
    """

    def __init__(self, parts: Sequence[Path]) -> None:
        self.arrays = [np.load(part, mmap_mode="r") for part in parts]

    def __len__(self) -> int:
        return sum(map(len, self.arrays))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture's array."""
        return self.arrays[0].shape[1:]

    @property
    def dtype(self) -> np.dtype:
        """`uint8` for pictures, `float16` for features."""
        return self.arrays[0].dtype

    def take(self, indices: Iterable[int]) -> np.ndarray:
        """The arrays of some pictures, `(n, ...)`."""
        return np.stack([self.arrays[i // PART][i % PART] for i in indices])


def stored(
    pictures: Pictures, split: str, size: int, encoder: str, see: See | None, count: int | None = None
) -> Stored:
    """A split of pictures, from the disk; what is missing there is computed first.

    Args:
        pictures: The data set.
        split: Name of a split.
        size: Side that pictures are scaled to.
        encoder: What tells one encoder from another, such as the hash of its file.
        see: The encoder; None keeps the pictures themselves.
        count: How many are wanted at least, from the first on; default all.
    """
    folder, total = _folder(pictures, encoder, size) / split, pictures.sizes[split]
    total = min(-(-(count or total) // PART) * PART, total)  # whole parts
    parts = [folder / f"{number:05}.npy" for number in range(-(-total // PART))]
    done = next((number for number, part in enumerate(parts) if not part.is_file()), len(parts))
    if done < len(parts):
        folder.mkdir(parents=True, exist_ok=True)
        examples = pictures.split(split).skip(done * PART).as_numpy_iterator()
        for part in parts[done:]:
            with user_errors():
                some = list(islice(examples, PART))
            _write(part, _seen(some, size, see))
            done += 1
            print(f"{split}: {min(done * PART, total):,} of {total:,} pictures seen", file=sys.stderr)
    return Stored(parts)


def _folder(pictures: Pictures, encoder: str, size: int) -> Path:
    key = hashlib.sha256(json.dumps([pictures.identity, encoder, size, PART]).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    name = "".join(c if c.isalnum() else "-" for c in str(pictures.facts["name"]))
    return cache / "zoo" / "features" / f"{name}-{key}"


def _seen(examples: Sequence[dict], size: int, see: See | None) -> np.ndarray:
    batches = []
    for some in text.in_batches(examples, AT_ONCE):
        scaled = np.stack([resized(example["image"], size, size) for example in some])
        batches.append(scaled if see is None else see(scaled).astype("float16"))
    return np.concatenate(batches)


def _write(path: Path, array: np.ndarray) -> None:
    """Writes a file under another name, and renames it when it is whole."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as stream:
        np.save(stream, array)
    os.replace(part, path)
