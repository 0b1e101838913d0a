"""The one way a model comes to be: seed, load, run the stages, score once, save."""

import contextlib
import dataclasses
import errno
import importlib.util
import json
import platform
import re
import shutil
import textwrap
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import cards, engine, saved
from zoo.errors import UserError
from zoo.evaluation import total
from zoo.figures import draw_curves
from zoo.ids import PAD, UNKNOWN
from zoo.settings import TrainConfig
from zoo.task import Data, Installed, Stage, Task
from zoo.terminal.console import printable
from zoo.training import distribution, teachers
from zoo.training.checkpoint import TrainState
from zoo.training.display import bar, clock, say
from zoo.training.folder import check_data, data_change, discard_empty, last_epoch, locked, open_training
from zoo.training.history import write_history
from zoo.training.progress import WatchedBatches
from zoo.training.stages import WIDTH, Loop, joined
from zoo.workers.processes import cores
from zoo.workers.settings import SINGLE, Plan

MOST_LOOKED_AT, MANY_UNKNOWN = 200, 0.1
"""Training examples that are searched for unknown tokens before a fine-tuning, and the share that is worth a word."""

SAMPLES = 3
"""Examples that are shown at the end."""


def train(
    installed: Installed,
    recipe: TrainConfig,
    path: Path,
    *,
    command: str = "",
    resume: bool = False,
    overwrite: bool = False,
    plot: bool = True,
    tensorboard: Path | None = None,
    plan: Plan = SINGLE,
) -> saved.SavedModel:
    """Trains a task from a recipe, scores it once on the test split, and saves it.

    Args:
        installed: The task.
        recipe: Its settings.
        path: The folder that the saved model becomes.
        command: What the user typed, for the card.
        resume: Go on with an interrupted training of this folder.
        overwrite: Replace a saved model, or throw away an interrupted training, of this folder.
        plot: Draw the learning curves into the folder.
        tensorboard: Where to write TensorBoard logs.
        plan: Which workers and devices train.

    Returns:
        The saved model.

    Raises:
        SystemExit: With 0, at the end of every worker but the first.
        UserError: If something is in the way that the user must decide about, or the input is bad.
    """
    workers = distribution.join(plan)
    with workers.running():
        workers.check("settings", distribution.identity(recipe) if plan.count != 1 else {})
        if workers.first:
            callbacks = [_tensorboard(tensorboard)] if tensorboard else []
            with locked(path):
                folder = open_training(path, recipe, resume, overwrite)
                with _explained(path, recipe, installed.recipe.datasets, command):
                    fitted = _fitted(installed, recipe, path, folder, callbacks, workers)
                    with workers.alone():
                        result = _finished(
                            installed, recipe, path, folder, command, *fitted, overwrite=overwrite, plot=plot
                        )
            with workers.alone():
                for line in samples(result, fitted[0], "test" if recipe.score_test else "validation"):
                    say(line)
            return result
        _fitted(installed, recipe, path, cards.under_way(path), [], workers)
    raise SystemExit(0)


@contextlib.contextmanager
def _explained(path: Path, recipe: TrainConfig, named: Collection[str] = (), command: str = "") -> Iterator[None]:
    """Says what is kept after an interruption, and what has happened if the data were taken away."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"\n{_kept(path)}")
        if command:
            resume = "" if "--resume" in command.split() or last_epoch(path) is None else " --resume"
            say(f"  {command}{resume}")
        raise
    except UserError:
        discard_empty(path)
        raise
    except Exception as error:
        if change := data_change(path, recipe, named):
            raise UserError(f"The data changed during the training of {path}: {change}. {_kept(path)}") from error
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise UserError(f"The disk takes no more: {error}. {_kept(path)}") from error
        if sentence := _of_user(error):
            raise UserError(f"{sentence} {_kept(path)}") from error
        raise


def _of_user(error: Exception) -> str | None:
    """The sentence of a `UserError` that was raised within a pipeline of TensorFlow, which passes on its text only."""
    found = re.search(r"\bUserError: (.+)", str(error))
    return found.group(1).strip() if found else None


def _kept(path: Path) -> str:
    """What is kept of a training that ends early, and how to go on."""
    kept = last_epoch(path)
    if kept is None:
        return "No epoch is kept; the same command starts anew."
    return f"Kept: epoch {kept[1]} of the stage {kept[0]!r}. The same command with --resume goes on."


def _fitted(
    installed: Installed,
    recipe: TrainConfig,
    path: Path,
    folder: Path,
    callbacks: Sequence[keras.callbacks.Callback],
    workers: distribution.Workers,
) -> tuple[Data, list[Stage], keras.Model, list[TrainState], dict[str, float], float | None]:
    """What all workers do together: load the data and run the stages.

    Returns:
        Data, stages, net and states; how long what took, in seconds; the minutes of the model of `--init-from` and of
        those that it started from.
    """
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    try:
        task = installed.task
        began = time.monotonic()
        say(f"Loading the data set {recipe.dataset} ...")
        with workers.alone():
            start = None if recipe.init_from is None else saved.load(recipe.init_from)
        kept = {} if start is None else {"assets": start.assets, "fine_tune": True}
        data = workers.in_turn(lambda: task.load(recipe, **kept))
        _check_names(data)
        if start and (other := _other_division(start, data)):
            say(other)
        if start and (unknown := _unknown_tokens(start, data)):
            say(unknown)
        fresh: tuple[str, ...] = ()
        if start and start.assets.get("labels") != data.assets.get("labels"):
            fresh = ("label",)  # the output layer of builders of nets with labels
            say(f"{start.path.name} has other labels: the output layer {fresh[0]!r} is new.")
        if workers.first:
            check_data(path, recipe, installed.recipe.datasets)
        if workers.count > 1:
            workers.check("data", {f"examples of {name}": size for name, size in data.sizes().items()})
        with workers.alone():
            taught = teachers.load(installed, recipe, data)
        stages = task.stages(recipe, data)
        loading = time.monotonic() - began
        loop = Loop(folder, callbacks, workers, taught)
        model, states = loop.run(stages, start and start.net, fresh)
    finally:
        keras.config.set_dtype_policy("float32")
    before = None if start is None else cards.total_minutes(start.metrics["training"])
    return data, stages, model, states, {"loading": loading, **loop.seconds}, before


def _finished(
    installed: Installed,
    recipe: TrainConfig,
    path: Path,
    folder: Path,
    command: str,
    data: Data,
    stages: Sequence[Stage],
    model: keras.Model,
    states: Sequence[TrainState],
    seconds: Mapping[str, float],
    before: float | None,
    *,
    overwrite: bool,
    plot: bool,
) -> saved.SavedModel:
    """Scores the test split and saves the model."""
    task = installed.task
    if not recipe.score_test:
        say("The test split is left unscored.")
    began = time.monotonic()
    state, chosen_by = joined(stages, states)
    chosen = state.history[state.best_epoch - 1]
    scores = {
        "validation": {k.removeprefix("validation_"): v for k, v in chosen.items() if k.startswith("validation_")},
        "test": _test(task, model, data) if recipe.score_test else {},
    }
    say(shares({**seconds, "test": time.monotonic() - began}))
    metrics = {
        "monitor": task.monitor,
        "higher_is_better": task.higher_is_better,
        "scores": scores,
        **_measured(data, model, state, chosen_by, before),
    }

    def extra(new: Path) -> None:
        write_history(new / "history.csv", state.history)
        if plot:
            subject = f"{path.name}, trained on {data.card.name}"
            draw_curves(
                new / "curves.png", state.history, task.monitor, best_epoch=state.best_epoch or None, title=subject
            )

    result = saved.write(
        path,
        model,
        data.assets,
        {"task": installed.name, "train": dataclasses.asdict(recipe), "command": command},
        metrics,
        weights_dtype=recipe.weights_dtype,
        examples=task.examples() if data.examples is None else data.examples,
        extra=extra,
        overwrite=overwrite,
    )
    shutil.rmtree(folder, ignore_errors=True)  # the saved model holds all that counts
    return result


def _test(task: Task, model: keras.Model, data: Data) -> dict[str, float]:
    """Scores of the test split."""
    say("Scoring the test split, once.")
    with bar("test", total(data, "test")) as advance:
        return task.score(model, WatchedBatches(data.split("test"), advance), data.assets)


def shares(seconds: Mapping[str, float]) -> str:
    """A line that says how long a training took, and for what.

    Args:
        seconds: What it did -> how long.
    """
    whole = sum(seconds.values())
    parts = ", ".join(f"{name} {spent / max(whole, 1e-9):.0%}" for name, spent in seconds.items())
    return f"Time: {clock(whole)}: {parts}."


def samples(model: saved.SavedModel, data: Data, split: str = "test") -> Iterator[str]:
    """Lines with some examples of a split: input, answer and truth; none if the task cannot show any."""
    report = getattr(model.installed.task, "report", None)
    if report is None:
        return
    answers = report(model, data, split, SAMPLES)
    yield f"Examples of the {split} split:"
    for i in range(min(SAMPLES, len(answers.quality))):
        text = answers.shown(i).text
        for name, value in (("input", text), ("answer", answers.answer(i)), ("truth", answers.truth(i))):
            if value:
                yield f"{name:7} {textwrap.shorten(printable(value), WIDTH - 8, placeholder=' ...')}"
        yield ""


def _other_division(start: saved.SavedModel, data: Data) -> str | None:
    """A warning where a model has learned from another division of the same data set; None where it has not."""
    before = start.metrics["data"]
    if before["name"] != data.card.name:
        return None
    sizes = before.get("sizes", {})
    changed = [
        f"{split} {sizes[split]:,}, now {size:,}"
        for split, size in data.sizes().items()
        if split != "train" and sizes.get(split, size) != size
    ]
    if not changed:
        return None
    return (
        f"{start.path.name} was trained on another division of {data.card.name} ({'; '.join(changed)}): it may have "
        "learned from validation examples, whose scores then flatter."
    )


def _unknown_tokens(start: saved.SavedModel, data: Data) -> str | None:
    """A warning where a model's vocabulary lacks many tokens of the data; None where it does not, or there is none."""
    if not any(name.endswith("tokenizer") for name in data.assets):
        return None
    unknown = tokens = 0
    for inputs, *_ in data.split("train", MOST_LOOKED_AT):
        for part in map(np.asarray, inputs if isinstance(inputs, (tuple, list)) else (inputs,)):
            if np.issubdtype(part.dtype, np.integer) and part.ndim > 1:  # no lengths, no pictures
                unknown, tokens = unknown + int((part == UNKNOWN).sum()), tokens + int((part != PAD).sum())
    if unknown <= MANY_UNKNOWN * tokens:
        return None
    return (
        f"{unknown / tokens:.0%} of the tokens of {data.card.name} are unknown to the vocabulary of {start.path.name}, "
        "which stays as it is. Leave --init-from out for a vocabulary of your own."
    )


def _check_names(data: Data) -> None:
    """Refuses names that could not be saved, such as a label from a folder's name that is no UTF-8."""
    values = [value for value in data.assets.values() if not hasattr(value, "save")]
    try:
        json.dumps([values, data.card.to_json()], ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError as error:
        around = error.object[max(error.start - 20, 0) : error.end + 20]
        raise UserError(f"A name in the data is no UTF-8, around {around!r}. Rename that file or folder.") from error


def _measured(
    data: Data, model: keras.Model, state: TrainState, chosen_by: str, before: float | None
) -> dict[str, Any]:
    """What `metrics.json` holds besides the scores."""
    return {
        "data": {**data.card.to_json(), "sizes": dict(data.sizes())},
        "training": {
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
            "chosen_by": chosen_by,
            "minutes": state.minutes,
            **({"minutes_before": round(before, 2)} if before else {}),
            "examples_per_second": state.examples_per_second,
            "parameters": model.count_params(),
        },
        "machine": {
            "cores": cores(),
            "processor": platform.machine(),
            "system": platform.system(),
            **({"gpu": name} if (name := engine.gpu()) else {}),
        },
        "versions": {
            "keras": keras.version(),
            "backend": keras.backend.backend(),
            "python": platform.python_version(),
        },
    }


def _tensorboard(folder: Path) -> keras.callbacks.Callback:
    # Keras notices only in the first epoch.
    if not importlib.util.find_spec("tensorboard"):
        raise UserError("--tensorboard needs a package that is not installed: pip install tensorboard")
    return keras.callbacks.TensorBoard(folder)
