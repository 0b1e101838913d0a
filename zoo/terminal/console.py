"""Text that comes in and goes out: arguments that are no UTF-8, control characters, streams that are closed or full."""

import codecs
import contextlib
import errno
import io
import os
import re
import select
import shutil
import sys
from collections import deque
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


def has_color(stream: Any) -> bool:
    """Whether a stream is a terminal that shows colors, and the user has not turned them off (no-color.org)."""
    is_terminal = stream is not None and stream.isatty()
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Characters of a line of the terminal; 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def complain(sentence: str, prefix: str = "Error: ") -> None:
    """Prints an error on standard error, its prefix in red where there are colors."""
    shown = click.style(prefix, fg="red", bold=True) if prefix and has_color(sys.stderr) else prefix
    click.echo(f"{shown}{printable(sentence)}", err=True, color=has_color(sys.stderr))


PROMPT = "> "


def prompted_lines() -> Iterator[str]:
    """Lines that a user types, each after a prompt; white lines are passed over. The end of the input ends it."""
    editing = sys.stdin.isatty() and sys.stdout.isatty()
    if editing:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  arrow keys, history, and lines of more than 4,095 characters
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    while True:
        try:
            line = input(PROMPT) if editing else _typed()
        except EOFError:
            click.echo(err=True)
            return
        if line.strip():
            yield _decoded(line)


def _typed() -> str:
    """A line of standard input; its prompt goes to standard error, since the output goes elsewhere."""
    click.echo(PROMPT, err=True, nl=False)
    line = sys.stdin.buffer.readline(LONGEST_LINE)
    if not line:
        raise EOFError
    return line.decode("utf-8", "replace").rstrip("\r\n")


WAIT = 0.01
"""Seconds that a batch waits for its next line: a pipe that is slower gets its answers line by line."""

READ_AT_ONCE = 1 << 20
"""Bytes that are read together."""


def input_lines(what: str) -> "Lines":
    """The lines of standard input.

    Args:
        what: What is read, for errors.

    Raises:
        UserError: If it is closed.
    """
    if sys.stdin is None:
        raise UserError(f"Standard input is closed, and there are no inputs for {what} among the arguments: give some.")
    return Lines(sys.stdin.buffer)


class Lines:
    """The lines of a stream as they come, without their ends; bytes that are no UTF-8 become U+FFFD.

    Args:
        stream: The stream.

    Raises:
        UserError: If it cannot be read, is in another encoding, or has a line that is too long.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._lines: deque[bytes] = deque()
        self._rest, self._started, self._ended = b"", False, False
        self._stream, self._descriptor = stream, _descriptor(stream)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not self._lines:
            if self._ended:
                raise StopIteration
            self._read()
        line = self._lines.popleft()
        first, self._started = not self._started, True
        if first:
            _check_encoding(line)
        return line.decode("utf-8-sig" if first else "utf-8", "replace").rstrip("\r\n")

    def ready(self) -> bool:
        """Whether the next line, or the end, is there, or comes in a moment."""
        while not self._lines and not self._ended:
            if self._descriptor is not None and not select.select([self._descriptor], [], [], WAIT)[0]:
                return False
            self._read()
        return True

    def _read(self) -> None:
        try:
            if self._descriptor is None:
                new = self._stream.read(READ_AT_ONCE)
            else:
                new = os.read(self._descriptor, READ_AT_ONCE)
        except OSError as error:
            raise UserError(f"Standard input cannot be read: {error.strerror}.") from error
        *lines, self._rest = (self._rest + new).split(b"\n")
        self._lines.extend(lines)
        if not new:
            self._ended = True
            if self._rest:
                self._lines.append(self._rest)
        if max(map(len, [*lines, self._rest])) > LONGEST_LINE:
            raise UserError(f"Standard input has a line of more than {LONGEST_LINE:,} bytes. Split it.")


def _descriptor(stream: BinaryIO) -> int | None:
    """The number of a stream that can be waited for; None for one in memory, and on Windows."""
    try:
        number = stream.fileno()
        select.select([number], [], [], 0)
    except (OSError, ValueError):
        return None
    return number


def _check_encoding(line: bytes) -> None:
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if line.startswith(mark):
            raise UserError(f"Standard input is {encoding}, not UTF-8. Send it through iconv -f {encoding}.")


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
