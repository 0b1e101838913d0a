"""Several workers or devices that train one model together: `keras.distribution.DataParallel` on JAX.

Every worker runs the same program on the same batches, of which it takes its own rows; the gradient is that of the
whole batch, so one worker and several compute the same numbers up to rounding. Only worker 0 touches files, scores
and speaks: what it finds, the others are told (`Workers.share`). Scores are computed by a copy of the model that
belongs to worker 0 alone.
"""

import contextlib
import dataclasses
import importlib
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

import zoo
from zoo.data import batches
from zoo.errors import UserError
from zoo.settings import TrainConfig
from zoo.task import Stage
from zoo.training.checkpoint import Checkpoint, variables
from zoo.workers.settings import Plan, check_batch


class Workers:
    """A single process: nothing to share, nothing to divide."""

    count = 1
    number = 0

    @property
    def first(self) -> bool:
        """Whether this worker writes, scores and speaks."""
        return self.number == 0

    def share(self, make: Callable[[], Any]) -> Any:
        """What worker 0 makes: plain JSON values. All workers have to call this in the same order."""
        return make()

    def late(self, past: Callable[[], bool], step: int) -> bool:
        """Whether an epoch ends early; all workers end it at the same step."""
        return past()

    def broadcast(self, make: Callable[[], Sequence[np.ndarray]], like: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Arrays that worker 0 makes, of the shapes and types of others."""
        return make()

    def in_turn(self, make: Callable[[], Any]) -> Any:
        """What each worker makes for itself, worker 0 first: it may generate a data set that the others then find."""
        return make()

    def rows(self, dataset: Any) -> Any:
        """A data set of batches, with this worker's rows of each."""
        return dataset

    def build(self, stage: Stage) -> tuple[keras.Model, keras.Model]:
        """The model of a stage, and the one by which it is scored and saved: the same one."""
        model = stage.build(stage.recipe, stage.data)
        return model, model

    def alone(self) -> contextlib.AbstractContextManager:
        """Within it, models are made and run by this process alone."""
        return contextlib.nullcontext()

    def checkpoint(self, folder: Path) -> Any:
        """The checkpoint of a stage."""
        return Checkpoint(folder)

    def check(self, name: str, facts: Mapping[str, Any]) -> None:
        """Refuses workers that have other facts than worker 0."""

    def check_stages(self, stages: Sequence[Stage]) -> None:
        """Refuses stages that several workers cannot train together."""

    def running(self) -> contextlib.AbstractContextManager:
        """What happens at the end of a training, or at its failure."""
        return contextlib.nullcontext()


ALONE = Workers()


class Devices(Workers):
    """One process with several devices, which share each batch.

    Args:
        count: How many; None for all there are.

    Raises:
        UserError: If there are fewer.
    """

    def __init__(self, count: int | None) -> None:
        self.names = _first(keras.distribution.list_devices(), count)
        self.parallel = keras.distribution.DataParallel(devices=self.names, auto_shard_dataset=False)

    def build(self, stage: Stage) -> tuple[keras.Model, keras.Model]:
        """The model on all devices, and a copy on the first one."""
        check_batch(stage.recipe.batch_size, len(self.names), "devices")
        with self.alone():
            own = stage.build(stage.recipe, stage.data)
        keras.utils.set_random_seed(stage.recipe.seed)  # the copy has drawn numbers
        return stage.build(stage.recipe, stage.data), own

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Spreads what is trained over the devices."""
        keras.distribution.set_distribution(self.parallel)
        try:
            yield
        finally:
            keras.distribution.set_distribution(None)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Within it, models are made and run on one device."""
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)

    def check_stages(self, stages: Sequence[Stage]) -> None:
        """Refuses stages in which a batch depends on the model, or other models take part."""
        for stage in stages:
            if stage.on_policy:
                raise UserError(
                    f"The stage {stage.name!r} makes its batches by the model itself, which one process does alone: "
                    "leave --workers and --devices out, or the options of that stage."
                )
            if stage.recipe.teachers:
                raise UserError("--teachers answer in one process: leave --workers and --devices out, or them.")


class Mirrored(Devices):
    """Devices of one process on TensorFlow, by `tf.distribute.MirroredStrategy`.

    Each device takes the mean loss of its own rows, and the mean of those means is what is learned from: where rows
    count differently, as tokens of texts of different lengths do, this is not quite the mean of the whole batch.
    """

    def __init__(self, count: int | None) -> None:
        engine = importlib.import_module("zoo.engine.tensorflow")
        self.names = _first(engine.devices(), count)
        self.strategy = engine.mirrored(self.names)

    def build(self, stage: Stage) -> tuple[keras.Model, keras.Model]:
        check_batch(stage.recipe.batch_size, len(self.names), "devices")
        own = stage.build(stage.recipe, stage.data)
        keras.utils.set_random_seed(stage.recipe.seed)
        with self.strategy.scope():
            model = stage.build(stage.recipe, stage.data)
            variables(model)  # the optimizer's are spread as well
        return model, own

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        os.environ[batches.ONE_SHAPE] = "1"
        try:
            yield
        finally:
            del os.environ[batches.ONE_SHAPE]


def _first(names: list[str], count: int | None) -> list[str]:
    """The first devices of a list; all for None.

    Raises:
        UserError: If there are fewer.
    """
    if count is not None and count > len(names):
        raise UserError(
            f"--devices {count}: this machine has {len(names)} ({', '.join(names)[:200]}). Give at most {len(names)}."
        )
    return names[:count]


def join(plan: Plan) -> Workers:
    """The workers of a plan, as this process sees them; JAX must not have computed anything before.

    Raises:
        UserError: If they do not find one another, or devices are missing.
    """
    if not plan.alone:
        return importlib.import_module("zoo.training.group").Group(plan)
    if plan.devices == 1:
        return ALONE
    return Mirrored(plan.devices) if keras.backend.backend() == "tensorflow" else Devices(plan.devices)


def identity(recipe: TrainConfig) -> dict[str, Any]:
    """What all workers have to have in common before they train."""
    versions = {name: importlib.import_module(name).__version__ for name in ("keras", "jax", "tensorflow", "numpy")}
    return {**dataclasses.asdict(recipe), "zoo": zoo.__version__, "python": platform.python_version(), **versions}
