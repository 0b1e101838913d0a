"""Beam search against searches that leave nothing out."""

import keras
import numpy as np
import pytest
from keras import ops, tree

from zoo import decoding

KEYS = [0, 11, 46]


def beam(toys, tale, keys=KEYS, shared=False, **options):
    options = {"start": toys.START, "end": toys.END, "max_new_tokens": 4, **options}
    found = decoding.beam(tale.step, tale.state(keys, shared=shared), **options)
    return tree.map_structure(ops.convert_to_numpy, found)


def hypotheses(found, example):
    """`(score, log-probability, tokens)` of those that there are."""
    rows = zip(found.scores[example], found.log_probabilities[example], found.tokens[example], strict=True)
    lengths = found.lengths[example]
    return [(*row[:2], tuple(row[2][:length].tolist())) for row, length in zip(rows, lengths, strict=True) if length]


def same(one, other):
    assert [row[2] for row in one] == [row[2] for row in other]
    np.testing.assert_allclose([row[:2] for row in one], [row[:2] for row in other], rtol=1e-5)


@pytest.mark.parametrize(("penalty", "shared"), [(0.0, False), (0.6, True), (1.0, False)])
def test_as_wide_as_the_space_it_finds_everything(penalty, shared, toys):
    tale = toys.Tale()
    found = beam(toys, tale, beam_size=130, num_return=130, length_penalty=penalty, shared=shared)
    for example, key in enumerate(KEYS):
        expected = toys.every_hypothesis(tale, key, 4, penalty)
        assert len(expected) == 40 + 81
        same(hypotheses(found, example), expected)
    assert (found.scores[:, 121:] == -np.inf).all()
    assert not found.tokens[:, 121:].any()


@pytest.mark.parametrize(
    ("beam_size", "penalty", "halvings"), [(1, 0.6, 3), (2, 2.0, 3), (2, 0.0, 0), (3, 0.6, 0), (7, 0.0, 3), (7, 2.0, 0)]
)
def test_however_wide_it_finds_what_a_plain_search_finds(beam_size, penalty, halvings, toys):
    tale, keys, number = toys.Tale(end=-0.5), list(range(30)), min(beam_size, 2)
    options = {"beam_size": beam_size, "num_return": number, "length_penalty": penalty, "halvings": halvings}
    found = beam(toys, tale, keys, max_new_tokens=7, **options)
    for example, key in enumerate(keys):
        same(hypotheses(found, example), toys.plain_beam(tale, key, 7, beam_size, penalty)[:number])


@pytest.mark.parametrize("mask", [None, (True, False, True)])
def test_coverage_counts(mask, toys):
    tale = toys.Tale(seed=5)
    options = {"length_penalty": 0.6, "coverage_penalty": 0.4, "mask": mask and np.array([mask] * len(KEYS))}
    found = beam(toys, tale, beam_size=130, num_return=121, record="seen", **options)
    for example, key in enumerate(KEYS):
        expected = toys.every_hypothesis(tale, key, 4, 0.6, 0.4, mask or (True,) * toys.SOURCE)
        same(hypotheses(found, example), expected)
        for (_, _, tokens), seen in zip(expected, found.attention[example], strict=True):
            np.testing.assert_allclose(seen[: len(tokens)], tale.score(key, tokens)[1])


def test_inputs_without_any_attention_need_no_cover():
    def step(tokens, state):
        table = ops.log(ops.convert_to_tensor([[0.0, 0.5, 0.5]]) * ops.ones_like(ops.cast(tokens, "float32"))[:, None])
        return table, state

    looks = np.array([[0.5, 0.5, 0.0], [0.5, 0.0, 0.0]], "float32")
    options = {"start": 0, "end": 1, "max_new_tokens": 3, "beam_size": 4, "length_penalty": 0.0}
    found = decoding.beam(step, {"looks": looks}, **options, coverage_penalty=1.0, record="looks")
    # One token leaves two inputs half covered; the second of two tokens covers them, and costs log 2.
    np.testing.assert_allclose(ops.convert_to_numpy(found.scores)[:, 0], [2 * np.log(0.5), 2 * np.log(0.5)], rtol=1e-5)


def test_beam_size_one_is_greedy(toys):
    for seed, penalty in ((0, 0.0), (1, 1.0)):
        tale = toys.Tale(seed, end=-1)
        options = {"start": toys.START, "end": toys.END, "max_new_tokens": 8, "record": "seen"}
        keys = np.arange(40)
        one = decoding.beam(tale.step, tale.state(keys), beam_size=1, length_penalty=penalty, **options)
        other = decoding.greedy(tale.step, tale.state(keys), **options)
        for part in ("tokens", "log_probabilities", "lengths", "attention"):
            np.testing.assert_array_equal(getattr(one, part)[:, 0], getattr(other, part))


def test_no_example_depends_on_the_others(toys):
    tale = toys.Tale(seed=2, end=-1)
    keys = np.arange(8)
    together = beam(toys, tale, keys, max_new_tokens=8, beam_size=4, num_return=3, record="seen")
    backward = beam(toys, tale, keys[::-1], max_new_tokens=8, beam_size=4, num_return=3, record="seen")
    assert len(set(together.lengths[:, 0].tolist())) > 2
    for part, other in zip(tree.flatten(together), tree.flatten(backward), strict=True):
        np.testing.assert_array_equal(part, other[::-1])
    for key in (0, 3, 7):
        alone = beam(toys, tale, [key], max_new_tokens=8, beam_size=4, num_return=3, record="seen")
        for part, other in zip(tree.flatten(together), tree.flatten(alone), strict=True):
            np.testing.assert_array_equal(part[key], other[0])


def test_the_best_are_sorted_and_distinct(toys):
    found = beam(toys, toys.Tale(seed=1), np.arange(10), max_new_tokens=6, beam_size=6, num_return=6)
    for example in range(10):
        rows = hypotheses(found, example)
        assert len({tokens for _, _, tokens in rows}) == 6
        ended = [score for score, _, tokens in rows if tokens[-1] == toys.END]
        assert ended == sorted(ended, reverse=True)
        assert all(tokens[-1] == toys.END for _, _, tokens in rows[: len(ended)])


def test_prefixes_of_different_lengths(toys):
    tale = toys.Tale(seed=4)
    prefixes = [(3,), (), (2, 4)]
    padded = np.array([[3, 0], [0, 0], [2, 4]])
    found = beam(toys, tale, beam_size=130, num_return=121, forced_prefix=padded)
    for example, (key, prefix) in enumerate(zip(KEYS, prefixes, strict=True)):
        expected = toys.every_hypothesis(tale, key, 4, 0.6, prefix=prefix)
        same(hypotheses(found, example), expected)


def steps_of(toys, **options):
    tale = toys.Tale(seed=7, end=4)
    found = beam(toys, tale, max_new_tokens=60, **options)
    return tale.steps, found


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX traces the step once, however often it runs")
def test_stops_early(toys):
    # The end is nearly certain at once, and only a wide beam has anything else to look at.
    assert steps_of(toys, beam_size=1)[0] < 4
    few, best = steps_of(toys, beam_size=60, length_penalty=0.0)
    many, all_of_them = steps_of(toys, beam_size=60, num_return=60, length_penalty=0.0)
    assert few < many < 60
    np.testing.assert_array_equal(best.tokens[:, 0], all_of_them.tokens[:, 0])


def test_a_hopeless_end_does_not_stop_a_good_sentence(toys):
    step, state = toys.spell(["hello"], 8)
    for width in (2, 3, 8):
        found = decoding.beam(step, state, start=1, end=toys.END, max_new_tokens=8, beam_size=width)
        assert toys.read(ops.convert_to_numpy(found.tokens)[0, 0]) == "hello."


def test_forbidden_tokens_are_never_returned():
    # "ab." and "b." are all that can be said.
    allowed = {0: {2: 0.6, 3: 0.4}, 2: {3: 1.0}, 3: {1: 1.0}}
    table = np.full((4, 4), -np.inf, "float32")
    for before, after in allowed.items():
        for token, chance in after.items():
            table[before, token] = np.log(chance)

    def step(tokens, state):
        return ops.take(ops.convert_to_tensor(table), tokens, axis=0), state

    options = {"start": 0, "end": 1, "max_new_tokens": 5, "beam_size": 5, "num_return": 4, "length_penalty": 0.0}
    found = decoding.beam(step, {"a": np.zeros((2, 1), "float32")}, **options)
    found = tree.map_structure(ops.convert_to_numpy, found)
    assert found.tokens[0, :, :3].tolist() == [[2, 3, 1], [3, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert found.lengths[0].tolist() == [3, 2, 0, 0]
    np.testing.assert_allclose(found.scores[0], [np.log(0.6), np.log(0.4), -np.inf, -np.inf], rtol=1e-5)
    assert not any(np.isnan(part).any() for part in found)


def test_a_step_that_forbids_everything():
    def step(tokens, state):
        return ops.full((ops.shape(tokens)[0], 500), float("-inf")), state

    options = {"start": 0, "end": 1, "max_new_tokens": 5, "coverage_penalty": 0.2, "record": "looks"}
    found = decoding.beam(step, {"looks": np.zeros((2, 3), "float32")}, beam_size=2, **options)
    found = tree.map_structure(ops.convert_to_numpy, found)
    assert (found.scores == -np.inf).all()
    assert not found.tokens.any()
    assert not found.lengths.any()


def test_of_equal_tokens_the_lowest_come_first():
    def step(tokens, state):
        return ops.zeros((ops.shape(tokens)[0], 9)), state

    found = decoding.beam(step, {"a": np.zeros(1)}, start=0, end=8, max_new_tokens=2, beam_size=3, num_return=3)
    assert ops.convert_to_numpy(found.tokens).tolist() == [[[0, 0], [0, 1], [0, 2]]]


@pytest.mark.parametrize("shared", [False, True])
def test_a_halved_batch_keeps_what_belongs_to_each_example(shared, toys):
    keys = list(range(17))
    options = {
        "max_new_tokens": 7, "beam_size": 3, "num_return": 3, "record": "seen", "coverage_penalty": 0.3,
        "shared": shared,
        "mask": np.array([[True, key % 2 > 0, True] for key in keys]),
        "forced_prefix": np.array([[2 + key % 3, 3] if key % 4 else [0, 0] for key in keys]),
    }  # fmt: skip
    whole = beam(toys, toys.Tale(end=1.0), keys, **options)
    halved = beam(toys, toys.Tale(end=1.0), keys, **options, halvings=2)
    for name, one, other in zip(whole._fields[:-1], tree.flatten(whole), tree.flatten(halved), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, err_msg=name)


def test_halving_saves_the_work_of_examples_that_are_done(toys):
    """One word of eight is long: the others need not wait for it in the batch."""

    def rows(halvings):
        step, state = toys.spell(["a"] * 7 + ["abcdefghij"], 12)
        seen = []

        def counted(tokens, state):
            seen.append(tokens.shape[0])
            return step(tokens, state)

        found = decoding.beam(
            counted, state, start=toys.START, end=toys.END, max_new_tokens=12, beam_size=2, length_penalty=0.0,
            halvings=halvings,
        )  # fmt: skip
        assert [toys.read(row) for row in ops.convert_to_numpy(found.tokens)[:, 0]] == ["a."] * 7 + ["abcdefghij."]
        return sum(seen)

    assert rows(3) < rows(0) / 2
