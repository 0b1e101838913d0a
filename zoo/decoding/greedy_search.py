"""Greedy search: the most probable token at each step."""

from typing import Any

from zoo.decoding.generate import generate
from zoo.decoding.options import accepts_old_names
from zoo.decoding.result import Decoded
from zoo.decoding.state import Step
from zoo.decoding.vocabulary import best_tokens
from zoo.errors import UserError


@accepts_old_names
def greedy(
    step: Step,
    state: Any,
    *,
    start: Any,
    end: int,
    max_new_tokens: int,
    forced_prefix: Any | None = None,
    record: str | None = None,
    keep_state: bool = False,
    halvings: int = 0,
) -> Decoded:
    """Takes the most probable token at each step; among equal ones the lowest id.

    Args:
        step: `(tokens, state) -> (log_probabilities, state)`; see `zoo.decoding`.
        state: A nest of `(batch, ...)`.
        start: The id that comes before the first token, or `(batch,)` ids; `(batch,)` is needed only if the state
            has no tensor that gives the batch size.
        end: The id that ends a row.
        max_new_tokens: Largest number of tokens of a row, the end token included.
        forced_prefix: `(batch, time)` ids that each row begins with, padded with 0 on the right. They count in the
            score.
        record: Key of a state that is a dictionary; its value, `(batch, source_time)`, is returned for every step as
            `attention`.
        keep_state: Also return the state from which to continue, with the last token as the next `start`.
        halvings: How often the batch is halved, each time when half of its rows have ended. The results are the same;
            large batches finish sooner, for a longer compilation. Not together with `keep_state`.

    Returns:
        Tokens `(batch, max_new_tokens)`; `scores` are sums of log-probabilities.

    Raises:
        UserError: If `max_new_tokens` is below 1, the batch size is unknown, or `halvings` and `keep_state` are both
            given.
    """
    if halvings and keep_state:
        raise UserError("A halved batch does not keep the states of rows that have ended: drop halvings or keep_state.")

    def choose(table: Any, time: Any) -> tuple[Any, Any]:
        gains, tokens = best_tokens(table, 1)
        return tokens[:, 0], gains[:, 0]

    return generate(
        step, state, choose, start=start, end=end, max_new_tokens=max_new_tokens, forced_prefix=forced_prefix,
        record=record, keep_state=keep_state, halvings=halvings,
    )  # fmt: skip
