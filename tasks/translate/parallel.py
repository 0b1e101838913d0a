"""Parallel text in the forms in which it is passed around, before any tokenization.

train.en, train.de                 two files, one text per line, in a folder; also `dev.*`, `test.*`, ... if there are
corpus.en-de.en, corpus.en-de.de   the names of OPUS and Moses; a word such as `dev` in the name makes a split of it
pairs.tsv, fra.txt                 a table with a header, which may have a column `split`, or lines
                                   `source<TAB>target<TAB>credit` as of Tatoeba and Anki
All of them may be compressed (`.gz`).
"""

import dataclasses
import functools
import itertools
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.data import files, own, tables
from zoo.errors import UserError

from .phrases.locales import language_of

SAMPLE = 300
"""Lines by which columns of numbers, such as those of Tatoeba, are known."""

NEEDED = "Give a folder with train.SRC and train.TGT, e.g. train.en and train.de, or a table of pairs"

SOURCE = tables.Column("source", ("source", "src", "source_text", "input"))
TARGET = tables.Column("target", ("target", "tgt", "target_text", "translation", "output"))

PAIR_OF_CODES = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?-[a-z]{2,3}(_[A-Za-z]{2,4})?")

UNNAMED = ("source", "target")
"""The languages of a table that does not name them."""

Pairs = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """The pairs of one split.

    Attributes:
        files: Two files, or one table.
        languages: Names of the two sides, in the order of `rows`.
        rows: All pairs, those with an empty side included.
        splits: The split that each pair names; nothing if they name none.
    """

    files: tuple[Path, ...]
    languages: tuple[str, str]
    rows: Callable[[], Pairs]
    splits: Callable[[], Iterable[str]] = tuple

    @property
    def names(self) -> str:
        """The names of its files."""
        return " and ".join(file.name for file in self.files)

    def swapped(self) -> "Part":
        """The same with the sides swapped."""
        first, second = self.languages
        return Part(self.files, (second, first), lambda: ((target, source) for source, target in self.rows()))

    def divided(self) -> dict[str, "Part"]:
        """The same, one part for each split that its pairs name; empty if they name none."""
        names = list(self.splits())

        def rows(split: str) -> Pairs:
            return (row for row, name in zip(self.rows(), names, strict=True) if name == split)

        return {
            split: dataclasses.replace(self, rows=functools.partial(rows, split), splits=tuple)
            for split in own.SPLIT_NAMES
            if split in names
        }

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
        UserError: If there is no file for train, a file cannot be used, or a split has other languages than train.
    """
    found = _parts(path, columns, validation, test)
    _check_languages(found)
    return found


def _parts(
    path: Path, columns: tuple[str | None, str | None], validation: str | None, test: str | None
) -> dict[str, Part]:
    """As `find`, before the languages of the splits are compared."""
    if not path.is_dir():
        if not tables.is_table(path):
            what = "is a file" if path.exists() else "does not exist"
            raise UserError(f"{path} {what}. {NEEDED}.")
    elif found := _two_files(path) or _corpora(path):
        own.report_left_out(path, {file for part in found.values() for file in part.files})
        return found | _given(columns, validation, test)
    paths = own.parts(path, tables.is_table, validation, test)
    if paths["train"].is_dir():
        raise UserError(f"{path} has no train.SRC. It needs train.SRC and train.TGT, two languages, e.g. train.en; or "
                        "train.tsv with a pair per line.")  # fmt: skip
    found = {split: _table(table, columns) for split, table in paths.items()}
    named = found["train"].divided()
    own.check_once(paths, named)
    others = {split: part.divided().get(split, part) for split, part in found.items() if split != "train"}
    return {**(named or {"train": found["train"]}), **others}


def _given(columns: tuple[str | None, str | None], validation: str | None, test: str | None) -> dict[str, Part]:
    """Splits named by options, as tables."""
    given = {"validation": validation, "test": test}
    return {split: _table(Path(name), columns) for split, name in given.items() if name is not None}


def leading(found: Mapping[str, Part]) -> Part:
    """The part whose languages are those of all: train, if it is there."""
    return found.get("train") or next(iter(found.values()))


def _check_languages(found: Mapping[str, Part]) -> None:
    """Raises a `UserError` if a split has other languages than train; a table may name none."""
    train = leading(found)
    for part in found.values():
        for language in train.languages:
            if language not in part.languages and UNNAMED not in (train.languages, part.languages):
                have = " and ".join(map(str, part.files))
                raise UserError(
                    f"{have}: none is in {language!r}, as train is ({train.names}). "
                    "Use the same two languages in every split."
                )


def _two_files(folder: Path) -> dict[str, Part]:
    """`train.SRC`, `train.TGT` and those of the other splits; nothing if there is no file for train.

    Raises:
        UserError: If a split has one or three languages, or files of two names.
    """
    by_stem: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in files.visible(folder):
        stem, _, language = path.name.removesuffix(".gz").rpartition(".")
        if language and "." not in stem and own.split_of(stem) and path.is_file() and not tables.is_table(path):
            by_stem[stem][language] = path
    found: dict[str, Part] = {}
    for split in own.SPLIT_NAMES:
        stems = [split] if split in by_stem else [
            stem for stem, by_language in by_stem.items()
            if own.split_of(stem) == split and _may_be(by_language, found.get("train"))
        ]  # fmt: skip
        if len(stems) > 1:
            raise UserError(f"{folder} has {stems[0]}.* and {stems[1]}.*, both for {split}. Keep one of them.")
        for stem in stems:
            if len(by_stem[stem]) != 2:
                have = ", ".join(path.name for path in by_stem[stem].values())
                raise UserError(
                    f"{folder} has {have}. It needs {stem}.SRC and {stem}.TGT, two languages, e.g. {stem}.en."
                )
            found[split] = _pair(by_stem[stem])
    return found if "train" in found else {}


def _may_be(by_language: Mapping[str, Path], train: Part | None) -> bool:
    """Whether files whose name merely speaks of a split are texts: `dev.en` is, `train_model.py` is none."""
    if train is None:
        return len(by_language) == 2 and all(map(language_of, by_language))
    return any(language in by_language for language in train.languages)


def _corpora(folder: Path) -> dict[str, Part]:
    """Files named `NAME.en-de.en` and `NAME.en-de.de`; nothing if there are none.

    Raises:
        UserError: If two corpora are for one split, or one has a single language.
    """
    by_prefix: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in files.visible(folder):
        prefix, _, language = path.name.removesuffix(".gz").rpartition(".")
        pair = prefix.rpartition(".")[2]
        if path.is_file() and PAIR_OF_CODES.fullmatch(pair) and language in pair.split("-"):
            by_prefix[prefix][language] = path
    found: dict[str, Part] = {}
    alone: list[Path] = []
    for prefix, by_language in by_prefix.items():
        if len(by_language) != 2:
            alone += by_language.values()
            continue
        split = own.split_of(prefix) or "train"
        if split in found:
            raise UserError(f"{folder} has {found[split].files[0].name} and {prefix}, both for {split}. Keep one.")
        found[split] = _pair(by_language)
    if "train" in found and alone:
        raise UserError(f"{alone[0]} has no file of the other language beside it. Put it there, or remove this one.")
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
    names = UNNAMED
    if files.suffix(path) not in (".jsonl", ".ndjson", ".parquet"):
        first = next(_lines(path), "")
        fields = first.split("\t") if "\t" in first else tables.header(path)
        header = [name.strip().strip('"') for name in fields]
        known = {name.lower() for name in header}
        has_header = any(columns) or bool(known & set(source.common) and known & set(target.common))
        titles = [] if has_header else _titles(path, header)
        if len(titles) == 2:
            languages = [language for title in titles if (language := language_of(title))]
            names = (languages[0], languages[1]) if len(languages) == 2 else UNNAMED
            source, target = (
                dataclasses.replace(column, given=name) for column, name in zip((SOURCE, TARGET), titles, strict=True)
            )
        has_header = has_header or bool(titles)
        if not has_header and not (files.suffix(path) == ".csv" and len(header) > 1 and "\t" not in first):
            return Part((path,), names, lambda: _tabbed(path))
    text_columns = [dataclasses.replace(column, may_be_empty=True) for column in (source, target)]
    rows = functools.partial(tables.rows, path, [*text_columns, tables.SPLIT])

    def splits() -> Iterator[str]:
        for where, row in rows():
            if "split" not in row:
                return
            yield own.named_split(row["split"], where)

    return Part((path,), names, lambda: ((row["source"], row["target"]) for _, row in rows()), splits)


def _titles(path: Path, header: Sequence[str]) -> list[str]:
    """The titles of the columns with text if the first line is a header, those of languages alone if it names some.

    It is one if it names two languages, or has a word where all other lines have a number.
    """
    rows = _sample(path)[1:]
    texts = _texts(rows) if rows else list(range(len(header)))
    titles = [header[place] for place in texts if place < len(header)]
    languages = [title for title in titles if language_of(title)]
    if len(set(map(language_of, languages))) == len(languages) >= 2:
        return languages
    numbers = [title for title, *rest in zip(header, *rows, strict=False) if any(rest) and not _has_text(rest)]
    return titles if len(titles) >= 2 and _has_text(numbers) else []


def _sample(path: Path) -> list[list[str]]:
    """The fields of the first lines that have a tab."""
    return [line.split("\t") for line in itertools.islice(_lines(path), SAMPLE) if "\t" in line]


def _texts(rows: Sequence[Sequence[str]]) -> list[int]:
    """Places of the columns with text, of those that all rows have."""
    return [place for place, column in enumerate(zip(*rows, strict=False)) if _has_text(column)]


def _has_text(column: Sequence[str]) -> bool:
    """Whether a column has more than numbers and empty fields."""
    return any(field.strip() and not tables.is_number(field) for field in column)


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
    sample = _sample(path)
    width = min(map(len, sample), default=0)
    if width < 2:
        return 0, 1  # the line that has no tab will be named
    texts = _texts(sample[1:] or sample)
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
