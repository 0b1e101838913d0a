"""A grid on a local Ray: the same results as by processes, resumed, and told what is missing."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zoo.comparison import clusters
from zoo.comparison import grid as grids
from zoo.errors import UserError

WITH_RAY = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed (240 MB): pip install 'zoo[ray]'"
)

DRIVER = """
import json, sys
from pathlib import Path
from zoo.comparison import clusters, processes
from zoo.comparison import grid as grids
processes.WORKER = ("-c", Path("worker.py").read_text())
grid = grids.Grid("classify", Path("grid"), {"epochs": 1}, ("gru", "lstm"), (1, 2))
grids.write(grid)
failed = clusters.run_all(grid, "local", 2, lambda text: print(text, flush=True))
print(json.dumps({run.name: why for run, why in failed.items()}))
"""

WORKER = """
import dataclasses, json, os, sys, time
from pathlib import Path
import numpy as np
from zoo import cards
from zoo.comparison import grid as grids
output, cell, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
run, grid = grids.Run(cell, seed), grids.read(Path(sys.argv[1]))
began = time.time()
time.sleep(1.5)
if cell == "lstm" and seed == 2 and not Path(output, "again").exists():
    Path(output, "again").touch()
    sys.exit("Error: This one fails once.")
grid.path(run).mkdir()
recipe = {"task": "classify", "command": "", "train": dataclasses.asdict(grid.recipe(run))}
metrics = json.loads(Path(output, "..", "metrics.json").read_text())
for name, value in {"recipe": recipe, "metrics": metrics, "files": {"format": 1, "files": {}}}.items():
    (grid.path(run) / f"{name}.json").write_text(json.dumps(value))
grid.statistics(run).parent.mkdir(exist_ok=True)
np.savez(grid.statistics(run), statistics=np.ones((3, 2)), threads=1)
with open(Path(output, "..", "times"), "a") as stream:
    stream.write(f"{began} {time.time()} {os.environ['ZOO_ENGINE_THREADS']}\\n")
"""
"""A training that takes a second and a half and learns nothing."""


@WITH_RAY
def test_two_slots_run_side_by_side_and_what_failed_is_tried_again(tmp_path: Path, metrics) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "driver.py").write_text(DRIVER)
    path = os.pathsep.join(filter(None, [str(Path(clusters.__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}

    def drive() -> tuple[list[str], dict[str, str]]:
        done = subprocess.run([sys.executable, "driver.py"], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        *said, failed = done.stdout.splitlines()
        return said, json.loads(failed)

    said, failed = drive()
    assert failed == {"lstm-seed-2": "This one fails once."}, said
    spans = [tuple(map(float, line.split()[:2])) for line in (tmp_path / "times").read_text().splitlines()]
    most = max(sum(begin <= at < end for begin, end in spans) for at, _ in spans)
    assert (len(spans), most) == (3, 2)
    began = time.monotonic()
    said, failed = drive()
    assert not failed
    assert "3 of 4 trainings are finished already." in said
    assert len((tmp_path / "times").read_text().splitlines()) == 4
    assert time.monotonic() - began < 120


def test_a_machine_that_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    assert clusters.train((), str(tmp_path / "elsewhere"), grids.Run("gru", 1), 1) == (clusters.UNSEEN, 0.0)


def test_without_ray_it_is_said_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setattr(clusters.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"pip install 'zoo\[ray\]'"):
        clusters.check("local", None)


@WITH_RAY
def test_slots_of_a_cluster_are_its_own() -> None:
    clusters.check("local", 2)
    with pytest.raises(UserError, match="--processes is for this machine"):
        clusters.check("10.0.0.1:6379", 2)
