"""The state of a training in progress: a folder from which it is resumed after an interruption.

It lies beside the folder that the model will become, and has a folder for each stage:

    .<name>.training/  training.json  <stage>/  state.json  epoch-3.npz  best.npz

Each file is replaced by a rename, `state.json` last, so that whatever is there is whole.
"""

import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import cards
from zoo.errors import UserError
from zoo.settings import TrainConfig, differences

RESUMABLE = ("epochs", "patience", "max_minutes")
"""Settings that may change when a training is resumed: they decide when it ends, not what it computes."""

TRAINING = "training.json"


@dataclass
class TrainState:
    """How far a stage has come.

    Attributes:
        epoch: Whole epochs done.
        best_epoch: The epoch with the best validation score; 0 for the weights it started from.
        best_score: That score, with its sign turned if lower is better.
        minutes: Time spent.
        examples_per_second: Of the last epoch.
        history: A row per epoch.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_score: float | None = None
    minutes: float = 0.0
    examples_per_second: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class Checkpoint:
    """The folder that holds the state of one stage.

    Args:
        folder: The folder, which need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begun(self) -> bool:
        """Whether there is a state."""
        return (self.folder / "state.json").is_file()

    def keep(self, model: keras.Model, state: TrainState) -> None:
        """Saves everything that the next epoch depends on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"epoch-{state.epoch}.npz"
        self._write_arrays(name, [variable.numpy() for variable in _variables(model)])
        text = json.dumps(dataclasses.asdict(state), indent=1)
        _replace(self.folder / "state.json", lambda file: file.write_text(text, encoding="utf-8"))
        for old in self.folder.glob("epoch-*.npz"):
            if old.name != name:
                old.unlink()

    def keep_best(self, model: keras.Model) -> None:
        """Saves the weights to be published if no better ones come."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_arrays("best.npz", [np.array(value) for value in model.get_weights()])

    def read(self) -> TrainState:
        """The stored state; a new one if there is none."""
        if not self.begun():
            return TrainState()
        return TrainState(**json.loads((self.folder / "state.json").read_text(encoding="utf-8")))

    def restore(self, model: keras.Model) -> TrainState:
        """Sets a model and its optimizer to where the last whole epoch left them."""
        state = self.read()
        values = self._read_arrays(f"epoch-{state.epoch}.npz")
        for variable, value in zip(_variables(model), values, strict=True):
            variable.assign(value)
        return state

    def restore_best(self, model: keras.Model) -> None:
        """Sets a model to its best weights so far."""
        model.set_weights(self._read_arrays("best.npz"))

    def _write_arrays(self, name: str, arrays: Sequence[np.ndarray]) -> None:
        def write(file: Path) -> None:
            with file.open("wb") as stream:
                np.savez(stream, *arrays)

        _replace(self.folder / name, write)

    def _read_arrays(self, name: str) -> list[np.ndarray]:
        with np.load(self.folder / name, allow_pickle=False) as stored:
            return [stored[f"arr_{i}"] for i in range(len(stored.files))]


def _replace(file: Path, write: Callable[[Path], Any]) -> None:
    new = file.with_name(f"{file.name}.new")
    try:
        write(new)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UserError(
            f"The state of the training could not be written to {file.parent}: {error}. "
            "What was kept before is whole; make room and go on with --resume."
        ) from error
    os.replace(new, file)


def _variables(model: keras.Model) -> list[Any]:
    """Weights, states of random generators, and the optimizer's own."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def open_training(path: Path, recipe: TrainConfig, resume: bool, overwrite: bool) -> Path:
    """The folder for the state of a new or a resumed training, after making sure that nothing gets lost.

    Raises:
        UserError: If there is nothing to resume, the settings have changed, or something would be overwritten.
    """
    folder = cards.under_way(path)
    begun = (folder / TRAINING).is_file()
    if (folder / "state.json").is_file() and not overwrite:
        raise UserError(
            f"The interrupted training of {path} was begun by zoo 0.1, which kept its state in another form. "
            "Finish it with that version, or start anew with --overwrite."
        )
    if resume:
        if not begun:
            what = "It is finished." if path.exists() else "Train without --resume."
            raise UserError(f"There is no interrupted training of {path} to resume. {what}")
        _check_settings(path, json.loads((folder / TRAINING).read_text(encoding="utf-8"))["train"], recipe)
        return folder
    if begun and not overwrite and (kept := _kept(folder)):
        raise UserError(
            f"A training of {path} was interrupted after epoch {kept[1]} of the stage {kept[0]!r}. "
            "Go on with --resume, or throw it away with --overwrite."
        )
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists. Choose another --name, or replace it with --overwrite.")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{path.parent} cannot be written: {error}. Choose another --models-dir.") from error
    text = json.dumps({"train": dataclasses.asdict(recipe)}, indent=1)
    _replace(folder / TRAINING, lambda file: file.write_text(text, encoding="utf-8"))
    return folder


def _kept(folder: Path) -> tuple[str, int] | None:
    """The last stage of which an epoch is kept, and that epoch."""
    states = {file.parent.name: Checkpoint(file.parent).read() for file in folder.glob("*/state.json")}
    begun = [(state.epoch, name) for name, state in states.items() if state.epoch]
    if not begun:
        return None
    latest = max((folder / name / "state.json").stat().st_mtime for _, name in begun)
    return next((name, e) for e, name in begun if (folder / name / "state.json").stat().st_mtime == latest)


def _check_settings(path: Path, stored: dict[str, Any], recipe: TrainConfig) -> None:
    known = {item.name for item in dataclasses.fields(recipe)}
    before = dataclasses.replace(recipe, **{name: value for name, value in stored.items() if name in known})
    changed = differences(before, recipe, ignore=RESUMABLE)
    if changed:
        raise UserError(
            f"The interrupted training of {path} had other settings: {', '.join(changed)}. Give the old ones, "
            "or start anew with --overwrite."
        )
