"""Users' own data: which files are which split, and one `RawDataset` of them."""

import functools
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from zoo.data import files, tables
from zoo.data.raw import RawDataset
from zoo.errors import UserError
from zoo.names import some, unknown

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "development"),
    "test": ("test", "testing"),
}
"""Split -> words in the name of a file or folder that mark it."""

WORDS = re.compile(rf"(?<![a-z])({'|'.join(word for words in SPLIT_NAMES.values() for word in words)})(?![a-z])", re.I)
"""Such a word in a name."""

LONGEST_NAME, LONGEST_PATH = 255, 1_000
"""Bytes of a file's name, which file systems allow, and characters of a path within a folder."""

OpenPart = Callable[[Path, Sequence[str] | None], RawDataset]
"""`(file or folder, known labels) -> RawDataset` whose split `"all"` has its examples."""


def split_of(name: str) -> str | None:
    """The split that a file name speaks of: train for `train.csv` and `en_ewt-ud-train.conllu`, else None."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    found = [split for split, marks in SPLIT_NAMES.items() if words & set(marks)]
    return found[0] if len(found) == 1 else None


def named_split(name: str, where: str) -> str:
    """The split that a row of a table names: validation for `dev`.

    Args:
        name: What the row has.
        where: The file and the line.

    Raises:
        UserError: If no split is called so.
    """
    for split, marks in SPLIT_NAMES.items():
        if name.strip().lower() in marks:
            return split
    raise UserError(f"{where}: {unknown('split', name.strip(), SPLIT_NAMES)}")


def parts(
    path: Path,
    is_part: Callable[[Path], bool],
    validation: str | None = None,
    test: str | None = None,
    free_names: bool = False,
    columns: Sequence[tables.Column] = (),
) -> dict[str, Path]:
    """The file or folder of each split.

    A folder may hold one part for each split (`train.csv`, `dev.csv`; or folders `train`, `test`). A file whose name
    speaks of train has its neighbors of the same name for the other splits. Otherwise everything is train.

    Args:
        path: What the user gave as data set.
        is_part: Whether an entry of a folder can be a split.
        validation: File or folder of the validation split.
        test: File or folder of the test split.
        free_names: Whether names may be titles, such as "The Train.txt": then a part of a folder is named by nothing
            but its split (`train.txt`), or as that of another split is but for this word (`ptb.train.txt`).
        columns: Columns that the task needs of a table: a test split that lacks `"label"` alone, as competitions hand
            it out beside train, is left out then.

    Raises:
        UserError: If a split has two parts, or one that does not exist or cannot be read.
    """
    found = _in_folder(path, is_part, free_names) if path.is_dir() else neighbors(path, is_part)
    by_name = columns and test is None and "test" in found
    tabular = by_name and all(map(tables.is_table, (found["train"], found["test"])))
    if tabular and tables.lacking(found["test"], columns) == ["label"]:
        _say(f"{found.pop('test')} has no column for the label, so nothing can be scored on it: it is left out.")
    for split, given in (("validation", validation), ("test", test)):
        if given is not None:
            if not Path(given).exists():
                raise UserError(f"--{split}-dataset: {given} does not exist. Give an existing file or folder.")
            found[split] = Path(given)
    found = {split: found[split] for split in SPLIT_NAMES if split in found}
    chosen = path.is_dir() and found["train"] != path
    if chosen or len(found) > 1:
        used = [part.resolve() for part in found.values()]
        others = [entry.name for entry in files.visible(path) if entry.resolve() not in used] if chosen else []
        names = ", ".join(f"{split} = {part.name}" for split, part in found.items())
        _say(f"Splits: {names}{f'; left out: {some(others)}' if others else ''}.")
    return found


@functools.cache
def _say(note: str) -> None:
    """Prints a note once."""
    print(note, file=sys.stderr, flush=True)


def report_left_out(folder: Path, used: Collection[Path]) -> None:
    """Says once which files of a folder are not read, and how many of each kind.

    Args:
        folder: The folder.
        used: The files that are read.
    """
    names = [file.relative_to(folder) for file in files.visible(folder, "**/*") if file.is_file() and file not in used]
    kinds = Counter(files.suffix(name) or "without an ending" for name in names)
    if names:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        _say(f"{folder}: left out: {some(list(map(str, names)))} ({counts}).")


def _is_of_a_split(name: str, names: Collection[str]) -> bool:
    """Whether a name has nothing but the word of a split, or is one of others but for this word."""
    others = (mark for split, marks in SPLIT_NAMES.items() if split != split_of(name) for mark in marks)
    return not WORDS.sub("", name).partition(".")[0] or any(WORDS.sub(mark, name) in names for mark in others)


def _in_folder(folder: Path, is_part: Callable[[Path], bool], free_names: bool) -> dict[str, Path]:
    found: dict[str, Path] = {}
    entries = files.visible(folder)
    names = {entry.name for entry in entries}
    for entry in entries:
        split = split_of(entry.name)
        if split is None or not (entry.is_dir() or is_part(entry)):
            continue
        if free_names and not _is_of_a_split(entry.name, names):
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


def check_once(found: Mapping[str, Path], named: Collection[str]) -> None:
    """Refuses a split that has a file and that rows of train name as well.

    Args:
        found: What `parts` gave.
        named: The splits that rows of train name.

    Raises:
        UserError: If there is one.
    """
    for split in ("validation", "test"):
        if split in found and split in named:
            raise UserError(
                f"{found['train']} has rows whose column split says {split}, and {found[split]} is for {split}. Keep "
                "one of them."
            )


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
        UserError: If a part cannot be used, has a label that train does not have, or is for a split that rows of train
            name.
    """
    train = open_part(found["train"], known)
    check_once(found, train.names)
    raws: dict[str, RawDataset] = {}
    for split in ("validation", "test"):
        if split in found:
            raws[split] = open_part(found[split], known or list(train.labels) or None)
    names = [split for split in SPLIT_NAMES if split in raws or split in train.names]

    def source(split: str) -> tuple[RawDataset, str]:
        """The data set that has a split, and what it calls it."""
        raw = raws.get(split, train)
        return raw, split if split in raw.names else "all"

    def read(split: str) -> object:
        raw, theirs = source(split)
        return raw.read(theirs)

    def count(split: str) -> int:
        raw, theirs = source(split)
        return raw.count(theirs)

    rule = "; ".join(f"{split}: {path.name}" for split, path in found.items()) if len(found) > 1 else train.card.splits
    digests = {file: value for raw in (train, *raws.values()) for file, value in raw.card.sha256.items()}
    card = replace(train.card, name=name, splits=rule, sha256=digests)
    whole = replace(train, read=read, names=tuple(dict.fromkeys((*names, *train.names))), card=card, count=count)
    missing = None if fractions is None else {split: part for split, part in fractions.items() if split not in names}
    return whole.hold_out(missing, stratum=stratum, what=what)
