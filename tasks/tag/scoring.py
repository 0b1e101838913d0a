"""Scores of labels per step: accuracy, and F1 of spans that are right from their first to their last step."""

import itertools
from collections.abc import Sequence

from seqeval.metrics import f1_score as seqeval_f1
from sklearn.metrics import accuracy_score, f1_score


def is_bio(labels: Sequence[str]) -> bool:
    """Whether labels are those of chunks and entities: `B-` begins one, `I-` continues it, `O` is outside of all."""
    return "O" in labels and all(label == "O" or label.startswith(("B-", "I-")) for label in labels)


def scores(truth: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]], kind: str) -> dict[str, float]:
    """Scores over all labeled steps.

    Args:
        truth: Labels of each sequence.
        predictions: Those of a model.
        kind: What a step is; spans of frames are runs of one label.

    Returns:
        `accuracy`; `macro_f1`, a mean over the labels that occur; and `span_f1` of spans that are right in both ends
        and label, as seqeval counts them, for frames and for labels that begin with `B-` and `I-`.
    """
    flat, predicted = list(itertools.chain(*truth)), list(itertools.chain(*predictions))
    occurring = sorted(set(flat))
    result = {
        "accuracy": float(accuracy_score(flat, predicted)),
        "macro_f1": float(f1_score(flat, predicted, labels=occurring, average="macro", zero_division=0)),
    }
    if kind == "frames":
        truth, predictions = [_as_bio(row) for row in truth], [_as_bio(row) for row in predictions]
    if kind == "frames" or is_bio([*occurring, "O"]):
        result["span_f1"] = float(seqeval_f1(list(map(list, truth)), list(map(list, predictions)), zero_division=0))
    return result


def _as_bio(labels: Sequence[str]) -> list[str]:
    """Runs of equal labels as seqeval writes spans: `B-` at the first step of each, `I-` at the others."""
    return [f"{'I' if i and labels[i - 1] == label else 'B'}-{label}" for i, label in enumerate(labels)]
