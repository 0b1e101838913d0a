"""Runs the trainings of a grid on a Ray cluster: Ray decides where and when, the trainings are the same processes.

All machines of the cluster see the grid's folder, so a training that is interrupted on one goes on on another.
"""

import importlib.util
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from zoo.comparison import grid as grids
from zoo.comparison import processes
from zoo.errors import UserError
from zoo.workers.processes import THREADS, cores

LOCAL = "local"
"""The word for a Ray of this machine that ends with the command."""

RETRIES = 3
"""How often Ray runs a training again whose machine was lost; it goes on from its last whole epoch."""

UNSEEN = 71
"""Exit status of a training whose machine does not see the grid's folder (EX_OSERR)."""


def check(address: str, count: int | None) -> None:
    """Refuses what cannot run, before anything is trained.

    Raises:
        UserError: If Ray is not installed, or options do not go together.
    """
    if importlib.util.find_spec("ray") is None:
        raise UserError("--ray needs a package that is not installed: pip install 'zoo[ray]'.")
    if count and address != LOCAL:
        raise UserError("--processes is for this machine; the cluster at --ray says itself how many it can run.")


def run_all(grid: grids.Grid, address: str, slots: int, say: Callable[[str], None]) -> dict[grids.Run, str]:
    """Runs what is left of a grid on Ray; see `processes.run_all`.

    Args:
        grid: The grid, whose `grid.json` is written.
        address: Of the cluster, or `"local"`.
        slots: Trainings side by side on a local Ray.
        say: Takes lines on progress.

    Raises:
        UserError: If the cluster is not reached.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # tasks without GPUs leave CUDA's variables alone
    import ray

    quiet: dict[str, Any] = {"include_dashboard": False, "num_cpus": slots} if address == LOCAL else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise UserError(f"The Ray cluster at {address} was not reached: {reason}") from error
    try:
        wide = 1 if address == LOCAL else processes.CORES_PER_PROCESS
        threads = max(1, cores() // slots) if address == LOCAL else wide
        submit = ray.remote(num_cpus=wide, max_retries=RETRIES)(train)
        able = max(1, int(ray.cluster_resources().get("CPU", wide)) // wide)

        def start(grid: grids.Grid, run: grids.Run, slot: int) -> Trial:
            return Trial(submit.remote(processes.WORKER, str(grid.output.resolve()), run, threads), grid.log(run))

        return processes.run_all(grid, able, say, start=start, at_once=len(grid.runs()))
    finally:
        ray.shutdown()


def train(worker: Sequence[str], output: str, run: grids.Run, threads: int) -> tuple[int, float]:
    """One training, on whatever machine Ray has chosen; returns its exit status and its seconds."""
    began = time.monotonic()
    if not Path(output, grids.GRID).is_file():
        return UNSEEN, 0.0
    environment = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
    process = processes.open_process(worker, Path(output), run, environment)
    try:
        return process.wait(), time.monotonic() - began
    finally:
        process.kill()


class Trial:
    """A training on Ray, as `processes.run_all` looks at one.

    Args:
        reference: Ray's promise of its result.
        log: Its log.
    """

    stdin = None

    def __init__(self, reference: Any, log: Path) -> None:
        self.reference, self.log = reference, log
        self.returncode: int | None = None
        self.seconds: float | None = None

    def poll(self) -> int | None:
        """Its exit status, as soon as there is one."""
        import ray

        if self.returncode is None and ray.wait([self.reference], timeout=0)[0]:
            try:
                self.returncode, self.seconds = ray.get(self.reference)
                if self.returncode == UNSEEN:
                    self._say(f"A machine of the cluster does not see {self.log.parents[1]}: share it, or choose an "
                              "--output that all of them see.")  # fmt: skip
            except ray.exceptions.RayError as error:
                self.returncode = 1
                self._say(f"Ray has lost the training: {str(error).strip().splitlines()[0][:200]}")
        return self.returncode

    def _say(self, sentence: str) -> None:
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("a", encoding="utf-8") as stream:
            stream.write(f"{sentence}\n")

    def terminate(self) -> None:
        """Ends it; its process ends with the one of Ray that has started it."""
        import ray

        ray.cancel(self.reference, force=True)

    kill = terminate

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end."""
        import ray

        ray.wait([self.reference], timeout=timeout)
        return self.poll() or 0
