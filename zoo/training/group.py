"""Several processes that train one model together on JAX, and how they end together.

Every worker runs the same program on the same batches, of which it takes its own rows. They find one another, and wait
for worker 0, by the service that `jax.distributed` starts there; gradients go directly from worker to worker.
"""

import contextlib
import dataclasses
import datetime
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.errors import UserError
from zoo.task import Stage
from zoo.terminal import console
from zoo.training import display
from zoo.training.checkpoint import Checkpoint, TrainState, assign, variables
from zoo.training.distribution import Devices, Workers
from zoo.workers import launcher, processes
from zoo.workers.settings import Plan, check_batch, check_examples

DAY = datetime.timedelta(days=1) // datetime.timedelta(milliseconds=1)
"""How long the others wait for worker 0, which may score for hours; should it end, they notice at once."""

GATHERING = 300
"""Seconds within which all workers must connect."""

HEARTBEAT = 20
"""Seconds of silence after which a worker counts as dead, where its connections have not said so before."""

LINGERING = 5_000
"""Milliseconds that worker 0 waits for each of the others to read the error before it exits."""

FAREWELL = 1.0
"""Seconds in which the others end by themselves: JAX aborts a process that hears of the end of worker 0 first."""

STEPS = 16
"""Steps between two questions to worker 0 whether the time is used up."""

LOSSES = ("Gloo", "gloo", "UNAVAILABLE", "Connection closed by peer", "heartbeat", "coordination service", "Socket")
"""Words of JAX's errors when another worker is gone."""


class Group(Devices):
    """Several processes, of which this is one.

    Args:
        plan: Which workers there are.

    Raises:
        UserError: If they do not find one another.
    """

    def __init__(self, plan: Plan) -> None:
        import jax

        if launcher.launched():
            processes.end_with_parent()
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        with contextlib.suppress(AttributeError):  # JAX before 0.9 has no such choice
            jax.config.update("jax_enable_preemption_service", False)  # it would catch the signal that ends workers
        try:
            jax.distributed.initialize(
                plan.coordinator, plan.count, plan.worker_id, initialization_timeout=GATHERING,
                heartbeat_timeout_seconds=HEARTBEAT,
            )  # fmt: skip
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise UserError(
                f"The workers have not found one another within {GATHERING // 60} minutes: {reason}. Start the same "
                "command once for each --worker-id, at about the same time."
            ) from error
        # JAX has no public interface to the service by which its processes find one another; Orbax uses this one too.
        self.client = importlib.import_module("jax._src.distributed").global_state.client
        self.count, self.number, self.shared = jax.process_count(), jax.process_index(), 0
        super().__init__(None)
        if launcher.launched():
            processes.unpin()
        self.stdout = os.dup(1)
        with open(os.devnull, "wb") as nothing:  # gloo tells standard output about its connections
            os.dup2(nothing.fileno(), 1)
        if not self.first:
            display.silence()

    def share(self, make: Callable[[], Any]) -> Any:
        self.shared += 1
        key = f"zoo/{self.shared}"
        if self.first:
            text = json.dumps({"value": make()}, default=float)
            self.client.key_value_set(key, text)
        else:
            text = self.client.blocking_key_value_get(key, DAY)
        message = json.loads(text)
        if "error" in message:
            raise FirstEndedError(f"Worker 0 has ended: {message['error']}")
        return message["value"]

    def tell_end(self, error: UserError) -> None:
        """Tells the others, who wait for what worker 0 shares next, that nothing comes, and lets them read it."""
        for number in (self.shared, self.shared + 1):
            with contextlib.suppress(Exception):  # that one was shared, or nobody is there any more
                self.client.key_value_set(f"zoo/{number}", json.dumps({"error": str(error)}))
        self.wait_for_readers("end")

    def wait_for_readers(self, name: str) -> None:
        """Lets worker 0, without which nobody can read anything, wait a little until the others have read something."""
        if not self.first:
            self.client.key_value_set(f"zoo/{name}/{self.number}/read", "1")
            return
        for number in range(1, self.count):
            with contextlib.suppress(Exception):  # it does not read any more
                self.client.blocking_key_value_get(f"zoo/{name}/{number}/read", LINGERING)
        time.sleep(FAREWELL)

    def late(self, past: Callable[[], bool], step: int) -> bool:
        return step % STEPS == 0 and self.share(past)

    def broadcast(self, make: Callable[[], Sequence[np.ndarray]], like: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        from jax.experimental import multihost_utils

        values = list(make()) if self.first else [np.zeros_like(value) for value in like]
        return [np.asarray(value) for value in multihost_utils.broadcast_one_to_all(values)]

    def in_turn(self, make: Callable[[], Any]) -> Any:
        if self.first:
            value = make()
        self.share(lambda: True)
        return value if self.first else make()

    def rows(self, dataset: Any) -> Any:
        """A data set of batches, with this worker's rows of each.

        Every worker makes the whole batches, by the same seed: all agree on their number, their order and their
        padded lengths by construction, and each batch is exactly that of a single process. The price is that each
        worker encodes, shuffles and pads everything, so this part does not get faster with more of them;
        `scripts/scale.py` measures it (reading). Where it costs too much, examples would have to be divided before they
        are encoded, and the workers to agree on the length of each batch.
        """

        def mine(*batch: Any) -> Any:
            return keras.tree.map_structure(self._mine, batch)

        return dataset.map(mine).prefetch(2)

    def _mine(self, array: Any) -> Any:
        if not array.shape[0] or array.shape[0] % self.count:  # all have one size on JAX, padded with rows of weight 0
            raise ValueError(f"A batch {array.shape} does not divide by {self.count} workers.")
        share = array.shape[0] // self.count
        return array[self.number * share : (self.number + 1) * share]

    def build(self, stage: Stage) -> tuple[keras.Model, keras.Model]:
        check_batch(stage.recipe.batch_size, self.count)
        check_examples(stage.data.examples_per_epoch(), self.count)
        with self.alone():
            own = stage.build(stage.recipe, stage.data)
        keras.utils.set_random_seed(stage.recipe.seed)
        return stage.build(stage.recipe, stage.data), own

    def checkpoint(self, folder: Path) -> Any:
        return SharedCheckpoint(folder, self)

    def check(self, name: str, facts: Mapping[str, Any]) -> None:
        """Compares what all workers have with what worker 0 has, on all of them.

        Raises:
            UserError: With the first worker that has something else, and what.
        """
        self.client.key_value_set(f"zoo/{name}/{self.number}", json.dumps(facts, default=str))
        found = [json.loads(self.client.blocking_key_value_get(f"zoo/{name}/{i}", DAY)) for i in range(self.count)]
        for number, theirs in enumerate(found):
            changed = [
                f"{key} ({found[0].get(key)} -> {theirs[key]})" for key in theirs if theirs[key] != found[0][key]
            ]
            if changed:
                self.wait_for_readers(name)
                raise UserError(
                    f"Worker {number} differs from worker 0: {', '.join(changed)[:400]}. Start all workers with the "
                    "same command, the same data and the same versions."
                )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Ends this process when the training fails: JAX would wait for the others, which wait for this one."""
        try:
            with super().running():
                yield
            self.share(lambda: True)  # the others stay until worker 0 has saved
            os.dup2(self.stdout, 1)
        except BaseException as error:
            _end(error, self)


class SharedCheckpoint:
    """A checkpoint that worker 0 reads and writes for all; see `Checkpoint`.

    Args:
        folder: Its folder, which the others need not see.
        workers: The workers.
    """

    def __init__(self, folder: Path, workers: Workers) -> None:
        self.inner, self.workers = Checkpoint(folder), workers

    def begun(self) -> bool:
        """Whether there is a state."""
        return self.workers.share(self.inner.begun)

    def keep(self, model: keras.Model, state: TrainState) -> None:
        """Saves everything that the next epoch depends on."""
        variables(model)  # all workers build the optimizer together
        if self.workers.first:
            self.inner.keep(model, state)
        self.workers.share(lambda: True)

    def keep_best(self, model: keras.Model) -> None:
        """Saves the weights to be published if no better ones come."""
        if self.workers.first:
            self.inner.keep_best(model)

    def read(self) -> TrainState:
        """The stored state."""
        return TrainState(**self.workers.share(lambda: dataclasses.asdict(self.inner.read())))

    def restore(self, model: keras.Model) -> TrainState:
        """Sets a model and its optimizer to where the last whole epoch left them."""
        state, like = self.read(), [variable.numpy() for variable in variables(model)]
        assign(variables(model), self.workers.broadcast(lambda: self.inner.values(model, state), like))
        return state

    def restore_best(self, model: keras.Model) -> None:
        """Sets a model to its best weights so far."""
        model.set_weights(self.workers.broadcast(lambda: self.inner.best(model), model.get_weights()))


class FirstEndedError(UserError):
    """Worker 0 has ended, and has said why."""


def _end(error: BaseException, workers: Group) -> None:
    """Says what went wrong with this worker, and ends it without JAX's own farewell."""
    code = 1
    if isinstance(error, FirstEndedError):
        code = launcher.LOST
        if not launcher.launched():
            console.complain(str(error))
        workers.wait_for_readers("end")
    elif isinstance(error, UserError):
        code = 2
        console.complain(str(error))
        if workers.first:
            workers.tell_end(error)
    elif isinstance(error, (KeyboardInterrupt, SystemExit)):
        code = 130
        console.complain("Interrupted.", "")
    elif any(word in str(error) for word in LOSSES):
        code = launcher.LOST
        if not launcher.launched():
            reason = str(error).strip().splitlines()[0][:200]
            console.complain(f"Worker {workers.number} has lost another worker: {reason} --resume goes on.")
    else:
        traceback.print_exception(error)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
