"""Users' tables: CSV, TSV, JSON Lines and Parquet, with columns found by name; errors name the file and the line.

A table is read row by row. Which of its columns is the text, the label, ... follows from the options that name them
(`--text-column review`), or else from the names that such columns usually have. What was chosen is printed once.
"""

import contextlib
import csv
import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from zoo.data.files import check_text, lines, suffix
from zoo.errors import UserError
from zoo.names import nearest

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".parquet")
"""Names of tables end so, or so with `.gz`."""

LONGEST_FIELD = 1 << 26
"""Characters of a field; longer ones come from a quotation mark that is never closed."""

SAMPLE = 50
"""Rows by which the delimiter is found where the header does not decide."""


@dataclass(frozen=True)
class Column:
    """A column that a task needs.

    Attributes:
        name: What it is to the task; the key of its fields.
        common: Names by which it is found, in order of preference; lower case.
        given: The name that the user gave by an option.
        optional: Whether the table may lack it, and its fields may be empty.
        may_be_empty: Whether the fields of a column that is needed may be empty.
        options: The option that names it, `{}` for its name; empty if there is none.
    """

    name: str
    common: Sequence[str] = ()
    given: str | None = None
    optional: bool = False
    may_be_empty: bool = False
    options: str = "--{}-column"

    @property
    def option(self) -> str:
        """The command-line option that names it; empty if there is none."""
        return self.options.format(self.name)


SPLIT = Column("split", ("split",), optional=True)
"""The column in which rows name their split, where a task reads it (`zoo.data.own.named_split`)."""


class Row(NamedTuple):
    """Where a row ends, `"FILE, line 3"`, and its fields by the names of `Column`."""

    where: str
    fields: dict[str, str]


def rows(path: Path, columns: Sequence[Column]) -> Iterator[Row]:
    """The rows of a table.

    Args:
        path: The file. Its kind follows from its name: `.jsonl` and `.ndjson`, `.parquet`, else a delimiter is found.
        columns: The columns to read.

    Raises:
        UserError: If a column is missing, or with the first row that cannot be used.
    """
    number_of_rows = 0

    def choose(names: Sequence[str], kind: str) -> dict[str, str]:
        found = resolve(path, names, columns)
        report(path, kind, tuple(found.items()), tuple(names))
        return found

    for where, values in records(path, columns, choose):
        number_of_rows += 1
        fields = {name: as_text(value, where, name) for name, value in values.items()}
        for column in columns:
            if not (column.optional or column.may_be_empty):
                check_filled(fields.get(column.name, ""), where, f"the {column.name}", column.name == "label")
        yield Row(where, fields)
    if not number_of_rows:
        needed = ", ".join(column.name for column in columns if not column.optional)
        raise UserError(f"{path} has no rows below its header. Each row needs: {needed}.")


Choose = Callable[[Sequence[str], str], Mapping[str, str]]
"""`(names of all columns, kind of table) -> what a column is called here -> its own name`, of the columns to read."""

Records = Iterator[tuple[str, dict[str, Any]]]
"""`("FILE, line 3", value of each column that was chosen)`."""


def records(path: Path, columns: Sequence[Column], choose: Choose) -> Records:
    """The rows of a table as they are: strings, or what JSON and Parquet have; None where a value is missing.

    Args:
        path: The file.
        columns: Columns that the table has to have; the delimiter is the one with which its header has them.
        choose: Called once, with the names of the table's columns.

    Raises:
        UserError: If the file cannot be read.
    """
    reader = {".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _parquet}.get(suffix(path))
    return reader(path, choose) if reader else _delimited(path, columns, choose)


def lacking(path: Path, columns: Sequence[Column]) -> list[str]:
    """What a table has no column for, of the columns that are needed.

    Raises:
        UserError: If the file cannot be read.
    """
    names: list[str] = []

    def choose(given: Sequence[str], kind: str) -> Mapping[str, str]:
        names.extend(given)
        return {}

    next(records(path, columns, choose), None)
    found = []
    for column in columns:
        try:
            resolve(path, names, [column])
        except UserError:
            found.append(column.name)
    return found


def is_table(path: Path) -> bool:
    """Whether a file's name is that of a table."""
    return path.is_file() and suffix(path) in SUFFIXES


def header(path: Path) -> list[str]:
    """The fields of the first line of a table in which a delimiter separates them."""
    with contextlib.closing(lines(path)) as stream:
        first = next(stream, "")
    try:
        return next(csv.reader([first], delimiter=_delimiter(path, ())), [])
    except csv.Error:  # a text that no header has
        return [first]


def resolve(path: Path, names: Sequence[str], columns: Sequence[Column]) -> dict[str, str]:
    """The table's name of each column.

    Args:
        path: The table, for messages.
        names: The names of its columns.
        columns: The columns to find.

    Raises:
        UserError: If a column is missing, or a name stands twice, in whatever case.
    """
    folded: dict[str, str] = {}
    for name in names:
        key = fold(name)
        if key in folded and key and any(key in (*column.common, fold(column.given or "")) for column in columns):
            raise UserError(f"{path} has two columns {folded[key].strip()!r} and {name.strip()!r}. Rename one of them.")
        folded[key] = name
    found: dict[str, str] = {}
    for column in columns:
        if column.given is not None:
            if fold(column.given) not in folded:
                raise _no_such_column(path, column, names)
            found[column.name] = folded[fold(column.given)]
            continue
        taken = set(found.values())
        known = [folded[name] for name in column.common if name in folded and folded[name] not in taken]
        if known:
            found[column.name] = known[0]
        elif not column.optional:
            raise _missing(path, column, names, columns)
    chosen = list(found.values())
    if len(set(chosen)) < len(chosen):
        raise UserError(f"{path}: one column is named for two things: {', '.join(map(repr, chosen))}.")
    return found


def fold(name: str) -> str:
    """A column's name as names are compared: in lower case, without white space or a byte-order mark at its ends."""
    return name.strip().strip("\ufeff").strip().lower()


def _no_such_column(path: Path, column: Column, names: Sequence[str]) -> UserError:
    close = nearest(str(column.given), names)
    meant = f"; did you mean {close!r}?" if close else "."
    return UserError(f"{path} has no column {column.given!r}{meant} It has {_listed(names)}.")


def _missing(path: Path, column: Column, names: Sequence[str], columns: Sequence[Column]) -> UserError:
    options = " ".join(f"{each.option} NAME" for each in columns if each.option and not each.optional)
    do = f"Name the columns: {options}" if options else "Rename its columns"
    usual = ", ".join(column.common)
    if _looks_like_data(names):
        example = ",".join(each.name for each in columns if not each.optional)
        return UserError(
            f"{path}: the first line, {_listed(names)}, looks like a row, not like the names of the columns. Put a "
            f"first line with the names above it, such as {example}."
        )
    return UserError(f"{path} has no column for the {column.name} (looked for {usual}); it has {_listed(names)}. {do}.")


def _looks_like_data(names: Sequence[str]) -> bool:
    """Whether what should be a header has a sentence or a number in it."""
    stripped = [name.strip() for name in names]
    return any(len(name.split()) > 4 or len(name) > 60 or is_number(name) for name in stripped)


def is_number(text: str) -> bool:
    """Whether a text is a number, white space around it aside; `float` alone reads `1_0` and digits of all scripts."""
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text


def _listed(names: Sequence[str]) -> str:
    shown = [repr(name if len(name) <= 40 else f"{name[:37]}...") for name in names[:12]]
    return ", ".join(shown) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


@functools.cache
def report(path: Path, kind: str, chosen: tuple[tuple[str, str], ...], names: tuple[str, ...]) -> None:
    """Says once how a table is read, and which of its columns are left out."""
    columns = ", ".join(f"{name} = {theirs!r}" for name, theirs in chosen)
    left = [name for name in names if name not in dict(chosen).values()]
    more = f"; left out: {_listed(left)}" if left else ""
    print(f"{path.name}: {kind}; columns: {columns}{more}.", file=sys.stderr, flush=True)


def _delimited(path: Path, columns: Sequence[Column], choose: Choose) -> Records:
    csv.field_size_limit(LONGEST_FIELD)
    delimiter = _delimiter(path, columns)
    with contextlib.closing(lines(path)) as stream:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        names = next(_checked(path, reader), None)
        if names is None:
            required = ", ".join(column.name for column in columns if not column.optional)
            raise UserError(f"{path} is empty. Its first line has to name the columns: {required}.")
        if names and names[0].lstrip().startswith(("{", "[")):
            raise UserError(
                f"{path} is JSON. Give JSON Lines, an object in each line: jq -c '.[]' {path.name} > x.jsonl"
            )
        found = choose(names, f"{DELIMITERS[delimiter]}-separated")
        places = {name: names.index(theirs) for name, theirs in found.items()}
        header, end = [fold(name) for name in names], reader.line_num
        for row in _checked(path, reader):
            begin, end = end + 1, reader.line_num
            where = f"{path}, line {end}"
            if not row:  # an empty line
                continue
            if delimiter == "\t" and end > begin:
                _check_quoted(f"{path}, line {begin}", row, len(names))
            if len(row) == len(header) and all(fold(field) == name for field, name in zip(row, header, strict=True)):
                raise UserError(f"{where}: the row repeats the header. Delete it.")
            if len(row) > len(names):
                raise UserError(
                    f"{where}: {len(row)} fields; the header has {len(names)}. Quote texts that contain {delimiter!r}."
                )
            yield where, {name: row[place] if place < len(row) else None for name, place in places.items()}


def _check_quoted(where: str, row: Sequence[str], columns: int) -> None:
    """Refuses a field between quotation marks that holds rows: a file with tabs may have been written without quoting.

    Raises:
        UserError: If most lines of the row have as many tabs as a row.
    """
    written = "\t".join(row).split("\n")
    if columns > 1 and 2 * sum(line.count("\t") == columns - 1 for line in written) > len(written):
        raise UserError(
            f"{where}: a field that begins with a quotation mark ends {len(written) - 1:,} lines below and holds rows. "
            "Write texts that have quotation marks between further ones, with theirs doubled, or give JSON Lines."
        )


def _delimiter(path: Path, columns: Sequence[Column]) -> str:
    """The delimiter with which the header has all columns; else the one that gives the most fields to every row."""
    sample = []
    with contextlib.closing(lines(path)) as stream:
        for _, line in zip(range(SAMPLE), stream, strict=False):
            sample.append(line)
    preferred = ["\t", ",", ";", "|"] if suffix(path) in (".tsv", ".tab") else [",", "\t", ";", "|"]
    best, most = preferred[0], 1
    for delimiter in preferred:
        with contextlib.suppress(csv.Error, StopIteration):
            first = next(csv.reader(sample, delimiter=delimiter))
            with contextlib.suppress(UserError):
                if resolve(path, first, columns):
                    return delimiter
            counts = [len(row) for row in csv.reader(sample, delimiter=delimiter)][:-1]
            if counts and min(counts) > most and max(counts) == min(counts):
                best, most = delimiter, min(counts)
    return best


def _checked(path: Path, reader: Any) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        hint = "Is a quotation mark never closed?" if "quote" in str(error) or "limit" in str(error) or "end" in str(
            error
        ) else "Save the file with one row a line."  # fmt: skip
        raise UserError(f"{path}, line {reader.line_num + 1}: {error}. {hint}") from error


def _json_lines(path: Path, choose: Choose) -> Records:
    found: Mapping[str, str] | None = None
    for where, value in _objects(path):
        if found is None:
            state = path.stat()
            found = choose(_keys(path, state.st_mtime_ns, state.st_size), "JSON Lines")
        yield where, {name: value.get(theirs) for name, theirs in found.items()}


@functools.cache
def _keys(path: Path, changed: int, size: int) -> Sequence[str]:
    """The keys of all rows of JSON Lines: any row may have some that the first lacks. Read once, not in each epoch."""
    return tuple(dict.fromkeys(key for _, value in _objects(path) for key in value))


def _objects(path: Path) -> Records:
    """The lines of a file of JSON Lines that are not empty."""
    with contextlib.closing(lines(path)) as stream:
        for number, line in enumerate(stream, 1):
            where = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f"{where}: not JSON ({error}). Each line is one object.") from error
            if not isinstance(value, dict):
                raise UserError(f"{where}: a {type(value).__name__}, not an object. Each line is one JSON object.")
            yield where, value


def _parquet(path: Path, choose: Choose) -> Records:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(f"{path} needs pyarrow. Install it: pip install 'zoo[parquet]'.") from error
    try:
        with parquet.ParquetFile(path) as file:
            found = choose(file.schema_arrow.names, "Parquet")
            number = 0
            for batch in file.iter_batches(batch_size=1024, columns=list(found.values())):
                for value in batch.to_pylist():
                    number += 1
                    where = f"{path}, row {number}"
                    yield where, {name: value[theirs] for name, theirs in found.items()}
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}.") from error


def as_text(value: Any, where: str, name: str) -> str:
    """A field as text: strings stay, whole numbers and truth values are written out, nothing and NaN are empty.

    Args:
        value: The field.
        where: The file and the line, for errors.
        name: Name of the column.

    Raises:
        UserError: If the value is a list or an object, or a text has half a character.
    """
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return check_text(value, where)
    if isinstance(value, int):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    raise UserError(f"{where}: {name!r} is a {type(value).__name__}; it has to be a text or a number.")


def check_filled(text: str, where: str, what: str, is_label: bool = False) -> None:
    """Refuses a missing value: an empty field, or a label `nan`, which programs write in its place.

    Args:
        text: The field.
        where: The file and the line.
        what: What the field is, with its article.
        is_label: Whether it is a label.

    Raises:
        UserError: If the value is missing.
    """
    text = text.strip()
    if not text or (is_label and text.lower() == "nan"):
        how = f"{text!r}, a missing value" if text else "empty"
        raise UserError(f"{where}: {what} is {how}. Fill it in or delete the row.")
