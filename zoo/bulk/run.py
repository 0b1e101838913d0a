"""Answers a job by several processes on this machine, and shows how far it is."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from zoo.bulk.blocks import Block, Folder, Job
from zoo.errors import UserError
from zoo.workers import processes

WORKER = ("-m", "zoo.bulk.worker")
"""What Python runs for a worker."""

SECONDS_PER_LINE = 10.0
"""How often the progress is reported."""


class Pool:
    """Workers, each with a thread here that hands it one block after another.

    Args:
        folder: The folder of the answers.
        count: Workers at most.
    """

    def __init__(self, folder: Folder, count: int) -> None:
        self.folder, self.count = folder, count
        self.running: list[subprocess.Popen] = []
        self.lock, self.ended, self.error = threading.Lock(), False, ""
        self.lines = 0
        self.began = self.reported = time.monotonic()

    def answer(self, open_blocks: Iterator[tuple[int, Block]]) -> None:
        """Answers all blocks.

        Raises:
            UserError: If an input cannot be read, or a worker says what is wrong, or ends.
        """
        threads = [
            threading.Thread(target=self._serve, args=(number, open_blocks), daemon=True)
            for number in range(self.count)
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)  # a wait without an end could not be interrupted
        finally:
            with self.lock:
                self.ended = True
            processes.end(self.running)
            for process in self.running:
                if process.stdout:
                    process.stdout.close()
        if self.error:
            raise UserError(self.error)

    def _serve(self, number: int, open_blocks: Iterator[tuple[int, Block]]) -> None:
        process = None
        while (block := self._next(open_blocks)) is not None:
            process = process or self._start(number)
            if process is None or not self._handed(number, process, block):
                return

    def _next(self, open_blocks: Iterator[tuple[int, Block]]) -> Block | None:
        with self.lock:
            if self.ended:
                return None
            try:
                found = next(open_blocks, None)
            except UserError as error:
                self._fail(str(error))
                return None
            return found[1] if found else None

    def _start(self, number: int) -> subprocess.Popen | None:
        job = self.folder.job
        task = {"task": job.task, "model": job.model, "runtime": job.runtime, "backend": job.backend}
        with self.lock:
            if self.ended:
                return None
            process = subprocess.Popen(
                [sys.executable, *WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
                text=True,
                encoding="utf-8",
            )
            processes.pin_to_one(process, number)
            self.running.append(process)
        self._write(process, {**task, "settings": dict(job.settings)})
        return process

    def _handed(self, number: int, process: subprocess.Popen, block: Block) -> bool:
        """Whether a worker has answered a block."""
        self._write(process, {"file": str(block.file), "lines": block.lines})
        assert process.stdout is not None
        reply = process.stdout.readline()
        with self.lock:
            if not reply:
                self._fail(f"Worker {number} {processes.how_it_ended(process.wait())}.")
                return False
            if error := json.loads(reply).get("error"):
                self._fail(error)
                return False
            self.lines += len(block.lines)
            self._report()
        return True

    def _fail(self, reason: str) -> None:
        if not self.ended:
            self.ended, self.error = True, f"{reason} Finished blocks are kept: the same command goes on."

    @staticmethod
    def _write(process: subprocess.Popen, value: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(value) + "\n")
            process.stdin.flush()
        except OSError:
            pass  # it has ended, which the wait for its reply shows

    def _report(self) -> None:
        now = time.monotonic()
        if now - self.reported >= SECONDS_PER_LINE:
            self.reported = now
            rate = self.lines / (now - self.began)
            click.echo(f"{self.lines:,} lines answered, {rate:,.0f} per second.", err=True)


def environment() -> dict[str, str]:
    """The environment of a worker: one thread each, whatever their number.

    With more, sums are added in another order, and the last digit of a score, or a word of a translation, might depend
    on the number of workers.
    """
    return {**processes.environment(processes.cores()), "TF_NUM_INTEROP_THREADS": "1", "XLA_FLAGS": _single()}


def _single() -> str:
    return f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()


def answer(folder: Folder, workers: int | None) -> list[Path]:
    """Answers what is left of a job; returns the files of answers.

    Args:
        folder: The folder of the answers.
        workers: Processes side by side; default one a core.

    Raises:
        UserError: If something cannot be read, or a worker fails.
    """
    Pool(folder, workers or processes.cores()).answer(folder.open_blocks())
    return [folder.join(number) for number in range(len(folder.inputs))]


def job(
    task: str, model: Path, weights: str, runtime: str, backend: str | None, settings: Mapping[str, Any],
    inputs: list[tuple[str, int, int]],
) -> Job:  # fmt: skip
    """The job of `zoo TASK --input`.

    Args:
        task: Name of the task.
        model: Folder of the saved model.
        weights: Digest of its settings and weights.
        runtime: `"onnx"` or `"keras"`.
        backend: Backend of Keras, or None.
        settings: Options of the prediction.
        inputs: What `blocks.described` gave for each file.

    Raises:
        UserError: If an option shows single answers.
    """
    for name in ("attention_plot", "html"):
        if settings.get(name):
            raise UserError(f"--{name.replace('_', '-')} shows single answers: leave it out, or --input.")
    return Job(task, str(model.resolve()), weights, runtime, backend, settings, inputs)
