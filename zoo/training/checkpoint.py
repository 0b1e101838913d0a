"""The state of a training in progress: a folder from which it is resumed after an interruption.

It lies beside the folder that the model will become, and has a folder for each stage:

    .<name>.training/  training.json  <stage>/  state.json  epoch-3.npz  best.npz

Each file is replaced by a rename, `state.json` last, so that whatever is there is whole. Each carries the identity of
the training, so that a file of another one is noticed. `zoo.training.folder` opens the folder as a whole.
"""

import dataclasses
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import keras
import msgspec
import numpy as np
from msgspec import Meta

from zoo import cards
from zoo.errors import UserError

TRAINING = "training.json"

MOST_BYTES = 64 << 20
"""Size of the largest JSON file that is read: a history of a million epochs has less."""

IDENTITY = "training"
"""Name of the array that says to which training the others belong."""

_HEADER = 4096
"""More bytes than the header of an array in a file takes."""


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


Count = Annotated[int, Meta(ge=0, le=1 << 31)]


class StoredState(msgspec.Struct, forbid_unknown_fields=True):
    """`state.json`."""

    training: str
    epoch: Count
    best_epoch: Count
    best_score: float | None
    minutes: Annotated[float, Meta(ge=0)]
    examples_per_second: Annotated[float, Meta(ge=0)]
    history: list[dict[str, float]]


class StoredTraining(msgspec.Struct, forbid_unknown_fields=True):
    """`training.json`: identity, settings, digests of the data once they are read, the process that trains."""

    id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    train: dict[str, Any]
    data: dict[str, str] | None
    since: str
    process: int


def damaged(path: Path, file: str, reason: str) -> UserError:
    """The error for a state that cannot be used.

    Args:
        path: The folder that the model will become.
        file: The file, within the folder of the state.
        reason: What is wrong with it.
    """
    return UserError(f"The interrupted training of {path} is damaged ({file}: {reason}). Start anew with --overwrite.")


def read_json(path: Path, file: Path, schema: type) -> Any:
    """The value of a JSON file of the state, checked against a schema, as plain dictionaries and lists.

    Python's reader, because a score may be NaN.

    Raises:
        UserError: If it is missing, or is not what this program writes.
    """
    name = file.relative_to(cards.under_way(path)).as_posix()
    try:
        if file.stat().st_size > MOST_BYTES:
            raise damaged(path, name, "it is too large")
        value = json.loads(file.read_text(encoding="utf-8"))
        msgspec.convert(value, schema)
    except OSError as error:
        raise damaged(path, name, "it is missing" if not file.exists() else str(error.strerror)) from error
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise damaged(path, name, reason) from error
    return value


class Checkpoint:
    """The folder that holds the state of one stage.

    Args:
        folder: The folder, which need not exist; `training.json` lies in the one above.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = cards.finished(folder.parent)

    def begun(self) -> bool:
        """Whether there is a state."""
        return os.path.lexists(self.folder / "state.json")

    def identity(self) -> str:
        """The identity of the training."""
        return read_json(self.path, self.folder.parent / TRAINING, StoredTraining)["id"]

    def keep(self, model: keras.Model, state: TrainState) -> None:
        """Saves everything that the next epoch depends on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"epoch-{state.epoch}.npz"
        self._write_arrays(name, [variable.numpy() for variable in variables(model)])
        text = json.dumps({"training": self.identity(), **dataclasses.asdict(state)}, indent=1)
        replace(self.folder / "state.json", lambda file: file.write_text(text, encoding="utf-8"))
        for old in self.folder.glob("epoch-*.npz"):
            if old.name != name:
                old.unlink()

    def keep_best(self, model: keras.Model) -> None:
        """Saves the weights to be published if no better ones come."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_arrays("best.npz", [np.array(value) for value in model.get_weights()])

    def read(self) -> TrainState:
        """The stored state; a new one if there is none.

        Raises:
            UserError: If it is damaged.
        """
        if not self.begun():
            return TrainState()
        stored = read_json(self.path, self.folder / "state.json", StoredState)
        if stored.pop("training") != self.identity():
            raise self._damaged("state.json", "it is of another training")
        state = TrainState(**stored)
        if [row.get("epoch") for row in state.history] != list(range(1, state.epoch + 1)):
            raise self._damaged("state.json", f"its history is not that of {state.epoch} epochs")
        if state.best_epoch > state.epoch or (state.epoch and state.best_score is None):
            raise self._damaged("state.json", f"its best epoch is {state.best_epoch} of {state.epoch}")
        return state

    def restore(self, model: keras.Model) -> TrainState:
        """Sets a model and its optimizer to where the last whole epoch left them.

        Raises:
            UserError: If a file of the state is damaged.
        """
        state = self.read()
        assign(variables(model), self.values(model, state))
        return state

    def values(self, model: keras.Model, state: TrainState) -> list[np.ndarray]:
        """The values of a model's `variables` after the last whole epoch.

        Raises:
            UserError: If a file of the state is damaged.
        """
        values = self._read_arrays(f"epoch-{state.epoch}.npz", [variable.numpy() for variable in variables(model)])
        if state.best_score is not None:  # now, not after hours of training
            self.best(model)
        return values

    def restore_best(self, model: keras.Model) -> None:
        """Sets a model to its best weights so far.

        Raises:
            UserError: If the file is damaged.
        """
        model.set_weights(self.best(model))

    def best(self, model: keras.Model) -> list[np.ndarray]:
        """The best weights so far.

        Raises:
            UserError: If the file is damaged.
        """
        return self._read_arrays("best.npz", model.get_weights())

    def _damaged(self, name: str, reason: str) -> UserError:
        return damaged(self.path, f"{self.folder.name}/{name}", reason)

    def _write_arrays(self, name: str, arrays: Sequence[np.ndarray]) -> None:
        named = {IDENTITY: np.array(self.identity())}

        def write(file: Path) -> None:
            with file.open("wb") as stream:
                np.savez(stream, *arrays, **named)  # type: ignore[arg-type]

        replace(self.folder / name, write)

    def _read_arrays(self, name: str, like: Sequence[Any]) -> list[np.ndarray]:
        """The arrays of a file, which have the shapes of others; sizes are checked before anything is read."""
        file = self.folder / name
        if not file.is_file():
            raise self._damaged(name, "it is missing")
        try:
            with zipfile.ZipFile(file) as archive:
                sizes = {item.filename.removesuffix(".npy"): item.file_size for item in archive.infolist()}
            if reason := _unlike(sizes, like):
                raise self._damaged(name, reason)
            with np.load(file, allow_pickle=False) as stored:
                identity = str(stored[IDENTITY])
                arrays = [stored[f"arr_{i}"] for i in range(len(like))]
        except UserError:
            raise
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
            reason = (str(error).splitlines() or ["it is cut short"])[0][:200]
            raise self._damaged(name, reason) from error
        if identity != self.identity():
            raise self._damaged(name, "it is of another training")
        if [array.shape for array in arrays] != [np.shape(value) for value in like]:
            raise self._damaged(name, "it is of another model")
        return arrays


def _unlike(sizes: Mapping[str, int], like: Sequence[Any]) -> str | None:
    """Why the members of a file cannot be arrays like others; None if they can."""
    if len(sizes) != len(like) + 1:
        return "it is of another model"
    for number, value in enumerate(like):
        size = sizes.get(f"arr_{number}")
        if size is None or size > np.asarray(value).nbytes + _HEADER:
            return "it is of another model"
    return "it has no identity" if sizes.get(IDENTITY, _HEADER) >= _HEADER else None


def replace(file: Path, write: Callable[[Path], Any]) -> None:
    """Writes a file of the state beside its place, and moves it there by a rename.

    Raises:
        UserError: If there is no room, or the folder is gone.
    """
    new = file.with_name(f"{file.name}.new")
    try:
        write(new)
        os.replace(new, file)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UserError(
            f"The state of the training could not be written to {file.parent}: {error}. "
            "What was kept before is whole; make room and go on with --resume."
        ) from error


def assign(targets: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Sets variables to values."""
    for variable, value in zip(targets, values, strict=True):
        variable.assign(value)


def variables(model: keras.Model) -> list[Any]:
    """Weights, states of random generators, and the optimizer's own."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]
