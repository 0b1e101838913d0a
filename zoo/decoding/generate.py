"""The loop of the searches that follow one sequence per example."""

from collections.abc import Callable
from typing import Any, NamedTuple

from zoo.decoding.operations import ops, take_rows
from zoo.decoding.options import check
from zoo.decoding.result import Decoded
from zoo.decoding.state import ForcedPrefix, StateFrame, Step, first_tokens, merged, recorded, while_loop, write
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

    def select(self, examples: Any) -> "_Rows":
        """Some of the rows, `(n,)` indices into the batch."""
        by_row = [take_rows(part, examples) for part in self[:4]]
        return _Rows(*by_row, *(ops.take(part, examples, axis=1) for part in self[4:]))

    def merge(self, rest: "_Rows", order: Any, half: Any) -> "_Rows":
        """All rows again, with the rows `order[:half]` from `rest`."""
        parts = zip(self, rest, (0, 0, 0, 0, 1, 1), strict=True)
        return _Rows(*(merged(whole, part, order, half, axis) for whole, part, axis in parts))


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
    halvings: int = 0,
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
        halvings: How often the batch is halved, each time when half of its rows have ended.

    Raises:
        UserError: If `max_new_tokens` is below 1.
    """
    check(max_new_tokens=max_new_tokens, halvings=halvings)
    last = first_tokens(start, state)
    rows = _first_rows(last, max_new_tokens, 0 if record is None else ops.shape(recorded(state, record))[1])
    frame, forced = StateFrame(state), ForcedPrefix(forced_prefix)
    loop = _Loop(step, frame, forced, choose, end, max_new_tokens, record)
    rows, tensors = loop.run(ops.zeros((), "int32"), rows, frame.tensors(state), halvings)
    attention = ops.transpose(rows.attention, (1, 0, 2))  # (batch, max_new_tokens, source_time)
    state = frame.state(tensors) if keep_state else ()
    return Decoded(ops.transpose(rows.tokens), rows.scores, rows.scores, rows.lengths, attention, state)


class _Loop(NamedTuple):
    """What stays the same in all steps."""

    step: Step
    frame: StateFrame
    forced: ForcedPrefix
    choose: Callable[[Any, Any], tuple[Any, Any]]
    end: int
    max_new_tokens: int
    record: str | None

    def run(self, time: Any, rows: _Rows, tensors: list, halvings: int) -> tuple[_Rows, list]:
        """Steps until all rows have ended; with `halvings` the second half of them in a batch of half the size."""
        (batch,) = ops.shape(rows.last)
        half = (batch + 1) // 2 if halvings else 0

        def unfinished(time: Any, rows: _Rows, tensors: list) -> Any:
            return ops.logical_and(time < self.max_new_tokens, ops.sum(ops.cast(rows.alive, "int32")) > half)

        time, rows, tensors = while_loop(unfinished, self.advance, (time, rows, tensors))
        if not halvings:
            return rows, tensors
        order = ops.cast(ops.argsort(ops.cast(~rows.alive, "int32")), "int32")
        some = order[:half]
        loop = self._replace(frame=self.frame.select(some), forced=self.forced.select(some))
        rest, ends = loop.run(time, rows.select(some), [take_rows(part, some) for part in tensors], halvings - 1)
        pairs = zip(tensors, ends, strict=True)
        return rows.merge(rest, order, half), [merged(whole, part, order, half, 0) for whole, part in pairs]

    def advance(self, time: Any, rows: _Rows, tensors: list) -> tuple:
        """One step of all rows."""
        table, new = self.step(rows.last, self.frame.state(tensors))
        tokens, gains = self.choose(table, time)
        given = self.forced.at(time)
        if given is not None:
            tokens = ops.where(given > 0, given, tokens)
            gains = gather_tokens(table, tokens)
        rows = _append(rows, time, tokens, gains, self.end)
        if self.record is not None:
            weights = ops.cast(recorded(new, self.record), "float32")
            weights = ops.where((time < rows.lengths)[:, None], weights, 0.0)
            rows = rows._replace(attention=write(rows.attention, time, weights))
        return time + 1, rows, self.frame.tensors(new)


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
