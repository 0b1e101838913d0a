"""Consensus: of the hypotheses of a beam search, the one that is most like all of them.

The most probable sentence may be an outlier; the one that shares most n-grams with the other probable ones rarely is.
This is minimum Bayes risk decoding over a list of hypotheses Y of one input X,

    argmax_Y sum_Y' P(Y' | X) F(Y, Y')          P(Y | X) = softmax(consensus * s(Y, X))

where s is the score that beam search ranks by and F the mean over n = 1 to 4 of the F1 score of n-grams: twice the
number of n-grams that both have, by the number of all n-grams of both.

Reference:
    Kumar and Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine Translation" (2004), over lists of the n best;
    with BLEU in the place of F: Ehling, Zens and Ney, "Minimum Bayes Risk Decoding for BLEU" (2007). Devlin et al.,
    "Exploring Nearest Neighbor Approaches for Image Captioning" (2015), compare with captions of similar pictures.
"""

from collections.abc import Iterator
from typing import Any

from zoo.decoding.hypotheses import EMPTY
from zoo.decoding.operations import ops
from zoo.decoding.result import Decoded
from zoo.decoding.state import gather, while_loop

ORDERS = 4
"""Length of the longest n-grams, in tokens."""


def by_consensus(found: Decoded, end: int, sharpness: float, number: int) -> Decoded:
    """The best of some hypotheses, by their likeness to all.

    Args:
        found: Hypotheses of a beam search, tokens `(batch, n, time)`.
        end: The id that ends one; it is no part of an n-gram.
        sharpness: The factor of the scores in the softmax: near 0 all hypotheses count the same, at a high one each is
            compared with the best alone.
        number: Hypotheses that are returned.

    Returns:
        The same fields with `number` in place of n, best first; `scores` are the expected F, 0 to 1. Those without an
        end token come after all that have one, and those without tokens last, with the score `-inf`.
    """
    tokens, exists = found.tokens, found.scores > EMPTY
    real = ops.logical_and(tokens != end, ops.arange(tokens.shape[2], dtype="int32") < found.lengths[:, :, None])
    weights = ops.softmax(ops.where(exists, sharpness * found.scores, EMPTY))  # (batch, n)
    weights = ops.where(exists, weights, 0.0)
    own = list(_occurrences(_equal(tokens, real, tokens, real)))

    def add(index: Any, total: Any) -> tuple[Any, Any]:
        one, its = (ops.take(part, index, axis=1)[:, None] for part in (tokens, real))  # (batch, 1, time)
        likeness = _f1(own, list(_occurrences(_equal(tokens, real, one, its))), index)
        return index + 1, total + ops.take(weights, index, axis=1)[:, None] * likeness

    size = tokens.shape[1]
    first = (ops.zeros((), "int32"), ops.full_like(found.scores, 0.0))
    _, expected = while_loop(lambda index, _: index < size, add, first)
    ended = ops.any(tokens == end, axis=2)
    _, order = ops.top_k(ops.where(exists, ops.where(ended, expected, expected - 1.0), EMPTY), number)
    order = ops.cast(order, "int32")
    scores = ops.where(exists, expected, EMPTY)
    return Decoded(*(gather(part, order) for part in (tokens, scores, *found[2:5])))


def _equal(tokens: Any, real: Any, others: Any, real_others: Any) -> Any:
    """Where tokens `(batch, n, time)` equal those of others, `(batch, n or 1, time)`: `(batch, n, time, time)`."""
    same = tokens[:, :, :, None] == others[:, :, None, :]
    return ops.logical_and(same, ops.logical_and(real[:, :, :, None], real_others[:, :, None, :]))


def _occurrences(equal: Any) -> Iterator[Any]:
    """For n = 1, 2, ...: how often the n-gram that begins at each place is in the other text, `(batch, n, places)`."""
    run = equal
    for order in range(min(ORDERS, equal.shape[-1])):
        if order:
            run = ops.logical_and(run[..., :-1, :-1], equal[..., order:, order:])
        yield ops.sum(ops.cast(run, "float32"), axis=-1)


def _f1(own: list[Any], theirs: list[Any], index: Any) -> Any:
    """F of all hypotheses and the one with this index, `(batch, n)`.

    Args:
        own: How often each n-gram is in its own hypothesis, 0 where none begins.
        theirs: How often it is in the other one.
        index: The place of the other one.
    """
    total = 0.0
    for mine, other in zip(own, theirs, strict=True):
        # An n-gram that is twice here and once there is counted half at both places: once.
        common = ops.where(mine > 0, ops.minimum(other / ops.maximum(mine, 1.0), 1.0), 0.0)
        number = ops.sum(ops.cast(mine > 0, "float32"), axis=-1)
        both = number + ops.take(number, index, axis=1)[:, None]
        total = total + 2.0 * ops.sum(common, axis=-1) / ops.maximum(both, 1.0)
    return total / ORDERS
