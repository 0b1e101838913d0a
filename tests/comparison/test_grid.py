"""Grids: what is kept, what is refused, how processes end. Workers here are small scripts without Keras."""

import dataclasses
import json
import time
from pathlib import Path

import pytest

from zoo.comparison import grid as grids
from zoo.comparison import processes, worker
from zoo.errors import UserError
from zoo.workers import processes as shares

METRICS = {
    "monitor": "accuracy",
    "higher_is_better": True,
    "scores": {"validation": {"accuracy": 0.5}, "test": {"accuracy": 0.25}},
    "data": {"name": "digits"},
    "training": {"minutes": 1.0, "examples_per_second": 9.0, "epochs": 1, "best_epoch": 1, "parameters": 10},
    "machine": {}, "versions": {},
}  # fmt: skip

SCRIPT = """
import json, sys, pathlib
sys.path.insert(0, {root!r})
from zoo.comparison import grid as grids
import dataclasses
output, cell, seed = sys.argv[1:]
grid, run = grids.read(pathlib.Path(output)), grids.Run(cell, int(seed))
with open(pathlib.Path(output) / "order", "a") as stream:
    print(run.name, file=stream)
if cell == {failing!r}:
    sys.exit("Error: the loss became nan")
path = grid.path(run)
path.mkdir()
recipe = dict(task=grid.task, command="", train=dataclasses.asdict(grid.recipe(run)))
for name, value in (("recipe", recipe), ("metrics", {metrics!r}), ("files", dict(format=1, files=dict()))):
    (path / (name + ".json")).write_text(json.dumps(value))
grid.statistics(run).parent.mkdir(exist_ok=True)
grid.statistics(run).write_bytes(b"")
"""

ROOT = str(Path(processes.__file__).parents[2])


@pytest.fixture
def grid(tmp_path):
    made = grids.Grid("classify", tmp_path / "out", {"epochs": 1}, ("gru", "lstm"), (1, 2))
    grids.write(made)
    return made


def use(monkeypatch, failing=""):
    script = SCRIPT.format(root=ROOT, failing=failing, metrics=METRICS)
    monkeypatch.setattr(processes, "WORKER", ("-c", script))
    monkeypatch.setattr(processes, "POLL", 0.02)


def order(grid):
    return (grid.output / "order").read_text().split()


def test_every_training_runs_once_seed_by_seed(grid, monkeypatch):
    use(monkeypatch)
    said = []
    assert processes.run_all(grid, 1, said.append) == {}
    assert order(grid) == ["gru-seed-1", "lstm-seed-1", "gru-seed-2", "lstm-seed-2"]
    assert processes.run_all(grid, 1, said.append) == {}
    assert len(order(grid)) == 4
    assert said[-1] == "4 of 4 trainings are finished already."
    assert any("accuracy: validation 0.5000, test 0.2500" in line for line in said)


def test_side_by_side_too(grid, monkeypatch):
    use(monkeypatch)
    assert processes.run_all(grid, 3, lambda _: None) == {}
    assert sorted(order(grid)) == sorted(run.name for run in grid.runs())


def test_a_training_that_fails_does_not_end_the_others_and_is_tried_again(grid, monkeypatch):
    use(monkeypatch, failing="gru")
    failed = processes.run_all(grid, 1, lambda _: None)
    assert failed == dict.fromkeys([grids.Run("gru", 1), grids.Run("gru", 2)], "the loss became nan")
    use(monkeypatch)
    assert processes.run_all(grid, 1, lambda _: None) == {}
    assert order(grid)[4:] == ["gru-seed-1", "gru-seed-2"]


def test_after_the_deadline_nothing_is_begun(grid, monkeypatch):
    use(monkeypatch)
    said = []
    assert processes.run_all(grid, 1, said.append, time.monotonic() - 1) == {}
    assert not (grid.output / "order").exists()
    assert said == ["Stopping: the time is used up; 4 of 4 trainings are left."]


def test_an_interruption_ends_the_processes(grid, monkeypatch):
    began = grid.output / "began"
    monkeypatch.setattr(
        processes, "WORKER", ("-c", f"import pathlib, time; pathlib.Path({str(began)!r}).touch(); time.sleep(60)")
    )

    def interrupted(_seconds):
        if began.exists():
            began.unlink()  # once
            raise KeyboardInterrupt

    monkeypatch.setattr(processes.time, "sleep", interrupted)
    at = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        processes.run_all(grid, 1, lambda _: None)
    assert time.monotonic() - at < 30


def test_a_second_comparison_in_the_same_folder_is_refused(grid):
    pytest.importorskip("fcntl")
    with processes.lock(grid.output), pytest.raises(UserError, match="Another `zoo compare` works on"):
        processes.run_all(grid, 1, lambda _: None)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_process_has_the_same_share_of_the_cores(count, monkeypatch):
    monkeypatch.setattr(shares, "cores", lambda: 4)
    found = shares.environment(count)
    assert {found[name] for name in shares.THREADS} == {str(max(1, 4 // count))}


def test_cells_and_seeds_are_added_and_units_are_remembered(grid):
    grids.write(dataclasses.replace(grid, units={"gru": 12}))
    more = grids.Grid("classify", grid.output, {"epochs": 1}, ("gru", "lstm", "simple_rnn"), (1, 2, 3))
    assert grids.resume(more).units == {"gru": 12}
    assert grids.resume(more).recipe(grids.Run("gru", 3)).units == 12


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"settings": {"epochs": 2}}, r"epochs \(1 -> 2\)"),
        ({"settings": {"epochs": 1, "limit": 5}}, r"limit \(None -> 5\)"),
        ({"parameters": 900}, r"parameters \(None -> 900\)"),
        ({"task": "sentiment"}, r"task \(classify -> sentiment\)"),
    ],
)
def test_other_settings_are_refused(grid, changes, told):
    before = (grid.output / grids.GRID).read_text()
    with pytest.raises(UserError, match=told):
        grids.resume(dataclasses.replace(grid, **changes))
    assert (grid.output / grids.GRID).read_text() == before


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").touch()
    with pytest.raises(UserError, match="exists and is no comparison"):
        grids.resume(grids.Grid("classify", tmp_path / "letters", {}, ("gru",), (1,)))


def test_a_finished_training_with_other_settings_is_refused_and_kept(grid, monkeypatch):
    use(monkeypatch)
    processes.run_all(grid, 1, lambda _: None)
    file = grid.path(grids.Run("gru", 2)) / "recipe.json"
    recipe = json.loads(file.read_text())
    recipe["train"]["epochs"] = 7
    file.write_text(json.dumps(recipe))
    with pytest.raises(UserError, match=r"gru-seed-2 was trained with other settings: epochs \(7 -> 1\)"):
        processes.run_all(grid, 1, lambda _: None)
    assert file.exists()


def test_the_command_on_a_models_card_does_the_same(grid):
    from zoo import cli
    from zoo.task import find

    run = grids.Run("lstm", 2)
    changed = dataclasses.replace(grid, settings={"epochs": 3, "color": True, "dataset": "mnist"})
    words = worker.command(changed, changed.recipe(run), run).split()
    assert words[:3] == ["zoo", "train", "classify"]
    task = find("classify")
    command = cli._trainer(task)
    ctx = command.make_context("classify", words[3:])
    given = {name: value for name, value in ctx.params.items() if hasattr(changed.recipe(run), name)}
    assert task.recipe.train(**given) == changed.recipe(run)


def test_settings_that_the_default_cell_does_not_have_can_be_resumed(tmp_path):
    """classify's own default is a perceptron, which has no directions."""
    grid = grids.Grid("classify", tmp_path / "out", {"bidirectional": True}, ("gru",), (1,))
    grids.write(grid)
    assert grids.resume(grid).settings == {"bidirectional": True}
