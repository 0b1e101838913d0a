"""Runs the trainings of a grid side by side, each in a process of its own with as many threads as any other."""

import contextlib
import functools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import cards
from zoo.comparison import grid as grids
from zoo.errors import UserError
from zoo.workers.processes import cores, end, environment, last_line, pin

CORES_PER_PROCESS = 2
"""A small recurrent net gains little from a third core; another process beside it gains all of it."""

WORKER = ("-m", "zoo.comparison.worker")
"""What Python runs for a training."""

POLL = 0.2
"""Seconds between two looks at the processes."""


@dataclass
class Running:
    """A training under way."""

    run: grids.Run
    process: Any
    began: float
    slot: int

    def took(self) -> float:
        """Seconds of it; a process that has waited for its turn says so itself."""
        return getattr(self.process, "seconds", None) or time.monotonic() - self.began


Start = Callable[[grids.Grid, grids.Run, int], Any]
"""`(grid, training, slot) -> process`, which has the methods of `subprocess.Popen` that are used here."""


def default_processes() -> int:
    """Processes side by side where the user names no number."""
    return max(1, cores() // CORES_PER_PROCESS)


@contextlib.contextmanager
def lock(output: Path) -> Iterator[None]:
    """Makes sure that one process at a time works on a grid.

    Raises:
        UserError: If another one does.
    """
    try:
        import fcntl
    except ImportError:  # Windows has other locks: there it is left to the user
        yield
        return
    with (output / ".lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"Another `zoo compare` works on {output}. Wait for it, or choose another --output."
            ) from error
        yield


def run_all(
    grid: grids.Grid,
    processes: int,
    say: Callable[[str], None],
    deadline: float | None = None,
    start: Start | None = None,
    at_once: int | None = None,
) -> dict[grids.Run, str]:
    """Runs what is left of a grid.

    Args:
        grid: The grid, whose `grid.json` is written.
        processes: Trainings side by side.
        say: Takes lines on progress.
        deadline: A time of `time.monotonic`, after which no training is begun.
        start: Starts a training; default in a process of this machine.
        at_once: Trainings that are started without waiting for others, where somebody else lets them wait.

    Returns:
        The trainings that failed, each with the last line it said.

    Raises:
        UserError: If a finished training has other settings, or another process works on the grid.
        KeyboardInterrupt: After all processes were ended; what they had finished is kept.
    """
    todo = [run for run in grid.runs() if grids.finished(grid, run) is None or not grids.is_scored(grid, run)]
    count = len(grid.runs())
    if len(todo) < count:
        say(f"{count - len(todo)} of {count} trainings are finished already.")
    failed: dict[grids.Run, str] = {}
    running: list[Running] = []
    spent: list[float] = []
    start = start or functools.partial(_start, processes)
    with lock(grid.output):
        try:
            while todo or running:
                late = deadline is not None and time.monotonic() >= deadline
                while todo and len(running) < (at_once or processes) and not late:
                    running.append(_started(grid, todo.pop(0), start, running, say))
                if late and not running:
                    say(f"Stopping: the time is used up; {len(todo)} of {count} trainings are left.")
                    break
                time.sleep(POLL)
                for item in [item for item in running if item.process.poll() is not None]:
                    running.remove(item)
                    spent.append(item.took())
                    _report(grid, item, failed, say)
                    _say_left(len(todo) + len(running), spent, processes, say)
        finally:
            end(item.process for item in running)
    return failed


def _started(
    grid: grids.Grid, run: grids.Run, start: Start, running: Sequence[Running], say: Callable[[str], None]
) -> Running:
    """A training that has been started, in the first slot that is free."""
    say(f"{run.name}: {'resumed' if grids.begun(grid, run) else 'started'}.")
    taken = {item.slot for item in running}
    slot = next(number for number in range(len(taken) + 1) if number not in taken)
    return Running(run, start(grid, run, slot), time.monotonic(), slot)


def _start(processes: int, grid: grids.Grid, run: grids.Run, slot: int) -> subprocess.Popen:
    process = open_process(WORKER, grid.output, run, environment(processes))
    pin(process, slot, processes)
    return process


def open_process(worker: Sequence[str], output: Path, run: grids.Run, environment: dict[str, str]) -> subprocess.Popen:
    """A training of a grid in a process of its own, which ends with this one."""
    log = grids.log(output, run)
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, *worker, str(output), run.cell, str(run.seed)]
    with log.open("ab") as stream:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stream, stderr=stream, env=environment)


def _report(grid: grids.Grid, item: Running, failed: dict[grids.Run, str], say: Callable[[str], None]) -> None:
    """Says how a training ended."""
    if item.process.stdin:
        item.process.stdin.close()
    if item.process.returncode == 0:
        summary = cards.summarize(grid.path(item.run))
        scores, monitor = summary.metrics["scores"], summary.metrics["monitor"]
        shown = ", ".join(
            f"{split} {cards.number(scores[split][monitor])}" for split in scores if monitor in scores[split]
        )
        say(f"{item.run.name}: {monitor}: {shown}; {item.took() / 60:.1f} minutes in all.")
        return
    failed[item.run] = last_line(grid.log(item.run)) or f"it ended with {item.process.returncode}"
    say(f"{item.run.name} failed: {failed[item.run]} (the whole of it: {grid.log(item.run)})")


def _say_left(left: int, spent: Sequence[float], processes: int, say: Callable[[str], None]) -> None:
    if left:
        minutes = left * sum(spent) / len(spent) / processes / 60
        say(f"{left} trainings left, about {minutes:.0f} minutes." if left > 1 else "One training left.")
