"""Users' text files and tables, read line by line; errors name the file and the line."""

import contextlib
import csv
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from zoo.errors import UserError


def lines(path: Path) -> Generator[str, None, None]:
    """The lines of a UTF-8 file, with or without a byte order mark, with their ends.

    Nothing but a line feed ends a line: other separators may stand inside a text.

    Raises:
        UserError: With the number of the line that is not UTF-8.
    """
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path}, line {number}: not UTF-8 ({error.reason}). Save the file as UTF-8."
                ) from error


def rows(
    path: Path, columns: Sequence[str], optional: Sequence[str] = (), quoted: str = "texts"
) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a CSV file, or of a TSV file if its name ends in .tsv or .tab.

    Args:
        path: The file. Its first line names the columns, in any order and case.
        columns: Must be there and filled in.
        optional: May be there, and may be empty.
        quoted: What may need quotation marks, for a message.

    Yields:
        Where a row ends, `"FILE, line 3"`, and its fields by column, those alone that were asked for.

    Raises:
        UserError: With the line that cannot be used.
    """
    delimiter = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    needed = f"Its first line has to name the columns: {delimiter.join(columns)}."
    with contextlib.closing(lines(path)) as stream:
        reader = csv.DictReader(stream, delimiter=delimiter)
        header = _header(path, reader)
        if not header:
            raise UserError(f"{path} is empty. {needed}")
        missing = [repr(column) for column in columns if column not in header]
        if missing:
            raise UserError(f"{path} has no column {' and no '.join(missing)}, only {', '.join(header)}. {needed}")
        for row in _checked(path, reader):
            where = f"{path}, line {reader.line_num}"
            if None in row:
                raise UserError(f"{where}: more fields than the header has. Quote {quoted} that contain {delimiter!r}.")
            fields = {column: row.get(column) or "" for column in (*columns, *optional) if column in header}
            for column in columns:
                if not fields[column].strip():
                    raise UserError(f"{where}: the {column} is empty. Fill it in or delete the row.")
            yield where, fields


def _header(path: Path, reader: csv.DictReader) -> list[str]:
    """The names of the columns, by which the reader goes from here on."""
    try:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
    except csv.Error as error:
        raise UserError(f"{path}, line 1: {error}. Save the file with one row a line.") from error
    return list(reader.fieldnames)


def _checked(path: Path, reader: csv.DictReader) -> Iterator[dict]:
    try:
        yield from reader
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num + 1}: {error}. Is a quotation mark never closed?") from error
