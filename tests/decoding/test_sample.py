"""Sampling: how often each token comes."""

import numpy as np
import pytest
from keras import ops, tree

from zoo import decoding

CHANCES = np.array([0.0, 0.4, 0.3, 0.2, 0.1], "float32")
ROWS = 4000


def step(tokens, state):
    with np.errstate(divide="ignore"):
        row = np.log(CHANCES)
    return ops.repeat(ops.convert_to_tensor(row)[None], ops.shape(tokens)[0], axis=0), state


def sample(rows=ROWS, length=5, **options):
    found = decoding.sample(
        step, {"a": np.zeros(rows)}, **{"start": 0, "end": 7, "max_new_tokens": length, "seed": 1, **options}
    )
    return tree.map_structure(ops.convert_to_numpy, found)


def frequencies(**options):
    tokens = sample(**options).tokens
    return np.bincount(tokens.ravel(), minlength=5) / tokens.size


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0, 0.4, 0.3, 0.2, 0.1]),
        ({"temperature": 0.5}, [0, 16 / 30, 9 / 30, 4 / 30, 1 / 30]),
        ({"temperature": 0.01}, [0, 1, 0, 0, 0]),
        ({"temperature": 0.0}, [0, 1, 0, 0, 0]),
        ({"top_k": 2}, [0, 4 / 7, 3 / 7, 0, 0]),
        ({"top_k": 1}, [0, 1, 0, 0, 0]),
        ({"top_k": 50}, [0, 0.4, 0.3, 0.2, 0.1]),
        ({"top_p": 0.65}, [0, 4 / 7, 3 / 7, 0, 0]),
        ({"top_p": 0.75}, [0, 4 / 9, 3 / 9, 2 / 9, 0]),
        ({"top_p": 0.01}, [0, 1, 0, 0, 0]),
        ({"top_k": 3, "top_p": 0.5}, [0, 4 / 7, 3 / 7, 0, 0]),
    ],
)
def test_tokens_come_as_often_as_they_should(options, expected):
    found = frequencies(**options)
    # Five times the standard deviation of a mean of 20,000.
    assert np.abs(found - expected).max() < 5 * np.sqrt(0.25 / (5 * ROWS))
    assert not found[np.array(expected) == 0].any()


def test_scores_are_the_model_s_own_whatever_is_drawn_from():
    found = sample(rows=50, temperature=0.7, top_k=3)
    np.testing.assert_allclose(found.scores, np.log(CHANCES[found.tokens]).sum(axis=1), rtol=1e-5)


def test_steps_and_rows_and_seeds_differ_and_repeat():
    one, again, other = sample(50), sample(50), sample(50, seed=2)
    np.testing.assert_array_equal(one.tokens, again.tokens)
    assert (one.tokens != other.tokens).any()
    assert len({tuple(row) for row in one.tokens.tolist()}) > 30
    assert len({tuple(column) for column in one.tokens.T.tolist()}) == 5
    for seed in (-1, 2**40 + 3, np.int64(5)):
        assert sample(50, seed=seed).tokens.shape == (50, 5)


def test_one_compiled_graph_draws_again_with_another_seed(toys):
    def draw(seeds):
        return decoding.sample(step, {"a": ops.zeros((20,))}, start=0, end=7, max_new_tokens=5, seed=seeds[0]).tokens

    model = toys.Compiled(draw)
    found = [model.predict_on_batch(np.array([seed], "int32")) for seed in (1, 2, 1)]
    assert len(model.sizes) <= 2
    np.testing.assert_array_equal(found[0], found[2])
    assert (found[0] != found[1]).any()
    np.testing.assert_array_equal(found[0], sample(20, seed=1).tokens)


def test_temperature_zero_is_greedy(toys):
    tale = toys.Tale(end=-1)
    options = {"start": toys.START, "end": toys.END, "max_new_tokens": 8}
    one = decoding.sample(tale.step, tale.state(np.arange(9)), seed=1, temperature=0, **options)
    other = decoding.greedy(tale.step, tale.state(np.arange(9)), **options)
    for part, expected in zip(one, other, strict=True):
        np.testing.assert_array_equal(part, expected)


def kept(rows):
    return np.isfinite(ops.convert_to_numpy(rows)).astype(int).tolist()


def test_filters_keep_just_as_many_as_they_should():
    equal = np.log(np.full((1, 4), 0.25, "float32"))
    mixed = np.log(np.array([[0.1, 0.5, 0.2, 0.2], [0.7, 0.1, 0.1, 0.1]], "float32"))
    assert kept(decoding.top_k(ops.convert_to_tensor(equal), 3)) == [[1, 1, 1, 0]]
    assert kept(decoding.top_k(ops.convert_to_tensor(mixed), 2)) == [[0, 1, 1, 0], [1, 1, 0, 0]]
    assert kept(decoding.top_k(ops.convert_to_tensor(mixed), 0)) == [[1, 1, 1, 1]] * 2
    assert kept(decoding.top_p(ops.convert_to_tensor(equal), 0.5)) == [[1, 1, 0, 0]]
    assert kept(decoding.top_p(ops.convert_to_tensor(equal), 0.51)) == [[1, 1, 1, 0]]
    assert kept(decoding.top_p(ops.convert_to_tensor(mixed), 0.6)) == [[0, 1, 1, 0], [1, 0, 0, 0]]
    assert kept(decoding.top_p(ops.convert_to_tensor(mixed), 1.0)) == [[1, 1, 1, 1]] * 2
    # Logits that are no log-probabilities do as well.
    assert kept(decoding.top_p(ops.convert_to_tensor(mixed + 5), 0.6)) == [[0, 1, 1, 0], [1, 0, 0, 0]]
    assert kept(decoding.top_k(ops.convert_to_tensor([[float("-inf"), -1.0, float("-inf")]]), 2)) == [[0, 1, 0]]


def test_a_step_that_forbids_everything_is_survived():
    def nothing(tokens, state):
        return ops.full((ops.shape(tokens)[0], 6), float("-inf")), state

    found = decoding.sample(nothing, {"a": np.zeros(2)}, start=0, end=1, max_new_tokens=3, seed=1, top_p=0.9)
    assert (ops.convert_to_numpy(found.tokens) < 6).all()
    assert (ops.convert_to_numpy(found.scores) == -np.inf).all()
