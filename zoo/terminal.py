"""Text that comes in and goes out: arguments that are no UTF-8, control characters, streams that are closed or full."""

import codecs
import contextlib
import errno
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import click

from zoo.data.files import BYTE_ORDER_MARKS
from zoo.errors import UserError

LONGEST_LINE = 10_000_000
"""Bytes of the longest line of standard input."""

ESCAPE = "zoo.escape"
"""Name of the error handler that writes what a stream's encoding lacks as `\\uXXXX`, which JSON reads back."""

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSAFE_IN_LINE = re.compile("[\x00-\x08\n-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r"}


def printable(text: str, lines: bool = False) -> str:
    r"""A text without characters that move the cursor, change colors, end a line, or cannot be encoded.

    They become `\\n`, `\\r` or `\\uXXXX`; within a line of JSON this changes nothing of what it says. Tabs stay.

    Args:
        text: The text.
        lines: Whether it may have several lines, so that line feeds stay.
    """
    return (_UNSAFE if lines else _UNSAFE_IN_LINE).sub(lambda found: _escaped(found.group()), text)


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 1 << 16:
        return _SHORT.get(character, f"\\u{code:04x}")
    code -= 1 << 16  # JSON writes characters beyond the 16-bit range as two halves
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_escaped, error.object[error.start : error.end])), error.end


codecs.register_error(ESCAPE, _escape)


def echo(text: str, *, err: bool = False, nl: bool = True, lines: bool = False) -> None:
    """Prints a text, `printable`, at once.

    Args:
        text: The text.
        err: Print to standard error, not to standard output.
        nl: End it with a line feed.
        lines: As for `printable`.
    """
    click.echo(printable(text, lines), err=err, nl=nl)


def readable(arguments: Iterable[str]) -> list[str]:
    """Arguments as text. Bytes that are no UTF-8 become U+FFFD, as in standard input; names of files stay as they are.

    Python has such bytes as lone surrogates (PEP 383), which no tokenizer and no output takes.
    """
    return [arg if arg.isascii() or os.path.lexists(arg) else _decoded(arg) for arg in arguments]


def _decoded(argument: str) -> str:
    clean = re.sub("[\ud800-\udc7f\udd00-\udfff]", "\ufffd", argument)  # surrogates that stand for no byte
    return clean.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def input_lines(what: str) -> Iterator[str]:
    """The lines of standard input, as they come, without their ends; bytes that are no UTF-8 become U+FFFD.

    Args:
        what: What is read, for a note where the input comes from a keyboard.

    Raises:
        UserError: If it is closed, in another encoding, or has a line that is too long.
    """
    if sys.stdin is None:
        raise UserError("Standard input is closed, and there are no inputs among the arguments: give some.")
    if sys.stdin.isatty():
        echo(f"Reading inputs for {what} from the keyboard, one per line; Ctrl-D ends.", err=True)
    try:
        for number, line in enumerate(_byte_lines(sys.stdin.buffer), 1):
            yield line.decode("utf-8-sig" if number == 1 else "utf-8", "replace").rstrip("\r\n")
    except OSError as error:
        raise UserError(f"Standard input cannot be read: {error.strerror}.") from error


def _byte_lines(stream: BinaryIO) -> Iterator[bytes]:
    first = True
    while line := stream.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise UserError(f"Standard input has a line of more than {LONGEST_LINE:,} bytes. Split it.")
        if first:
            for mark, encoding in BYTE_ORDER_MARKS.items():
                if line.startswith(mark):
                    raise UserError(f"Standard input is {encoding}, not UTF-8. Send it through iconv -f {encoding}.")
            first = False
        yield line


class _Closed(io.TextIOBase):
    """Standard output that the program was started without."""

    encoding, errors = "utf-8", "strict"

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "it is closed")


class _Lenient(io.TextIOWrapper):
    """Standard error that takes no notice of a full disk: what cannot be logged stops no training."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


def prepare() -> None:
    """Makes the standard streams of this process safe: none is missing, and none fails for what it cannot encode."""
    for number in range(3):
        _occupy(number)
    if sys.stdout is None:
        sys.stdout = _Closed()
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=ESCAPE)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  for as long as the process lives
    elif sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        # Unbuffered below: what is left in a buffer fails again when the interpreter ends.
        raw: Any = getattr(sys.stderr.buffer, "raw", sys.stderr.buffer)
        sys.stderr = _Lenient(raw, sys.stderr.encoding, ESCAPE, line_buffering=True, write_through=True)


def _occupy(number: int) -> None:
    """Opens a standard stream that is closed on nothing: the next file would get its number, and log lines with it."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


def output_failure() -> str | None:
    """Why standard output takes nothing; None if it does. What was to be written is thrown away if it does not."""
    try:
        sys.stdout.write("")
        sys.stdout.flush()
    except OSError as error:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.close(nothing)
        if isinstance(sys.stdout, _Closed):
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  for as long as the process lives
        return error.strerror or str(error)
    return None
