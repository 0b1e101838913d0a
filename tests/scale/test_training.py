"""Real workers on loopback: the numbers of one process, one of them killed, workers that do not fit together."""

import csv
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("jax", reason="jax is not installed: pip install 'zoo[jax]'")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="JAX's workers on CPUs and /proc are Linux's")

SECONDS = 600
"""After which a command counts as hanging: generous, as other tests run beside it."""


def reviews(folder: Path) -> None:
    rows = [f"{word} film number {number},{word}" for word in ("good", "bad") for number in range(150)]  # one shape
    (folder / "own.csv").write_text("\n".join(["text,label", *rows]))


def pairs(folder: Path) -> None:
    (folder / "pairs").mkdir()
    for side, signs in {"xx": "0123456789", "yy": "abcdefghij"}.items():
        lines = [f"{signs[i % 10]} {signs[i // 10]}\n" for i in range(100)]
        (folder / "pairs" / f"train.{side}").write_text("".join(lines))


def text(folder: Path) -> None:
    (folder / "text.txt").write_text("".join(f"the {n} sheep sleeps in its {n % 7} beds.\n\n" for n in range(400)))


TASKS = {
    "sentiment": (reviews, ["--preset", "tiny", "--dataset", "own.csv", "--epochs", "3"]),
    "translate": (
        pairs,
        ["--preset", "tiny", "--dataset", "pairs", "--max-length", "8", "--vocabulary-size", "30", "--epochs", "2",
         "--batch-size", "16", "--conditional-cell"],
    ),
    "charlm": (text, ["--preset", "tiny", "--dataset", "text.txt", "--epochs", "2", "--limit", "60"]),
}  # fmt: skip
"""Task -> what writes its data, and its options."""


def command(task: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "zoo", "train", task, "--backend", "jax", "--no-plot", *TASKS[task][1], *more]


def run(*words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, **options)


def start(*words: str) -> subprocess.Popen:
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def history(name: str) -> list[dict[str, float]]:
    with open(f"saved_models/{name}/history.csv", newline="") as stream:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]


def check_same(one: list[dict[str, float]], other: list[dict[str, float]]) -> None:
    assert len(one) == len(other) > 1
    for mine, theirs in zip(one, other, strict=True):
        assert theirs == pytest.approx(mine, abs=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_two_workers_have_the_curve_of_one(task: str, tmp_path: Path) -> None:
    TASKS[task][0](tmp_path)
    alone = run(*command(task, "--name", "one"))
    assert alone.returncode == 0, alone.stderr
    both = run(*command(task, "--name", "two", "--workers", "2"))
    assert both.returncode == 0, both.stderr
    assert both.stdout.splitlines()[0] == "saved_models/two"  # one of them speaks
    assert both.stdout.count("test ") == alone.stdout.count("test ")
    assert both.stderr.count("Loading the data set") == 1
    check_same(history("one"), history("two"))
    paths = [re.search(r"^path +(.*)", done.stderr, re.MULTILINE) for done in (alone, both)]
    assert paths[0]
    assert paths[1]
    assert paths[0][1] == paths[1][1]
    assert "--worker-id" not in Path("saved_models/two/recipe.json").read_text()


def children(process: subprocess.Popen) -> list[int]:
    """The workers, in order."""
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    numbers = {}
    for child in found:
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if b"--worker-id" in words:
            numbers[int(words[words.index(b"--worker-id") + 1])] = int(child)
    return [numbers[number] for number in sorted(numbers)]


@pytest.mark.parametrize("killed", [1, pytest.param(0, marks=pytest.mark.sweep)])
def test_a_killed_worker_ends_all_and_the_training_goes_on_with_another_number(killed: int, tmp_path: Path) -> None:
    reviews(tmp_path)
    more = ["--name", "own", "--epochs", "40", "--patience", "0"]
    process = start(*command("sentiment", *more, "--workers", "2"))
    state = Path("saved_models/.own.training/train/state.json")
    end = time.monotonic() + SECONDS
    while not (state.exists() and re.search(r'"epoch": [1-9]', state.read_text())):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.05)
    workers = children(process)
    os.kill(workers[killed], signal.SIGKILL)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert f"Worker {killed} of 2 was ended by the signal SIGKILL" in said
    assert "--resume" in said
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    if killed:  # once is enough
        resumed = run(*command("sentiment", *more, "--resume"))
        assert resumed.returncode == 0, resumed.stderr
        assert "Resuming after epoch" in resumed.stderr
        alone = run(*command("sentiment", *more[2:], "--name", "one"))
        assert alone.returncode == 0, alone.stderr
        check_same(history("one"), history("own"))


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def test_workers_with_other_settings_are_refused_by_all(tmp_path: Path) -> None:
    reviews(tmp_path)
    shared = ["--workers", "2", "--coordinator", f"127.0.0.1:{free_port()}", "--name", "own"]
    first = start(*command("sentiment", *shared, "--worker-id", "0"))
    other = start(*command("sentiment", *shared, "--worker-id", "1", "--units", "6"))
    texts = [process.communicate(timeout=SECONDS)[1] for process in (first, other)]
    for process, said in zip((first, other), texts, strict=True):
        assert process.returncode == 2, said
        assert "Worker 1 differs from worker 0: units (8 -> 6)" in said
    assert not Path("saved_models").exists()


def test_what_ends_worker_0_is_said_by_all(tmp_path: Path) -> None:
    reviews(tmp_path)
    Path("saved_models/own").mkdir(parents=True)
    shared = ["--workers", "2", "--coordinator", f"127.0.0.1:{free_port()}", "--name", "own"]
    both = [start(*command("sentiment", *shared, "--worker-id", str(number))) for number in range(2)]
    first, other = (process.communicate(timeout=SECONDS)[1] for process in both)
    assert both[0].returncode == 2
    assert first.splitlines()[-1].startswith("Error: saved_models/own exists.")
    assert both[1].returncode == 75, other
    assert other.splitlines()[-1].startswith("Error: Worker 0 has ended: saved_models/own exists.")
