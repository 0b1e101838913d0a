"""How far two cells differ, and what of it chance explains.

A difference of scores has two sources of chance: the seeds with which the nets were trained, and the examples of the
test split. `difference` counts both:

* Seeds: the scores of each cell's trainings vary by `s`; their mean over `n` seeds varies by `s / sqrt(n)`. The seeds
  of the two cells are taken as independent: the same seed orders the data alike, and means nothing for the weights.
* Examples: a paired bootstrap draws the test examples anew with replacement, the same ones for both cells and all
  seeds (Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation").

Both variances are added, and the difference is judged by Student's t with the degrees of freedom of Welch and
Satterthwaite (Welch 1947, "The Generalization of Student's Problem"). This assumes that scores are about normally
distributed over seeds and that examples are independent. What varies by seed and example together is counted twice, so
that intervals are rather too wide than too narrow. With one seed, only the examples count: the verdict is then on
these two nets, not on their cells.

`permutation` is the second opinion on the examples alone, without normality: under the hypothesis that two nets answer
alike, the answers to any example may be exchanged between them (Noreen 1989, "Computer-Intensive Methods for Testing
Hypotheses"; Riezler and Maxwell 2005, "On Some Pitfalls in Automatic Evaluation and Significance Testing for MT").
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
"""Confidence level of the intervals."""

DRAWS = 2_000
"""Number of bootstrap and permutation draws: a variance is then known to 3 %, a p-value of 0.05 to 0.005."""

VALUES_AT_ONCE = 4_000_000
"""Numbers in one piece of the draws: 32 MB."""

Combine = Callable[[np.ndarray], Any]
"""From sums over examples `(..., statistics)` to scores `(...)`."""


@dataclass(frozen=True)
class Trained:
    """The trainings of one cell.

    Attributes:
        scores: `(seeds,)`, the score of each training on the test split.
        statistics: `(seeds, examples, statistics)` of the same trainings, or None if a task scores no single examples.
    """

    scores: np.ndarray
    statistics: np.ndarray | None = None


@dataclass(frozen=True)
class Difference:
    """How a cell's mean score differs from that of the first cell.

    Attributes:
        difference: Mean over seeds, less the first cell's.
        low: Lower end of the interval of `CONFIDENCE`; None if nothing is known of chance.
        high: Its upper end.
        p: Probability of at least such a difference if there were none, two-sided.
        p_holm: The same, corrected for the number of cells that were compared (Holm 1979).
        p_examples: Of the permutation test over examples: whether these nets differ, whatever other seeds would do.
        covers: Which sources of chance interval and `p` count: `"seeds and examples"`, `"seeds"`, `"examples"`,
            or `"nothing"`.
    """

    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    p_examples: float | None
    covers: str


def difference(first: Trained, other: Trained, combine: Combine, seed: int = 0) -> Difference:
    """How a cell differs from the first one; `p_holm` is `p`, as if it were the only one."""
    value = float(np.mean(other.scores) - np.mean(first.scores))
    parts: list[tuple[float, int]] = []  # variance and degrees of freedom of each source of chance
    several = min(len(first.scores), len(other.scores)) > 1
    if several:
        parts += [(float(np.var(s, ddof=1)) / len(s), len(s) - 1) for s in (first.scores, other.scores)]
    p_examples = None
    paired = first.statistics is not None and other.statistics is not None
    if first.statistics is not None and other.statistics is not None:
        variance = bootstrap_variance(first.statistics, other.statistics, combine, seed)
        parts.append((variance, max(first.statistics.shape[1] - 1, 1)))
        common = min(len(first.statistics), len(other.statistics))
        p_examples = permutation(first.statistics[:common], other.statistics[:common], combine, seed)
    low, high, p = _student(value, parts) if parts else (None, None, None)
    names = [name for name, counts in (("seeds", several), ("examples", paired)) if counts]
    return Difference(value, low, high, p, p, p_examples, " and ".join(names) or "nothing")


def corrected(found: Sequence[Difference | None]) -> list[Difference | None]:
    """Differences of several cells from one, with `p_holm` corrected for their number."""
    values = iter(holm([item.p for item in found if item is not None and item.p is not None]))
    return [
        item if item is None or item.p is None else dataclasses.replace(item, p_holm=next(values)) for item in found
    ]


def _student(value: float, parts: Sequence[tuple[float, int]]) -> tuple[float, float, float]:
    """Interval and two-sided p-value of a difference whose variance is the sum of the parts'."""
    total = sum(variance for variance, _ in parts)
    if total <= 0:  # all trainings answer alike
        return value, value, 1.0 if value == 0 else 0.0
    freedom = total**2 / sum(variance**2 / degrees for variance, degrees in parts)
    error = math.sqrt(total)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    return value - half, value + half, float(2 * stats.t.sf(abs(value) / error, freedom))


def bootstrap_variance(first: np.ndarray, other: np.ndarray, combine: Combine, seed: int = 0) -> float:
    """Variance of the difference of mean scores over draws of the examples with replacement.

    Args:
        first: `(seeds, examples, statistics)`.
        other: The same of another cell, of the same examples.
        combine: From sums of statistics to a score.
        seed: Of the draws.

    Raises:
        ValueError: If numbers of examples differ.
    """
    _check(first, other)
    rng, examples = np.random.default_rng(seed), first.shape[1]
    found = []
    for rows in _pieces(DRAWS, examples):
        drawn = rng.integers(examples, size=(rows, examples)) + examples * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * examples).reshape(rows, examples).astype("float64")
        found.append(_mean(other, counts, combine) - _mean(first, counts, combine))
    # Drawing from n examples varies less than drawing from all there could be, by (n - 1) / n.
    return float(np.var(np.concatenate(found), ddof=1)) * examples / max(examples - 1, 1)


def interval(statistics: np.ndarray, combine: Combine, draws: int = DRAWS, seed: int = 0) -> tuple[float, float]:
    """Percentile interval of a score of one net, of `CONFIDENCE`, over draws of the examples with replacement.

    Reference: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.

    Args:
        statistics: `(examples, statistics)`.
        combine: From sums of statistics to a score.
        draws: Number of draws.
        seed: Of the draws.
    """
    rng, examples = np.random.default_rng(seed), len(statistics)
    found = []
    for rows in _pieces(draws, examples):
        counts = rng.multinomial(examples, np.full(examples, 1 / examples), size=rows).astype("float64")
        found.append(np.nan_to_num(combine(counts @ statistics)))
    low, high = np.quantile(np.concatenate(found), ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return float(low), float(high)


def _mean(statistics: np.ndarray, counts: np.ndarray, combine: Combine) -> np.ndarray:
    """Mean score over seeds `(draws,)` where each example counts as often as `counts (draws, examples)` says."""
    return np.mean([combine(counts @ run) for run in statistics], axis=0)


def permutation(first: np.ndarray, other: np.ndarray, combine: Combine, seed: int = 0) -> float:
    """Two-sided p-value of the paired permutation test over examples.

    Args:
        first: `(seeds, examples, statistics)`.
        other: The same of another cell, as many seeds, the same examples.
        combine: From sums of statistics to a score.
        seed: Of the draws; where all exchanges are no more than `DRAWS`, all are tried and the value is exact.

    Raises:
        ValueError: If numbers of seeds or examples differ.
    """
    _check(first, other)
    if len(first) != len(other):
        raise ValueError(f"An exchange needs as many seeds on both sides, not {len(first)} and {len(other)}.")
    sums, change = np.stack([first.sum(axis=1), other.sum(axis=1)]), other - first

    def apart(exchanged: np.ndarray) -> np.ndarray:
        """Absolute differences `(draws,)`; `exchanged` is `(draws, examples)`, 0 or 1."""
        moved = [exchanged @ run for run in change]
        ours = np.mean([combine(sums[0][s] + m) for s, m in enumerate(moved)], axis=0)
        theirs = np.mean([combine(sums[1][s] - m) for s, m in enumerate(moved)], axis=0)
        return np.abs(theirs - ours)

    examples = first.shape[1]
    seen = float(apart(np.zeros((1, examples)))[0])
    exact = examples < 60 and 2**examples <= DRAWS
    found = np.concatenate([apart(part) for part in (_all(examples) if exact else _random(examples, seed))])
    at_least = int((found >= seen - 1e-9 * max(seen, 1.0)).sum())
    return at_least / len(found) if exact else (at_least + 1) / (len(found) + 1)


def _all(examples: int) -> Iterator[np.ndarray]:
    yield ((np.arange(2**examples)[:, None] >> np.arange(examples)) & 1).astype("float64")


def _random(examples: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    for rows in _pieces(DRAWS, examples):
        yield rng.integers(2, size=(rows, examples)).astype("float64")


def _pieces(draws: int, examples: int) -> Iterator[int]:
    """Numbers of draws that fit into memory together."""
    most = max(1, VALUES_AT_ONCE // max(examples, 1))
    while draws > 0:
        yield min(most, draws)
        draws -= most


def _check(first: np.ndarray, other: np.ndarray) -> None:
    if first.shape[1:] != other.shape[1:]:
        raise ValueError(f"Statistics are of different examples: {first.shape[1:]} and {other.shape[1:]}.")


def holm(values: Sequence[float]) -> list[float]:
    """P-values corrected for their number.

    Reference: Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (1979).
    """
    corrected, largest = [0.0] * len(values), 0.0
    for rank, place in enumerate(np.argsort(values, kind="stable")):
        largest = max(largest, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = largest
    return corrected
