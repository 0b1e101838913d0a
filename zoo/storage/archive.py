"""Checks of a `model.keras` before Keras opens it: sizes first, so that no file can claim memory that it is not worth.

A `.keras` file is a zip archive with a config and HDF5 weights. A small file may claim to be large (a "bomb"), point to
other files, or describe layers of many gigabytes.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np

from zoo.errors import UserError

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"

MOST_CONFIG = 16 << 20
"""Bytes of the config at most; a builder's has a few thousand."""

MOST_WEIGHTS = 1 << 30
"""Bytes of all weights at most. Models of this zoo have megabytes."""

LARGEST = 10_000_000
"""Largest size that a layer's config may name: entries of a vocabulary, units."""

MOST_PRODUCT = 250_000_000
"""Largest product of two sizes of one layer: a matrix of 1 GB in single precision."""


def check(file: Path) -> None:
    """Checks a `.keras` file.

    Raises:
        UserError: If it is damaged, larger inside than a model may be, or refers to anything outside of itself.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            sizes = {item.filename: item.file_size for item in archive.infolist()}
            if missing := {CONFIG, WEIGHTS} - sizes.keys():
                raise UserError(f"{file} is no Keras model: it has no {' and no '.join(sorted(missing))}.")
            if sizes[CONFIG] > MOST_CONFIG or sum(sizes.values()) > MOST_WEIGHTS + MOST_CONFIG:
                raise UserError(f"{file} claims {sum(sizes.values()):,} bytes, more than a model of zoo may have.")
            config = _read(archive, CONFIG, MOST_CONFIG)
            weights = _read(archive, WEIGHTS, MOST_WEIGHTS)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise UserError(f"{file} is damaged: {error}.") from error
    _check_config(file, config)
    _check_weights(file, weights)


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """The content of an entry, which may be longer than its header says.

    Raises:
        UserError: If it is longer than `most` bytes.
    """
    with archive.open(name) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise UserError(f"{archive.filename}: {name} is larger than {most:,} bytes.")
    return content


def _check_config(file: Path, content: bytes) -> None:
    try:
        config = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"{file} is damaged: its {CONFIG}: {reason}.") from error
    for layer in _dictionaries(config):
        sizes = [value for key, value in layer.items() if type(value) is int and "seed" not in key]
        sizes += [value for item in layer.values() if isinstance(item, list) for value in item if type(value) is int]
        largest = sorted(map(abs, sizes))[-2:]
        if largest and (largest[-1] > LARGEST or np.prod(largest, dtype=float) > MOST_PRODUCT):
            raise UserError(f"{file}: a layer names a size of {largest[-1]:,}, more than a model of zoo may have.")


def _dictionaries(value: Any) -> Iterator[dict]:
    """All dictionaries within a JSON value."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def _check_weights(file: Path, content: bytes) -> None:
    total = 0
    try:
        with h5py.File(io.BytesIO(content), "r") as store:
            for path, dataset in _datasets(file, store):
                total += dataset.size * dataset.dtype.itemsize
                if total > MOST_WEIGHTS:
                    raise UserError(f"{file}: its weights claim more than {MOST_WEIGHTS:,} bytes.")
                if dataset.dtype.kind in "fiub" and not np.isfinite(np.asarray(dataset[()], "float64")).all():
                    raise UserError(f"{file}: the weight {path} is not a number in places. Train the model again.")
    except UserError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{file} is damaged: its {WEIGHTS}: {str(error).splitlines()[0]}.") from error


def _datasets(file: Path, group: h5py.Group, path: str = "", depth: int = 0) -> Iterator[tuple[str, h5py.Dataset]]:
    """All arrays of a file, which lie in the file itself.

    Raises:
        UserError: If there are links, to other files or in circles.
    """
    if depth > 50:
        raise UserError(f"{file}: its weights are nested too deep.")
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise UserError(f"{file}: the weight {path}/{name} is a link to another place.")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _datasets(file, item, f"{path}/{name}", depth + 1)
        elif item.external:
            raise UserError(f"{file}: the weight {path}/{name} lies in another file.")
        else:
            yield f"{path}/{name}", item
