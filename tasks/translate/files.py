"""A folder of parallel files: which lie there, and their lines in pairs, with the place of whatever is wrong."""

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from zoo.data import tables
from zoo.errors import UserError


def sides(folder: Path, split: str) -> dict[str, Path]:
    """A split's file for each of two languages, or nothing if an optional split has none.

    Raises:
        UserError: If there are one or three languages, or no training files, or an empty file.
    """
    parts = {path: path.name.split(".") for path in sorted(folder.iterdir()) if path.is_file()}
    found = {name[1]: path for path, name in parts.items() if len(name) == 2 and name[0] == split and name[1]}
    if split != "train" and not found:
        return {}
    if len(found) != 2:
        have = ", ".join(path.name for path in found.values()) or f"no {split}.SRC"
        raise UserError(f"{folder} has {have}. It needs {split}.SRC and {split}.TGT, two languages, e.g. {split}.en.")
    empty = next((path for path in found.values() if not path.stat().st_size), None)
    if empty:
        raise UserError(f"{empty} is empty. Each line has to hold a text, the same one as in the other language.")
    return found


def rows(left: Path, right: Path) -> Iterator[tuple[str, str]]:
    """The pairs of two files without those that have an empty side.

    Raises:
        UserError: If one file has more lines than the other, with the first place where they may have come apart.
    """
    apart = 0
    for number, (text, other) in enumerate(itertools.zip_longest(_lines(left), _lines(right)), 1):
        if text is None or other is None:
            ends = [count(path) for path in (left, right)]
            raise UserError(
                f"{left} has {ends[0]:,} lines and {right.name} {ends[1]:,}; line {apart or number:,} is the first "
                "that only one side has. Give each line its translation in the same line of the other file."
            )
        if text.strip() and other.strip():
            yield text, other
        elif (text.strip() or other.strip()) and not apart:
            apart = number


def count(path: Path) -> int:
    """How many lines a file has."""
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def _lines(path: Path) -> Iterator[str]:
    """A file's lines without their ends."""
    return (line.removesuffix("\n").removesuffix("\r") for line in tables.lines(path))


def digest(path: Path) -> str:
    """SHA-256 of a file, which may be larger than the memory."""
    made = hashlib.sha256()
    with path.open("rb") as stream:
        for line in stream:
            made.update(line)
    return made.hexdigest()
