"""The state of a training under way: a folder from which it goes on after a kill.

It lies beside the folder that the model will become. Each file is replaced by a rename, `state.json` last, so that
whatever is there is whole.
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
from zoo.settings import Run, differences

RESUMABLE = ("epochs", "patience", "budget")
"""Settings that may change when a training is resumed: they decide when it ends, not what it computes."""


@dataclass
class State:
    """How far a training has come."""

    epoch: int = 0
    best_epoch: int = 0
    best_score: float | None = None
    minutes: float = 0.0
    examples_a_second: float = 0.0
    chosen_by: str = ""  # the score that the best weights are best in
    history: list[dict[str, float]] = field(default_factory=list)


class Store:
    """The folder that holds a running training's state. Each file is replaced by a rename, `state.json` last."""

    def __init__(self, folder: Path, recipe: Run, where: str = "") -> None:
        self.folder, self.recipe, self.where = folder, recipe, where

    def begin(self) -> None:
        """An empty store, whatever was there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._write_state(State())

    def keep(self, model: keras.Model, state: State) -> None:
        """Saves everything that the next epoch depends on."""
        name = f"epoch-{state.epoch}.npz"
        self._write_arrays(name, [variable.numpy() for variable in _variables(model)])
        self._write_state(state)
        for old in self.folder.glob("epoch-*.npz"):
            if old.name != name:
                old.unlink()

    def keep_best(self, model: keras.Model) -> None:
        """Saves the weights that shall be published if no better ones come."""
        self._write_arrays("best.npz", [np.array(value) for value in model.get_weights()])

    def restore(self, model: keras.Model) -> State:
        """Puts a model and its optimizer where the last whole epoch left them."""
        state = State(**self.read()["state"])
        if state.epoch:
            values = self._read_arrays(f"epoch-{state.epoch}.npz")
            for variable, value in zip(_variables(model), values, strict=True):
                variable.assign(value)
        return state

    def restore_best(self, model: keras.Model) -> None:
        """Puts a model to its best weights so far."""
        model.set_weights(self._read_arrays("best.npz"))

    def read(self) -> dict[str, Any]:
        """The stored state and recipe."""
        return json.loads((self.folder / "state.json").read_text(encoding="utf-8"))

    def epoch(self) -> int:
        """Whole epochs that are kept; 0 if nothing has begun."""
        return self.read()["state"]["epoch"] if self.begun() else 0

    def begun(self) -> bool:
        """Whether there is a state."""
        return (self.folder / "state.json").is_file()

    def before(self, recipe: Run | None = None) -> "Store":
        """The store of a stage before the main one, begun or not."""
        return Store(self.folder / "before", recipe or self.recipe, " of the stage before")

    def after(self, recipe: Run | None = None) -> "Store":
        """The store of a stage after the main one, likewise."""
        return Store(self.folder / "after", recipe or self.recipe, " of the stage after")

    def close(self) -> None:
        """The training is over: its saved model holds all that counts."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_state(self, state: State) -> None:
        value = {"recipe": dataclasses.asdict(self.recipe), "state": dataclasses.asdict(state)}
        self._replace("state.json", lambda file: file.write_text(json.dumps(value, indent=1), encoding="utf-8"))

    def _write_arrays(self, name: str, arrays: Sequence[np.ndarray]) -> None:
        def write(file: Path) -> None:
            with file.open("wb") as stream:
                np.savez(stream, *arrays)

        self._replace(name, write)

    def _read_arrays(self, name: str) -> list[np.ndarray]:
        with np.load(self.folder / name, allow_pickle=False) as stored:
            return [stored[f"arr_{i}"] for i in range(len(stored.files))]

    def _replace(self, name: str, write: Callable[[Path], Any]) -> None:
        new = self.folder / f"{name}.new"
        try:
            write(new)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise UserError(
                f"The state of the training could not be written to {self.folder}: {error}. "
                "What was kept before is whole; make room and go on with --resume."
            ) from error
        os.replace(new, self.folder / name)


def _variables(model: keras.Model) -> list[Any]:
    """Weights, states of random generators, and the optimizer's own."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def open_store(path: Path, recipe: Run, resume: bool, overwrite: bool) -> Store:
    """The store for a new or a resumed training, after making sure that nothing gets lost."""
    store = Store(cards.under_way(path), recipe)
    unfinished = store.begun()
    if resume:
        if not unfinished:
            what = "It is finished." if path.exists() else "Train without --resume."
            raise UserError(f"There is no interrupted training of {path} to resume. {what}")
        before = dataclasses.replace(recipe, **_known(store.read()["recipe"], recipe))
        changed = differences(before, recipe, ignore=RESUMABLE)
        if changed:
            raise UserError(
                f"The interrupted training of {path} had other settings: {', '.join(changed)}. Give the old ones, "
                "or start anew with --overwrite."
            )
        return store
    for part in (store.after(), store, store.before()) if unfinished and not overwrite else ():
        if epoch := part.epoch():
            raise UserError(
                f"A training of {path} was interrupted after epoch {epoch}{part.where}. Go on with --resume, "
                "or throw it away with --overwrite."
            )
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists. Choose another --name, or replace it with --overwrite.")
    try:
        store.begin()
    except OSError as error:
        raise UserError(f"{path.parent} cannot be written: {error}. Choose another --models-dir.") from error
    return store


def _known(stored: dict[str, Any], recipe: Run) -> dict[str, Any]:
    names = {item.name for item in dataclasses.fields(recipe)}
    return {name: value for name, value in stored.items() if name in names}
