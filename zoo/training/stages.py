"""The stages of a training, one after another, by one loop over epochs.

After every epoch the whole state is on disk: weights, optimizer, random seeds, best weights so far, the history. An
interruption loses the epoch it falls into, no more.
"""

import contextlib
import gc
import itertools
import math
import textwrap
import time
import warnings
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import cards, loss_terms, optimizers
from zoo.errors import UserError
from zoo.evaluation import total
from zoo.task import Data, Stage
from zoo.training.checkpoint import TrainState
from zoo.training.display import Table, bar, say, undisturbed
from zoo.training.distribution import ALONE, Workers
from zoo.training.progress import Progress, TimeLeft, WatchedBatches

WIDTH = 80
"""Characters of a line that says what a stage is."""

SAMPLE = 2_000
"""Examples of a split of which those too long to be learned are counted."""


class Loop:
    """Runs stages.

    Args:
        folder: Where their checkpoints lie.
        callbacks: Further callbacks for every epoch.
        workers: Who trains.
        teachers: Models from whose answers a stage learns whose recipe names teachers.
    """

    def __init__(
        self,
        folder: Path,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        workers: Workers = ALONE,
        teachers: Sequence[keras.Model] = (),
    ) -> None:
        self.folder, self.callbacks, self.workers, self.teachers = folder, callbacks, workers, teachers
        self.started = time.monotonic()
        self.seconds = {"compiling": 0.0, "steps": 0.0, "validation": 0.0}

    def run(
        self, stages: Sequence[Stage], start: keras.Model | None = None, fresh: Collection[str] = ()
    ) -> tuple[keras.Model, list[TrainState]]:
        """Runs what is left of the stages; returns the last one's model with its best weights, and all states.

        With several workers, the model is a copy that belongs to this process alone.

        Args:
            stages: The stages.
            start: A model whose weights the first stage starts from.
            fresh: Names of layers that start from new weights all the same.

        Raises:
            UserError: If they do not fit.
        """
        self.workers.check_stages(stages)
        _check_lengths(stages[0])
        model, scored, states = start, None, []
        checkpoints = [self.workers.checkpoint(self.folder / stage.name) for stage in stages]
        for number, (stage, checkpoint) in enumerate(zip(stages, checkpoints, strict=True)):
            if any(later.begun() for later in checkpoints[number + 1 :]):
                states.append(checkpoint.read())  # a later stage has taken its weights over
                continue
            keras.utils.set_random_seed(stage.recipe.seed)  # a data set generated just now has drawn numbers
            own, copy = self.workers.build(stage)
            loss_terms.attach(own, stage.recipe, self.teachers if stage.recipe.teachers else ())
            say(_describe(stage, own))
            kept = checkpoint.begun()
            if not kept:
                checkpoint.keep(own, self._start(stage, own, copy, model, checkpoint, fresh))
            state = checkpoint.restore(own)
            if state.epoch:
                say(f"Resuming after epoch {state.epoch} of {stage.recipe.epochs}.")
            elif kept:
                say("No epoch is kept: the stage starts from its beginning.")
            self._fit(stage, own, copy, state, checkpoint)
            gc.unfreeze()
            checkpoint.restore_best(own)
            model, scored = own, copy
            states.append(state)
        assert model is not None, "a training has at least one stage"
        assert scored is not None
        self._copy(model, scored)
        return scored, states

    def _copy(self, model: keras.Model, scored: keras.Model) -> None:
        """Brings the weights of the model that is trained to the one that is scored, if they are two."""
        if scored is not model and self.workers.first:
            weights = model.get_weights()
            with self.workers.alone():
                scored.set_weights(weights)

    def _start(
        self,
        stage: Stage,
        model: keras.Model,
        scored: keras.Model,
        before: keras.Model | None,
        checkpoint: Any,
        fresh: Collection[str],
    ) -> TrainState:
        """The state of a stage before its first epoch; takes weights over from the stage before."""
        state = TrainState()
        if before is None:
            return state
        if stage.start == "layers":
            alike = type(before) is type(model)
            names = copy_weights(before, model, fresh) if alike else copy_layers(before, model)
            say(f"Starting from the weights of: {', '.join(names)}.")
            return state
        model.set_weights(before.get_weights())
        # Until something is better, the weights it starts from are the best.
        self._copy(model, scored)
        scores = self._validate(stage, scored, total(stage.data, "validation"))[0]
        state.best_score = scores[stage.monitor] * _sign(stage)
        checkpoint.keep_best(model)
        return state

    def _fit(self, stage: Stage, model: keras.Model, scored: keras.Model, state: TrainState, checkpoint: Any) -> None:
        """Epochs until the last one, the end of the time, or too many without a better validation score."""
        recipe, sizes = stage.recipe, stage.data.sizes()
        earlier, began = state.minutes, time.monotonic()
        table = Table(recipe.epochs, stage.monitor)
        # The test split will take as long as the validation in proportion.
        left = TimeLeft(recipe.epochs, 1 + sizes.get("test", 0) / max(sizes.get("validation", 1), 1))
        gc.freeze()  # what stands now stays: the collections around every validation take 5 ms instead of 350
        validated = total(stage.data, "validation")
        say(table.head())
        while not self._ends(stage, state, left):
            started = time.monotonic()
            progress, logs = self._train(stage, model, state, left)
            raw = [np.array(value) for value in model.get_weights()]
            optimizers.write_average(model)
            self._copy(model, scored)
            scores, validated, compiling, certain = self._validate(stage, scored, validated)
            took = time.monotonic() - started
            scoring = took - progress.seconds
            left.measured(progress.seconds - progress.compiling, scoring - compiling, certain)
            self.seconds["compiling"] += progress.compiling + compiling
            self.seconds["steps"] += progress.seconds - progress.compiling
            self.seconds["validation"] += scoring - compiling
            state.epoch += 1
            state.minutes = round(earlier + (time.monotonic() - began) / 60, 2)
            state.examples_per_second = round(progress.rate, 1)
            row = {"epoch": state.epoch, **logs, **{f"validation_{name}": value for name, value in scores.items()}}
            state.history.append(row)
            score = scores[stage.monitor] * _sign(stage)
            better = state.best_score is None or score > state.best_score
            if better:
                state.best_score, state.best_epoch = score, state.epoch
                checkpoint.keep_best(model)
            model.set_weights(raw)
            checkpoint.keep(model, state)
            shown = (cards.number(logs["loss"]), cards.number(scores[stage.monitor]))
            say(table.row(f"{state.epoch}/{recipe.epochs}", *shown, progress.rate, took, better))

    def _validate(self, stage: Stage, model: keras.Model, examples: int | None) -> tuple[dict, int, float, bool]:
        """Scores, examples, seconds of compiling and whether these are certain; worker 0 finds them for all."""

        def found() -> tuple:
            with self.workers.alone():
                scores, watched = validate(stage, model, examples)
            return scores, watched.examples, watched.steady.compiling, len(watched.steady.steps) > 1

        scores, *rest = self.workers.share(found)
        return scores, *rest

    def _ends(self, stage: Stage, state: TrainState, left: TimeLeft) -> bool:
        """Whether the last epoch was the last; says why if there might have been more."""
        recipe = stage.recipe
        if state.epoch >= recipe.epochs:
            return True
        if recipe.patience and state.epoch - state.best_epoch >= recipe.patience:
            say(f"Stopping: no better {stage.monitor} in {recipe.patience} epochs.")
            return True
        limited = recipe.max_minutes is not None and state.best_score is not None
        if limited and self.workers.share(lambda: time.monotonic() >= self._deadline(recipe, left)):
            say(f"Stopping: the {recipe.max_minutes:g} minutes of --max-minutes are used up.")
            return True
        return False

    def _deadline(self, recipe: Any, left: TimeLeft) -> float:
        """When an epoch has to end, so that there is time to score the validation and the test split."""
        limit = recipe.max_minutes
        return math.inf if limit is None else self.started + 60 * limit - left.scored * left.validation

    def _train(
        self, stage: Stage, model: keras.Model, state: TrainState, left: TimeLeft
    ) -> tuple[Progress, dict[str, float]]:
        """Trains one epoch; returns what it took, and its loss and metrics."""
        recipe, examples = stage.recipe, stage.data.examples_per_epoch()
        number = state.epoch + 1
        best = "" if state.best_score is None else f"best {cards.number(state.best_score * _sign(stage))}"
        with bar(f"epoch {number}/{recipe.epochs}", examples, "" if left.measurements else "compiling") as advance:
            deadline = self._deadline(recipe, left)
            progress = Progress(number, recipe, examples, deadline, advance, left, best, self.workers.late)
            logs = _epoch(stage, model, state.epoch, [progress, *self.callbacks], self.workers)
        _check_loss(logs["loss"], number, recipe)
        return progress, logs


def copy_layers(source: keras.Model, target: keras.Model) -> list[str]:
    """Copies the weights of layers that have the same name in both models.

    Returns:
        The names.

    Raises:
        UserError: If a shape differs.
        ValueError: If no layer has the same name.
    """
    layers = {layer.name: layer for layer in source.layers if layer.weights}
    moved = []
    for layer in target.layers:
        if layer.weights and layer.name in layers:
            weights = layers[layer.name].get_weights()
            _check_shapes(weights, layer.weights)
            layer.set_weights(weights)
            moved.append(layer.name)
    if not moved:
        raise ValueError(f"{source.name} and {target.name} have no layer with weights in common.")
    return moved


def copy_weights(source: keras.Model, target: keras.Model, fresh: Collection[str] = ()) -> list[str]:
    """Copies all weights of a saved model to another one of its class, those that belong to no layer included.

    Args:
        source: The saved model.
        target: The other one.
        fresh: Names of layers that keep their own weights.

    Returns:
        The names of the layers.

    Raises:
        UserError: If a shape differs.
    """
    before, after = _without(source, fresh), _without(target, fresh)
    weights = [keras.ops.convert_to_numpy(weight) for weight in before]
    _check_shapes(weights, after)
    for weight, value in zip(after, weights, strict=True):
        weight.assign(value)
    return [layer.name for layer in target.layers if layer.weights and layer.name not in fresh]


def _without(model: keras.Model, layers: Collection[str]) -> list[keras.Variable]:
    """The weights of a model but those of some layers."""
    left_out = {id(weight) for layer in model.layers if layer.name in layers for weight in layer.weights}
    return [weight for weight in model.weights if id(weight) not in left_out]


def _check_shapes(saved: Sequence[np.ndarray], weights: Sequence[keras.Variable]) -> None:
    """Raises a `UserError` if the weights of a saved model have other shapes."""
    for value, weight in itertools.zip_longest(saved, weights):
        if weight is None or value is None or value.shape != tuple(weight.shape):
            what = "fewer weights" if weight is None else f"{weight.path} {tuple(weight.shape)}"
            raise UserError(
                f"This network has {what} where the saved model has {'no weight' if value is None else value.shape}. "
                "Give no option that changes the network, or leave out --init-from."
            )


def joined(stages: Sequence[Stage], states: Sequence[TrainState]) -> tuple[TrainState, str]:
    """The states of all stages as one, whose epochs go on counting, and the score that chose the published weights.

    The loss of a stage other than `"train"` is another loss, and has the stage's name before it.
    """
    whole, chosen_by = TrainState(), stages[0].monitor
    for stage, state in zip(stages, states, strict=True):
        for row in state.history:
            loss = "loss" if stage.name == "train" else f"{stage.name}_loss"
            named = {loss if name == "loss" else name: value for name, value in row.items()}
            whole.history.append({**named, "epoch": whole.epoch + row["epoch"]})
        if state.best_epoch:
            whole.best_epoch, chosen_by = whole.epoch + state.best_epoch, stage.monitor
        whole.epoch += state.epoch
        whole.minutes = round(whole.minutes + state.minutes, 2)
        if stage.name == "train" or not whole.examples_per_second:
            whole.examples_per_second = state.examples_per_second
    return whole, chosen_by


def _sign(stage: Stage) -> int:
    return 1 if stage.higher_is_better else -1


def validate(stage: Stage, model: keras.Model, examples: int | None) -> tuple[dict[str, float], WatchedBatches]:
    """Scores of the validation split, its loss where the data have batches for it, and what its batches took.

    After each use of a `tf.data` pipeline its iterator is collected here, in the main thread. Left to Python, that may
    happen within a function that the next pipeline calls, which then waits, holding the interpreter lock, for threads
    that wait for that lock: a training stopped there for good after 28 epochs.
    """
    with undisturbed():
        gc.collect()
    with bar("validation", examples) as advance:
        batches = WatchedBatches(stage.data.split("validation"), advance)
        scores = stage.score(model, batches, stage.data.assets)
    batches.batches = None
    with undisturbed():
        gc.collect()
    if stage.data.paired is not None and not stage.on_policy:  # a policy's loss is no cross-entropy
        with _unknown_number_of_batches():
            losses = model.evaluate(stage.data.paired("validation"), verbose=0, return_dict=True)
        if "loss" in losses:  # otherwise there was no batch
            scores = {**scores, "loss": float(losses["loss"])}
        with undisturbed():
            gc.collect()
    return scores, batches


def _check_lengths(stage: Stage) -> None:
    """Says how many training examples are too long to be learned, by the first `SAMPLE`.

    Raises:
        UserError: If all examples of train, or of validation, are too long.
    """
    if stage.data.lengths is None:
        return
    longest = stage.recipe.max_length
    for split in ("train", "validation"):
        found = list(stage.data.lengths(split, SAMPLE))  # to its end: see `validate`
        too_long = sum(length > longest for length in found)
        if found and too_long == len(found) and min(stage.data.lengths(split, None)) > longest:
            raise UserError(
                f"All examples of {split} are longer than --max-length {longest}; the shortest of the first "
                f"{len(found):,} has {min(found):,} tokens. Give a larger --max-length."
            )
        if too_long and split == "train":
            first = "the first " if stage.data.sizes()[split] > SAMPLE else ""
            say(
                f"{too_long:,} of {first}{len(found):,} training examples are longer than --max-length {longest} and "
                "are not learned."
            )


def _check_loss(loss: float, epoch: int, recipe: Any) -> None:
    if not math.isfinite(loss):
        raise UserError(
            f"The loss became {loss} in epoch {epoch}. Try a smaller --learning-rate (now {recipe.learning_rate:g}), "
            "--clip-norm 1, or --precision float32. The state before this epoch is kept: --resume goes on from there."
        )


@contextlib.contextmanager
def _unknown_number_of_batches() -> Iterator[None]:
    """Keras cannot know how many batches a stream has, and warns at the end of each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Your input ran out of data")
        yield


def _epoch(
    stage: Stage, model: keras.Model, epoch: int, callbacks: list[keras.callbacks.Callback], workers: Workers
) -> dict[str, float]:
    """Trains one epoch; returns its loss and metrics."""
    if stage.on_policy:
        return _on_policy(model, stage.data, epoch, callbacks)
    with _unknown_number_of_batches():
        # Not one fit over all epochs: the state between two of them is ours to save, score and resume.
        history = model.fit(
            workers.rows(stage.data.train(epoch)), initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0,
            callbacks=callbacks,
        ).history  # fmt: skip
    _check_batches("loss" in history, stage.recipe)
    return {name: float(values[-1]) for name, values in history.items()}


def _check_batches(several: bool, recipe: Any) -> None:
    if not several:
        longest = getattr(recipe, "max_length", None)
        hint = f" If all are longer than --max-length {longest}, give a larger one." if longest else ""
        raise UserError(f"No training example is left to learn from.{hint} `zoo inspect` shows what the data are.")


def _on_policy(
    model: keras.Model, data: Data, epoch: int, callbacks: list[keras.callbacks.Callback]
) -> dict[str, float]:
    """An epoch in which each batch is asked for after the one before has been learned; means over batches."""
    calls = keras.callbacks.CallbackList(callbacks, model=model)
    rows = []
    model.stop_training = False
    calls.on_train_begin()
    calls.on_epoch_begin(epoch)
    for number, (inputs, targets, weights) in enumerate(data.train(epoch, model)):
        calls.on_train_batch_begin(number)
        rows.append(model.train_on_batch(inputs, targets, sample_weight=weights, return_dict=True))
        calls.on_train_batch_end(number, rows[-1])
        if model.stop_training:
            break
    _check_batches(bool(rows), None)
    logs = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    calls.on_epoch_end(epoch, logs)
    calls.on_train_end(logs)
    return logs


def _describe(stage: Stage, model: keras.Model) -> str:
    """What is about to run, and which path through Keras it takes."""
    choices = {layer.choice(training=True).reason: 0 for layer in model.layers if hasattr(layer, "choice")}
    sizes = ", ".join(f"{split} {count:,}" for split, count in stage.data.sizes().items())
    facts = {
        "stage": "" if stage.name == "train" else stage.name,
        "data": f"{stage.data.card.name}: {sizes}",
        "model": f"{model.count_params():,} parameters, cell {stage.recipe.cell}, backend {keras.backend.backend()}",
        "path": " ".join(choices),
    }
    return "\n".join(
        textwrap.fill(text, WIDTH, initial_indent=f"{name:6} ", subsequent_indent=" " * 7)
        for name, text in facts.items()
        if text
    )
