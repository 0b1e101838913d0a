"""Users' own data: which files are which split, and one `RawDataset` of them."""

import functools
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from zoo.data.raw import RawDataset
from zoo.errors import UserError

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "development"),
    "test": ("test", "testing"),
}
"""Split -> words in the name of a file or folder that mark it."""

LONGEST_NAME, LONGEST_PATH = 255, 1_000
"""Bytes of a file's name, which file systems allow, and characters of a path within a folder."""

OpenPart = Callable[[Path, Sequence[str] | None], RawDataset]
"""`(file or folder, known labels) -> RawDataset` whose split `"all"` has its examples."""


def split_of(name: str) -> str | None:
    """The split that a file name speaks of: train for `train.csv` and `en_ewt-ud-train.conllu`, else None."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    found = [split for split, marks in SPLIT_NAMES.items() if words & set(marks)]
    return found[0] if len(found) == 1 else None


def parts(
    path: Path,
    is_part: Callable[[Path], bool],
    validation: str | None = None,
    test: str | None = None,
) -> dict[str, Path]:
    """The file or folder of each split.

    A folder may hold one part for each split (`train.csv`, `dev.csv`; or folders `train`, `test`). A file whose name
    speaks of train has its neighbors of the same name for the other splits. Otherwise everything is train.

    Args:
        path: What the user gave as data set.
        is_part: Whether an entry of a folder can be a split.
        validation: File or folder of the validation split.
        test: File or folder of the test split.

    Raises:
        UserError: If a split has two parts, or one that does not exist.
    """
    found = _in_folder(path, is_part) if path.is_dir() else neighbors(path, is_part)
    for split, given in (("validation", validation), ("test", test)):
        if given is not None:
            if not Path(given).exists():
                raise UserError(f"--{split}-dataset: {given} does not exist.")
            found[split] = Path(given)
    found = {split: found[split] for split in SPLIT_NAMES if split in found}
    if len(found) > 1:
        _report(tuple((split, part.name) for split, part in found.items()))
    return found


@functools.cache
def _report(found: tuple[tuple[str, str], ...]) -> None:
    """Says once which file is which split."""
    print(f"Splits: {', '.join(f'{split} = {name}' for split, name in found)}.", file=sys.stderr, flush=True)


def _in_folder(folder: Path, is_part: Callable[[Path], bool]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        split = split_of(entry.name)
        if split is None or not (entry.is_dir() or is_part(entry)):
            continue
        if split in found:
            raise UserError(f"{folder} has {found[split].name} and {entry.name}, both for {split}. Keep one of them.")
        found[split] = entry
    return found if "train" in found else {"train": folder}


def neighbors(file: Path, is_part: Callable[[Path], bool]) -> dict[str, Path]:
    """A file, and those beside it that have its name with the word of another split in place of train."""
    found = {"train": file}
    if split_of(file.name) != "train":
        return found
    for split in ("validation", "test"):
        for mark in SPLIT_NAMES[split]:
            name = re.sub(r"(?<![a-z])train(ing)?(?![a-z])", mark, file.name, flags=re.IGNORECASE)
            if is_part(file.with_name(name)):
                found.setdefault(split, file.with_name(name))
    return found


def inside(folder: Path, name: str, where: str) -> str:
    """The path of a file within a folder, written in one way; the file need not exist.

    Args:
        folder: The folder.
        name: A path as a table has it.
        where: Where the table has it, for the error.

    Raises:
        UserError: If the path leads out of the folder, by `..`, as an absolute path, or by a link; if no file can have
            such a name.
    """
    path = os.path.normpath(name)
    parts = path.split(os.sep)
    try:
        encoded = [os.fsencode(part) for part in parts]
    except UnicodeEncodeError:
        encoded = []
    if not encoded or path == os.curdir or len(path) > LONGEST_PATH or max(map(len, encoded)) > LONGEST_NAME:
        raise UserError(f"{where}: {name[:100]!r} is no name of a file.")
    out = os.path.isabs(path) or parts[0] == os.pardir or "\0" in path
    if out or not (folder / path).resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{where}: {name} is not inside the folder. Put the file there and give its path within it.")
    return path


def combine(
    name: str,
    found: Mapping[str, Path],
    open_part: OpenPart,
    known: Sequence[str] | None,
    what: str,
    fractions: Mapping[str, float] | None = None,
    stratum: Callable[[tuple], int] | None = None,
) -> RawDataset:
    """One data set of the parts of its splits; missing splits are held out of train.

    Args:
        name: Its name.
        found: What `parts` gave.
        open_part: Reads one part.
        known: Labels of a saved model; otherwise all splits have the labels of train.
        what: What examples are called, in the plural.
        fractions: Split -> fraction that is held out where the split is missing; default a tenth.
        stratum: Class of an example: then each class gives its fraction to a split that is held out.

    Raises:
        UserError: If a part cannot be used, or has a label that train does not have.
    """
    train = open_part(found["train"], known)
    raws = {"train": train}
    for split in ("validation", "test"):
        if split in found:
            raws[split] = open_part(found[split], known or list(train.labels) or None)
    extra = [split for split in train.names if split not in ("train", "validation", "test", "all")]

    def read(split: str) -> object:
        return raws[split].read("all") if split in raws else train.read(split)

    def count(split: str) -> int:
        return raws[split].count("all") if split in raws else train.count(split)

    files = {split: path.name for split, path in found.items()}
    rule = "; ".join(f"{split}: {file}" for split, file in files.items()) if len(found) > 1 else train.card.splits
    digests = {file: value for raw in raws.values() for file, value in raw.card.sha256.items()}
    card = replace(train.card, name=name, splits=rule, sha256=digests)
    whole = replace(train, read=read, names=(*raws, *extra, "all"), card=card, count=count)
    missing = None if fractions is None else {split: part for split, part in fractions.items() if split not in raws}
    return whole.hold_out(missing, stratum=stratum, what=what)
