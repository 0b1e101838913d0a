"""What a training shows on standard error: bars in a terminal that can move its cursor, plain lines elsewhere.

Bars are drawn by the main thread alone, between batches: another thread might collect an iterator of `tf.data`, which
ends in a deadlock (`zoo.training.stages.validate`).
"""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from zoo.evaluation import Advance
from zoo.terminal import console

SECONDS_PER_LINE = 30
"""How often a training reports where it is when standard error is no terminal."""

SECONDS_PER_FRAME = 0.1
"""How often a bar is drawn at most."""

BAR_WIDTH = 12
"""Characters of a bar: with the words beside it, a line fits 80."""


_silent = False


def silence() -> None:
    """From now on nothing is shown in this process: another one speaks for it."""
    global _silent
    _silent = True


def say(text: str) -> None:
    """Logs go to standard error. If that is closed or full, the training goes on without."""
    if _silent:
        return
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def bar(what: str, total: int | None, note: str = "") -> Iterator[Advance]:
    """Shows how far something is.

    Args:
        what: Its name.
        total: Examples in all, if that is known.
        note: Words beside the bar at first.
    """
    if _silent or not console.has_color(sys.stderr):
        yield _reporter(what, total)
        return
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(BAR_WIDTH), TaskProgressColumn(), TextColumn("{task.fields[note]}"),
        console=Console(file=sys.stderr), auto_refresh=False, transient=True, redirect_stdout=False,
    )  # fmt: skip
    for column in progress.columns:
        column.get_table_column().no_wrap = True  # type: ignore[union-attr]
    with progress:
        yield _drawer(progress, progress.add_task(what, total=total, note=note))


def _drawer(progress: Progress, task: Any) -> Advance:
    drawn = 0.0
    progress.refresh()

    def advance(done: int, note: Callable[[], str] = str) -> None:
        nonlocal drawn
        total = progress.tasks[0].total
        done = done if total is None else min(done, int(total))
        now = time.monotonic()
        if now - drawn >= SECONDS_PER_FRAME or done == total:
            drawn = now
            progress.update(task, completed=done, note=note())
            progress.refresh()

    return advance


def _reporter(what: str, total: int | None) -> Advance:
    reported = time.monotonic()

    def advance(done: int, note: Callable[[], str] = str) -> None:
        nonlocal reported
        now = time.monotonic()
        if now - reported >= SECONDS_PER_LINE:
            reported = now
            say(f"{what}: {done:,}{f' of {total:,}' if total else ''} examples  {note()}".rstrip())

    return advance


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C takes effect at the end: within a callback of the garbage collector, Python would only print it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *given: came.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
    if came:
        signal.raise_signal(signal.SIGINT)


def clock(seconds: float) -> str:
    """A time as `m:ss`, or `h:mm:ss`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Table:
    """One row per epoch, in columns that fit 80 characters.

    Args:
        epochs: How many there will be at most.
        monitor: The score by which epochs are compared.
    """

    def __init__(self, epochs: int, monitor: str) -> None:
        score = f"validation {monitor}"
        self.titles = ("epoch", "loss", score, "examples/s", "time")
        self.widths = (max(2 * len(str(epochs)) + 1, 5), 8, max(len(score), 10), 10, 7)

    def head(self) -> str:
        """The names of the columns."""
        return self._line(*self.titles)

    def row(self, epoch: str, loss: str, score: str, rate: float, seconds: float, best: bool) -> str:
        """The line of an epoch; `best` marks the best one so far."""
        return self._line(epoch, loss, score, f"{rate:,.0f}", clock(seconds)) + ("  best" if best else "")

    def _line(self, *texts: str) -> str:
        return "  ".join(text.rjust(width) for text, width in zip(texts, self.widths, strict=True))
