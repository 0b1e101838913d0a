"""Two saved models on the same split: scores, and what the chance of its examples explains of their difference."""

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zoo import cards, evaluation, statistics
from zoo.comparison import report
from zoo.errors import UserError
from zoo.report.write import answers
from zoo.saved import SavedModel

LONGEST = 300
"""Characters of a text that are printed."""


class Watched:
    """Batches that remember which targets went by, in which order.

    Args:
        batches: Batches whose last two components are targets and the weights of their rows.
    """

    def __init__(self, batches: Any) -> None:
        self.batches, self.digest = batches, hashlib.sha256()

    def __iter__(self) -> Iterator[Any]:
        for batch in self.batches:
            targets, weights = (np.asarray(item) for item in batch[-2:])
            real = targets[weights.reshape(len(targets), -1).max(axis=1) > 0]
            self.digest.update(repr(real.tolist()).encode())
            yield batch


def compare(
    first: SavedModel,
    other: SavedModel,
    dataset: str | None = None,
    split: str = "test",
    limit: int | None = None,
    examples: int = 0,
) -> dict[str, Any]:
    """Scores two models on the same examples.

    Args:
        first: What `saved.load` returned.
        other: Another model of the same task.
        dataset: A name or a path; default the data set both were trained on.
        split: A split of it.
        limit: Only the first `limit` examples.
        examples: Number of examples that are returned, as `different`, of those whose answers differ most.

    Returns:
        A JSON object with the score of each, the `difference` of the second from the first, the number of examples
        on which each is better, and some of these.

    Raises:
        UserError: If the models do not answer the same questions.
    """
    task = first.installed.task
    dataset = _dataset(first, other, dataset)
    if task.example_statistics is None:
        raise UserError(
            f"The task {first.installed.name} has no scores of single examples to compare models by. "
            "Use `zoo evaluate` on each."
        )
    sides, digests = [], []
    for model in (first, other):
        batches = Watched(evaluation.data(model, dataset).split(split, limit))
        sides.append(np.asarray(task.example_statistics(model.net, batches, model.assets), "float64"))
        digests.append(batches.digest.digest())
    if digests[0] != digests[1]:
        raise UserError(
            f"{first.path.name} and {other.path.name} read {dataset} in different pieces or orders, because their "
            "tokenizers, labels or lengths differ: their answers cannot be paired."
        )
    result = _result(first, other, sides, dataset, split)
    if examples and task.report is not None:
        result["different"] = _different(first, other, dataset, split, limit, examples)
    return result


def _different(
    first: SavedModel, other: SavedModel, dataset: str, split: str, limit: int | None, count: int
) -> list[dict[str, Any]]:
    """The examples on which two models differ most, by turns one where the first and one where the second is better."""
    ours, theirs = (answers(model, dataset, split, limit) for model in (first, other))
    gain = theirs.quality - ours.quality
    order = np.argsort(gain, kind="stable")
    turns = itertools.chain.from_iterable(zip(order, order[::-1], strict=True))
    places = [i for i in dict.fromkeys(map(int, turns)) if gain[i] and ours.answer(i) != theirs.answer(i)]
    return [
        {
            "example": i,
            "input": ours.shown(i).text,
            "truth": ours.truth(i),
            "answers": [ours.answer(i), theirs.answer(i)],
            "better": other.path.name if gain[i] > 0 else first.path.name,
        }
        for i in places[:count]
    ]


def _dataset(first: SavedModel, other: SavedModel, dataset: str | None) -> str:
    """The data set that both are scored on."""
    if first.installed.name != other.installed.name:
        names = ", ".join(f"{model.path.name} is for {model.installed.name}" for model in (first, other))
        raise UserError(f"Models of one task are compared: {names}. Choose two models of one task.")
    if dataset is None and first.recipe.dataset != other.recipe.dataset:
        raise UserError(
            f"The models were trained on {first.recipe.dataset} and {other.recipe.dataset}: say with --dataset on "
            "which data they are compared."
        )
    return dataset or first.recipe.dataset


def _result(first: SavedModel, other: SavedModel, sides: list[np.ndarray], dataset: str, split: str) -> dict[str, Any]:
    task = first.installed.task
    trained = [statistics.Trained(np.array([float(task.combine(side.sum(axis=0)))]), side[None]) for side in sides]
    found = statistics.difference(trained[0], trained[1], task.combine)
    with np.errstate(invalid="ignore", divide="ignore"):  # an example without anything to score
        ours, theirs = (np.nan_to_num(task.combine(side)) for side in sides)
    up = 1 if task.higher_is_better else -1
    return {
        "task": first.installed.name,
        "dataset": dataset,
        "split": split,
        "monitor": task.monitor,
        "higher_is_better": task.higher_is_better,
        "models": [str(model.path) for model in (first, other)],
        "scores": [float(item.scores[0]) for item in trained],
        "examples": len(ours),
        "first_better": int((up * (ours - theirs) > 1e-12).sum()),
        "second_better": int((up * (theirs - ours) > 1e-12).sum()),
        "difference": dataclasses.asdict(found),
    }


def lines(result: dict[str, Any]) -> Iterator[str]:
    """What the command prints."""
    direction = "higher" if result["higher_is_better"] else "lower"
    yield (
        f"{result['monitor']} ({direction} is better) on {result['examples']:,} examples of {result['dataset']}, "
        f"split {result['split']}"
    )
    counts = (result["first_better"], result["second_better"])
    rows = [
        [Path(name).name, cards.number(score), f"{count:,}"]
        for name, score, count in zip(result["models"], result["scores"], counts, strict=True)
    ]
    yield from report.aligned(("model", result["monitor"], "better on"), rows)
    change, interval, p = report.change(result["difference"])
    permuted = result["difference"]["p_examples"]
    yield f"difference {change}, 95 % interval {interval}, p {p}; permutation test p {permuted:.3f}"
    yield "Only the chance of examples counts: another seed may turn the difference around."
    names = [Path(name).name for name in result["models"]]
    for row in result.get("different", ()):
        yield ""
        yield f"example {row['example']:,}, better by {row['better']}"
        texts = {"input": row["input"], "truth": row["truth"], **dict(zip(names, row["answers"], strict=True))}
        yield from (f"  {name}: {' '.join(text.split())[:LONGEST]}" for name, text in texts.items() if text)
