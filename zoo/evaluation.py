"""Scores of a saved model on a split of a data set.

A saved model is here anything with `installed`, `recipe`, `assets` and `net`, as `SavedModel` has them,
which itself calls `evaluate`.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from zoo.task import Data

Advance = Callable[..., None]
"""`advance(done, note)`: examples so far, and a function that makes the words beside a bar when it is drawn."""


@contextlib.contextmanager
def silent(what: str, total: int | None) -> Iterator[Advance]:
    """Shows nothing of how far something is."""
    yield lambda done: None


def evaluate(
    model: Any,
    dataset: str | None = None,
    split: str = "test",
    limit: int | None = None,
    show: Callable[[str, int | None], AbstractContextManager[Advance]] = silent,
) -> dict[str, float]:
    """Scores a saved model; changes nothing in it.

    Args:
        model: What `saved.load` returned.
        dataset: A name or a path; default the data set it was trained on.
        split: A split of that data set.
        limit: Only the first `limit` examples.
        show: `show(what, total)` is a context that shows how far it is, such as `zoo.training.display.bar`.

    Returns:
        The task's scores, and `examples` and `examples_per_second` of the scoring itself.

    Raises:
        UserError: If there is no such data set or split, or the data do not fit the model.
    """
    loaded = data(model, dataset)
    if note := _held_out(loaded, dataset, split):
        print(note, file=sys.stderr, flush=True)
    with show(split, total(loaded, split, limit)) as advance:
        counted = CountedBatches(loaded.split(split, limit), advance)
        scores = model.installed.task.score(model.net, counted, model.assets)
    return {**scores, "examples": counted.examples, "examples_per_second": round(counted.rate, 1)}


def _held_out(loaded: Data, dataset: str | None, split: str) -> str | None:
    """What to say of a split that is only a part of a user's own data; None where there is nothing to say."""
    if dataset is None or not os.path.exists(dataset) or "all" not in loaded.raw.names or split == "all":
        return None
    card = loaded.raw.card
    if "held out of train" not in card.splits:
        return None
    return f"{card.name}: scored on {split} alone ({card.splits}). --split all scores every example."


def total(data: Data, split: str, limit: int | None = None) -> int | None:
    """Examples of a split as its batches count them; None where sizes are in other units, as those of texts are."""
    if data.epoch_size:
        return None
    size = data.raw.size(split) if split == "all" else data.sizes().get(split)  # the whole is not divided first
    return size if limit is None or size is None else min(size, limit)


def data(model: Any, dataset: str | None = None) -> Data:
    """A data set as a saved model reads it.

    Args:
        model: What `saved.load` returned.
        dataset: A name or a path; default the data set it was trained on.

    Raises:
        UserError: If there is no such data set, or it does not fit the model.
    """
    return model.installed.task.load(model.recipe.of_data(dataset or model.recipe.dataset), model.assets)


def predictions(model: Any, batches: Any) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    """The real rows of each batch: inputs, outputs and targets, as arrays.

    Args:
        model: A `keras.Model`.
        batches: Inputs, targets, weights of rows; an input may be a tuple.
    """
    for inputs, targets, weights in batches:
        inputs = tuple(map(np.asarray, inputs)) if isinstance(inputs, (tuple, list)) else np.asarray(inputs)
        outputs, real = np.asarray(model.predict_on_batch(inputs)), np.asarray(weights) > 0
        kept = tuple(part[real] for part in inputs) if isinstance(inputs, tuple) else inputs[real]
        yield kept, outputs[real], np.asarray(targets)[real]


def right_answers(model: Any, batches: Any, assets: Mapping[str, Any]) -> np.ndarray:
    """Statistics of each example of a classifier, `(examples, 2)`: whether its answer is right, and 1."""
    found = predictions(model, batches)
    right = np.concatenate([outputs.argmax(axis=1) == targets for _, outputs, targets in found])
    return np.stack([right, np.ones(len(right))], axis=1)


def example_statistics(
    model: Any, dataset: str | None = None, split: str = "test", limit: int | None = None
) -> np.ndarray | None:
    """Statistics of each example of a split, from which `Task.combine` makes the monitored score.

    Args:
        model: What `saved.load` returned.
        dataset: A name or a path; default the data set it was trained on.
        split: A split of that data set.
        limit: Only the first `limit` examples.

    Returns:
        `(examples, statistics)`, or None if the task has no scores of single examples.

    Raises:
        UserError: If there is no such data set or split, or the data do not fit the model.
    """
    task = model.installed.task
    if task.example_statistics is None:
        return None
    batches = data(model, dataset).split(split, limit)
    return np.asarray(task.example_statistics(model.net, batches, model.assets), "float64")


class CountedBatches:
    """Batches that count their real rows and the seconds from the first request on.

    Args:
        batches: Batches whose last component is the weights of their rows.
        advance: Called with the number of examples after each batch.
    """

    def __init__(self, batches: Any, advance: Advance) -> None:
        self.batches, self.advance, self.examples, self.rate = batches, advance, 0, 0.0

    def __iter__(self) -> Iterator[Any]:
        began = time.monotonic()
        for batch in self.batches:
            self.examples += int((np.asarray(batch[-1]) > 0).sum())
            yield batch
            self.rate = self.examples / max(time.monotonic() - began, 1e-9)
            self.advance(self.examples)
