"""The state of an interrupted training, damaged in every way; locks; folders that are not ours; data that change."""

import dataclasses
import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from zoo import cards, cli, saved
from zoo.data.datasets import DatasetCard
from zoo.errors import UserError
from zoo.settings import TrainConfig
from zoo.task import Data
from zoo.training import run
from zoo.training.checkpoint import Checkpoint, TrainState
from zoo.training.data_files import digests
from zoo.training.folder import check_data, locked, open_training

RECIPE = TrainConfig(dataset="toy")
STATE = TrainState(2, 1, -0.5, 0.1, 9.0, [{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": float("nan")}])


def make(units: int = 2) -> keras.Model:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dropout(0.5)])
    model.compile("adam", "mse")
    return model


def interrupted(path: Path, recipe: TrainConfig = RECIPE, units: int = 2) -> Path:
    """The folder of a training that was interrupted after two epochs."""
    folder = open_training(path, recipe, resume=False, overwrite=False)
    check_data(path, recipe)
    model, checkpoint = make(units), Checkpoint(folder / "train")
    checkpoint.keep_best(model)
    checkpoint.keep(model, STATE)
    return folder


def resume(path: Path, recipe: TrainConfig = RECIPE) -> TrainState:
    folder = open_training(path, recipe, resume=True, overwrite=False)
    check_data(path, recipe)
    return Checkpoint(folder / "train").restore(make())


def test_a_whole_state_is_restored(tmp_path: Path) -> None:
    folder = interrupted(tmp_path / "m")
    assert repr(resume(tmp_path / "m")) == repr(STATE)
    assert sorted(item.name for item in (folder / "train").iterdir()) == ["best.npz", "epoch-2.npz", "state.json"]


def text(content: Any) -> Callable[[Path], Any]:
    content = content if isinstance(content, str) else json.dumps(content)
    return lambda file: file.write_text(content)


def entry(name: str, value: Any) -> Callable[[Path], Any]:
    return lambda file: file.write_text(json.dumps({**json.loads(file.read_text()), name: value}))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    file.write_bytes(content)


def of_another_model(file: Path) -> None:
    shutil.copy(interrupted(file.parents[2] / "wider", units=3) / "train" / file.name, file)


def of_another_training(file: Path) -> None:
    shutil.copy(interrupted(file.parents[2] / "same") / "train" / file.name, file)


def plain_arrays(file: Path) -> None:
    np.savez(file, np.zeros(3))


JSON_DAMAGE = [
    text("{"), text(""), text("null"), text("[" * 100_000), text([1]), text("\x00"), entry("unknown", 1),
    entry("epoch", "2"), entry("epoch", 9), entry("epoch", -1), entry("epoch", 2.5), entry("history", None),
    entry("history", [{}, {}]), entry("history", [[1]]), entry("best_epoch", 3), entry("best_score", None),
    entry("minutes", -1), entry("training", "0" * 32), of_another_training,
]  # fmt: skip


@pytest.mark.parametrize("damage", JSON_DAMAGE)
def test_a_damaged_state_is_said_with_and_without_resume(damage: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "m"
    folder = interrupted(path)
    damage(folder / "train" / "state.json")
    for again in (True, False):
        with pytest.raises(UserError) as caught:
            open_training(path, RECIPE, resume=again, overwrite=False)
        assert str(caught.value).startswith(f"The interrupted training of {path} is damaged (train/state.json: ")
        assert str(caught.value).endswith("Start anew with --overwrite.")
    assert (folder / "train" / "state.json").exists(), "nothing is deleted unasked"
    open_training(path, RECIPE, resume=False, overwrite=True)
    assert not list(folder.glob("*/state.json"))


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        text(""),
        text("null"),
        entry("unknown", 1),
        entry("train", None),
        entry("id", "x"),
        entry("data", 1),
    ],
)
def test_a_damaged_recipe_is_said_too(damage: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "m"
    damage(interrupted(path) / "training.json")
    for again in (True, False):
        with pytest.raises(UserError, match=r"m is damaged \(training\.json: .*Start anew with --overwrite\.$"):
            open_training(path, RECIPE, resume=again, overwrite=False)


@pytest.mark.parametrize("name", ["epoch-2.npz", "best.npz"])
@pytest.mark.parametrize(
    "damage", [Path.unlink, text(""), text("no zip"), cut, flip, plain_arrays, of_another_model, of_another_training]
)
def test_damaged_weights_are_said(name: str, damage: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "m"
    damage(interrupted(path) / "train" / name)
    with pytest.raises(UserError) as caught:
        resume(path)
    assert f"The interrupted training of {path} is damaged (train/{name}: " in str(caught.value)


def test_two_trainings_of_one_name_do_not_run_at_once(tmp_path: Path) -> None:
    path = tmp_path / "models" / "m"
    with locked(path):
        open_training(path, RECIPE, resume=False, overwrite=False)
        with pytest.raises(UserError, match=rf"since 20\d\d-.* \(process {os.getpid()}\)"), locked(path):
            pytest.fail("locked twice")
        with locked(tmp_path / "models" / "other"):
            pass
    with locked(path):
        pass
    assert not cards.locked(path).exists()


def test_models_are_not_put_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "models").touch()
    with (
        pytest.raises(UserError, match=r"is a file\. Choose a folder as --models-dir"),
        locked(tmp_path / "models" / "m"),
    ):
        pytest.fail("locked within a file")


RACER = """
import sys, time
from pathlib import Path
from zoo.errors import UserError
from zoo.training.folder import locked

path, start, done = map(Path, sys.argv[1:])
start.with_name(f"ready-{sys.argv[0]}-{time.time_ns()}").touch()
while not start.exists():
    time.sleep(0.001)
try:
    with locked(path):
        print("trained", flush=True)
        while not done.exists():
            time.sleep(0.01)
except UserError as error:
    print(error, flush=True)
"""


def test_of_processes_that_race_for_a_name_one_trains(tmp_path: Path) -> None:
    start, done = tmp_path / "start", tmp_path / "done"
    command = [sys.executable, "-c", RACER, str(tmp_path / "models" / "m"), str(start), str(done)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    racers = [subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        while len(list(tmp_path.glob("ready-*"))) < len(racers):
            assert all(racer.poll() is None for racer in racers), "one ended before the race"
            time.sleep(0.01)
        start.touch()
        while all(racer.poll() is None for racer in racers):  # the loser ends at once
            time.sleep(0.01)
        done.touch()
        said = sorted(racer.communicate(timeout=60)[0].strip() for racer in racers)
    finally:
        for racer in racers:
            racer.kill()
    assert said[1] == "trained"
    assert said[0].startswith("Another process trains ")
    assert not cards.locked(tmp_path / "models" / "m").exists()


def test_overwriting_replaces_saved_models_only(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.mkdir()
    (path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="is not a saved model of zoo: nothing is deleted"):
        open_training(path, RECIPE, resume=False, overwrite=True)
    with pytest.raises(UserError, match="is not a saved model of zoo: nothing is deleted"):
        saved.write(path, make(), {}, {}, {}, overwrite=True)
    assert (path / "thesis.txt").read_text() == "mine"
    model = tmp_path / "model"
    shutil.copytree(cards.published() / "classify-perceptron-digits", model)
    open_training(model, RECIPE, resume=False, overwrite=True)
    (model / "assets" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"also holds assets/notes\.txt, which zoo did not write"):
        open_training(model, RECIPE, resume=False, overwrite=True)
    empty = tmp_path / "empty"
    (empty / "folder").mkdir(parents=True)
    with pytest.raises(UserError, match="is not a saved model of zoo: nothing is deleted"):
        open_training(empty, RECIPE, resume=False, overwrite=True)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(UserError, match="is a link, not a saved model"):
        open_training(tmp_path / "link", RECIPE, resume=False, overwrite=True)


def test_a_folder_that_only_has_the_name_of_a_state_is_kept(tmp_path: Path) -> None:
    theirs = cards.under_way(tmp_path / "m")
    theirs.mkdir()
    (theirs / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(UserError, match="nothing of it is deleted"):
            open_training(tmp_path / "m", RECIPE, resume=False, overwrite=overwrite)
    assert (theirs / "notes.txt").read_text() == "mine"


def test_resuming_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Nothing is kept of one; train without --resume"):
        open_training(tmp_path / "m", RECIPE, resume=True, overwrite=False)


@pytest.mark.parametrize("kind", ["file", "folder", "neighbor"])
def test_a_training_goes_on_only_with_the_same_data(kind: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "train.csv").write_text("text,label\n")
    (data / "test.csv").write_text("text,label\n")
    recipe = TrainConfig(dataset=str(data if kind == "folder" else data / "train.csv"))
    interrupted(tmp_path / "m", recipe)
    assert resume(tmp_path / "m", recipe).epoch == 2
    file = data / ("test.csv" if kind == "neighbor" else "train.csv")
    file.write_text("text,label\nchanged,1\n")
    with pytest.raises(UserError, match=r"The data are not those of the interrupted training.*has changed"):
        resume(tmp_path / "m", recipe)
    file.unlink()
    with pytest.raises(UserError, match=r"is gone|has changed"):
        resume(tmp_path / "m", recipe)


def test_an_interruption_says_what_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m"
    open_training(path, RECIPE, resume=False, overwrite=False)
    with pytest.raises(KeyboardInterrupt), run._explained(path, RECIPE):
        raise KeyboardInterrupt
    assert "No epoch is kept; the same command starts anew." in capsys.readouterr().err
    interrupted(path)
    with pytest.raises(KeyboardInterrupt), run._explained(path, RECIPE):
        raise KeyboardInterrupt
    assert "Kept: epoch 2 of the stage 'train'. The same command with --resume" in capsys.readouterr().err


def test_data_that_are_taken_away_while_training_are_a_sentence(tmp_path: Path) -> None:
    file, path = tmp_path / "own.csv", tmp_path / "m"
    file.write_text("text,label\n")
    recipe = TrainConfig(dataset=str(file))
    interrupted(path, recipe)
    with pytest.raises(RuntimeError, match="a bug"), run._explained(path, recipe):
        raise RuntimeError("a bug")
    with pytest.raises(UserError, match=r"^line 3 has no label\. Kept: epoch 2"), run._explained(path, recipe):
        raise RuntimeError("Graph execution error:\n\nzoo.errors.UserError: line 3 has no label.\nTraceback ...")
    file.unlink()
    with pytest.raises(UserError, match=r"own\.csv is gone\. Kept: epoch 2"), run._explained(path, recipe):
        raise RuntimeError("from deep inside")


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    interrupted(tmp_path / "m")
    with (
        pytest.raises(UserError, match=r"The disk takes no more: .*Kept: epoch 2"),
        run._explained(tmp_path / "m", RECIPE),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_folder_that_shares_the_name_of_a_data_set_is_not_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("toy").mkdir()
    before = digests(RECIPE)
    assert before.keys() == {"toy"}
    Path("toy/.DS_Store").touch()
    assert digests(RECIPE) == before, "nothing hidden is data"
    assert digests(RECIPE, {"toy": None}) == {}


def test_labels_that_could_not_be_saved_are_refused_before_the_training() -> None:
    data = Data(None, None, None, {"labels": ["a", "caf\udce9"]}, dict, DatasetCard("own"))
    with pytest.raises(UserError, match="A name in the data is no UTF-8"):
        run._check_names(data)
    run._check_names(dataclasses.replace(data, assets={"labels": ["a", "café"]}))


def test_a_training_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m"
    open_training(path, RECIPE, resume=False, overwrite=False)
    with pytest.raises(UserError, match="no labels"), run._explained(path, RECIPE):
        raise UserError("no labels")
    assert not cards.under_way(path).exists()
    interrupted(path)
    with pytest.raises(UserError, match="no labels"), run._explained(path, RECIPE):
        raise UserError("no labels")
    assert cards.under_way(path).exists()


def test_pairs_that_are_all_too_long_are_a_sentence(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"{'a long sentence ' * 9}{i}\t{'ein langer Satz ' * 9}{i}\n" for i in range(60)))
    words = ["train", "translate", "--preset", "tiny", "--dataset", str(pairs), "--max-length", "5", "--no-plot"]
    result = CliRunner().invoke(cli.cli, [*words, "--models-dir", str(tmp_path / "models")], prog_name="zoo")
    assert isinstance(result.exception, UserError), result.output
    assert "All examples of train are longer than --max-length 5" in str(result.exception)
