"""A newcomer's path, typed into a terminal of 80 x 24: train, interrupt, resume, ask. All that is shown is ours."""

import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

fcntl = pytest.importorskip("fcntl")
pty = pytest.importorskip("pty")
termios = pytest.importorskip("termios")

WIDTH, HEIGHT = 80, 24
PATIENCE = 240
"""Seconds after which a test gives up waiting for the next line."""

TRAIN = [
    "train", "sentiment", "--dataset", "films.csv", "--name", "first", "--units", "2", "--embedding-dim", "2",
    "--batch-size", "16", "--patience", "0", "--no-plot",
]  # fmt: skip

OURS = (
    r"Loading .+ \.\.\.", r"films\.csv: .+", r"(data|model|path)   ?\S.*", r" {7,}\S.*",
    r" *epoch +loss +validation accuracy +examples/s +time",
    r" +\d+/\d+ +\d\.\d{4} +\d\.\d{4} +[\d,]+ +\d+:\d\d(  best)?",
    r"(epoch \d+/\d+|validation|test) [━╸╺ ]+\s*\d+%.*", r"Compiling kernels, once on this machine: about \d+ s\.",
    r"Kept: epoch \d+ of the stage 'train'\. The same command with --resume goes on\.",
    r"  zoo train .+", r"Interrupted\.", r"\^C", r"Resuming after epoch \d+ of \d+\.",
    r"Examples of the test split:", r"(input|answer|truth)   ?\S.*",
    r"Scoring the test split, once\.", r"Time: \d+:\d\d: .+", r"saved_models/first", r"test \w+ +\d\.\d{4}  .+",
    r"Stopping: the [\d.e-]+ minutes of --max-minutes are used up\.",
    r"Try it: zoo sentiment --model first 'a fine film'",
    r"Type texts, one per line; Ctrl-D ends\.", r">.*", r"(no|yes)\t\d\.\d{3}",
)  # fmt: skip
"""What a line may be."""

PROMPTED = r"\n[^\n]*> $"
"""Where the next line can be typed."""

COUNTLESS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")
"""Sequences that move the cursor or change colors."""


class Terminal:
    """A command of ours in a terminal, as one types it."""

    def __init__(self, *words: str) -> None:
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
            os.environ.update(TERM="xterm-256color", PYTHONPATH=os.pathsep.join(sys.path))
            for name in ("NO_COLOR", "COLUMNS", "LINES"):
                os.environ.pop(name, None)
            os.execv(sys.executable, [sys.executable, "-m", "zoo", *words])
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.written = ""

    def until(self, pattern: str) -> None:
        """Reads until the text after what was found before has a pattern."""
        began = time.monotonic()
        start = len(self.written)
        while not re.search(pattern, self.written[start:]):
            assert time.monotonic() - began < PATIENCE, f"{pattern!r} is not in {self.written!r}"
            assert self._read(), f"it ended without {pattern!r}: {self.written!r}"

    def _read(self) -> bool:
        if not select.select([self.descriptor], [], [], 1)[0]:
            return True
        try:
            new = os.read(self.descriptor, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self.written += new.decode("utf-8", "replace")
        return bool(new)

    def type(self, text: str) -> None:
        """Types a text."""
        os.write(self.descriptor, text.encode())

    def end(self) -> int:
        """Reads what is left; returns the exit code."""
        began = time.monotonic()
        while self._read():
            assert time.monotonic() - began < PATIENCE, self.written
        _, status = os.waitpid(self.process, 0)
        self.process = 0
        return os.waitstatus_to_exitcode(status)

    def lines(self) -> Iterator[str]:
        """All lines that were ever shown, those that were drawn over included."""
        for line in re.split(r"[\r\n]+", self.written):
            text = COUNTLESS.sub("", line).rstrip()
            if text:
                yield text

    def check(self) -> None:
        """Every line is one of ours, and fits."""
        foreign = [line for line in self.lines() if not any(re.fullmatch(pattern, line) for pattern in OURS)]
        assert foreign == []
        assert [
            line
            for line in self.lines()
            if len(line.removesuffix("^C").expandtabs()) > WIDTH and not line.startswith("  zoo")
        ] == []


@pytest.fixture
def terminal() -> Iterator[type[Terminal]]:
    """Terminals; what still runs in them at the end is ended."""
    opened: list[Terminal] = []

    class Kept(Terminal):
        def __init__(self, *words: str) -> None:
            super().__init__(*words)
            opened.append(self)

    yield Kept
    for item in opened:
        if item.process:
            os.kill(item.process, signal.SIGKILL)
            os.waitpid(item.process, 0)
        os.close(item.descriptor)


def test_train_interrupt_resume_and_ask(terminal: type[Terminal]) -> None:
    rows = [f"{'good' if i % 2 else 'bad'} film number {i},{'yes' if i % 2 else 'no'}" for i in range(1_600)]
    Path("films.csv").write_text("text,label\n" + "\n".join(rows) + "\n")

    first = terminal(*TRAIN, "--epochs", "10000")
    first.until(r" 2/10000 .* left")
    first.type("\x03")
    assert first.end() == 130
    assert "left" not in first.written.partition("  best")[0], "before the first epoch has ended nobody can know"
    assert "Kept: epoch" in first.written
    assert "--resume" in first.written
    first.check()

    second = terminal(*TRAIN, "--epochs", "10000", "--resume", "--max-minutes", "0.0001")
    assert second.end() == 0, second.written
    assert "Resuming after epoch" in second.written
    assert "fraction of right answers" in second.written
    second.check()
    assert Path("saved_models/first/history.csv").is_file()

    third = terminal("sentiment", "--model", "first")
    third.until(PROMPTED)
    for text in ("a good film", "", "a bad film"):
        third.type(f"{text}\n")
        third.until(PROMPTED)  # what is typed before the prompt is there, the terminal takes for itself
    third.type("\x04")
    assert third.end() == 0, third.written
    third.check()
    assert len(re.findall(r"(no|yes)\t\d\.\d{3}", third.written)) == 2


def test_the_first_line_comes_before_tensorflow() -> None:
    """Half a second is promised for a quiet machine; what comes before the line is measured in imports here."""
    code = """
import sys
from zoo import cli
from zoo.terminal import environment, console
sys.stderr.isatty = lambda: True
def check(text, **_):
    print(text)
    print([name for name in ("tensorflow", "keras", "numpy", "rich") if name in sys.modules])
    sys.exit()
sys.argv = ["zoo", "sentiment", "x"]
console.prepare = lambda: None
console.echo = check
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["Loading sentiment-gru-imdb ...", "[]"], done.stderr


def test_a_slow_pipe_gets_each_answer_before_the_next_line_is_sent() -> None:
    command = [sys.executable, "-m", "zoo", "sentiment", "--model", "sentiment-gru-reviews", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            for line in ("one", "two"):
                process.stdin.write(f"{line}\n")
                process.stdin.flush()
                assert select.select([process.stdout], [], [], PATIENCE)[0], "no answer came"
                assert f'"input": "{line}"' in process.stdout.readline()
        finally:
            process.kill()
