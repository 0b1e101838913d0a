"""The loop of the decoders that follow one sequence of each example."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from zoo.decoding.result import PAD, Decoded
from zoo.decoding.state import Frame, Prefix, Step, first_tokens, loop, write
from zoo.decoding.vocabulary import pick_token


class _Rows(NamedTuple):
    """One sequence of each example, as far as it has come."""

    last: Any  # (batch,) the token before
    alive: Any  # (batch,) whether the end is still to come
    scores: Any  # (batch,)
    lengths: Any  # (batch,)
    tokens: Any  # (length, batch)
    attention: Any  # (length, batch, source_time)


def generate(
    step: Step,
    state: Any,
    choose: Callable[[Any, Any], Any],
    *,
    start: Any,
    end: int,
    length: int,
    prefix: Any | None = None,
    record: str | None = None,
    keep_state: bool = False,
) -> Decoded:
    """Produces one token at a time until all rows have ended.

    Args:
        step: See `zoo.decoding`.
        state: A nest of `(batch, ...)`.
        choose: `(log_probabilities, time) -> tokens`: `(batch, vocabulary)` and a scalar to `(batch,)`.
        start: An id, or `(batch,)` ids.
        end: The id that ends a row.
        length: The most tokens of a row.
        prefix: `(batch, time)` forced tokens, padded with 0 on the right.
        record: Key of the state whose value, `(batch, source_time)`, is returned of every step.
        keep_state: Return the last state as well.

    Raises:
        ValueError: If `length` is below 1.
    """
    if length < 1:
        raise ValueError(f"At least one token must be produced; got length={length}.")
    last = first_tokens(start, state)
    frame, forced = Frame(state), Prefix(prefix)

    def going(time: Any, rows: _Rows, tensors: list) -> Any:
        return ops.logical_and(time < length, ops.any(rows.alive))

    def body(time: Any, rows: _Rows, tensors: list) -> tuple:
        log_probabilities, new = step(rows.last, frame.state(tensors))
        tokens = ops.cast(choose(log_probabilities, time), "int32")
        given = forced.at(time)
        tokens = tokens if given is None else ops.where(given > 0, given, tokens)
        rows = _append(rows, time, tokens, pick_token(log_probabilities, tokens), end)
        if record is not None:
            seen = ops.where((time < rows.lengths)[:, None], ops.cast(new[record], "float32"), 0.0)
            rows = rows._replace(attention=write(rows.attention, time, seen))
        return time + 1, rows, frame.tensors(new)

    begin = _begin(last, length, 0 if record is None else ops.shape(state[record])[1])
    _, rows, tensors = loop(going, body, (ops.zeros((), "int32"), begin, frame.tensors(state)))
    attention = ops.transpose(rows.attention, (1, 0, 2))
    state = frame.state(tensors) if keep_state else ()
    return Decoded(ops.transpose(rows.tokens), rows.scores, rows.scores, rows.lengths, attention, state)


def _begin(last: Any, length: int, source_time: Any) -> _Rows:
    (batch,) = ops.shape(last)
    return _Rows(
        last=last,
        alive=ops.ones((batch,), "bool"),
        scores=ops.zeros((batch,), "float32"),
        lengths=ops.zeros((batch,), "int32"),
        tokens=ops.full((length, batch), PAD, "int32"),
        attention=ops.zeros((length, batch, source_time), "float32"),
    )


def _append(rows: _Rows, time: Any, tokens: Any, gains: Any, end: int) -> _Rows:
    """The rows with one more token, those that have not ended."""
    tokens = ops.where(rows.alive, tokens, PAD)
    return rows._replace(
        last=tokens,
        alive=ops.logical_and(rows.alive, tokens != end),
        scores=rows.scores + ops.where(rows.alive, gains, 0.0),
        lengths=rows.lengths + ops.cast(rows.alive, "int32"),
        tokens=write(rows.tokens, time, tokens),
    )
