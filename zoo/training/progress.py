"""The progress of a training: its epochs, the time that is left, and the batches of a validation."""

import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras

from zoo.evaluation import Advance, CountedBatches
from zoo.settings import TrainConfig
from zoo.training.display import clock


class TimeLeft:
    """How long the rest of a run takes: known when an epoch has been trained and validated.

    Args:
        epochs: Epochs of the run.
        scored: Examples scored after the last epoch, as a fraction of those of a validation.
    """

    def __init__(self, epochs: int, scored: float) -> None:
        self.epochs, self.scored = epochs, scored
        self.measurements = 0
        self.epoch: float | None = None
        self.validation = 0.0

    def measured(self, epoch: float, validation: float, certain: bool = True) -> None:
        """Takes the seconds of the steps of an epoch and of its validation, both without compiling.

        Args:
            epoch: Seconds of the steps.
            validation: Seconds of the validation.
            certain: Whether compiling could be told from them; else the next measurement counts.
        """
        self.validation = validation
        self.epoch = epoch if certain or self.measurements else None
        self.measurements += 1

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
    """The seconds of steps, of which a few take longer than the others because something is compiled for them."""

    def __init__(self) -> None:
        self.last = time.monotonic()
        self.steps: list[float] = []

    def step(self) -> None:
        """Counts a step that has just ended."""
        now = time.monotonic()
        self.steps.append(now - self.last)
        self.last = now

    @property
    def usual(self) -> float:
        """Seconds of a usual step, the median; 0 while only one is known, which has been compiled."""
        return statistics.median(self.steps[1:]) if len(self.steps) > 1 else 0.0

    @property
    def compiling(self) -> float:
        """What was compiled: what the first step, and others that stand out, took longer than usual."""
        usual = self.usual
        slow = [step for i, step in enumerate(self.steps) if i == 0 or step > max(OUTLIER * usual, LEAST_SECONDS)]
        return sum(max(step - usual, 0.0) for step in slow) if usual else 0.0


OUTLIER, LEAST_SECONDS = 10, 0.2
"""A step that takes this many times as long as usual, and this many seconds at least, compiles something."""


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
        late: Whether the epoch ends early: asked with a function that looks at the clock, and the step.
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
        late: Callable[[Callable[[], bool], int], bool] = lambda past, step: past(),
    ) -> None:
        super().__init__()
        self.epoch, self.recipe, self.examples, self.deadline = epoch, recipe, examples, deadline
        self.advance, self.left, self.best, self.late = advance, left, best, late
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
        self.advance(self.done, lambda: self._note(logs or {}))
        if self.deadline < math.inf and self.late(lambda: time.monotonic() >= self.deadline, batch):
            self.model.stop_training = True

    def _note(self, logs: dict[str, Any]) -> str:
        parts = [f"loss {float(logs['loss']):.4f}"] if "loss" in logs else []
        parts += [self.best] if self.best else []
        if len(self.steady.steps) > 1:
            seconds_of_steps = sum(self.steady.steps) - self.steady.compiling
            parts.append(f"{self.done / max(seconds_of_steps, 1e-9):,.0f} ex/s")
        fraction = self.done / self.examples if self.examples else 0.0
        seconds = self.left.seconds(self.epoch - 1 + fraction)
        return "  ".join(parts if seconds is None else [*parts, f"{clock(self._within(seconds))} left"])

    def _within(self, seconds: float) -> float:
        """The time left is never more than that until the deadline, and what comes after it."""
        return min(seconds, max(self.deadline - time.monotonic(), 0.0) + self.left.scored * self.left.validation)

    def on_train_end(self, logs: dict | None = None) -> None:
        self.seconds = sum(self.steady.steps)
        self.rate = self.done / max(self.seconds, 1e-9)
        self.compiling = self.steady.compiling
        self.model.stop_training = False


class WatchedBatches(CountedBatches):
    """Counted batches that also know how long each of them took.

    Args:
        batches: Batches whose last component is the weights of their rows.
        advance: Shows how far it is.
    """

    def __init__(self, batches: Any, advance: Advance) -> None:
        super().__init__(batches, advance)
        self.steady = Steady()

    def __iter__(self) -> Iterator[Any]:
        self.steady = Steady()
        for batch in super().__iter__():
            yield batch
            self.steady.step()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.batches, name)
