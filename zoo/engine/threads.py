"""Runs jobs side by side, one on each core, with no barrier until all are done.

Kernels let go of the interpreter's lock, so Python threads are enough. The jobs of a call depend on its shapes and on
the number of cores alone: the same input gives the same bits.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from zoo.workers import processes


@functools.cache
def cores() -> int:
    """Threads of a call: what ZOO_ENGINE_THREADS says, else one for each core that this process may use."""
    return max(1, int(os.environ.get("ZOO_ENGINE_THREADS") or processes.cores()))


@functools.cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Threads do not survive a fork: each process has a pool of its own."""
    return ThreadPoolExecutor(max(1, cores() - 1), thread_name_prefix="zoo-engine")


def run(function: Callable, jobs: list[tuple]) -> None:
    """Calls the function with the arguments of each job; the first job runs in the calling thread."""
    waiting: list[Any] = [_pool(os.getpid()).submit(function, *job) for job in jobs[1:]]
    try:
        function(*jobs[0])
    finally:
        for job in waiting:
            job.exception()  # waits: kernels write into arrays that must not go away
    for job in waiting:
        job.result()
