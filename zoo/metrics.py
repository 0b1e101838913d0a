"""Scores that neither Keras nor scikit-learn has, and the sets of scores that tasks share."""

from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, log_loss


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: how far stated confidence is from the share of right answers, 0 to 1.

    Reference: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (2017), equation 3.

    Args:
        probabilities: `(examples, classes)`.
        labels: `(examples,)`, the right class of each.
        bins: Number of equally wide intervals of confidence.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(right[place == b].mean() - confidence[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


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
