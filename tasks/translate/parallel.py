"""Parallel text in the forms in which it is passed around, before any tokenization.

train.en, train.de                 two files, one text per line, in a folder; `validation.*` and `test.*` if there are
corpus.en-de.en, corpus.en-de.de   the names of OPUS and Moses; a word such as `dev` in the name makes a split of it
pairs.tsv, fra.txt                 a table with a header, or lines `source<TAB>target<TAB>credit` as of Tatoeba and Anki
All of them may be compressed (`.gz`).
"""

import dataclasses
import functools
import itertools
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.data import files, own, tables
from zoo.errors import UserError

SAMPLE = 50
"""Lines by which columns of numbers, such as those of Tatoeba, are known."""

SPLITS = ("train", "validation", "test")

NEEDED = "Give a folder with train.SRC and train.TGT, e.g. train.en and train.de, or a table of pairs"

SOURCE = tables.Column("source", ("source", "src", "source_text", "input"))
TARGET = tables.Column("target", ("target", "tgt", "target_text", "translation", "output"))

CODE = re.compile(r"[a-z]{2,3}([_-][A-Za-z]{2,4})?")
"""A language's code, such as `en`, `deu` and `zh_CN`."""

PAIR_OF_CODES = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?-[a-z]{2,3}(_[A-Za-z]{2,4})?")

Pairs = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """The pairs of one split.

    Attributes:
        files: Two files, or one table.
        languages: Names of the two sides, in the order of `rows`.
        rows: All pairs, those with an empty side included.
    """

    files: tuple[Path, ...]
    languages: tuple[str, str]
    rows: Callable[[], Pairs]

    def swapped(self) -> "Part":
        """The same with the sides swapped."""
        first, second = self.languages
        return Part(self.files, (second, first), lambda: ((target, source) for source, target in self.rows()))

    def filled(self) -> Pairs:
        """The pairs in which both sides have text."""
        return ((source, target) for source, target in self.rows() if source.strip() and target.strip())


def find(
    path: Path,
    columns: tuple[str | None, str | None] = (None, None),
    validation: str | None = None,
    test: str | None = None,
) -> dict[str, Part]:
    """The part of each split.

    Args:
        path: A folder or a table.
        columns: Names of a table's columns of sources and targets; default those of `SOURCE` and `TARGET`, two language
            codes, or, without a header, the first two.
        validation: A table with the validation split.
        test: A table with the test split.

    Raises:
        UserError: If there is no train, or a file cannot be used.
    """
    if not path.is_dir():
        if not tables.is_table(path):
            what = "is a file" if path.exists() else "does not exist"
            raise UserError(f"{path} {what}. {NEEDED}.")
    elif found := _two_files(path) or _corpora(path):
        return found | _given(columns, validation, test)
    paths = own.parts(path, tables.is_table, validation, test)
    if paths["train"].is_dir():
        raise UserError(f"{path} has no train.SRC. It needs train.SRC and train.TGT, two languages, e.g. train.en; or "
                        "train.tsv with a pair per line.")  # fmt: skip
    return {split: _table(table, columns) for split, table in paths.items()}


def _given(columns: tuple[str | None, str | None], validation: str | None, test: str | None) -> dict[str, Part]:
    """Splits named by options, as tables."""
    given = {"validation": validation, "test": test}
    return {split: _table(Path(name), columns) for split, name in given.items() if name is not None}


def _two_files(folder: Path) -> dict[str, Part]:
    """`train.SRC`, `train.TGT` and those of the other splits; nothing if there is no file for train.

    Raises:
        UserError: If a split has one or three languages, or others than train.
    """
    found: dict[str, Part] = {}
    for split in SPLITS:
        by_language = {}
        for path in sorted(folder.iterdir()):
            parts = path.name.removesuffix(".gz").split(".")
            if path.is_file() and len(parts) == 2 and parts[0] == split and parts[1] and not tables.is_table(path):
                by_language[parts[1]] = path
        if not by_language:
            continue
        if len(by_language) != 2:
            have = ", ".join(path.name for path in by_language.values())
            raise UserError(
                f"{folder} has {have}. It needs {split}.SRC and {split}.TGT, two languages, e.g. {split}.en."
            )
        found[split] = _pair(by_language)
    if "train" not in found:
        return {}
    for part in found.values():
        for language in found["train"].languages:
            if language not in part.languages:
                have = " and ".join(map(str, part.files))
                raise UserError(
                    f"{have}: none is in {language!r}, as train is. Use the same two languages in every split."
                )
    return found


def _corpora(folder: Path) -> dict[str, Part]:
    """Files named `NAME.en-de.en` and `NAME.en-de.de`; nothing if there are none.

    Raises:
        UserError: If two corpora are for one split.
    """
    by_prefix: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in sorted(folder.iterdir()):
        prefix, _, language = path.name.removesuffix(".gz").rpartition(".")
        pair = prefix.rpartition(".")[2]
        if path.is_file() and PAIR_OF_CODES.fullmatch(pair) and language in pair.split("-"):
            by_prefix[prefix][language] = path
    found: dict[str, Part] = {}
    for prefix, by_language in by_prefix.items():
        if len(by_language) != 2:
            continue
        split = own.split_of(prefix) or "train"
        if split in found:
            raise UserError(f"{folder} has {found[split].files[0].name} and {prefix}, both for {split}. Keep one.")
        found[split] = _pair(by_language)
    return found if "train" in found else {}


def _pair(by_language: Mapping[str, Path]) -> Part:
    """Two files, in the alphabetical order of their languages.

    Raises:
        UserError: If one is empty.
    """
    (first, left), (second, right) = sorted(by_language.items())
    for path in (left, right):
        if not path.stat().st_size:
            raise UserError(f"{path} is empty. Each line has to hold a text, the same one as in the other language.")
    return Part((left, right), (first, second), lambda: _aligned(left, right))


def _aligned(left: Path, right: Path) -> Pairs:
    """The lines of two files.

    Raises:
        UserError: If one file has more lines than the other, with the first line at which they may have diverged.
    """
    diverged = 0
    for number, (text, other) in enumerate(itertools.zip_longest(_lines(left), _lines(right)), 1):
        if text is None or other is None:
            ends = [sum(1 for _ in files.lines(path)) for path in (left, right)]
            raise UserError(
                f"{left} has {ends[0]:,} lines and {right.name} {ends[1]:,}; line {diverged or number:,} is the first "
                "that only one side has. Give each line its translation in the same line of the other file."
            )
        if bool(text.strip()) != bool(other.strip()) and not diverged:
            diverged = number
        yield text, other


def _lines(path: Path) -> Iterator[str]:
    """A file's lines without their ends."""
    return (line.removesuffix("\n").removesuffix("\r") for line in files.lines(path))


def _table(path: Path, columns: tuple[str | None, str | None]) -> Part:
    """A table with a header, or lines of a source, a tab and a target."""
    source, target = (
        dataclasses.replace(column, given=name, optional=False)
        for column, name in zip((SOURCE, TARGET), columns, strict=True)
    )
    names = ("source", "target")
    if files.suffix(path) not in (".jsonl", ".ndjson", ".parquet"):
        header = [name.strip() for name in tables.header(path)]
        known = {name.lower() for name in header}
        has_header = any(columns) or bool(known & set(source.common) and known & set(target.common))
        codes = [name for name in header if CODE.fullmatch(name)]
        if not has_header and len(codes) == len(header) == 2:
            names, has_header = (codes[0], codes[1]), True
            source, target = (
                dataclasses.replace(column, given=name) for column, name in zip((SOURCE, TARGET), codes, strict=True)
            )
        if not has_header and not (files.suffix(path) == ".csv" and len(header) > 1 and "\t" not in next(_lines(path))):
            return Part((path,), names, lambda: _tabbed(path))
    wanted = [dataclasses.replace(column, may_be_empty=True) for column in (source, target)]
    return Part((path,), names, lambda: ((row["source"], row["target"]) for _, row in tables.rows(path, wanted)))


def _tabbed(path: Path) -> Pairs:
    """The two texts of each line; quotation marks are text.

    Raises:
        UserError: With the first line that has no tab, or too few fields.
    """
    first, second = _text_columns(path)
    for number, line in enumerate(_lines(path), 1):
        fields = line.split("\t")
        if not line.strip():
            continue
        if len(fields) <= second:
            raise UserError(
                f"{path}, line {number:,}: {'no tab' if len(fields) == 1 else f'{len(fields)} fields'}; got "
                f"{line[:60]!r}. Each line is a source, a tab and its target. Or "
                "give the table a header and name its columns: --source-column NAME --target-column NAME."
            )
        yield fields[first], fields[second]


def _text_columns(path: Path) -> tuple[int, int]:
    """Places of source and target in a file without a header, and says so; columns of numbers are passed over.

    Raises:
        UserError: If all columns but one are numbers, as of a table of scores.
    """
    sample = [line.split("\t") for line in itertools.islice(_lines(path), SAMPLE) if "\t" in line]
    width = min(map(len, sample), default=0)
    if width < 2:
        return 0, 1  # the line that has no tab will be named
    texts = [place for place in range(width) if not all(fields[place].strip().isdigit() for fields in sample)]
    if len(texts) < 2:
        raise UserError(
            f"{path}: {width} columns, and only {len(texts)} of text. Each line is a source and its target."
        )
    source, target = texts[:2]
    left = [str(place + 1) for place in range(max(map(len, sample))) if place not in (source, target)]
    rest = f"; left out: column {', '.join(left)}" if left else ""
    _report(path, f"source = column {source + 1}, target = column {target + 1}{rest}")
    return source, target


@functools.cache
def _report(path: Path, columns: str) -> None:
    """Says once how a file without a header is read."""
    print(f"{path.name}: tab-separated without a header; {columns}.", file=sys.stderr, flush=True)
