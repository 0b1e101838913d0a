"""Lookups in a table of log-probabilities, which is large: each pass over it shows in the time per step."""

from typing import Any, NamedTuple

from zoo.decoding.operations import ops, take_rows
from zoo.decoding.state import Step, gather

GROUP = 40
"""Number of neighboring tokens that are compared as one at first. With 8000 tokens on a CPU, 20 and 100 were slower."""


class Logits(NamedTuple):
    """What a step may return instead of log-probabilities: a search then computes only those that it needs.

    Attributes:
        values: `(rows, vocabulary)`; a row's log-probabilities and one number more, the same for all its tokens.
    """

    values: Any


def normalized(step: Step) -> Step:
    """A step that returns all log-probabilities, `(rows, vocabulary)`, where the given one may return `Logits`."""

    def whole(tokens: Any, state: Any) -> tuple[Any, Any]:
        table, state = step(tokens, state)
        return (ops.log_softmax(table.values) if isinstance(table, Logits) else table), state

    return whole


def vocabulary_size(table: Any) -> int:
    """Number of tokens in what a step returned."""
    return (table.values if isinstance(table, Logits) else table).shape[-1]


def gather_tokens(table: Any, tokens: Any) -> Any:
    """The log-probability of one token per row: `(rows, vocabulary)` and `(rows,)` -> `(rows,)` float32."""
    if isinstance(table, Logits):
        return _gather(table.values, tokens) - _log_total(table.values, best_tokens(table.values, 1)[1][:, 0])
    return _gather(table, tokens)


def _gather(values: Any, tokens: Any) -> Any:
    rows, vocabulary = ops.shape(values)
    index = tokens + vocabulary * ops.arange(rows, dtype="int32")
    return ops.cast(take_rows(ops.reshape(values, (-1,)), index), "float32")


def _log_total(logits: Any, best: Any) -> Any:
    """The logarithm of the sum of `exp(logits)` of each row, from the softmax of its best token, `(rows,)` each.

    A softmax takes a third of the time of a log-softmax on a CPU, and that of the best token cannot become 0.
    """
    return _gather(logits, best) - ops.log(_gather(ops.softmax(logits, axis=-1), best))


def best_tokens(table: Any, k: int) -> tuple[Any, Any]:
    """The `k` most probable tokens of each row; among equal ones those with the lowest ids.

    The same as `keras.ops.top_k` in a third of its time: the `k` best tokens are in the `k` groups with the best
    maxima, and the maximum of a group is what processors compute fast.

    Args:
        table: `(rows, vocabulary)` log-probabilities, or `Logits`.
        k: At most `vocabulary`.

    Returns:
        Values in float32 and ids in int32, `(rows, k)` each, best first.
    """
    if isinstance(table, Logits):
        values, tokens = best_tokens(table.values, k)
        return values - _log_total(table.values, tokens[:, 0])[:, None], tokens
    log_probabilities, vocabulary = table, table.shape[-1]
    if vocabulary < 2 * GROUP * k:
        values, tokens = ops.top_k(log_probabilities, k)
        return ops.cast(values, "float32"), ops.cast(tokens, "int32")
    padding = -vocabulary % GROUP
    if padding:  # a copy, and still twice as fast as a separate lookup in a shorter last group
        log_probabilities = ops.pad(log_probabilities, ((0, 0), (0, padding)), constant_values=float("-inf"))
    groups = (vocabulary + padding) // GROUP
    grouped = ops.reshape(log_probabilities, (-1, groups, GROUP))
    _, chosen = ops.top_k(ops.max(grouped, axis=2), k)  # (rows, k) groups
    chosen = ops.cast(chosen, "int32")
    if k > 1:
        chosen = ops.sort(chosen, axis=1)  # so that equal tokens stay in the order of their ids
    values = ops.reshape(gather(grouped, chosen), (-1, k * GROUP))
    values, place = ops.top_k(ops.cast(values, "float32"), k)
    place = ops.cast(place, "int32")
    tokens = GROUP * gather(chosen, place // GROUP) + place % GROUP
    return values, ops.minimum(tokens, vocabulary - 1)  # padding is chosen only if nearly all tokens are excluded
