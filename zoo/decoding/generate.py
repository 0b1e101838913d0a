"""The loop of the searches that follow one sequence per example."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from zoo.decoding.options import check
from zoo.decoding.result import Decoded
from zoo.decoding.state import ForcedPrefix, StateFrame, Step, first_tokens, recorded, while_loop, write
from zoo.decoding.vocabulary import gather_tokens
from zoo.ids import PAD


class _Rows(NamedTuple):
    """One sequence per example, as far as it is produced."""

    last: Any  # (batch,) the previous token
    alive: Any  # (batch,) True until the end token
    scores: Any  # (batch,)
    lengths: Any  # (batch,)
    tokens: Any  # (max_new_tokens, batch)
    attention: Any  # (max_new_tokens, batch, source_time)


def generate(
    step: Step,
    state: Any,
    choose: Callable[[Any, Any], tuple[Any, Any]],
    *,
    start: Any,
    end: int,
    max_new_tokens: int,
    forced_prefix: Any | None = None,
    record: str | None = None,
    keep_state: bool = False,
) -> Decoded:
    """Produces one token at a time until all rows have ended.

    Args:
        step: See `zoo.decoding`.
        state: A nest of `(batch, ...)`.
        choose: `(table, time) -> (tokens, gains)`: what the step returned and a scalar -> tokens and their
            log-probabilities, `(batch,)` each.
        start: An id, or `(batch,)` ids.
        end: The id that ends a row.
        max_new_tokens: Largest number of tokens of a row.
        forced_prefix: `(batch, time)` ids, padded with 0 on the right.
        record: Key of the state whose value, `(batch, source_time)`, is returned for every step.
        keep_state: Return the last state as well.

    Raises:
        UserError: If `max_new_tokens` is below 1.
    """
    check(max_new_tokens=max_new_tokens)
    last = first_tokens(start, state)
    frame, forced = StateFrame(state), ForcedPrefix(forced_prefix)

    def unfinished(time: Any, rows: _Rows, tensors: list) -> Any:
        return ops.logical_and(time < max_new_tokens, ops.any(rows.alive))

    def body(time: Any, rows: _Rows, tensors: list) -> tuple:
        table, new = step(rows.last, frame.state(tensors))
        tokens, gains = choose(table, time)
        given = forced.at(time)
        if given is not None:
            tokens = ops.where(given > 0, given, tokens)
            gains = gather_tokens(table, tokens)
        rows = _append(rows, time, tokens, gains, end)
        if record is not None:
            attention = ops.where((time < rows.lengths)[:, None], ops.cast(recorded(new, record), "float32"), 0.0)
            rows = rows._replace(attention=write(rows.attention, time, attention))
        return time + 1, rows, frame.tensors(new)

    rows = _first_rows(last, max_new_tokens, 0 if record is None else ops.shape(recorded(state, record))[1])
    _, rows, tensors = while_loop(unfinished, body, (ops.zeros((), "int32"), rows, frame.tensors(state)))
    attention = ops.transpose(rows.attention, (1, 0, 2))  # (batch, max_new_tokens, source_time)
    state = frame.state(tensors) if keep_state else ()
    return Decoded(ops.transpose(rows.tokens), rows.scores, rows.scores, rows.lengths, attention, state)


def _first_rows(last: Any, max_new_tokens: int, source_time: Any) -> _Rows:
    (batch,) = ops.shape(last)
    return _Rows(
        last=last,
        alive=ops.ones((batch,), "bool"),
        scores=ops.zeros((batch,), "float32"),
        lengths=ops.zeros((batch,), "int32"),
        tokens=ops.full((max_new_tokens, batch), PAD, "int32"),
        attention=ops.zeros((max_new_tokens, batch, source_time), "float32"),
    )


def _append(rows: _Rows, time: Any, tokens: Any, gains: Any, end: int) -> _Rows:
    """Adds one token to the rows that have not ended."""
    tokens = ops.where(rows.alive, tokens, PAD)
    return rows._replace(
        last=tokens,
        alive=ops.logical_and(rows.alive, tokens != end),
        scores=rows.scores + ops.where(rows.alive, gains, 0.0),
        lengths=rows.lengths + ops.cast(rows.alive, "int32"),
        tokens=write(rows.tokens, time, tokens),
    )
