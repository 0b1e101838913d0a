"""Scores that neither Keras nor scikit-learn has, and the sets of scores that tasks share."""

from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, log_loss

BINS = 15
"""Equally wide intervals of confidence, over which calibration is measured."""


def confidence_bins(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often answers of about the same confidence are right.

    Args:
        probabilities: `(examples, classes)`.
        labels: `(examples,)`, the right class of each.

    Returns:
        Of each interval that has examples: mean confidence, accuracy, number of examples; each `(intervals,)`.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    means = [(confidence[place == b].mean(), right[place == b].mean(), (place == b).sum()) for b in np.unique(place)]
    confidences, accuracies, counts = map(np.array, zip(*means, strict=True))
    return confidences, accuracies, counts


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error: how far stated confidence is from the share of right answers, 0 to 1.

    Reference: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (2017), equation 3.

    Args:
        probabilities: `(examples, classes)`.
        labels: `(examples,)`, the right class of each.
    """
    confidence, accuracy, count = confidence_bins(probabilities, labels)
    return float((np.abs(accuracy - confidence) * count).sum() / count.sum())


def classification(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Scores of a classifier.

    Args:
        probabilities: `(examples, classes)`.
        labels: `(examples,)`, the right class of each.

    Returns:
        `accuracy`, `macro_f1` (mean over classes), `log_loss` (mean negative log-likelihood in nats) and
        `ece` (expected calibration error).
    """
    probabilities = np.asarray(probabilities, "float64")
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)  # float32 sums are off by 1e-7
    classes: Any = range(probabilities.shape[1])
    guesses = probabilities.argmax(axis=1)
    return {
        "accuracy": float(accuracy_score(labels, guesses)),
        "macro_f1": float(f1_score(labels, guesses, labels=classes, average="macro", zero_division=0)),
        "log_loss": float(log_loss(labels, probabilities, labels=classes)),
        "ece": expected_calibration_error(probabilities, labels),
    }


def by_distance(right: np.ndarray, distances: np.ndarray) -> dict[str, float]:
    """Accuracy by how many steps an answer had to be remembered.

    Args:
        right: `(answers,)`, whether each is right.
        distances: `(answers,)`, whole numbers.

    Returns:
        `accuracy_at_<distance>` for each distance that occurs, from the shortest on.
    """
    return {f"accuracy_at_{steps}": float(right[distances == steps].mean()) for steps in np.unique(distances)}
