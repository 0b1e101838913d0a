"""The progress of a training, on standard error."""

import contextlib
import sys
import time

import keras
from tqdm import tqdm

from zoo.settings import TrainConfig

SECONDS_PER_LINE = 30
"""How often a training reports where it is when standard error is no terminal."""


def say(text: str) -> None:
    """Logs go to standard error. If that is closed or full, the training goes on without."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


class Progress(keras.callbacks.Callback):
    """One bar per epoch with loss, metrics, examples per second and time left; ends the epoch at a deadline."""

    def __init__(self, epoch: int, recipe: TrainConfig, examples: int | None, deadline: float) -> None:
        super().__init__()
        self.epoch, self.recipe, self.examples, self.deadline = epoch, recipe, examples, deadline
        self.rate = self.compiling = self.first = 0.0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.bar = tqdm(
            total=self.examples,
            desc=f"epoch {self.epoch}/{self.recipe.epochs}",
            unit=" examples",
            mininterval=0.5,
            leave=False,
            disable=None,  # without a terminal, lines are printed instead
            file=sys.stderr,
        )
        self.began = self.reported = time.monotonic()
        self.done = self.steps = 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        step = self.recipe.batch_size
        if self.examples:
            step = min(step, self.examples - self.done)  # the last batches of each bucket are smaller
        self.done, self.steps = self.done + step, self.steps + 1
        now = time.monotonic()
        self.first = self.first or now - self.began
        if self.bar.disable and now - self.reported >= SECONDS_PER_LINE:
            self.reported = now
            whole = f" of {self.examples:,}" if self.examples else ""
            say(f"epoch {self.epoch}/{self.recipe.epochs}: {self.done:,}{whole} examples  {_shown(logs)}")
        self.bar.set_postfix_str(_shown(logs), refresh=False)
        self.bar.update(step)
        if now >= self.deadline:
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        self.bar.close()
        self.seconds = time.monotonic() - self.began
        self.rate = self.done / max(self.seconds, 1e-9)
        # The first step takes longer than the others by what it takes to compile.
        self.compiling = max(self.first - (self.seconds - self.first) / max(self.steps - 1, 1), 0.0)
        self.model.stop_training = False


def _shown(logs: dict | None) -> str:
    return "  ".join(f"{name} {float(value):.4f}" for name, value in (logs or {}).items())
