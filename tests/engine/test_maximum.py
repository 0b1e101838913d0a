"""The maximum over time: numpy's values, and gradients at the place of each maximum."""

from typing import Any

import keras
import numpy as np
import pytest

from zoo import engine, layers
from zoo.engine import compiled, maximum

pytest.importorskip("numba")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 7, 5), (40, 60, 70)])
def test_values_and_places(dtype: str, shape: tuple) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(dtype)
    for mask in (None, rng.random(shape[:2]) < 0.5):
        there = np.ones(shape[:2], bool) if mask is None else mask
        y, index = maximum.forward(x, mask)
        dy = rng.normal(size=y.shape).astype(dtype)
        dx = maximum.backward(index, dy, shape[1])
        assert dx.shape == x.shape
        masked = np.where(there[:, :, None], x, -np.inf)
        full = there.any(1)
        np.testing.assert_array_equal(y[full], masked.max(1)[full])
        assert not y[~full].any()
        right = np.zeros_like(x)
        for row in np.flatnonzero(full):
            right[row, masked[row].argmax(0), np.arange(shape[2])] = dy[row]
        np.testing.assert_array_equal(dx, right)


def test_nan_is_the_largest() -> None:
    x = np.zeros((1, 3, 2), "float32")
    x[0, :, 0] = [1, np.nan, 2]
    y, _ = maximum.forward(x, None)
    assert np.isnan(y[0]).tolist() == [True, False]


def test_wrong_shapes_are_refused() -> None:
    x = np.zeros((2, 3, 4), "float32")
    with pytest.raises(ValueError, match="mask should be"):
        maximum.forward(x, np.ones((2, 4), bool))
    with pytest.raises(ValueError, match="needs"):
        maximum.forward(x[0], None)
    with pytest.raises(ValueError, match="not in 3 steps"):
        maximum.backward(np.full((2, 4), 3, "int32"), x[:, 0], 3)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients are taken by TensorFlow's tape here")
@pytest.mark.parametrize("kinds", ["max", ["mean", "max", "last"]])
def test_pooling_is_the_same_with_and_without_the_kernel(kinds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    x = tf.constant(np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32"))
    layer = layers.Pooling(kinds)

    def results(mask: Any) -> list:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, mask=mask, training=True)
            loss = tf.reduce_sum(tf.sin(y))
        return [y, tape.gradient(loss, x)]

    for mask in (None, np.array([[1] * 5, [0, 1, 1, 0, 0], [0] * 5, [0, 0, 0, 0, 1]], bool)):
        before = dict(compiled.calls)
        ours = results(mask)
        assert dict(compiled.calls) == {name: number + 1 for name, number in before.items()}
        with engine.plain_only():
            plain = results(mask)
        for one, other in zip(ours, plain, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
