"""Scores of labels in step: how many are right, and how many spans are found from first to last step."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from seqeval.metrics import f1_score as spans_f1
from sklearn.metrics import accuracy_score, f1_score


class Span(NamedTuple):
    """Steps from `start` to before `end` that have one label."""

    start: int
    end: int
    label: str


def spans(labels: Sequence[str]) -> list[Span]:
    """Runs of equal labels."""
    found, start = [], 0
    for label, run in itertools.groupby(labels):
        end = start + sum(1 for _ in run)
        found.append(Span(start, end, label))
        start = end
    return found


def is_bio(labels: Sequence[str]) -> bool:
    """Whether labels are named as those of chunks and entities are: `B-` begins one, `I-` goes on, `O` is none."""
    return "O" in labels and all(label == "O" or label.startswith(("B-", "I-")) for label in labels)


def scores(truth: Sequence[Sequence[str]], guess: Sequence[Sequence[str]], kind: str) -> dict[str, float]:
    """Scores over all steps that were asked for.

    Args:
        truth: Labels of each sequence.
        guess: The same, as the model has them.
        kind: What a step is; spans of frames are runs of one label.

    Returns:
        `accuracy`; `macro_f1`, a mean over the labels that occur; and `span_f1` of spans that are right in both ends
        and label, as seqeval counts them, for frames and for labels that begin with `B-` and `I-`.
    """
    flat, guessed = list(itertools.chain(*truth)), list(itertools.chain(*guess))
    occurring = sorted(set(flat))
    result = {
        "accuracy": float(accuracy_score(flat, guessed)),
        "macro_f1": float(f1_score(flat, guessed, labels=occurring, average="macro", zero_division=0)),
    }
    if kind == "frames":
        truth, guess = [_begun(row) for row in truth], [_begun(row) for row in guess]
    if kind == "frames" or is_bio([*occurring, "O"]):
        result["span_f1"] = float(spans_f1(list(map(list, truth)), list(map(list, guess)), zero_division=0))
    return result


def _begun(labels: Sequence[str]) -> list[str]:
    """Runs as spans in seqeval's letters: the first step of each begins it."""
    return [f"{'I' if i and labels[i - 1] == label else 'B'}-{label}" for i, label in enumerate(labels)]


def named(labels: Sequence[str], numbers: np.ndarray) -> list[str]:
    """Names of labels by number."""
    return [labels[int(number)] for number in numbers]
