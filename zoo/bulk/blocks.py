"""Files of lines cut into blocks, and the folder that keeps what is answered.

    <output>/  .zoo/manifest.json  .zoo/0-000000 .zoo/0-000001 ...  a.txt b.txt ...

Where a block begins depends on the lines alone, never on who answers it. A block that is answered is a file in `.zoo`,
moved there by a rename, so it is whole; when all blocks of an input are, they become one file of the input's name.
"""

import codecs
import dataclasses
import glob
import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from zoo.data.files import BYTE_ORDER_MARKS, digest
from zoo.errors import UserError
from zoo.settings import differences
from zoo.terminal.console import LONGEST_LINE

LINES = 512
"""Lines of a block: a few seconds of work, and enough to sort by length."""

BYTES = 1 << 20
"""Bytes after which a block ends, however few lines it has: the memory of a worker stays small."""

STATE = ".zoo"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Block:
    """Some lines of an input.

    Attributes:
        file: Where its answers go.
        lines: The lines, without their ends.
    """

    file: Path
    lines: list[str]


@dataclass(frozen=True)
class Job:
    """What is answered, by what: a folder of answers belongs to one job.

    Attributes:
        task: Name of the task.
        model: Folder of the model.
        weights: SHA-256 of its settings and weights.
        runtime: What runs it.
        backend: The backend of Keras that was asked for.
        settings: Settings of the prediction that the user gave.
        inputs: The files, each as path, size and time of its last change.
    """

    task: str
    model: str
    weights: str
    runtime: str
    backend: str | None
    settings: Mapping[str, Any]
    inputs: Sequence[Sequence[Any]]


def find(pattern: str) -> list[Path]:
    """The files that a path or a pattern such as `corpus/*.txt.gz` names, in order.

    Raises:
        UserError: If there is none, or two of them have the same name.
    """
    path = Path(pattern)
    found = [path] if path.exists() else sorted(map(Path, glob.glob(pattern, recursive=True)))
    found = [item for item in found if item.is_file()]
    if not found:
        what = "is a folder: name its files, such as" if path.is_dir() else "names no file. Give one, or a pattern:"
        raise UserError(f"--input {pattern} {what} '{path}/*.txt'.")
    names = [output_name(item) for item in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"--input {pattern} names several files whose answers would be {twice}. Give one folder a run.")
    return found


def output_name(path: Path) -> str:
    """The name of the file of answers: that of the input, without `.gz`."""
    return path.stem if path.suffix.lower() == ".gz" else path.name


def described(path: Path) -> tuple[str, int, int]:
    """What a file is known by: reading all of it would take as long as a run of a small model."""
    state = path.stat()
    return str(path.resolve()), state.st_size, state.st_mtime_ns


def weights_digest(model: Path) -> str:
    """SHA-256 over all files of a model's folder that decide what it answers."""
    state = hashlib.sha256()
    for path in sorted(item for item in model.rglob("*") if item.suffix in (".keras", ".json", ".onnx", ".npz")):
        state.update(f"{path.relative_to(model)} {digest(path)}\n".encode())
    return state.hexdigest()


class Folder:
    """The folder of the answers.

    Args:
        output: The folder, new, empty, or of the same job.
        job: What is answered.

    Raises:
        UserError: If it has something else in it.
    """

    def __init__(self, output: Path, job: Job) -> None:
        self.output, self.state, self.job = output, output / STATE, job
        self.inputs = [Path(path) for path, *_ in job.inputs]
        manifest = self.state / MANIFEST
        try:
            if manifest.exists():
                self._check(json.loads(manifest.read_text(encoding="utf-8")))
            elif output.exists() and (not output.is_dir() or any(output.iterdir())):
                raise UserError(
                    f"{output} is not empty, and no interrupted run of this command. Choose a new --output."
                )
            else:
                self.state.mkdir(parents=True, exist_ok=True)
                text = json.dumps(dataclasses.asdict(job), ensure_ascii=False, indent=1)
                _replace(manifest, text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise UserError(f"{output} cannot be written: {error.strerror}. Choose another --output.") from error

    def _check(self, stored: dict[str, Any]) -> None:
        """Refuses to go on with other inputs, another model or other settings."""
        before, now = (json.loads(json.dumps(item)) for item in (stored, dataclasses.asdict(self.job)))
        if before != now:
            changed = "another version's"
            if before.keys() == now.keys():
                changed = ", ".join(differences(Job(**before), Job(**now)))[:300]
            raise UserError(
                f"{self.output} has answers of another run ({changed}). Repeat that one, or choose a new --output."
            )

    def answers(self, number: int) -> Path:
        """The whole file of answers to an input."""
        return self.output / output_name(self.inputs[number])

    def block(self, number: int, block: int) -> Path:
        """The file of answers to a block of an input."""
        return self.state / f"{number}-{block:06}"

    def open_blocks(self) -> Iterator[tuple[int, Block]]:
        """The blocks that are not answered yet, each with the number of its input; inputs are read as a stream."""
        for number, path in enumerate(self.inputs):
            if self.answers(number).exists():
                continue
            for count, lines in enumerate(blocks(path)):
                if not self.block(number, count).exists():
                    yield number, Block(self.block(number, count), lines)

    def join(self, number: int) -> Path:
        """Makes one file of the blocks of an input, all of which are answered; returns it."""
        whole = self.answers(number)
        if not whole.exists():
            new = self.state / f"{number}.new"
            with new.open("wb") as stream:
                for count, _ in enumerate(blocks(self.inputs[number])):
                    with self.block(number, count).open("rb") as answers:
                        shutil.copyfileobj(answers, stream)
            os.replace(new, whole)
        for part in self.state.glob(f"{number}-*"):  # also those that a kill has left
            part.unlink()
        return whole


def blocks(path: Path) -> Iterator[list[str]]:
    """The lines of a file in blocks."""
    block: list[str] = []
    size = 0
    for line in _lines(path):
        block.append(line)
        size += len(line)
        if len(block) == LINES or size >= BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _lines(path: Path) -> Iterator[str]:
    """Lines as standard input gives them: without their ends; bytes that are no UTF-8 become U+FFFD."""
    try:
        with _open(path) as stream:
            for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE + 1), b"")):
                if number == 0:
                    line = _first(line, path)
                if len(line) > LONGEST_LINE:
                    raise UserError(f"{path}: line {number + 1} has more than {LONGEST_LINE:,} bytes. Split it.")
                yield line.decode("utf-8", "replace").rstrip("\r\n")
    except (OSError, EOFError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from error


def _first(line: bytes, path: Path) -> bytes:
    """The first line without a byte order mark; refuses a file in another encoding or with other line ends."""
    for mark, name in BYTE_ORDER_MARKS.items():
        if line.startswith(mark):
            raise UserError(f"{path} is in {name}, not in UTF-8: iconv -f {name} -t UTF-8 converts it.")
    if b"\r" in line.rstrip(b"\r\n") and not line.endswith(b"\n"):
        raise UserError(f"{path} ends its lines with carriage returns alone: tr '\\r' '\\n' < FILE converts it.")
    return line.removeprefix(codecs.BOM_UTF8)


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def write_block(file: Path, answers: Sequence[str]) -> None:
    """Keeps the answers to a block."""
    _replace(file, "".join(f"{answer}\n" for answer in answers).encode("utf-8"))


def _replace(file: Path, content: bytes) -> None:
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())  # a rename may reach the disk before the content does
    os.replace(new, file)
