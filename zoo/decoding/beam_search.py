"""Beam search: the best of several hypotheses; `zoo.decoding.hypotheses` ranks them."""

from typing import Any, NamedTuple

from zoo.decoding.consensus import by_consensus
from zoo.decoding.history import History
from zoo.decoding.hypotheses import EMPTY, Finished, Live, Scoring
from zoo.decoding.operations import ops, take_rows, tree
from zoo.decoding.options import accepts_old_names, check
from zoo.decoding.result import Decoded
from zoo.decoding.state import ForcedPrefix, StateFrame, Step, first_tokens, gather, merged, recorded, while_loop
from zoo.decoding.vocabulary import best_tokens, gather_tokens, vocabulary_size
from zoo.errors import UserError


class _Search(NamedTuple):
    """What changes from step to step."""

    time: Any  # ()
    live: Live
    finished: Finished
    count: Any  # (batch,) number of finished hypotheses
    history: History
    tensors: list  # of the step's state, (batch * beam_size, ...)

    @property
    def unfinished(self) -> Any:
        """`(batch,)`, whether an example has a live hypothesis."""
        return ops.any(self.live.scores > EMPTY, axis=1)

    def select(self, examples: Any, beam_size: int) -> "_Search":
        """The search of some examples, `(n,)` indices into the batch."""
        rows = ops.reshape(beam_size * examples[:, None] + ops.arange(beam_size, dtype="int32"), (-1,))
        live, finished, count = tree.map_structure(
            lambda part: take_rows(part, examples), (self.live, self.finished, self.count)
        )
        tensors = [take_rows(tensor, rows) for tensor in self.tensors]
        return _Search(self.time, live, finished, count, self.history.select(examples), tensors)

    def merge(self, rest: "_Search", order: Any, half: Any) -> "_Search":
        """The whole batch, with the examples `order[:half]` from `rest`; the step's state is not needed any more."""
        live, finished, count = tree.map_structure(
            lambda whole, part: merged(whole, part, order, half, 0),
            (self.live, self.finished, self.count),
            (rest.live, rest.finished, rest.count),
        )
        pairs = zip(self.history, rest.history, strict=True)
        history = History(*(merged(whole, part, order, half, 1) for whole, part in pairs))
        return _Search(rest.time, live, finished, count, history, self.tensors)


class _Rules(NamedTuple):
    """What stays the same during a search."""

    step: Step
    frame: StateFrame
    forced: ForcedPrefix
    scoring: Scoring
    end: int
    max_new_tokens: int
    beam_size: int
    num_return: int
    record: str | None

    def select(self, examples: Any) -> "_Rules":
        """The rules for some examples, `(n,)` indices into the batch."""
        return self._replace(
            frame=self.frame.select(examples),
            forced=self.forced.select(examples),
            scoring=self.scoring.select(examples),
        )


@accepts_old_names
def beam(
    step: Step,
    state: Any,
    *,
    start: Any,
    end: int,
    max_new_tokens: int,
    beam_size: int,
    num_return: int = 1,
    length_penalty: float = 0.6,
    coverage_penalty: float = 0.0,
    consensus: float = 0.0,
    forced_prefix: Any | None = None,
    record: str | None = None,
    mask: Any | None = None,
    halvings: int = 0,
) -> Decoded:
    """Follows the `beam_size` best hypotheses of each example.

    In each step the best continuations of all live hypotheses are kept. One that ends keeps its place, so that live
    and finished ones are `beam_size` together, as in Bahdanau, Cho and Bengio (2015): with `beam_size` 1 this is
    greedy search. The search of an example is over when no place is left, or when no live hypothesis can become
    better than the `num_return` best finished ones. Other examples of the batch have no influence.

    Args:
        step: `(tokens, state) -> (log_probabilities, state)`; see `zoo.decoding`. Its rows are `batch * beam_size`.
        state: A nest of `(batch, ...)`; parts that all hypotheses share may be in `BatchShared`.
        start: The id that comes before the first token, or `(batch,)` ids; `(batch,)` is needed only if the state
            has no tensor that gives the batch size.
        end: The id that ends a hypothesis.
        max_new_tokens: Largest number of tokens of a hypothesis, the end token included.
        beam_size: Number of hypotheses per example.
        num_return: Number of hypotheses per example that are returned.
        length_penalty: Exponent alpha of the length normalization; 0 prefers short hypotheses, 1 is close to the
            mean log-probability per token.
        coverage_penalty: Weight beta of the coverage penalty; needs `record`.
        consensus: If above 0, what is found is ranked by its likeness to all that is found, weighted by the softmax of
            this number times the scores; see `zoo.decoding.consensus`. `scores` are then that likeness, 0 to 1.
        forced_prefix: `(batch, time)` ids that each hypothesis begins with, padded with 0 on the right. They count in
            the score.
        record: Key of a state that is a dictionary; its value, `(rows, source_time)`, is returned for every step as
            `attention`.
        mask: `(batch, source_time)`, True = an input that should be covered; by default all that got any attention.
        halvings: How often the batch is halved, each time when half of its examples are done. The results are the
            same; large batches finish sooner, for a longer compilation.

    Returns:
        Tokens `(batch, num_return, max_new_tokens)`, best first. Hypotheses without an end token come after all that
        have one. If there are fewer than `num_return` with a probability above 0, the others have score `-inf` and
        no tokens.

    Raises:
        UserError: If an argument is out of range, or the batch size is unknown.

    Reference:
        Wu et al. (2016), section 7, equation 14.
    """
    check(
        max_new_tokens=max_new_tokens, beam_size=beam_size, num_return=num_return, length_penalty=length_penalty,
        coverage_penalty=coverage_penalty, consensus=consensus, halvings=halvings,
    )  # fmt: skip
    if coverage_penalty and record is None:
        raise UserError("A coverage penalty needs attention: name its key in the state with `record`.")
    first = first_tokens(start, state)
    (batch,) = ops.shape(first)
    source_time = 0 if record is None else ops.shape(recorded(state, record))[1]
    frame = StateFrame(state)
    mask = None if mask is None else ops.cast(ops.convert_to_tensor(mask), "bool")
    scoring = Scoring(length_penalty, coverage_penalty, max_new_tokens, mask)
    forced = ForcedPrefix(forced_prefix)
    found = beam_size if consensus else num_return
    rules = _Rules(step, frame, forced, scoring, end, max_new_tokens, beam_size, found, record)
    search = _Search(
        time=ops.zeros((), "int32"),
        live=Live.first(first, beam_size, source_time if coverage_penalty else 0),
        finished=Finished.none(batch, found),
        count=ops.zeros((batch,), "int32"),
        history=History.empty(max_new_tokens, batch, beam_size, source_time),
        tensors=[ops.repeat(tensor, beam_size, axis=0) for tensor in frame.tensors(state)],
    )
    search = _run(search, rules, halvings)
    decoded = _read(_fill(search.finished, search.live, rules), search.history, rules)
    return by_consensus(decoded, end, consensus, num_return) if consensus else decoded


def _run(search: _Search, rules: _Rules, halvings: int) -> _Search:
    """The search until all examples are done.

    With `halvings`, the loop stops when half of the examples are done; the others continue in a batch of half the
    size, and return to their places. With five examples (+ unfinished, - done):

        a+ b- c- d+ e-      stop: two are unfinished, and half of five is three
        a+ d+ b-            the unfinished ones, filled up with one that is done
        a- b- c- d- e-      all done, in their places again
    """
    (batch,) = ops.shape(search.count)
    half = (batch + 1) // 2 if halvings else 0

    def condition(*state: Any) -> Any:
        now = _Search(*state)
        return ops.logical_and(now.time < rules.max_new_tokens, ops.sum(ops.cast(now.unfinished, "int32")) > half)

    search = _Search(*while_loop(condition, lambda *state: tuple(_advance(_Search(*state), rules)), tuple(search)))
    if not halvings:
        return search
    order = ops.cast(ops.argsort(ops.cast(~search.unfinished, "int32")), "int32")
    rest = _run(search.select(order[:half], rules.beam_size), rules.select(order[:half]), halvings - 1)
    return search.merge(rest, order, half)


def _advance(search: _Search, rules: _Rules) -> _Search:
    """One step of all hypotheses."""
    time, live, finished, count, history, tensors = search
    table, new = rules.step(ops.reshape(live.tokens, (-1,)), rules.frame.state(tensors))
    attention = None if rules.record is None else ops.cast(recorded(new, rules.record), "float32")
    covering = bool(rules.scoring.coverage_penalty)
    if covering:
        live = live._replace(covered=live.covered + ops.reshape(attention, ops.shape(live.covered)))
    scores, tokens, parents = _continue(table, live.scores, rules.forced.at(time))
    scores = ops.where(ops.arange(rules.beam_size, dtype="int32") < rules.beam_size - count[:, None], scores, EMPTY)
    live = Live(tokens, scores, gather(live.covered, parents) if covering else live.covered)
    finished, ended = _finish(finished, live, parents, time, rules)
    live = live._replace(scores=_live_scores(live, finished, rules))
    tensors = [_reorder(tensor, parents) for tensor in rules.frame.tensors(new)]
    history = history.append(time, live.tokens, parents, attention)
    return _Search(time + 1, live, finished, count + ended, history, tensors)


def _continue(table: Any, scores: Any, forced: Any | None) -> tuple[Any, Any, Any]:
    """The best continuations of each example: scores, tokens and parents, each `(batch, beam_size)`, best first.

    The best of each row are taken first, so that nothing as large as `table`, what the step returned, is computed.
    """
    beam_size = scores.shape[1]
    best = min(beam_size, vocabulary_size(table))
    gains, tokens = best_tokens(table, best)  # (batch * beam_size, best)
    if forced is not None:
        forced = ops.repeat(forced, beam_size, axis=0)[:, None]  # (batch * beam_size, 1)
        gain = gather_tokens(table, forced[:, 0])[:, None]
        only = ops.pad(gain, ((0, 0), (0, best - 1)), constant_values=EMPTY)
        gains = ops.where(forced > 0, only, gains)
        tokens = ops.where(forced > 0, forced, tokens)
    totals = scores[:, :, None] + ops.reshape(gains, (-1, beam_size, best))
    totals, index = ops.top_k(ops.reshape(totals, (-1, beam_size * best)), beam_size)
    index = ops.cast(index, "int32")
    return totals, gather(ops.reshape(tokens, (-1, beam_size * best)), index), index // best


def _finish(finished: Finished, live: Live, parents: Any, time: Any, rules: _Rules) -> tuple[Finished, Any]:
    """The best finished hypotheses, new and old, and `(batch,)` the number of new ones."""
    ends = ops.logical_and(live.tokens == rules.end, live.scores > EMPTY)
    normalized = ops.where(ends, rules.scoring.normalize(live.scores, time + 1, live.covered), EMPTY)
    new = Finished(normalized, live.scores, ops.full_like(parents, 1) * time, parents)
    return finished.joined(new).best(rules.num_return), ops.sum(ops.cast(ends, "int32"), axis=1)


def _live_scores(live: Live, finished: Finished, rules: _Rules) -> Any:
    """The scores of the hypotheses that have not ended and can still become one of the best."""
    scores = ops.where(live.tokens == rules.end, EMPTY, live.scores)
    beaten = finished.scores[:, -1] >= rules.scoring.upper_bound(ops.max(scores, axis=1))
    return ops.where(beaten[:, None], EMPTY, scores)


def _reorder(tensor: Any, parents: Any) -> Any:
    """Rows of the state, `(batch * beam_size, ...)`, by parents `(batch, beam_size)`."""
    batch, beam_size = ops.shape(parents)
    rows = parents + beam_size * ops.arange(batch, dtype="int32")[:, None]
    return take_rows(tensor, ops.reshape(rows, (-1,)))


def _fill(finished: Finished, live: Live, rules: _Rules) -> Finished:
    """Finished hypotheses, and after them live ones where too few have finished."""
    scores = rules.scoring.normalize(live.scores, rules.max_new_tokens, live.covered)
    places = ops.arange(rules.beam_size, dtype="int32")[None, :] * ops.ones_like(live.tokens)
    times = ops.full_like(places, rules.max_new_tokens)
    truncated = Finished(scores, live.scores, times, places).best(rules.num_return)
    kept = ops.sum(ops.cast(finished.scores > EMPTY, "int32"), axis=1, keepdims=True)
    place = ops.arange(rules.num_return, dtype="int32")[None, :]
    index = ops.where(place < kept, place, place - kept + rules.num_return)
    return tree.map_structure(lambda part: gather(part, index), finished.joined(truncated))


def _read(hypotheses: Finished, history: History, rules: _Rules) -> Decoded:
    times = ops.where(hypotheses.scores > EMPTY, hypotheses.times, -1)
    lengths = ops.minimum(times + 1, rules.max_new_tokens)
    tokens, attention = history.read(times, hypotheses.parents, lengths, rules.end)
    return Decoded(tokens, hypotheses.scores, hypotheses.log_probabilities, lengths, attention)
