"""The folder of a training as a whole: who trains into it, with which settings, on which data."""

import contextlib
import dataclasses
import json
import os
import shutil
import time
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import filelock

from zoo import cards
from zoo.errors import UserError
from zoo.settings import TrainConfig, changes
from zoo.training import data_files
from zoo.training.checkpoint import TRAINING, Checkpoint, StoredTraining, damaged, read_json, replace

RESUMABLE = ("epochs", "patience", "max_minutes")
"""Settings that may change when a training is resumed: they decide when it ends, not what it computes."""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes from training into a folder.

    Args:
        path: The folder that the model will become.

    Raises:
        UserError: At once, if another process does; says since when.
    """
    file = cards.locked(path)
    if file.parent.is_file():
        raise UserError(f"{file.parent} is a file. Choose a folder as --models-dir.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(file, timeout=0)
        lock.acquire()
    except filelock.Timeout as error:
        raise UserError(
            f"Another process trains {path}{_since(path)}. Wait for it, or choose another --name."
        ) from error
    except (OSError, NotImplementedError) as error:
        raise UserError(f"{path.parent} cannot be written: {error}. Choose another --models-dir.") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)  # while it is held: whoever waits for it notices that it is gone
        lock.release()


def _since(path: Path) -> str:
    """Since when a training runs, as far as it says."""
    try:
        stored = read_json(path, cards.under_way(path) / TRAINING, StoredTraining)
    except UserError:
        return ""
    return f" since {stored['since']} (process {stored['process']})"


def open_training(path: Path, recipe: TrainConfig, resume: bool, overwrite: bool) -> Path:
    """The folder for the state of a new or a resumed training, after making sure that nothing gets lost.

    Args:
        path: The folder that the model will become.
        recipe: The settings.
        resume: Whether an interrupted training goes on.
        overwrite: Whether a saved model and an interrupted training may be replaced.

    Raises:
        UserError: If there is nothing to resume, the state is damaged, settings or data have changed, or something
            would be overwritten.
    """
    folder = cards.under_way(path)
    _check_folder(path, folder)
    if (folder / "state.json").is_file() and not overwrite:
        raise UserError(
            f"The interrupted training of {path} was begun by zoo 0.1, which kept its state in another form. "
            "Finish it with that version, or start anew with --overwrite."
        )
    begun = os.path.lexists(folder / TRAINING) or any(folder.glob("*/state.json"))
    if resume:
        if not begun:
            what = "It is finished." if path.exists() else "Nothing is kept of one; train without --resume."
            raise UserError(f"There is no interrupted training of {path} to resume. {what}")
        _go_on(path, folder, recipe)
        return folder
    if begun and not overwrite and (kept := last_epoch(path)):
        raise UserError(
            f"A training of {path} was interrupted after epoch {kept[1]} of the stage {kept[0]!r}. "
            "Go on with --resume, or throw it away with --overwrite."
        )
    if os.path.lexists(path):
        if not overwrite:
            raise UserError(f"{path} exists. Choose another --name, or replace it with --overwrite.")
        cards.check_replaceable(path)
    _begin(path, folder, recipe)
    return folder


def _check_folder(path: Path, folder: Path) -> None:
    """Refuses a folder that has the name of a state, and is none."""
    if not os.path.lexists(folder):
        return
    theirs = folder.is_symlink() or not folder.is_dir()
    if not theirs:
        names = {item.name for item in folder.iterdir()}
        theirs = bool(names) and TRAINING not in names and not any(folder.glob("*/state.json"))
        theirs = theirs and not names & {"state.json", f"{TRAINING}.new"}
    if theirs:
        raise UserError(f"{folder} is not the state of a training of {path}; nothing of it is deleted. Move it away.")


def _begin(path: Path, folder: Path, recipe: TrainConfig) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{path.parent} cannot be written: {error}. Choose another --models-dir.") from error
    stored = {"id": uuid.uuid4().hex, "train": dataclasses.asdict(recipe), "data": None}
    _write(folder, stored)


def _go_on(path: Path, folder: Path, recipe: TrainConfig) -> None:
    """Checks settings and state of a training that is resumed."""
    stored = read_json(path, folder / TRAINING, StoredTraining)
    _check_settings(path, stored["train"], recipe)
    last_epoch(path)  # refuses a damaged state before the data are read
    _write(folder, stored)


def _write(folder: Path, stored: dict[str, Any]) -> None:
    running = {"since": time.strftime("%Y-%m-%d %H:%M:%S"), "process": os.getpid()}
    text = json.dumps({**stored, **running}, indent=1)
    replace(folder / TRAINING, lambda file: file.write_text(text, encoding="utf-8"))


def last_epoch(path: Path) -> tuple[str, int] | None:
    """The last stage of which an epoch is kept, and that epoch.

    Raises:
        UserError: If the state is damaged.
    """
    folder = cards.under_way(path)
    files = sorted(folder.glob("*/state.json"))
    if files and not os.path.lexists(folder / TRAINING):
        raise damaged(path, TRAINING, "it is missing")
    if os.path.lexists(folder / TRAINING):
        read_json(path, folder / TRAINING, StoredTraining)
    begun = [(file.stat().st_mtime, file.parent.name, Checkpoint(file.parent).read().epoch) for file in files]
    kept = [(time, name, epoch) for time, name, epoch in begun if epoch]
    return max(kept)[1:] if kept else None


def discard_empty(path: Path) -> None:
    """Removes the folder of a training that ended before anything was kept, such as by data that cannot be read."""
    folder = cards.under_way(path)
    if {item.name for item in folder.iterdir()} == {TRAINING}:
        shutil.rmtree(folder, ignore_errors=True)


def check_data(path: Path, recipe: TrainConfig, named: Collection[str] = ()) -> None:
    """Keeps digests of a user's own data when a training begins, and compares them when it goes on.

    Args:
        path: The folder that the model will become.
        recipe: The settings.
        named: Names of data sets that are not a user's own.

    Raises:
        UserError: If the data are not those of the interrupted training.
    """
    folder = cards.under_way(path)
    stored = read_json(path, folder / TRAINING, StoredTraining)
    if stored["data"] is None:
        _write(folder, {**stored, "data": data_files.digests(recipe, named)})
    elif changed := data_change(path, recipe, named):
        raise UserError(
            f"The data are not those of the interrupted training of {path}: {changed}. Put the old data back, or start "
            "anew with --overwrite."
        )


def data_change(path: Path, recipe: TrainConfig, named: Collection[str] = ()) -> str | None:
    """How a user's own data have changed since the training read them first; None if they have not.

    Arguments as for `check_data`.
    """
    stored = read_json(path, cards.under_way(path) / TRAINING, StoredTraining)
    if stored["data"] is None:
        return None
    return data_files.changed(stored["data"], data_files.digests(recipe, named))


def _check_settings(path: Path, stored: dict[str, Any], recipe: TrainConfig) -> None:
    try:
        changed = changes(stored, recipe, ignore=RESUMABLE)
    except UserError as error:
        raise damaged(path, TRAINING, str(error)) from error
    if changed:
        raise UserError(
            f"The interrupted training of {path} had other settings: {', '.join(changed)}. Give the old ones, "
            "or start anew with --overwrite."
        )
