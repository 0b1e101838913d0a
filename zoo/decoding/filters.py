"""What sampling leaves out: all but the most probable tokens."""

from typing import Any

from keras import ops

NONE = float("-inf")


def top_k(log_probabilities: Any, k: int) -> Any:
    """Forbids all tokens but the `k` most probable; of equal ones the lowest ids stay.

    Args:
        log_probabilities: `(rows, vocabulary)`; they need not be normalised.
        k: How many tokens stay; 0 for all.

    Returns:
        `(rows, vocabulary)`: as before, or `-inf`; not normalised again.

    Raises:
        ValueError: If `k` is negative.

    Reference:
        Fan, Lewis and Dauphin, "Hierarchical Neural Story Generation" (2018), section 5.4.
    """
    if k < 0:
        raise ValueError(f"The number of tokens to sample from cannot be negative; got top_k={k}.")
    if k == 0 or k >= log_probabilities.shape[-1]:
        return log_probabilities
    values, _ = ops.top_k(log_probabilities, k)
    return _keep(log_probabilities, values[:, -1:], k)


def top_p(log_probabilities: Any, p: float) -> Any:
    """Forbids all tokens but the fewest that together have a probability of at least `p`.

    The most probable token always stays; of equal ones the lowest ids stay.

    Args:
        log_probabilities: `(rows, vocabulary)`; they need not be normalised.
        p: The least probability of the tokens that stay, above 0; 1 for all.

    Returns:
        `(rows, vocabulary)`: as before, or `-inf`; not normalised again.

    Raises:
        ValueError: If `p` is not above 0 and at most 1.

    Reference:
        Holtzman et al., "The Curious Case of Neural Text Degeneration" (2020), section 3.1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"The probability to sample from is above 0 and at most 1; got top_p={p}.")
    if p == 1:
        return log_probabilities
    values, _ = ops.top_k(log_probabilities, log_probabilities.shape[-1])
    chances = ops.softmax(ops.cast(values, "float32"), axis=-1)
    before = ops.cumsum(chances, axis=-1) - chances  # probability of all better tokens
    number = ops.maximum(ops.sum(ops.cast(before < p, "int32"), axis=-1, keepdims=True), 1)
    return _keep(log_probabilities, ops.take_along_axis(values, number - 1, axis=-1), number)


def _keep(values: Any, edge: Any, number: Any) -> Any:
    """The `number` greatest values of each row, the last of which is `edge`."""
    above, level = values > edge, values == edge
    room = number - ops.sum(ops.cast(above, "int32"), axis=-1, keepdims=True)
    level = ops.logical_and(level, ops.cumsum(ops.cast(level, "int32"), axis=-1) <= room)
    return ops.where(ops.logical_or(above, level), values, NONE)
