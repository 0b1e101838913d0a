"""A language model of n-grams, the baseline without a net.

Reference: Witten and Bell, "The Zero-Frequency Problem: Estimating the Probabilities of Novel Events in Adaptive Text
Compression" (1991), method C, interpolated over all lengths as by Chen and Goodman, "An Empirical Study of Smoothing
Techniques for Language Modeling" (1999), equation 17.
"""

import math
from collections import defaultdict
from collections.abc import Sequence


class NGramModel:
    """Counts of n-grams.

    Args:
        order: Tokens of the longest n-grams.
        vocabulary_size: Number of tokens; each has at least a share of the uniform distribution over them.
    """

    def __init__(self, order: int, vocabulary_size: int) -> None:
        self.order, self.vocabulary_size = order, vocabulary_size
        self.counts: defaultdict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
        self.totals: defaultdict[tuple[int, ...], int] = defaultdict(int)

    def learn(self, ids: Sequence[int]) -> None:
        """Counts the n-grams of a document, whose first id is only read."""
        row = tuple(ids)
        for place in range(1, len(row)):
            for length in range(min(self.order - 1, place) + 1):
                context = row[place - length : place]
                table = self.counts[context]
                table[row[place]] = table.get(row[place], 0) + 1
                self.totals[context] += 1

    def probability(self, context: tuple[int, ...], token: int) -> float:
        """The probability of a token after some others, of which the last `order - 1` count."""
        value = 1 / self.vocabulary_size
        for length in range(min(self.order - 1, len(context)) + 1):
            part = context[len(context) - length :]
            total = self.totals.get(part, 0)
            if total:
                table = self.counts[part]
                # As much is left for new tokens as there have been different ones.
                value = (table.get(token, 0) + len(table) * value) / (total + len(table))
        return value

    def nats(self, ids: Sequence[int]) -> tuple[float, int]:
        """The cross-entropy of a document, whose first id is only read, in nats; and its number of tokens."""
        row, most = tuple(ids), self.order - 1
        total = sum(
            -math.log(self.probability(row[max(0, place - most) : place], row[place])) for place in range(1, len(row))
        )
        return total, len(row) - 1
