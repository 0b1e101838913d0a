"""Ranking by likeness: against a count of n-grams in plain Python, on toys whose hypotheses are all known."""

import itertools
from collections import Counter

import numpy as np
import pytest
from keras import ops

from zoo import decoding
from zoo.decoding.consensus import by_consensus
from zoo.errors import UserError

START, END = 9, 1
rng = np.random.default_rng(0)


def likeness(one, other):
    """The mean F1 of n-grams of two lists of ids."""
    total = 0.0
    for order in range(1, 5):
        a, b = (Counter(tuple(text[i : i + order]) for i in range(len(text) - order + 1)) for text in (one, other))
        total += 2 * (a & b).total() / max(a.total() + b.total(), 1)
    return total / 4


def ranked(texts, scores, sharpness):
    """Indices by expected likeness, and that likeness; those without an end after the others."""
    exists = np.isfinite(scores)
    weights = np.where(exists, np.exp(sharpness * (scores - scores[exists].max())), 0)
    content = [[i for i in text if i != END] for text in texts]
    expected = [sum(w * likeness(a, b) for w, b in zip(weights, content, strict=True)) for a in content]
    expected = np.array(expected) / weights.sum()
    key = [(not exists[i], END not in texts[i], -expected[i]) for i in range(len(texts))]
    return sorted(range(len(texts)), key=key.__getitem__), expected


def decoded(texts, scores, time):
    """Texts `[batch][n]` as a beam search returns them."""
    tokens = np.array([[list(text) + [0] * (time - len(text)) for text in row] for row in texts], "int32")
    lengths = np.array([[len(text) for text in row] for row in texts], "int32")
    attention = np.zeros((*tokens.shape, 0), "float32")
    return decoding.Decoded(tokens, scores, scores * 2, lengths, attention)


@pytest.mark.parametrize("sharpness", [1e-6, 2.0, 50.0])
@pytest.mark.parametrize("time", [3, 9])
def test_it_ranks_as_plain_counting_does(sharpness, time):
    texts = []
    for _ in range(20):
        row = [list(rng.integers(4, 7, rng.integers(0, time))) for _ in range(6)]
        texts.append(
            [[*text, END] if number != 4 else text + [5] * (time - len(text)) for number, text in enumerate(row)]
        )
    scores = -rng.exponential(size=(20, 6)).astype("float32")
    scores[:, 5], scores[0] = -np.inf, -np.inf  # a place, and an example, without a hypothesis
    texts = [[text if np.isfinite(s) else [] for text, s in zip(row, some, strict=True)]
             for row, some in zip(texts, scores, strict=True)]  # fmt: skip
    found = by_consensus(decoded(texts, scores, time), END, sharpness, 6)
    with decoding.on_numpy():
        same = by_consensus(decoded(texts, scores, time), END, sharpness, 6)
    for one, other in zip(found[:5], same[:5], strict=True):
        np.testing.assert_allclose(np.asarray(one), other, atol=1e-6)
    assert not np.isfinite(np.asarray(found.scores)[0]).any()
    for example in range(1, 20):
        order, expected = ranked(texts[example], scores[example], sharpness)
        np.testing.assert_allclose(np.asarray(found.scores)[example, :5], expected[order[:5]], atol=1e-5)
        for place, index in enumerate(order[:5]):
            # Hypotheses that are equally alike may change places.
            if np.sum(np.abs(expected - expected[index]) < 1e-6) == 1:
                length = len(texts[example][index])
                assert np.asarray(found.tokens)[example, place, :length].tolist() == texts[example][index]
                assert np.asarray(found.lengths)[example, place] == length
                assert np.asarray(found.log_probabilities)[example, place] == scores[example, index] * 2


def choice(sentences):
    """A step that can write some sentences alone, and its state; each has the log-probability that is given."""
    nodes, rows, following = {"": 0}, {}, {}
    for text, logs in sentences.items():
        for time, letter in enumerate([*text, None]):
            here = nodes[text[:time]]
            token = END if letter is None else ord(letter) - 95
            rows[here, token] = logs if time == 0 else 0.0
            if letter is not None:
                following[here, token] = nodes.setdefault(text[: time + 1], len(nodes))
    table, after = np.full((len(nodes), 30), -np.inf, "float32"), np.zeros((len(nodes), 30), "int32")
    for place, logs in rows.items():
        table[place] = logs
    for place, node in following.items():
        after[place] = node

    def step(tokens, node):
        node = ops.where(tokens == START, node, ops.take(after.reshape(-1), node * 30 + tokens))
        return ops.take(ops.convert_to_tensor(table), node, axis=0), node

    return step, np.zeros(1, "int32")


def test_the_one_in_the_middle_wins_over_the_most_probable(toys):
    """Four sentences: one is a little more probable than three that share most of their words."""
    step, state = choice({"xyz": -0.9, "abcd": -1.0, "eabc": -1.1, "bcdf": -1.2})
    options = {"start": START, "end": END, "max_new_tokens": 6, "beam_size": 8, "length_penalty": 0.0}
    assert toys.read(decoding.beam(step, state, **options).tokens[0, 0]) == "xyz."
    found = decoding.beam(step, state, **options, consensus=0.5, num_return=2)
    assert toys.read(found.tokens[0, 0]) == "abcd."
    assert found.tokens.shape == (1, 2, 6)
    sharp = decoding.beam(step, state, **options, consensus=90.0)
    assert toys.read(sharp.tokens[0, 0]) == "xyz.", "sharp weights leave the order of the search"


def test_a_search_ranks_what_it_would_have_returned(toys):
    tale = toys.Tale(end=-0.5)
    options = {"start": toys.START, "end": toys.END, "max_new_tokens": 6, "beam_size": 5, "record": "seen"}
    for halvings in (0, 2):
        plain = decoding.beam(tale.step, tale.state(range(20)), **options, num_return=5, halvings=halvings)
        expected = by_consensus(plain, toys.END, 3.0, 2)
        found = decoding.beam(
            tale.step, tale.state(range(20)), **options, num_return=2, halvings=halvings, consensus=3.0
        )
        for one, other in itertools.islice(zip(found, expected, strict=True), 5):
            np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=1e-6)


@pytest.mark.parametrize("value", [-1.0, float("nan"), True])
def test_other_values_are_refused(value, toys):
    tale = toys.Tale(end=-0.5)
    with pytest.raises(UserError, match="consensus is a finite number from 0 on"):
        decoding.beam(
            tale.step, tale.state([1]), start=toys.START, end=toys.END, max_new_tokens=3, beam_size=2, consensus=value
        )
