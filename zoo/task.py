"""What a task is, and how the installed ones are found without importing Keras."""

import dataclasses
import functools
import importlib
import importlib.metadata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from zoo.errors import UserError
from zoo.names import look_up, nearest

GROUP = "zoo.tasks"
"""The entry-point group in which a package registers its tasks."""


@dataclass(frozen=True)
class Data:
    """A data set as a task hands it to a training.

    A batch is `(inputs, targets, weights)`; weights are `(batch,)`, and 0 marks a row that only fills up.

    Attributes:
        train: Epoch number -> shuffled batches. The same number gives the same order, so that a resumed
            training sees what it would have seen.
        split: Split name (`"validation"`, `"test"`, or another that the data set has), optionally a limit ->
            batches of the split, or of its first so many examples.
        assets: All that a saved model needs besides its weights: tokenizers and JSON values, by name.
        sizes: Examples by split, where known.
        facts: What the card says of the data: name, version, licence, how the splits were made. The key
            `embedded` is True for a synthetic or shipped set.
        epoch: Examples of an epoch, if they are not those of the train split: a picture may have five captions.
        examples: Inputs for `golden.json` where those of the task (`Task.examples`) do not fit this data set.
    """

    train: Callable[[int], Any]
    split: Callable[..., Any]
    assets: Mapping[str, Any]
    sizes: Mapping[str, int]
    facts: Mapping[str, Any] = field(default_factory=dict)
    epoch: int | None = None
    examples: Sequence[str] | None = None


@dataclass(frozen=True)
class Stage:
    """All that a loop over epochs needs: a recipe, its data, how to build and how to score.

    Most tasks have one stage. A task may put another before it (`Task.before`), whose weights are where the main
    one starts: those of all layers that have the same name and the same shapes. It may put another after it
    (`Task.after`), which starts from the main one's best weights, all of them in the same order.

    With `in_turn`, a batch depends on what the model learned from the batches before: none is asked for ahead.
    """

    recipe: Any
    data: Data
    build: Callable[[Any, Data], Any]
    score: Callable[[Any, Any, Mapping[str, Any]], dict[str, float]]
    monitor: str
    higher_is_better: bool = True
    in_turn: bool = False


@dataclass(frozen=True)
class Task:
    """A task is a value of four functions and a few names; there is no base class.

    Attributes:
        load: `(recipe, assets=None) -> Data`. With the assets of a saved model it trains no tokenizer.
        build: `(recipe, data) -> keras.Model`, compiled: the only place where a recipe is unpacked into a
            builder's arguments.
        score: `(model, batches, assets) -> dict[str, float]`.
        validate: The same for the validation split after every epoch, where `score` would take too long for that.
        predict: `(saved, ask) -> Iterator[str]`: a line of output for each input, in `Part`s if it comes
            slowly, `Failed` if it has no answer.
        monitor: The score that early stopping and the choice of the best model look at.
        higher_is_better: Which way it counts.
        before: `(recipe, data) -> Stage | None`: a training before the training, such as one without labels.
        after: The same for one after it, such as one on a reward. If it makes nothing better, nothing changes.
        examples: Inputs whose answers are kept as `golden.json`, so that a saved model can be checked; a data set
            may have its own (`Data.examples`).
    """

    load: Callable[..., Data]
    build: Callable[[Any, Data], Any]
    score: Callable[[Any, Any, Mapping[str, Any]], dict[str, float]]
    predict: Callable[[Any, Any], Iterator[str]]
    monitor: str
    higher_is_better: bool = True
    validate: Callable[[Any, Any, Mapping[str, Any]], dict[str, float]] | None = None
    before: Callable[[Any, Data], Stage | None] | None = None
    after: Callable[[Any, Data], Stage | None] | None = None
    examples: Sequence[str] = ()


class Failed(str):
    """A line of output that says why one input has no answer. The others are answered; the command exits with 1."""


class Part(str):
    """A part of a line of output, shown at once; the next that comes goes on behind it."""


@dataclass(frozen=True)
class Installed:
    """An installed task: a package with `recipe` and `task` modules. Nothing heavy is imported before `.task`."""

    name: str
    package: str

    @functools.cached_property
    def summary(self) -> str:
        """The first line of the package's docstring."""
        return (importlib.import_module(self.package).__doc__ or "").strip().partition("\n")[0]

    @functools.cached_property
    def recipe(self) -> ModuleType:
        """The module with `Train`, `Predict`, `PRESETS` and `DATASETS`: standard library only.

        It may have `fits(ask, facts of a model's data) -> bool`, for the choice of a model where none is named;
        `OWN_FIRST`, whether that is rather the newest of one's own than the best published;
        `CELLS`, further words that `--cell` takes with what they are; and `MEMORY`, data sets `NAME/STEPS` that ask
        for something seen so many steps ago, with the settings for `zoo lens memory`. The scores of such a data set
        have `accuracy_at_<steps>` (`zoo.metrics.by_distance`).
        """
        return importlib.import_module(f"{self.package}.recipe")

    @functools.cached_property
    def task(self) -> Task:
        """The task itself. This import brings Keras and TensorFlow."""
        return importlib.import_module(f"{self.package}.task").TASK

    def train_recipe(self, stored: Mapping[str, Any]) -> Any:
        """A `Train` from a stored `recipe.json`.

        Raises:
            UserError: If a field is stored that this version does not know.
        """
        known = {item.name for item in dataclasses.fields(self.recipe.Train)}
        for name in stored:
            if name not in known:
                close = nearest(name, known)
                hint = f" (nearest: {close!r})" if close else ""
                raise UserError(
                    f"recipe.json has the setting {name!r}, which {self.name} does not have{hint}; "
                    "it was written by another version of zoo."
                )
        return self.recipe.Train(**stored)


def installed() -> dict[str, Installed]:
    """Every installed task by name, from the entry points of all installed packages."""
    points = importlib.metadata.entry_points(group=GROUP)
    return {point.name: Installed(point.name, point.value) for point in sorted(points, key=lambda p: p.name)}


def find(name: str) -> Installed:
    """The installed task of this name.

    Raises:
        UserError: If there is none; names the nearest.
    """
    return look_up(installed(), name, "task", "`zoo list tasks` shows them with what they are")
