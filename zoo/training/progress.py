"""The progress of a training: its epochs, the time that is left, and the batches of a validation."""

import time
from collections.abc import Iterator
from typing import Any

import keras

from zoo.settings import TrainConfig
from zoo.training.display import Advance, clock
from zoo.training.evaluation import CountedBatches


class TimeLeft:
    """How long the rest of a run takes: known when its first epoch has been trained and validated.

    Args:
        epochs: Epochs of the run.
        scored: Examples scored after the last epoch, as a fraction of those of a validation.
    """

    def __init__(self, epochs: int, scored: float) -> None:
        self.epochs, self.scored = epochs, scored
        self.epoch: float | None = None
        self.validation = 0.0

    def measured(self, epoch: float, validation: float) -> None:
        """Takes the seconds of the steps of an epoch and of its validation, both without compiling."""
        self.epoch, self.validation = epoch, validation

    def seconds(self, done: float) -> float | None:
        """Seconds left.

        Args:
            done: Epochs done, the fraction of the present one included.
        """
        if self.epoch is None:
            return None
        left = max(self.epochs - done, 0.0)
        validations = self.epochs - int(done)
        return left * self.epoch + (validations + self.scored) * self.validation


class Steady:
    """Seconds of steps without what compiling the first one takes."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.first = self.seconds = 0.0
        self.steps = 0

    def step(self) -> None:
        """Counts a step that has just ended."""
        self.seconds, self.steps = time.monotonic() - self.began, self.steps + 1
        self.first = self.first or self.seconds

    @property
    def compiling(self) -> float:
        """What the first step took longer than the others did on average."""
        return max(self.first - (self.seconds - self.first) / max(self.steps - 1, 1), 0.0) if self.steps > 1 else 0.0


class Progress(keras.callbacks.Callback):
    """Shows loss, score, examples per second and the time left during an epoch; ends it at a deadline.

    Args:
        epoch: Its number, from 1 on.
        recipe: The settings.
        examples: Examples of an epoch, if that is known.
        deadline: When it ends at the latest, by `time.monotonic`.
        advance: Shows how far the epoch is.
        left: What is known of the time of the run.
        best: The best score so far, as it is shown.
    """

    def __init__(
        self,
        epoch: int,
        recipe: TrainConfig,
        examples: int | None,
        deadline: float,
        advance: Advance,
        left: TimeLeft,
        best: str = "",
    ) -> None:
        super().__init__()
        self.epoch, self.recipe, self.examples, self.deadline = epoch, recipe, examples, deadline
        self.advance, self.left, self.best = advance, left, best
        self.rate = 0.0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.steady = Steady()
        self.done = 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        step = self.recipe.batch_size
        if self.examples:
            step = min(step, self.examples - self.done)  # the last batches of each bucket are smaller
        self.done += step
        self.steady.step()
        self.advance(self.done, self._note(logs or {}))
        if time.monotonic() >= self.deadline:
            self.model.stop_training = True

    def _note(self, logs: dict[str, Any]) -> str:
        parts = [f"loss {float(logs['loss']):.4f}"] if "loss" in logs else []
        parts += [self.best] if self.best else []
        if self.steady.steps > 1:
            after = self.steady.seconds - self.steady.first
            parts.append(f"{self.done * (1 - 1 / self.steady.steps) / max(after, 1e-9):,.0f} ex/s")
        fraction = self.done / self.examples if self.examples else 0.0
        seconds = self.left.seconds(self.epoch - 1 + fraction)
        return "  ".join(parts if seconds is None else [*parts, f"{clock(self._within(seconds))} left"])

    def _within(self, seconds: float) -> float:
        """The time left is never more than that until the deadline, and what comes after it."""
        return min(seconds, max(self.deadline - time.monotonic(), 0.0) + self.left.scored * self.left.validation)

    def on_train_end(self, logs: dict | None = None) -> None:
        self.seconds = time.monotonic() - self.steady.began
        self.rate = self.done / max(self.seconds, 1e-9)
        self.compiling = self.steady.compiling
        self.model.stop_training = False


class WatchedBatches(CountedBatches):
    """Batches that show how many of them have been scored.

    Args:
        batches: Batches whose last component is the weights of their rows.
        advance: Shows how far it is.
    """

    def __init__(self, batches: Any, advance: Advance) -> None:
        super().__init__(batches)
        self.advance, self.steady = advance, Steady()

    def __iter__(self) -> Iterator[Any]:
        self.steady = Steady()
        for batch in super().__iter__():
            yield batch
            self.steady.step()
            self.advance(self.examples)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.batches, name)
