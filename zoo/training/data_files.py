"""Digests of a user's own data, by which a change between two parts of a training is noticed."""

import dataclasses
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from zoo import cards
from zoo.data import files, own
from zoo.errors import UserError
from zoo.settings import TrainConfig

MOST_BYTES = 4 << 20
"""Files of a folder up to this size are read; of larger ones, and beyond `MOST_FILES`, name and size count."""

MOST_FILES = 2_000
"""Files of a folder that are read."""


def digests(recipe: TrainConfig, named: Collection[str] = ()) -> dict[str, str]:
    """Path of each file or folder that the settings name -> its digest; of saved models to learn from, their digests.

    A data set with a name has none.

    Args:
        recipe: The settings.
        named: Names of data sets that are not a user's own.

    Raises:
        UserError: If one cannot be read.
    """
    found = {}
    paths = _paths(recipe, named)
    models = [*([recipe.init_from] if recipe.init_from else []), *recipe.teacher_names]
    for path in (*paths, *(cards.locate(model) / cards.FILES for model in models)):
        try:
            found[str(path)] = _of_folder(path) if path.is_dir() else files.digest(path)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    return found


def _paths(recipe: TrainConfig, named: Collection[str]) -> Iterator[Path]:
    own_data = recipe.dataset.partition("/")[0] not in named
    others = [getattr(recipe, item.name) for item in dataclasses.fields(recipe) if item.name.endswith("_dataset")]
    for path in (Path(name) for name in (recipe.dataset if own_data else "", *others) if name and os.path.exists(name)):
        if path.is_dir() or path.is_file():  # a pipe or a device is refused where the data are read
            yield path
    if own_data and recipe.dataset and os.path.isfile(recipe.dataset):
        whole = Path(recipe.dataset)
        neighbors = own.neighbors(whole, lambda entry: entry.is_file())
        yield from (path for split, path in neighbors.items() if split != "train" and path.is_file())


def _of_folder(folder: Path) -> str:
    """A digest of the names and sizes of all files, and of the content of those that are not large."""
    state = hashlib.sha256()
    for number, path in enumerate(item for item in files.visible(folder, "**/*") if item.is_file()):
        size = path.stat().st_size
        content = files.digest(path) if size <= MOST_BYTES and number < MOST_FILES else ""
        state.update(f"{path.relative_to(folder).as_posix()!r} {size} {content}\n".encode("utf-8", "backslashreplace"))
    return state.hexdigest()


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """What has changed between two sets of digests, as the end of a sentence; None if nothing has."""
    for path, digest in before.items():
        if path not in now:
            return f"{path} is gone"
        if now[path] != digest:
            return f"{path} has changed"
    new = [path for path in now if path not in before]
    return f"{new[0]} is new" if new else None
