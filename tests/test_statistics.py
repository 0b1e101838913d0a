"""Differences against exact enumeration, closed forms and scipy's tests."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from zoo import statistics
from zoo.statistics import Trained, bootstrap_variance, corrected, difference, holm, permutation
from zoo.task import ratio


def answers(rng, seeds, examples, right=0.7):
    """Statistics of answers that are right or wrong: `(seeds, examples, 2)`."""
    values = (rng.random((seeds, examples)) < right).astype("float64")
    return np.stack([values, np.ones_like(values)], axis=-1)


def trained(statistics_):
    return Trained(ratio(statistics_.sum(axis=1)), statistics_)


def brute_force(first, other, combine):
    """The share of all exchanges with a difference at least as large."""
    found = []
    for exchanged in itertools.product([False, True], repeat=first.shape[1]):
        swap = np.array(exchanged)[None, :, None]
        ours, theirs = np.where(swap, other, first), np.where(swap, first, other)
        found.append(abs(np.mean(combine(theirs.sum(axis=1))) - np.mean(combine(ours.sum(axis=1)))))
    return np.mean([value >= found[0] - 1e-12 for value in found])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("seeds", [1, 2])
def test_the_permutation_test_of_few_examples_is_exact(seed, seeds):
    rng = np.random.default_rng(seed)
    first, other = answers(rng, seeds, 8, 0.5), answers(rng, seeds, 8, 0.8)
    assert permutation(first, other, ratio) == pytest.approx(brute_force(first, other, ratio))


def test_of_a_score_that_is_no_mean_too():
    rng = np.random.default_rng(5)
    first, other = rng.integers(1, 9, (2, 7, 3)).astype("float64"), rng.integers(1, 9, (2, 7, 3)).astype("float64")

    def combine(sums):
        return np.sqrt(sums[..., 0] * sums[..., 1]) / sums[..., 2]

    assert permutation(first, other, combine) == pytest.approx(brute_force(first, other, combine))


def test_of_right_answers_it_is_the_sign_test_of_the_examples_that_differ():
    rng = np.random.default_rng(1)
    first, other = answers(rng, 1, 300, 0.60), answers(rng, 1, 300, 0.66)
    only_first = int(((first > other)[0, :, 0]).sum())
    only_other = int(((first < other)[0, :, 0]).sum())
    exact = stats.binomtest(only_other, only_first + only_other).pvalue
    assert 0.01 < exact < 0.9
    assert permutation(first, other, ratio) == pytest.approx(exact, abs=4 * math.sqrt(exact / statistics.DRAWS))


def test_the_same_answers_give_no_difference():
    same = trained(answers(np.random.default_rng(0), 2, 50))
    found = difference(same, same, ratio)
    assert (found.difference, found.p_examples) == (0.0, 1.0)
    assert found.p == pytest.approx(1.0)


def test_the_bootstrap_has_the_variance_of_a_mean_of_paired_differences():
    rng = np.random.default_rng(2)
    first, other = answers(rng, 3, 400), answers(rng, 3, 400, 0.8)
    apart = (other - first)[..., 0].mean(axis=0)
    expected = apart.var(ddof=1) / 400
    # A variance of normal values is known to sqrt(2 / draws), 3 %.
    assert bootstrap_variance(first, other, ratio) == pytest.approx(expected, rel=0.12)


def test_the_pieces_of_the_draws_do_not_change_the_variance(monkeypatch):
    rng = np.random.default_rng(2)
    first, other = answers(rng, 2, 40), answers(rng, 2, 40, 0.8)
    whole = bootstrap_variance(first, other, ratio)
    monkeypatch.setattr(statistics, "VALUES_AT_ONCE", 40 * 7)
    assert bootstrap_variance(first, other, ratio) == pytest.approx(whole)


def test_without_examples_it_is_welchs_test():
    first, other = np.array([0.71, 0.74, 0.70, 0.77]), np.array([0.80, 0.79, 0.84])
    found = difference(Trained(first), Trained(other), ratio)
    expected = stats.ttest_ind(other, first, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (found.p, found.low, found.high) == pytest.approx((expected.pvalue, interval.low, interval.high))
    assert (found.covers, found.p_examples) == ("seeds", None)


def test_one_seed_without_examples_says_nothing_of_chance():
    found = difference(Trained(np.array([0.5])), Trained(np.array([0.7])), ratio)
    assert found.difference == pytest.approx(0.2)
    assert (found.low, found.high, found.p, found.covers) == (None, None, None, "nothing")


def test_one_seed_with_examples_speaks_of_the_examples():
    rng = np.random.default_rng(3)
    first, other = answers(rng, 1, 500, 0.5), answers(rng, 1, 500, 0.9)
    found = difference(trained(first), trained(other), ratio)
    paired = stats.ttest_1samp((other - first)[0, :, 0], 0)
    assert found.covers == "examples"
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * found.difference / paired.statistic, rel=0.1)
    assert found.p_holm < 0.05


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_cells_that_do_not_differ_are_rarely_told_apart(seeds, monkeypatch):
    """Each net has an ability of its own, drawn alike for both cells; examples differ in difficulty."""
    monkeypatch.setattr(statistics, "DRAWS", 100)
    rng = np.random.default_rng(seeds)
    told = []
    for _ in range(400):
        difficulty = rng.normal(0, 1, 80)
        sides = []
        for _side in range(2):
            ability = rng.normal(1, 0.5, (seeds, 1))
            right = (rng.normal(0, 1, (seeds, 80)) + ability > difficulty).astype("float64")
            sides.append(trained(np.stack([right, np.ones_like(right)], axis=-1)))
        told.append(difference(*sides, ratio).p < 0.05)
    assert np.mean(told) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 400)
    assert any(told) or seeds < 5


def test_a_test_of_examples_alone_would_tell_them_apart_too_often(monkeypatch):
    """Why seeds count: the permutation test speaks of the nets, not of their cells."""
    monkeypatch.setattr(statistics, "DRAWS", 200)
    rng = np.random.default_rng(9)
    told = []
    for _ in range(100):
        first, other = (answers(rng, 2, 200, rng.uniform(0.6, 0.8)) for _ in range(2))
        told.append(permutation(first, other, ratio) < 0.05)
    assert np.mean(told) > 0.2


def test_holm_on_the_example_of_a_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_differences_that_are_not_known_do_not_count_for_the_correction():
    rng = np.random.default_rng(4)
    first, *others = (trained(answers(rng, 2, 100, right)) for right in (0.5, 0.55, 0.6))
    found = [None, *(difference(first, other, ratio) for other in others)]
    result = corrected(found)
    assert result[0] is None
    assert [item.p_holm for item in result[1:]] == pytest.approx(holm([item.p for item in found[1:]]))


@pytest.mark.parametrize("function", [bootstrap_variance, permutation])
def test_other_examples_are_a_bug_that_is_heard_of(function):
    with pytest.raises(ValueError, match="different examples"):
        function(np.zeros((1, 5, 2)), np.zeros((1, 6, 2)), ratio)


def test_the_interval_of_an_accuracy_is_about_the_normal_one():
    right = np.arange(1_000) < 800
    low, high = statistics.interval(np.stack([right, np.ones(1_000)], axis=1), lambda sums: sums[..., 0] / sums[..., 1])
    half = 1.96 * (0.8 * 0.2 / 1_000) ** 0.5
    assert (low, high) == pytest.approx((0.8 - half, 0.8 + half), abs=0.004)


def test_the_interval_of_the_same_examples_is_the_same():
    rows = np.random.default_rng(0).random((50, 2)) + 0.1
    first, again = (statistics.interval(rows, lambda sums: sums[..., 0] / sums[..., 1], 200) for _ in range(2))
    assert first == again
    assert first[0] < rows[:, 0].sum() / rows[:, 1].sum() < first[1]
