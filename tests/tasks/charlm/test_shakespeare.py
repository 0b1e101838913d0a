"""The other ways of scoring in `scripts/shakespeare.py`, on a small net."""

import importlib
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from zoo import builders

sys.path.insert(0, str(Path(__file__).parents[3] / "scripts"))
shakespeare = importlib.import_module("shakespeare")


def test_windows_and_dynamic_evaluation() -> None:
    keras.utils.set_random_seed(1)
    net = builders.language_model(9, "lstm", 8, num_layers=2, dropout=0.5)
    ids = np.resize(np.array([4, 5, 6, 7, 8], "int32"), 2 * shakespeare.WINDOW + 1)
    before = net.get_weights()
    log_probabilities = keras.ops.log_softmax(net(ids[None, :-1], training=False)).numpy()[0]
    nats = -log_probabilities[np.arange(len(ids) - 1), ids[1:]]
    assert shakespeare.dynamic(net, ids, 0.0) == pytest.approx(nats.mean(), rel=1e-5)
    first = nats[: shakespeare.WINDOW].mean()
    assert shakespeare.windows(net, ids[: shakespeare.WINDOW + 1]) == pytest.approx(first, rel=1e-5)
    assert shakespeare.dynamic(net, ids, 0.5) < nats.mean() - 0.1, "it learns what repeats"
    for old, new in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
