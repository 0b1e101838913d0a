"""The hypotheses of a beam search and how they are ranked.

Reference:
    Wu et al., "Google's Neural Machine Translation System" (2016), section 7, equation 14:

        s(Y, X) = log P(Y | X) / lp(Y) + cp(X; Y)
        lp(Y) = ((5 + |Y|) / (5 + 1)) ^ alpha
        cp(X; Y) = beta * sum_i log(min(sum_j p_ij, 1))

    where p_ij is the attention that output j pays to input i. Here alpha is `length_penalty` and beta is
    `coverage_penalty`.
"""

from typing import Any, NamedTuple

from zoo.decoding.operations import ops
from zoo.decoding.state import gather

EMPTY = float("-inf")
"""The score of a place that no hypothesis occupies."""

MIN_COVERAGE = 1e-9
"""Stands for the attention to an input that got none, whose logarithm would be infinite."""


class Live(NamedTuple):
    """The hypotheses that go on."""

    tokens: Any  # (batch, beam_size) the last ones
    scores: Any  # (batch, beam_size) sums of log-probabilities
    covered: Any  # (batch, beam_size, source_time) total attention; source_time is 0 without a coverage penalty

    @classmethod
    def first(cls, tokens: Any, beam_size: int, source_time: Any) -> "Live":
        """One hypothesis, and `beam_size - 1` empty places; otherwise all would continue the same way."""
        (batch,) = ops.shape(tokens)
        scores = ops.pad(ops.zeros((batch, 1), "float32"), ((0, 0), (0, beam_size - 1)), constant_values=EMPTY)
        covered = ops.zeros((batch, beam_size, source_time), "float32")
        return cls(ops.repeat(tokens[:, None], beam_size, axis=1), scores, covered)


class Finished(NamedTuple):
    """Hypotheses that do not go on, best first."""

    scores: Any  # (batch, n) normalized
    log_probabilities: Any  # (batch, n)
    times: Any  # (batch, n) when the end token came; `max_new_tokens` if it did not
    parents: Any  # (batch, n) place among the live ones before the end token

    @classmethod
    def none(cls, batch: Any, number: int) -> "Finished":
        """Only empty places."""
        scores, ids = ops.full((batch, number), EMPTY, "float32"), ops.zeros((batch, number), "int32")
        return cls(scores, scores, ids, ids)

    def joined(self, other: "Finished") -> "Finished":
        """These hypotheses and others after them."""
        return Finished(*(ops.concatenate(pair, axis=1) for pair in zip(self, other, strict=True)))

    def best(self, number: int) -> "Finished":
        """Those with the best scores."""
        scores, index = ops.top_k(self.scores, number)
        index = ops.cast(index, "int32")
        return Finished(scores, *(gather(part, index) for part in self[1:]))


class Scoring(NamedTuple):
    """Equation 14, and which inputs it counts as to be covered."""

    length_penalty: float
    coverage_penalty: float
    max_new_tokens: int
    mask: Any | None  # (batch, source_time), True = real

    def normalize(self, scores: Any, length: Any, covered: Any) -> Any:
        """Sums of log-probabilities `(batch, n)` and attention `(batch, n, source_time)` -> `(batch, n)`."""
        if self.length_penalty:
            scores = scores / ((5.0 + ops.cast(length, "float32")) / 6.0) ** self.length_penalty
        if self.coverage_penalty:
            real = covered > 0 if self.mask is None else self.mask[:, None, :]
            logs = ops.log(ops.clip(covered, MIN_COVERAGE, 1.0))
            scores = scores + self.coverage_penalty * ops.sum(ops.where(real, logs, 0.0), axis=-1)
        return scores

    def upper_bound(self, scores: Any) -> Any:
        """The best score a hypothesis can still reach: further tokens cost nothing, and every input gets covered."""
        return scores / ((5.0 + self.max_new_tokens) / 6.0) ** self.length_penalty

    def select(self, examples: Any) -> "Scoring":
        """The same for some examples, `(n,)` indices into the batch."""
        return self if self.mask is None else self._replace(mask=ops.take(self.mask, examples, axis=0))
