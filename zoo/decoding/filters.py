"""Truncated sampling: all but the most probable tokens get probability 0."""

from typing import Any

from zoo.decoding.operations import ops
from zoo.decoding.options import check

NEGATIVE_INFINITY = float("-inf")


def top_k(log_probabilities: Any, k: int) -> Any:
    """Excludes all tokens but the `k` most probable; among equal ones the lowest ids stay.

    Args:
        log_probabilities: `(rows, vocabulary)`; they need not be normalized.
        k: Number of tokens that stay; 0 for all.

    Returns:
        `(rows, vocabulary)`: as given, or `-inf`; not normalized again.

    Raises:
        UserError: If `k` is negative or not a whole number.

    Reference:
        Fan, Lewis and Dauphin, "Hierarchical Neural Story Generation" (2018), section 5.4.
    """
    check(top_k=k)
    if k == 0 or k >= log_probabilities.shape[-1]:
        return log_probabilities
    values, _ = ops.top_k(log_probabilities, k)
    return _keep(log_probabilities, values[:, -1:], k)


def top_p(log_probabilities: Any, p: float) -> Any:
    """Excludes all tokens but the smallest set whose total probability is at least `p` (nucleus sampling).

    The most probable token always stays; among equal ones the lowest ids stay.

    Args:
        log_probabilities: `(rows, vocabulary)`; they need not be normalized.
        p: Total probability of the tokens that stay, above 0; 1 for all.

    Returns:
        `(rows, vocabulary)`: as given, or `-inf`; not normalized again.

    Raises:
        UserError: If `p` is not above 0 and at most 1.

    Reference:
        Holtzman et al., "The Curious Case of Neural Text Degeneration" (2020), section 3.1.
    """
    check(top_p=p)
    if p == 1:
        return log_probabilities
    values, _ = ops.top_k(log_probabilities, log_probabilities.shape[-1])
    probabilities = ops.softmax(ops.cast(values, "float32"), axis=-1)
    before = ops.cumsum(probabilities, axis=-1) - probabilities  # total probability of all better tokens
    count = ops.maximum(ops.sum(ops.cast(before < p, "int32"), axis=-1, keepdims=True), 1)
    return _keep(log_probabilities, ops.take_along_axis(values, count - 1, axis=-1), count)


def _keep(values: Any, smallest: Any, count: Any) -> Any:
    """The `count` greatest values of each row, of which `smallest` is the last."""
    above, equal = values > smallest, values == smallest
    room = count - ops.sum(ops.cast(above, "int32"), axis=-1, keepdims=True)
    equal = ops.logical_and(equal, ops.cumsum(ops.cast(equal, "int32"), axis=-1) <= room)
    return ops.where(ops.logical_or(above, equal), values, NEGATIVE_INFINITY)
