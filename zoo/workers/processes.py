"""Processes on this machine: their share of the cores, how they end with their parent, and what they said last."""

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "ZOO_ENGINE_THREADS",
)
"""Environment variables by which libraries limit their threads; JAX knows none, and counts the cores it may use."""

PATIENCE = 3.0
"""Seconds that a process has to end by itself after it was asked to."""


CGROUP = Path("/sys/fs/cgroup")
"""Where Linux says how much time on its cores a container may use."""


def cores() -> int:
    """Cores that this process may use: by its affinity, and by the quota of its container (`docker run --cpus 2`)."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(count, _quota())))


def _quota() -> float:
    """How many cores' time a container may use, infinite without a limit; cgroups of version 2, then of version 1."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
            quota, period = (float(word) for file in files for word in (CGROUP / file).read_text().split())
            return quota / period if quota > 0 else math.inf
    return math.inf


def environment(processes: int) -> dict[str, str]:
    """The environment of one of several processes: equal shares of the cores."""
    threads = str(max(1, cores() // processes))
    limits = dict.fromkeys(THREADS, threads)
    return {**os.environ, **limits, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}


def pin(process: subprocess.Popen, number: int, processes: int) -> None:
    """Gives a process that has just been started its own cores, if there is one for each.

    Args:
        process: The process.
        number: Which of them it is, from 0 on.
        processes: How many there are.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    mine = sorted(os.sched_getaffinity(0))
    if share := len(mine) // processes:
        _pin(process, mine[number * share : (number + 1) * share])


def pin_to_one(process: subprocess.Popen, number: int) -> None:
    """Gives a process one core, which it shares with others if there are more processes than cores."""
    if hasattr(os, "sched_setaffinity"):
        mine = sorted(os.sched_getaffinity(0))
        _pin(process, [mine[number % len(mine)]])


def unpin() -> None:
    """Lets the threads of this process run on all cores of its parent.

    JAX counts the cores when it starts; after that, a thread that receives a gradient should not have to wait for its
    turn on the core on which another one computes: an all-reduce of 0.5 MB took 4 ms so, and takes 0.5 ms without.
    """
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):  # a thread has ended
            for thread in os.listdir("/proc/self/task"):
                os.sched_setaffinity(int(thread), os.sched_getaffinity(os.getppid()))


def _pin(process: subprocess.Popen, cores: list[int]) -> None:
    with contextlib.suppress(OSError):  # it has ended already
        os.sched_setaffinity(process.pid, cores)


def end_with_parent() -> None:
    """Ends this process when the one that started it ends, even if that is killed.

    Standard input is a pipe that the parent never writes to.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read: it holds a lock that the interpreter wants at its end
    os._exit(1)


def end(processes: Iterable[subprocess.Popen], patience: float = PATIENCE) -> None:
    """Ends processes that are still there: by a signal that can be caught, then by one that cannot."""
    processes = list(processes)
    for process in processes:
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + patience
    for process in processes:
        try:
            process.wait(max(until - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def how_it_ended(code: int) -> str:
    """What an exit status says of an end that was none of its own."""
    if code >= 0:
        return f"ended with exit status {code}"
    try:
        return f"was ended by the signal {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by the signal {-code}"


def last_line(log: Path) -> str:
    """The last line of a log, which is the sentence of an error if there was one."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("Error: ") if lines else ""
