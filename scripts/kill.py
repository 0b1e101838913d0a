"""Kills trainings at random moments, resumes them, and compares the ends with a training that nobody disturbed.

    python scripts/kill.py --kills 50 --seed 1                 # about a minute for each kill on two cores
    python scripts/kill.py --kills 10 --only caption,sentiment
    python scripts/kill.py --kills 50 --record                 # and keep the counts in scripts/measured.json
    python scripts/kill.py --kills 20 --workers 2 --only sentiment,translate  # by two workers, of which any is killed

Every task trains its preset `tiny` for a few epochs; sentiment with pretraining, captioning with its reward stage. Each
signal (SIGKILL, SIGTERM, SIGINT) comes at a random moment of what is left of a training, its last files included. A
training that is killed is resumed, and may be killed again, until it ends. Then `history.csv` and all weights must be
those of the undisturbed training, bit for bit. Exit code 1 if any are not, or a traceback was printed.
"""

import argparse
import collections
import contextlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import measured
import numpy as np

TRAININGS = {
    "classify": ["--epochs", "4"],
    "tag": ["--epochs", "4"],
    "charlm": ["--epochs", "4"],
    "sentiment": ["--epochs", "3", "--pretrain-epochs", "2"],
    "translate": ["--epochs", "3"],
    "caption": ["--epochs", "2", "--reward-epochs", "2"],
}
"""Task -> options that give it several epochs, and several stages where it can have them."""

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)

AGAIN = 0.4
"""Probability that a resumed training is killed once more."""


@dataclass
class Row:
    """What became of the trainings of one task."""

    kills: collections.Counter = field(default_factory=collections.Counter)
    trainings: int = 0
    identical: int = 0
    faults: list[str] = field(default_factory=list)


class Trainer:
    """Starts trainings of one task in processes of their own.

    Args:
        task: The task's name.
        folder: Where its models go.
        workers: Processes of each training; more than one train on JAX.
    """

    def __init__(self, task: str, folder: Path, workers: int = 1) -> None:
        self.task, self.folder, self.workers = task, folder, workers

    def model(self, name: str) -> Path:
        return self.folder / name

    def start(self, name: str) -> subprocess.Popen:
        """A training of a name; resumed if there is something to resume."""
        command = [sys.executable, "-m", "zoo", "train", self.task, "--preset", "tiny", *TRAININGS[self.task]]
        command += ["--models-dir", str(self.folder), "--name", name, "--no-plot"]
        if self.workers > 1:
            command += ["--backend", "jax", "--workers", str(self.workers)]
        if (self.folder / f".{name}.training" / "training.json").is_file():
            command += ["--resume"]
        log = (self.folder / f"{name}.log").open("ab")
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder)

    def finish(self, name: str) -> float:
        """Runs a training to its end; seconds."""
        began = time.monotonic()
        code = self.start(name).wait(timeout=900)
        if code:
            raise RuntimeError(f"{self.task}: exit {code}: {self.log(name)[-2000:]}")
        return time.monotonic() - began

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")


def weights(model: Path) -> dict[str, np.ndarray]:
    """All arrays of a saved model by their paths."""
    found: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(model / "model.keras") as stored:
        content = io.BytesIO(stored.read("model.weights.h5"))
    with h5py.File(content, "r") as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if hasattr(item, "shape") else None)
    return found


def differences(one: Path, other: Path) -> str:
    """What differs between two saved models; empty if nothing does."""
    histories = [(model / "history.csv").read_text(encoding="utf-8") for model in (one, other)]
    if histories[0] != histories[1]:
        return f"history.csv differs:\n{histories[0]}\n{histories[1]}\n"
    ours, theirs = weights(one), weights(other)
    if ours.keys() != theirs.keys():
        return "other weights"
    unequal = [name for name in ours if ours[name].tobytes() != theirs[name].tobytes()]
    return f"{len(unequal)} of {len(ours)} weights differ, such as {unequal[0]}" if unequal else ""


def disturb(trainer: Trainer, name: str, seconds: float, most: int, row: Row, rng: random.Random) -> None:
    """One training that is killed up to `most` times, and its comparison with `reference`."""
    kills = 0
    while kills < most and not trainer.model(name).is_dir() and (kills == 0 or rng.random() < AGAIN):
        chosen = rng.choice(SIGNALS)
        process = trainer.start(name)
        try:
            process.wait(timeout=rng.uniform(0.25, 1.0) * seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(rng.choice(processes(process.pid)), chosen)
            process.wait(timeout=120)
            if process.returncode:  # the signal came before the training's end
                kills += 1
                row.kills[chosen.name] += 1
        else:
            if process.returncode:
                row.faults.append(f"exit {process.returncode} without a signal: {trainer.log(name)[-500:]}")
                return
    if not trainer.model(name).is_dir():
        try:
            trainer.finish(name)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            row.faults.append(f"not resumed after {kills} kills: {error}")
            return
    row.trainings += 1
    wrong = differences(trainer.model("reference"), trainer.model(name))
    if "Traceback" in trainer.log(name):
        row.faults.append(f"{name}: a traceback: {trainer.log(name)[-1500:]}")
    if wrong:
        row.faults.append(f"{name}: {wrong} after {kills} kills")
    else:
        row.identical += 1
        shutil.rmtree(trainer.model(name))


def processes(parent: int) -> list[int]:
    """A training and its workers, if it has any."""
    found = [parent]
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            own = status.read_text().rpartition(")")[2].split()[1] == str(parent)
            if own and b"--worker-id" in status.with_name("cmdline").read_bytes():
                found.append(int(status.parent.name))
    return found


def table(rows: dict[str, Row]) -> str:
    head = f"{'task':12}{'SIGKILL':>8}{'SIGTERM':>8}{'SIGINT':>8}{'trainings':>10}{'identical':>10}{'faults':>7}"
    lines = [
        f"{task:12}{row.kills['SIGKILL']:8}{row.kills['SIGTERM']:8}{row.kills['SIGINT']:8}"
        f"{row.trainings:10}{row.identical:10}{len(row.faults):7}"
        for task, row in rows.items()
    ]
    return "\n".join([head, *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="Tasks, separated by commas.")
    parser.add_argument("--workers", type=int, default=1, help="Processes of each training; any of them is killed.")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="No new training after this time.")
    parser.add_argument("--record", action="store_true", help="Keep the counts in scripts/measured.json.")
    given = parser.parse_args()
    # A shell that runs this in the background has SIGINT ignored, which trainings would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng, began = random.Random(given.seed), time.monotonic()
    rows = {task: Row() for task in (given.only.split(",") if given.only else TRAININGS)}
    root = str(Path(__file__).resolve().parent.parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory(prefix="zoo-kill-") as scratch:
        # Generated data sets are made once, by the undisturbed trainings.
        os.environ["TFDS_DATA_DIR"] = str(Path(scratch, "data"))
        os.environ["XDG_CACHE_HOME"] = str(Path(scratch, "cache"))
        seconds = {}
        number = 0
        while sum(sum(row.kills.values()) for row in rows.values()) < given.kills:
            if time.monotonic() - began > 60 * given.minutes:
                print("Time is up.")
                break
            task = list(rows)[number % len(rows)]
            trainer = Trainer(task, Path(scratch, task), given.workers)
            if task not in seconds:
                trainer.folder.mkdir()
                trainer.finish("reference")
                seconds[task] = timed(trainer, rows[task])
            left = given.kills - sum(sum(row.kills.values()) for row in rows.values())
            disturb(trainer, f"killed-{number}", seconds[task], left, rows[task], rng)
            number += 1
            print(f"{time.monotonic() - began:6.0f} s  {task}: {dict(rows[task].kills)}, "
                  f"{rows[task].identical} of {rows[task].trainings} identical", flush=True)  # fmt: skip
    print(table(rows))
    for task, row in rows.items():
        for fault in row.faults:
            print(f"\n{task}: {fault}")
    if given.record:
        stored = measured.read()
        kills = sum((row.kills for row in rows.values()), collections.Counter())
        stored["kills" if given.workers == 1 else "kills_of_workers"] = {
            "signals": dict(kills),
            "trainings": sum(row.trainings for row in rows.values()),
            "identical": sum(row.identical for row in rows.values()),
            "tasks": list(rows),
        }
        measured.write(stored)
    sys.exit(any(row.faults for row in rows.values()))


def timed(trainer: Trainer, row: Row) -> float:
    """Seconds of a training whose data set is there; also checks that two undisturbed trainings are equal."""
    spent = trainer.finish("again")
    if wrong := differences(trainer.model("reference"), trainer.model("again")):
        row.faults.append(f"two undisturbed trainings differ: {wrong}")
    return spent


if __name__ == "__main__":
    main()
