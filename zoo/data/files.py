"""Users' text files: the one reader of text for the whole program.

Text is UTF-8, with or without a byte-order mark, plain or compressed by gzip (`.gz`). Any other encoding is an error
that names the encoding and the command that converts the file.
"""

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from zoo.errors import UserError

BLOCK = 1 << 16
"""Bytes that are read at once."""

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32LE",  # begins with the mark of UTF-16LE, so it is tried first
    codecs.BOM_UTF32_BE: "UTF-32BE",
    codecs.BOM_UTF16_LE: "UTF-16LE",
    codecs.BOM_UTF16_BE: "UTF-16BE",
}
"""First bytes of a file -> its encoding."""


SIGNATURES = {
    b"PK\x03\x04": "a zip archive or a spreadsheet (.xlsx): unpack it, or save it as CSV in UTF-8",
    b"%PDF-": "a PDF: save its text as a plain file in UTF-8",
    b"\x1f\x8b": "compressed by gzip: let its name end with .gz",
    b"\x89PNG": "a picture, no text",
    b"\xff\xd8\xff": "a picture, no text",
    b"\xd0\xcf\x11\xe0": "a file of an office program (.xls, .doc): save it as CSV or plain text in UTF-8",
}
"""First bytes of a file that is no text -> what it is."""


def lines(path: Path) -> Generator[str, None, None]:
    """The lines of a text file, with their line ends.

    Only a line feed ends a line: U+0085, U+2028 and the like may stand inside a text. A file whose lines end with a
    carriage return alone is read by those.

    Args:
        path: The file; read as gzip if its name ends with `.gz`.

    Raises:
        UserError: If the file cannot be read, or is not UTF-8; names the line.
    """
    number = 0
    for number, line in enumerate(_byte_lines(path), 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _not_utf8(path, number, line) from error
        if "\0" in text:
            raise _not_text(path, number, line)
        yield text.removeprefix("\ufeff") if number == 1 else text


def check_text(text: str, where: str) -> str:
    """The text itself. JSON can spell half a character, as of an emoji that was cut; UTF-8 cannot.

    Raises:
        UserError: If it has half a character.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = text[error.start].encode("unicode_escape").decode()
        raise UserError(f"{where}: a text has half a character, {half}; it was probably cut. Delete it.") from error
    return text


def blocks(path: Path, size: int = BLOCK) -> Iterator[str]:
    """The text of a file in pieces of up to `size` characters; line ends and zero bytes stay as they are.

    Raises:
        UserError: As `lines`.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    first, line = True, 1
    for block in _byte_blocks(path, size):
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as error:
            raise _not_utf8(path, line + error.object[: error.start].count(b"\n"), error.object) from error
        if first and _wide(block):
            raise _not_text(path, 1, block)
        line += text.count("\n")
        text = text.removeprefix("\ufeff") if first else text
        first = first and not text
        if text:
            yield text
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(path, line, error.object) from error


def suffix(path: Path) -> str:
    """The ending of a file's name in lower case, `.gz` apart: `.csv` of `reviews.CSV.gz`."""
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def visible(folder: Path, pattern: str = "*") -> list[Path]:
    """What a folder has, sorted, without what is hidden: `__MACOSX`, names that begin with a dot, and all within them.

    Args:
        folder: The folder.
        pattern: Of `Path.glob`; `"**/*"` also gives what its subfolders have.
    """
    found = sorted(folder.glob(pattern))
    return [item for item in found if not any(map(_is_hidden, item.relative_to(folder).parts))]


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def digest(path: Path) -> str:
    """SHA-256 of a file as it lies on the disk, read block by block."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            state.update(block)
    return state.hexdigest()


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def _byte_blocks(path: Path, size: int = BLOCK) -> Iterator[bytes]:
    """The content of a file, decompressed.

    Raises:
        UserError: If it cannot be read, is no regular file, or begins with the mark of another encoding.
    """
    if not path.is_file():  # a pipe or a device would be waited for
        raise UserError(f"{path} is {'a folder' if path.is_dir() else 'no regular file'}. Give a file.")
    try:
        with _open(path) as stream:
            first = True
            while block := stream.read(size):
                if first:
                    _check_mark(path, block)
                    first = False
                yield block
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{path} cannot be read: {reason}.") from error


def _byte_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, by line feeds, or by carriage returns if the first block has no line feed."""
    end, rest = b"", b""
    for block in _byte_blocks(path):
        rest += block
        if not end:
            end = b"\r" if b"\r" in rest and b"\n" not in rest else b"\n"
        *whole, rest = rest.split(end)
        yield from (line + end for line in whole)
    if rest:
        yield rest


def _check_mark(path: Path, block: bytes) -> None:
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if block.startswith(mark):
            raise UserError(f"{path} is {encoding}, not UTF-8. {_convert(path, encoding)}")
    for start, what in SIGNATURES.items():
        if block.startswith(start):
            raise UserError(f"{path} is {what}.")


def _not_utf8(path: Path, number: int, content: bytes) -> UserError:
    # Bytes from 0x80 to 0x9f are control characters in ISO 8859-1, but letters and quotation marks in Windows-1252.
    encoding = "WINDOWS-1252" if any(0x80 <= byte <= 0x9F for byte in content) else "ISO-8859-1"
    return UserError(
        f"{path}, line {number:,}: not UTF-8; it may be {encoding}, or no text at all. {_convert(path, encoding)}"
    )


def _wide(content: bytes) -> str:
    """The encoding of text whose every other byte is zero: UTF-16 without a mark; empty for any other."""
    zeros = [place % 2 for place, byte in enumerate(content[:400]) if byte == 0]
    if len(zeros) <= len(content[:400]) // 4 or len(set(zeros)) != 1:
        return ""
    return "UTF-16LE" if zeros[0] else "UTF-16BE"


def _not_text(path: Path, number: int, content: bytes) -> UserError:
    if encoding := _wide(content):
        return UserError(f"{path} is {encoding}, not UTF-8. {_convert(path, encoding)}")
    return UserError(f"{path}, line {number:,}: it has a zero byte, so it is no text file. Give text in UTF-8.")


def _convert(path: Path, encoding: str) -> str:
    return f"Convert it: iconv -f {encoding} -t UTF-8 {path.name!r} > {path.stem}-utf8{path.suffix}"
