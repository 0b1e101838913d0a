"""Greedy search: the most probable token at each step."""

from typing import Any

from zoo.decoding.generate import generate
from zoo.decoding.result import Decoded
from zoo.decoding.state import Step
from zoo.decoding.vocabulary import best_tokens


def greedy(
    step: Step,
    state: Any,
    *,
    start: Any,
    end: int,
    length: int,
    prefix: Any | None = None,
    record: str | None = None,
    keep_state: bool = False,
) -> Decoded:
    """Takes the most probable token at each step; of equal ones the lowest id.

    Args:
        step: `(tokens, state) -> (log_probabilities, state)`; see `zoo.decoding`.
        state: A nest of `(batch, ...)`.
        start: The id that comes before the first token, or `(batch,)` ids; needed for each example only if the state
            has no tensor that tells the size of the batch.
        end: The id that ends a row.
        length: The most tokens of a row, the end token included.
        prefix: `(batch, time)` ids that every row begins with, padded with 0 on the right. They count in the score.
        record: Key of a state that is a dictionary; its value, `(batch, source_time)`, is returned of every step as
            `attention`.
        keep_state: Return the state from which to go on as well, with the last token as the next `start`.

    Returns:
        Tokens `(batch, length)`; `scores` are sums of log-probabilities.

    Raises:
        ValueError: If `length` is below 1, or the size of the batch is unknown.
    """

    def choose(log_probabilities: Any, time: Any) -> Any:
        return best_tokens(log_probabilities, 1)[1][:, 0]

    options = {"start": start, "end": end, "length": length, "prefix": prefix, "record": record}
    return generate(step, state, choose, **options, keep_state=keep_state)
