"""Runs the trainings of a grid side by side, each in a process of its own with as many threads as any other."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo import cards
from zoo.comparison import grid as grids
from zoo.errors import UserError
from zoo.workers.processes import cores, end, environment, last_line

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
    process: subprocess.Popen
    began: float


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
    grid: grids.Grid, processes: int, say: Callable[[str], None], deadline: float | None = None
) -> dict[grids.Run, str]:
    """Runs what is left of a grid.

    Args:
        grid: The grid, whose `grid.json` is written.
        processes: Trainings side by side.
        say: Takes lines on progress.
        deadline: A time of `time.monotonic`, after which no training is begun.

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
    with lock(grid.output):
        try:
            while todo or running:
                late = deadline is not None and time.monotonic() >= deadline
                while todo and len(running) < processes and not late:
                    running.append(_start(grid, todo.pop(0), processes, say))
                if late and not running:
                    say(f"Stopping: the time is used up; {len(todo)} of {count} trainings are left.")
                    break
                time.sleep(POLL)
                for item in [item for item in running if item.process.poll() is not None]:
                    running.remove(item)
                    spent.append(time.monotonic() - item.began)
                    _report(grid, item, failed, say)
                    _say_left(len(todo) + len(running), spent, processes, say)
        finally:
            end(item.process for item in running)
    return failed


def _start(grid: grids.Grid, run: grids.Run, processes: int, say: Callable[[str], None]) -> Running:
    say(f"{run.name}: {'resumed' if grids.begun(grid, run) else 'started'}.")
    log = grid.log(run)
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, *WORKER, str(grid.output), run.cell, str(run.seed)]
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=stream, stderr=stream, env=environment(processes)
        )
    return Running(run, process, time.monotonic())


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
        say(f"{item.run.name}: {monitor}: {shown}; {(time.monotonic() - item.began) / 60:.1f} minutes in all.")
        return
    failed[item.run] = last_line(grid.log(item.run)) or f"it ended with {item.process.returncode}"
    say(f"{item.run.name} failed: {failed[item.run]} (the whole of it: {grid.log(item.run)})")


def _say_left(left: int, spent: Sequence[float], processes: int, say: Callable[[str], None]) -> None:
    if left:
        minutes = left * sum(spent) / len(spent) / processes / 60
        say(f"{left} trainings left, about {minutes:.0f} minutes." if left > 1 else "One training left.")
