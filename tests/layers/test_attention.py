"""Attention: every kind against its equation, one query and one position at a time in numpy."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo.errors import UserError
from zoo.layers.attention import TABLE, attention

UNITS, FEATURES = 4, 3  # of a query, of a position of the memory
MASK = np.array([[True] * 5, [True, True, False, False, False]])


def noise(*shape, seed=0):
    return np.random.default_rng(seed + sum(shape)).normal(size=shape).astype("float32")


def additive(w, s, h):
    return w["vector"][:, 0] @ np.tanh(w["query_kernel"].T @ s + w["key_kernel"].T @ h + w["bias"])


def dot(w, s, h):
    return s @ (w["key_kernel"].T @ h if "key_kernel" in w else h)


def general(w, s, h):
    return s @ w["key_kernel"].T @ h


EQUATIONS = {"additive": additive, "dot": dot, "general": general}


def made(kind, features=FEATURES, **options):
    """A built layer whose weights are all random, so that none of them can be left out unseen."""
    layer = attention(kind, 6, **options)
    layer.build((None, UNITS), (None, None, features))
    layer.set_weights([noise(*weight.shape, seed=i) for i, weight in enumerate(layer.weights)])
    return layer


def looked(layer, query, memory, mask=None):
    return [ops.convert_to_numpy(part) for part in layer(query, memory, layer.keys(memory), mask)]


def test_every_kind_has_its_equation_here():
    assert EQUATIONS.keys() == TABLE.keys()


@pytest.mark.parametrize("features", [FEATURES, UNITS], ids=["other-size", "same-size"])
@pytest.mark.parametrize("kind", TABLE)
def test_equals_its_equation(kind, features):
    layer, query, memory = made(kind, features), noise(2, UNITS), noise(2, 5, features)
    context, weights = looked(layer, query, memory, MASK)
    named = {weight.name: ops.convert_to_numpy(weight) for weight in layer.weights}
    for row in range(2):
        real = np.flatnonzero(MASK[row])
        powers = np.array([np.exp(EQUATIONS[kind](named, query[row], memory[row, place])) for place in real])
        expected = np.zeros(5)
        expected[real] = powers / powers.sum()
        np.testing.assert_allclose(weights[row], expected, atol=1e-5)
        np.testing.assert_allclose(
            context[row], sum(a * h for a, h in zip(expected, memory[row], strict=True)), atol=1e-5
        )


def test_dot_projects_only_where_sizes_differ():
    assert made("dot", UNITS).weights == []
    assert [tuple(weight.shape) for weight in made("dot", FEATURES).weights] == [(FEATURES, UNITS)]


@pytest.mark.parametrize("kind", TABLE)
def test_weights_sum_to_one_and_none_is_on_padding(kind):
    layer, memory = made(kind), noise(2, 5, FEATURES)
    query = 3 * noise(4, UNITS)
    context, weights = looked(layer, query, memory, MASK)
    assert weights.shape == (4, 5)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    assert (weights[2:, 2:] == 0).all()
    assert (weights[:2] > 0).all()
    memory[1, 2:] = 99
    np.testing.assert_array_equal(looked(layer, query, memory, MASK)[0], context)


@pytest.mark.parametrize("kind", TABLE)
def test_without_a_mask_every_position_is_real(kind):
    layer, query, memory = made(kind), noise(2, UNITS), noise(2, 5, FEATURES)
    for bare, masked in zip(
        looked(layer, query, memory), looked(layer, query, memory, np.ones((2, 5), bool)), strict=True
    ):
        np.testing.assert_array_equal(bare, masked)


@pytest.mark.parametrize("kind", TABLE)
def test_rows_side_by_side_are_calls_of_their_own(kind):
    layer, query, memory = made(kind), noise(6, UNITS), noise(2, 5, FEATURES)
    together = looked(layer, query, memory, MASK)
    for place in range(3):  # q0 q1 q2 look at m0, q3 q4 q5 at m1
        alone = looked(layer, query[[place, 3 + place]], memory, MASK)
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one[[place, 3 + place]], other, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("kind", TABLE)
def test_a_wholly_masked_row_gets_finite_numbers(kind, dtype):
    layer = made(kind, dtype=dtype)
    query, memory = noise(2, UNITS).astype(dtype), noise(2, 5, FEATURES).astype(dtype)
    mask = np.array([[False] * 5, [True, True, False, False, False]])
    context, weights = looked(layer, query, memory, mask)
    assert weights.dtype == dtype
    np.testing.assert_allclose(weights[0], 0.2, atol=1e-3)
    np.testing.assert_allclose(context[0], memory[0].mean(0), atol=5e-3)
    assert np.isfinite(context).all()
    assert (weights[1, 2:] == 0).all()


@pytest.mark.parametrize("kind", TABLE)
def test_every_weight_has_a_say_in_the_context(kind):
    layer, query, memory = made(kind), noise(2, UNITS), noise(2, 5, FEATURES)
    before = looked(layer, query, memory, MASK)[0]
    for weight in layer.weights:
        old = ops.convert_to_numpy(weight)
        weight.assign(old + noise(*old.shape, seed=7))
        assert np.abs(looked(layer, query, memory, MASK)[0] - before).max() > 1e-3, f"{weight.name} changes nothing"
        weight.assign(old)
    np.testing.assert_array_equal(looked(layer, query, memory, MASK)[0], before)


@pytest.mark.parametrize("kind", TABLE)
def test_config_round_trip(kind):
    layer = attention(kind, 6, name="look")
    assert type(layer) is TABLE[kind]
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(copy) is type(layer)
    assert copy.get_config() == layer.get_config()
    assert (copy.units, copy.name) == (6, "look")


@pytest.mark.parametrize(("wrong", "nearest"), [("aditive", "additive"), ("generall", "general"), ("dots", "dot")])
def test_an_unknown_kind_is_told_with_the_nearest(wrong, nearest):
    with pytest.raises(UserError, match=f"No kind of attention is called '{wrong}'; did you mean '{nearest}'"):
        attention(wrong, 4)
