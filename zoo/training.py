"""The one run: seed, load, build, fit, score, save.

A training lives in `.<name>.training` beside the folder it will become. After every epoch its whole state is there:
weights, optimizer, random seeds, best weights so far, the history. A kill loses the epoch it hits, no more.
"""

import dataclasses
import gc
import importlib.util
import math
import os
import platform
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import cards, saved
from zoo.errors import UserError
from zoo.figures import draw_curves
from zoo.history import write_history
from zoo.progress import Progress, say
from zoo.settings import Run
from zoo.store import State, Store, open_store
from zoo.task import Data, Installed, Stage


def train(
    installed: Installed,
    recipe: Run,
    path: Path,
    *,
    command: str = "",
    resume: bool = False,
    overwrite: bool = False,
    plot: bool = True,
    tensorboard: Path | None = None,
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

    Raises:
        UserError: If something is in the way that the user must decide about, or the input is bad.
    """
    callbacks = [_tensorboard(tensorboard)] if tensorboard else []
    store = open_store(path, recipe, resume, overwrite)
    started = time.monotonic()
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    try:
        task = installed.task
        data = task.load(recipe)
        keras.utils.set_random_seed(recipe.seed)  # a data set generated just now has drawn numbers
        main = Stage(recipe, data, task.build, task.validate or task.score, task.monitor, task.higher_is_better)
        model = main.build(recipe, data)
        say(_describe(model, data, recipe))
        state = store.restore(model)
        if state.epoch:
            say(f"Resuming after epoch {state.epoch} of {recipe.epochs}.")
        before = task.before(recipe, data) if task.before and not state.epoch else None
        if before:
            state.minutes = _pretrain(before, store.before(before.recipe), model, started, callbacks)
        if not store.after().begun():
            _fit(main, model, state, store, started, callbacks)
        store.restore_best(model)
        after = task.after(recipe, data) if task.after else None
        if after:
            state = _refine(after, store.after(after.recipe), model, state, started, callbacks)
    finally:
        keras.config.set_dtype_policy("float32")
    say("Scoring the test split.")
    chosen = state.history[state.best_epoch - 1]
    scores = {
        "validation": {k.removeprefix("validation_"): v for k, v in chosen.items() if k.startswith("validation_")},
        "test": task.score(model, data.split("test"), data.assets),
    }
    metrics = _metrics(main, model, state, scores)
    examples = task.examples if data.examples is None else data.examples
    stored = {"task": installed.name, "train": dataclasses.asdict(recipe), "command": command}

    def extra(folder: Path) -> None:
        write_history(folder / "history.csv", state.history)
        if plot:
            draw_curves(folder / "curves.png", state.history, task.monitor)

    result = saved.write(
        path, model, data.assets, stored, metrics,
        storage=recipe.storage, examples=examples, extra=extra, overwrite=overwrite,
    )  # fmt: skip
    store.close()
    return result


def _pretrain(
    stage: Stage, store: Store, model: keras.Model, started: float, callbacks: Sequence[keras.callbacks.Callback]
) -> float:
    """Runs a stage before the main one and hands its best weights over; returns its minutes."""
    first = stage.build(stage.recipe, stage.data)
    if not store.begun():
        store.begin()
    state = store.restore(first)
    say(f"First without labels: {_sizes(stage.data)}; from epoch {state.epoch} of {stage.recipe.epochs}.")
    _fit(stage, first, state, store, started, callbacks)
    store.restore_best(first)
    moved = hand_over(first, model)
    say(f"Then with labels, from the weights of: {', '.join(moved)}.")
    return state.minutes


def _refine(
    stage: Stage,
    store: Store,
    model: keras.Model,
    state: State,
    started: float,
    callbacks: Sequence[keras.callbacks.Callback],
) -> State:
    """Runs a stage after the main one from its best weights, and takes the best of both; returns their state as one."""
    last = stage.build(stage.recipe, stage.data)
    if not store.begun():
        store.begin()
    own = store.restore(last)
    if not own.epoch:  # until something is better, what it starts from is the best
        last.set_weights(model.get_weights())
        start = stage.score(last, stage.data.split("validation"), stage.data.assets)[stage.monitor]
        own.best_score = start * (1 if stage.higher_is_better else -1)
        store.keep_best(last)
    say(f"Then another stage, from the best weights so far; from epoch {own.epoch} of {stage.recipe.epochs}.")
    _fit(stage, last, own, store, started, callbacks)
    store.restore_best(last)
    model.set_weights(last.get_weights())
    return _joined(state, own)


def _joined(state: State, after: State) -> State:
    """Two stages as one: epochs go on counting; the loss of the second has another name, as it is another loss."""
    rows = [{**row, "epoch": state.epoch + row["epoch"], "after_loss": row["loss"]} for row in after.history]
    rows = [{name: value for name, value in row.items() if name != "loss"} for row in rows]
    return dataclasses.replace(
        state,
        epoch=state.epoch + after.epoch,
        best_epoch=state.epoch + after.best_epoch if after.best_epoch else state.best_epoch,
        best_score=after.best_score,
        chosen_by=after.chosen_by or state.chosen_by,
        minutes=round(state.minutes + after.minutes, 2),
        history=[*state.history, *rows],
    )


def hand_over(source: keras.Model, target: keras.Model) -> list[str]:
    """Copies the weights of layers that have the same name in both models.

    Returns:
        The names.

    Raises:
        ValueError: If a shape differs, or no layer has the same name.
    """
    layers = {layer.name: layer for layer in source.layers if layer.weights}
    moved = []
    for layer in target.layers:
        if layer.weights and layer.name in layers:
            layer.set_weights(layers[layer.name].get_weights())
            moved.append(layer.name)
    if not moved:
        raise ValueError(f"{source.name} and {target.name} have no layer with weights in common.")
    return moved


def _fit(
    stage: Stage,
    model: keras.Model,
    state: State,
    store: Store,
    started: float,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Epochs until the last one, the budget's end, or too many without a better validation score.

    After each use of a `tf.data` pipeline its iterator is collected here, in the main thread. Left to Python, that may
    happen within a function that the next pipeline calls, which then waits, interpreter lock in hand, for threads
    that wait for that lock: a training hung so after 28 epochs.
    """
    recipe, data = stage.recipe, stage.data
    earlier, began = state.minutes, time.monotonic()
    scoring = 0.0  # seconds that the last validation took: the test split will take as long in proportion
    share = 1 + data.sizes.get("test", 0) / max(data.sizes.get("validation", 1), 1)
    while state.epoch < recipe.epochs:
        if recipe.patience and state.epoch - state.best_epoch >= recipe.patience:
            say(f"Stopping: no better {stage.monitor} in {recipe.patience} epochs.")
            break
        deadline = started + 60 * recipe.budget - share * scoring if recipe.budget else math.inf
        if state.best_score is not None and time.monotonic() >= deadline:
            say(f"Stopping: the budget of {recipe.budget:g} minutes is used up.")
            break
        progress = Progress(state.epoch + 1, recipe, data.epoch or data.sizes.get("train"), deadline)
        # Not one fit over all epochs: the state between two of them is ours to save, score and resume.
        run = _in_turn if stage.in_turn else _streamed
        logs = run(model, data.train(state.epoch), state.epoch, [progress, *callbacks])
        loss = logs["loss"]
        if not math.isfinite(loss):
            raise UserError(
                f"The loss became {loss} in epoch {state.epoch + 1}. Try a smaller --learning-rate "
                f"(now {recipe.learning_rate:g}), --clip-norm 1, or --precision float32. "
                "The state before this epoch is kept: --resume goes on from there."
            )
        gc.collect()  # see _fit's docstring
        raw = [np.array(value) for value in model.get_weights()]
        model.optimizer.write_average(model.trainable_variables)
        scoring = time.monotonic()
        scores = stage.score(model, data.split("validation"), data.assets)
        scoring = time.monotonic() - scoring
        gc.collect()
        state.epoch += 1
        state.minutes = round(earlier + (time.monotonic() - began) / 60, 2)
        state.examples_a_second = round(progress.rate, 1)
        row = {"epoch": state.epoch, **logs}
        row |= {f"validation_{name}": value for name, value in scores.items()}
        state.history.append(row)
        score = scores[stage.monitor] * (1 if stage.higher_is_better else -1)
        better = state.best_score is None or score > state.best_score
        if better:
            state.best_score, state.best_epoch, state.chosen_by = score, state.epoch, stage.monitor
            store.keep_best(model)
        model.set_weights(raw)
        store.keep(model, state)
        told = "  ".join(f"{name} {cards.number(value)}" for name, value in row.items() if name != "epoch")
        say(f"epoch {state.epoch}/{recipe.epochs}  {told}  {progress.rate:.0f} examples/s{'  best' if better else ''}")


def _streamed(
    model: keras.Model, batches: Any, epoch: int, callbacks: list[keras.callbacks.Callback]
) -> dict[str, float]:
    """An epoch by Keras's `fit`, which asks for batches ahead; returns its loss and metrics."""
    with warnings.catch_warnings():
        # Keras cannot know how many batches a stream has, and tells so at the end of each.
        warnings.filterwarnings("ignore", "Your input ran out of data")
        history = model.fit(
            batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0, callbacks=callbacks
        ).history
    return {name: float(values[-1]) for name, values in history.items()}


def _in_turn(
    model: keras.Model, batches: Any, epoch: int, callbacks: list[keras.callbacks.Callback]
) -> dict[str, float]:
    """The same with each batch asked for only when the one before has been learned; means over batches."""
    told = keras.callbacks.CallbackList(callbacks, model=model)
    rows = []
    model.stop_training = False
    told.on_train_begin()
    told.on_epoch_begin(epoch)
    for number, (inputs, targets, weights) in enumerate(batches):
        told.on_train_batch_begin(number)
        rows.append(model.train_on_batch(inputs, targets, sample_weight=weights, return_dict=True))
        told.on_train_batch_end(number, rows[-1])
        if model.stop_training:
            break
    logs = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    told.on_epoch_end(epoch, logs)
    told.on_train_end(logs)
    return logs


def _sizes(data: Data) -> str:
    return ", ".join(f"{split} {count:,}" for split, count in data.sizes.items())


def _describe(model: keras.Model, data: Data, recipe: Run) -> str:
    """What is about to run, and which path through Keras it takes."""
    loops = {layer.fused for layer in model.layers if hasattr(layer, "fused")}
    path = "Keras's fused layer (cuDNN on a GPU)" if loops == {True} else "a loop over the cell"
    path = f"Recurrence: {path}. " if loops else ""
    return (
        f"Data: {data.facts['name']}: {_sizes(data)}.\n"
        f"Model: {model.count_params():,} parameters, cell {recipe.cell}. {path}Backend {keras.backend.backend()}."
    )


def _metrics(stage: Stage, model: keras.Model, state: State, scores: dict) -> dict[str, Any]:
    """What `metrics.json` holds."""
    return {
        "monitor": stage.monitor,
        "higher_is_better": stage.higher_is_better,
        "scores": scores,
        "data": {**stage.data.facts, "sizes": dict(stage.data.sizes)},
        "training": {
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
            "chosen_by": state.chosen_by or stage.monitor,
            "minutes": state.minutes,
            "examples_a_second": state.examples_a_second,
            "parameters": model.count_params(),
        },
        "machine": {"cores": _cores(), "processor": platform.machine(), "system": platform.system()},
        "versions": {
            "keras": keras.version(),
            "backend": keras.backend.backend(),
            "python": platform.python_version(),
        },
    }


def _cores() -> int | None:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _tensorboard(folder: Path) -> keras.callbacks.Callback:
    # Keras notices only in the first epoch.
    if not importlib.util.find_spec("tensorboard"):
        raise UserError("--tensorboard needs a package that is not installed: pip install tensorboard")
    return keras.callbacks.TensorBoard(folder)


def evaluate(
    model: saved.SavedModel, dataset: str | None = None, split: str = "test", limit: int | None = None
) -> dict[str, float]:
    """Scores a saved model; changes nothing in it.

    Args:
        model: What `saved.load` returned.
        dataset: A name or a path; default the data set it was trained on.
        split: A split of that data set.
        limit: Only the first so many examples.

    Returns:
        The task's scores, and `examples` and `examples_a_second` of the scoring itself.
    """
    recipe = dataclasses.replace(model.recipe, limit=None, **({"dataset": dataset} if dataset else {}))
    data = model.installed.task.load(recipe, model.assets)
    counted = Counted(data.split(split, limit))
    scores = model.installed.task.score(model.model, counted, model.assets)
    return {**scores, "examples": counted.examples, "examples_a_second": round(counted.rate, 1)}


class Counted:
    """Batches that count their real rows and the seconds from the first request on."""

    def __init__(self, batches: Any) -> None:
        self.batches, self.examples, self.rate = batches, 0, 0.0

    def __iter__(self) -> Iterator[Any]:
        began = time.monotonic()
        for batch in self.batches:
            self.examples += int((np.asarray(batch[-1]) > 0).sum())
            yield batch
            self.rate = self.examples / max(time.monotonic() - began, 1e-9)
