"""Scores of classifiers against numbers worked out by hand."""

import math

import numpy as np
import pytest

from zoo import metrics
from zoo.metrics import by_distance, classification, expected_calibration_error


def test_expected_calibration_error_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    labels = np.array([0, 1, 0, 1])
    # Confidence 0.9 twice, right once; 0.6 once and right; 0.8 once and right.
    by_hand = 2 / 4 * abs(0.5 - 0.9) + 1 / 4 * abs(1 - 0.6) + 1 / 4 * abs(1 - 0.8)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(by_hand)
    monkeypatch.setattr(metrics, "BINS", 1)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(abs(3 / 4 - 0.8))


def test_certainty_that_is_right_is_calibrated_and_one_that_is_wrong_is_not() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert expected_calibration_error(certain, np.array([0, 1])) == 0
    assert expected_calibration_error(certain, np.array([1, 0])) == 1


def test_classification_by_hand_with_a_class_that_never_occurs() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
    got = classification(probabilities, np.array([0, 1, 1, 0]))  # guessed: 0, 1, 0, 2
    assert set(got) == {"accuracy", "macro_f1", "log_loss", "ece"}
    assert got["accuracy"] == 0.5
    assert got["macro_f1"] == pytest.approx((2 / 4 + 2 / 3 + 0) / 3)  # 2 hits / (2 hits + misses + false alarms)
    assert got["log_loss"] == pytest.approx(-sum(map(math.log, (0.7, 0.8, 0.3, 0.2))) / 4)
    assert got["ece"] == pytest.approx((0.3 + 0.2 + 0.5 + 0.6) / 4)
    assert all(type(value) is float for value in got.values())


def test_one_class_only() -> None:
    got = classification(np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 0]))
    assert got["accuracy"] == 1.0
    assert got["log_loss"] == pytest.approx(-math.log(0.75))


def test_float32_sums_are_evened_out() -> None:
    rows = np.random.default_rng(1).random((100, 5)).astype("float32")
    rows /= rows.sum(axis=1, keepdims=True)
    labels = np.arange(100) % 5
    by_hand = -np.log(rows.astype("float64")[np.arange(100), labels]).mean()
    assert classification(rows, labels)["log_loss"] == pytest.approx(by_hand, abs=1e-6)


def test_a_certain_mistake_costs_much_but_not_without_end() -> None:
    got = classification(np.array([[1.0, 0.0]]), np.array([1]))
    assert 10 < got["log_loss"] < math.inf


def test_accuracy_by_distance() -> None:
    right = np.array([True, False, True, True])
    assert by_distance(right, np.array([10, 10, 2, 10])) == {
        "accuracy_at_2": 1.0,
        "accuracy_at_10": pytest.approx(2 / 3),
    }
