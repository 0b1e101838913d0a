"""Starts the workers of a training on this machine, watches them, and ends all when one fails."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from zoo.terminal import console
from zoo.workers import processes
from zoo.workers.settings import LAUNCHED, free_port

LOST = 75
"""Exit status of a worker that ended because another one did (EX_TEMPFAIL)."""

POLL = 0.1
"""Seconds between two looks at the workers."""

INTERRUPTED = 10.0
"""Seconds in which worker 0 says what is kept, after Ctrl-C."""

GRACE = 8.0
"""Seconds in which the worker that failed first shows itself, after another was lost with it."""


@dataclass
class Worker:
    """A worker under way; worker 0 speaks for itself, what the others say is kept in a file."""

    number: int
    process: subprocess.Popen
    log: Path | None


def launch(arguments: Sequence[str], count: int) -> int:
    """Runs a command by several workers of this machine.

    Args:
        arguments: Those of the `zoo` command, `--workers` included.
        count: Number of workers.

    Returns:
        The exit status: that of the worker that failed, else 0.
    """
    with tempfile.TemporaryDirectory(prefix="zoo-workers-") as folder, ExitStack() as logs:
        coordinator, workers = f"127.0.0.1:{free_port()}", []
        try:
            for number in range(count):
                workers.append(_start(arguments, coordinator, number, count, Path(folder), logs))
            failed = _watch(workers)
        except KeyboardInterrupt:
            return _interrupt(workers)
        finally:
            processes.end([worker.process for worker in workers])
        return 0 if failed is None else _explain(failed, count)


def _start(
    arguments: Sequence[str], coordinator: str, number: int, count: int, folder: Path, logs: ExitStack
) -> Worker:
    command = [sys.executable, "-m", "zoo", *arguments, "--coordinator", coordinator, "--worker-id", str(number)]
    log = folder / f"{number}.log" if number else None
    stream = logs.enter_context(log.open("wb")) if log else None
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=stream,
        stderr=stream,
        env={**processes.environment(count), LAUNCHED: "1"},
        start_new_session=True,  # Ctrl-C in a terminal comes to this process alone, which passes it on
    )
    processes.pin(process, number, count)
    return Worker(number, process, log)


def _interrupt(workers: Sequence[Worker]) -> int:
    """Lets worker 0 say what is kept."""
    if workers:
        workers[0].process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            workers[0].process.wait(INTERRUPTED)
    return 130


def _watch(workers: Sequence[Worker]) -> Worker | None:
    """Waits for all; returns the worker that failed first, as far as that can be told."""
    while True:
        codes = [worker.process.poll() for worker in workers]
        if all(code == 0 for code in codes):
            return None
        if any(codes):
            return _culprit(workers)
        time.sleep(POLL)


def _culprit(workers: Sequence[Worker]) -> Worker:
    """Of the workers that have failed, one that did so by itself: others break off when they lose it.

    JAX ends a process that has lost another by SIGABRT.
    """
    end = time.monotonic() + GRACE
    while True:
        failed = [worker for worker in workers if worker.process.poll()]
        first = [worker for worker in failed if worker.process.returncode not in (LOST, -6)]
        if first or time.monotonic() >= end or len(failed) == len(workers):
            return (first or failed)[0]
        time.sleep(POLL)


def _explain(worker: Worker, count: int) -> int:
    """Says which worker failed and why; worker 0 has said so itself unless it was killed."""
    code, said = worker.process.returncode, ""
    if worker.log:
        said = worker.log.read_text(encoding="utf-8", errors="replace").strip()
    if code == 2 and worker.log:
        console.complain(f"Worker {worker.number}: {processes.last_line(worker.log)}")
    elif code < 0 or code == LOST:
        console.complain(
            f"Worker {worker.number} of {count} {processes.how_it_ended(code)}; all workers have ended. The same "
            "command with --resume goes on from the last whole epoch, if there is one."
        )
    elif said:
        console.echo(said, err=True, lines=True)
        console.complain(f"Worker {worker.number} of {count} failed; all workers have ended.")
    return code if code > 0 and code != LOST else 1


def own_arguments(arguments: Sequence[str]) -> list[str]:
    """The arguments that a user typed, without those that a launcher has added."""
    place = -4 if launched() else len(arguments)
    return list(arguments[:place])


def launched() -> bool:
    """Whether another process has started this one as a worker, and watches it."""
    return bool(os.environ.get(LAUNCHED))
