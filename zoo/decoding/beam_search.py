"""Beam search: the best of several hypotheses at a time.

Source: Wu et al., "Google's Neural Machine Translation System" (2016), section 7, equation 14:

    s(Y, X) = log P(Y | X) / lp(Y) + cp(X; Y)
    lp(Y) = ((5 + |Y|) / (5 + 1)) ^ alpha
    cp(X; Y) = beta * sum_i log(min(sum_j p_ij, 1))

where p_ij is the attention that output j pays to input i. Here alpha is `penalty` and beta is `coverage`.
"""

from typing import Any, NamedTuple

from keras import ops, tree

from zoo.decoding.history import History
from zoo.decoding.result import Decoded
from zoo.decoding.state import Frame, Prefix, Step, first_tokens, loop, pick
from zoo.decoding.vocabulary import best_tokens, pick_token

NONE = float("-inf")
"""The score of a place that no hypothesis has taken."""

LEAST_COVERAGE = 1e-9
"""Taken for the attention to an input that got none, whose logarithm would be infinite."""


class _Live(NamedTuple):
    """The hypotheses that go on."""

    tokens: Any  # (batch, width) the last ones
    scores: Any  # (batch, width) sums of log-probabilities
    covered: Any  # (batch, width, source_time) total attention; source_time is 0 without a coverage penalty


class _Hypotheses(NamedTuple):
    """Hypotheses that go on no more, best first."""

    scores: Any  # (batch, n) normalised
    log_probabilities: Any  # (batch, n)
    times: Any  # (batch, n) when the end token came; `length` if it did not
    parents: Any  # (batch, n) place among the live ones before the end token


class _Search(NamedTuple):
    """What changes from step to step."""

    time: Any  # ()
    live: _Live
    finished: _Hypotheses
    count: Any  # (batch,) how many have finished
    history: History
    tensors: list  # of the step's state, (batch * width, ...)

    @property
    def goes_on(self) -> Any:
        """`(batch,)`, whether an example has a live hypothesis."""
        return ops.any(self.live.scores > NONE, axis=1)

    def only(self, examples: Any, width: int) -> "_Search":
        """The search of some examples of the batch."""
        rows = ops.reshape(width * examples[:, None] + ops.arange(width, dtype="int32"), (-1,))
        live, finished, count = tree.map_structure(
            lambda part: ops.take(part, examples, axis=0), (self.live, self.finished, self.count)
        )
        tensors = [ops.take(tensor, rows, axis=0) for tensor in self.tensors]
        return _Search(self.time, live, finished, count, self.history.only(examples), tensors)

    def with_rest(self, rest: "_Search", order: Any, half: Any) -> "_Search":
        """The whole batch, of which the examples `order[:half]` come from `rest`; its step's state is not needed."""
        places = ops.argsort(order)

        def joined(whole: Any, part: Any, axis: int) -> Any:
            others = ops.take(whole, order[half:], axis=axis)
            return ops.take(ops.concatenate([part, others], axis=axis), places, axis=axis)

        live, finished, count = tree.map_structure(
            lambda whole, part: joined(whole, part, 0),
            (self.live, self.finished, self.count),
            (rest.live, rest.finished, rest.count),
        )
        history = History(*(joined(whole, part, 1) for whole, part in zip(self.history, rest.history, strict=True)))
        return _Search(rest.time, live, finished, count, history, self.tensors)


class _Rules(NamedTuple):
    """What does not change during a search."""

    step: Step
    frame: Frame
    forced: Prefix
    end: int
    length: int
    width: int
    nbest: int
    penalty: float
    coverage: float
    mask: Any | None
    record: str | None

    def only(self, examples: Any) -> "_Rules":
        """The rules for some examples of the batch."""
        mask = None if self.mask is None else ops.take(self.mask, examples, axis=0)
        return self._replace(frame=self.frame.only(examples), forced=self.forced.only(examples), mask=mask)

    def normalise(self, scores: Any, length: Any, covered: Any) -> Any:
        """Equation 14: `(batch, n)` and `(batch, n, source_time)` -> `(batch, n)`."""
        if self.penalty:
            scores = scores / ((5.0 + ops.cast(length, "float32")) / 6.0) ** self.penalty
        if self.coverage:
            real = covered > 0 if self.mask is None else self.mask[:, None, :]
            logs = ops.log(ops.clip(covered, LEAST_COVERAGE, 1.0))
            scores = scores + self.coverage * ops.sum(ops.where(real, logs, 0.0), axis=-1)
        return scores

    def bound(self, scores: Any) -> Any:
        """The best that a hypothesis can still become: no token more costs anything, and nothing stays uncovered."""
        return scores / ((5.0 + self.length) / 6.0) ** self.penalty


def beam(
    step: Step,
    state: Any,
    *,
    start: Any,
    end: int,
    length: int,
    width: int,
    nbest: int = 1,
    penalty: float = 0.6,
    coverage: float = 0.0,
    prefix: Any | None = None,
    record: str | None = None,
    mask: Any | None = None,
    halvings: int = 0,
) -> Decoded:
    """Follows the `width` best hypotheses of each example.

    In each step the best continuations of all live hypotheses are kept. One that ends keeps its place, so that live
    and finished ones are `width` together, as in Bahdanau, Cho and Bengio (2015): with `width` 1 this is greedy
    search. The search of an example is over when no place is left, or when no live hypothesis can become better than
    the `nbest` best finished ones. Other examples of the batch make no difference.

    Args:
        step: `(tokens, state) -> (log_probabilities, state)`; see `zoo.decoding`. Its rows are `batch * width`.
        state: A nest of `(batch, ...)`; parts that hypotheses have in common may stand in `Shared`.
        start: The id that comes before the first token, or `(batch,)` ids; needed for each example only if the state
            has no tensor that tells the size of the batch.
        end: The id that ends a hypothesis.
        length: The most tokens of a hypothesis, the end token included.
        width: How many hypotheses of an example are followed.
        nbest: How many of each example are returned.
        penalty: Exponent alpha of the length normalisation; 0 prefers short hypotheses, 1 nearly takes the mean.
        coverage: Weight beta of the coverage penalty; needs `record`.
        prefix: `(batch, time)` ids that every hypothesis begins with, padded with 0 on the right. They count in the
            score.
        record: Key of a state that is a dictionary; its value, `(rows, source_time)`, is returned of every step as
            `attention`.
        mask: `(batch, source_time)`, True = an input that is to be covered; by default all that got any attention.
        halvings: How often the batch is halved, each time when half of its examples are done. The answers are the
            same; large batches come out sooner, for a longer compilation.

    Returns:
        Tokens `(batch, nbest, length)`, best first. Hypotheses that did not end within `length` come after all that
        did. If there are fewer than `nbest` with a probability above 0, the rest has score `-inf` and no tokens.

    Raises:
        ValueError: If an argument is out of range, or the size of the batch is unknown.
    """
    _check(length, width, nbest, penalty, coverage, record, halvings)
    first = first_tokens(start, state)
    (batch,) = ops.shape(first)
    source_time = 0 if record is None else ops.shape(state[record])[1]
    frame = Frame(state)
    mask = None if mask is None else ops.cast(ops.convert_to_tensor(mask), "bool")
    rules = _Rules(step, frame, Prefix(prefix), end, length, width, nbest, penalty, coverage, mask, record)
    search = _Search(
        time=ops.zeros((), "int32"),
        live=_first_live(first, width, source_time if coverage else 0),
        finished=_nothing(batch, nbest),
        count=ops.zeros((batch,), "int32"),
        history=History.blank(length, batch, width, source_time),
        tensors=[ops.repeat(tensor, width, axis=0) for tensor in frame.tensors(state)],
    )
    search = _searched(search, rules, halvings)
    return _read(_fill(search.finished, search.live, rules), search.history, rules)


def _searched(search: _Search, rules: _Rules, halvings: int) -> _Search:
    """The search until all examples are done.

    With `halvings`, the loop stops when half of the examples are done; the others go on in a batch of half the size,
    and come back to their places. Of five examples (+ goes on, - is done):

        a+ b- c- d+ e-      stop: two go on, and half of five is three
        a+ d+ b-            the rest, filled up with one that is done
        a- b- c- d- e-      all done, in their places again
    """
    (batch,) = ops.shape(search.count)
    half = (batch + 1) // 2 if halvings else 0

    def going(*state: Any) -> Any:
        now = _Search(*state)
        return ops.logical_and(now.time < rules.length, ops.sum(ops.cast(now.goes_on, "int32")) > half)

    search = _Search(*loop(going, lambda *state: tuple(_advanced(_Search(*state), rules)), tuple(search)))
    if not halvings:
        return search
    order = ops.cast(ops.argsort(ops.cast(~search.goes_on, "int32")), "int32")
    rest = _searched(search.only(order[:half], rules.width), rules.only(order[:half]), halvings - 1)
    return search.with_rest(rest, order, half)


def _advanced(search: _Search, rules: _Rules) -> _Search:
    """One step of all hypotheses."""
    time, live, finished, count, history, tensors = search
    log_probabilities, new = rules.step(ops.reshape(live.tokens, (-1,)), rules.frame.state(tensors))
    seen = None if rules.record is None else ops.cast(new[rules.record], "float32")
    if rules.coverage:
        live = live._replace(covered=live.covered + ops.reshape(seen, ops.shape(live.covered)))
    scores, tokens, parents = _continue(log_probabilities, live.scores, rules.forced.at(time))
    scores = ops.where(ops.arange(rules.width, dtype="int32") < rules.width - count[:, None], scores, NONE)
    live = _Live(tokens, scores, pick(live.covered, parents) if rules.coverage else live.covered)
    finished, ended = _finish(finished, live, parents, time, rules)
    live = live._replace(scores=_going_on(live, finished, rules))
    tensors = [_reorder(tensor, parents) for tensor in rules.frame.tensors(new)]
    history = history.note(time, live.tokens, parents, seen)
    return _Search(time + 1, live, finished, count + ended, history, tensors)


def _check(
    length: int, width: int, nbest: int, penalty: float, coverage: float, record: str | None, halvings: int
) -> None:
    if length < 1:
        raise ValueError(f"At least one token must be produced; got length={length}.")
    if width < 1:
        raise ValueError(f"A beam follows at least one hypothesis; got width={width}.")
    if not 1 <= nbest <= width:
        raise ValueError(f"A beam of width {width} returns between 1 and {width} hypotheses; got nbest={nbest}.")
    if penalty < 0 or coverage < 0:
        raise ValueError(f"Penalties cannot be negative; got penalty={penalty} and coverage={coverage}.")
    if coverage and record is None:
        raise ValueError("A coverage penalty needs attention: name its key in the state with `record`.")
    if halvings < 0:
        raise ValueError(f"A batch cannot be halved less than never; got halvings={halvings}.")


def _first_live(first: Any, width: int, source_time: Any) -> _Live:
    """One hypothesis, and `width - 1` places not taken; otherwise all would continue the same way."""
    (batch,) = ops.shape(first)
    scores = ops.pad(ops.zeros((batch, 1), "float32"), ((0, 0), (0, width - 1)), constant_values=NONE)
    covered = ops.zeros((batch, width, source_time), "float32")
    return _Live(ops.repeat(first[:, None], width, axis=1), scores, covered)


def _nothing(batch: Any, nbest: int) -> _Hypotheses:
    scores, numbers = ops.full((batch, nbest), NONE, "float32"), ops.zeros((batch, nbest), "int32")
    return _Hypotheses(scores, scores, numbers, numbers)


def _continue(log_probabilities: Any, scores: Any, given: Any | None) -> tuple[Any, Any, Any]:
    """The best continuations of each example: scores, tokens and parents, each `(batch, width)`, best first.

    The best of each row are taken first: then nothing as large as `log_probabilities` is computed.
    """
    width = scores.shape[1]
    best = min(width, log_probabilities.shape[-1])
    gains, tokens = best_tokens(log_probabilities, best)  # (batch * width, best)
    if given is not None:
        given = ops.repeat(given, width, axis=0)
        only = ops.pad(pick_token(log_probabilities, given)[:, None], ((0, 0), (0, best - 1)), constant_values=NONE)
        gains = ops.where(given[:, None] > 0, only, gains)
        tokens = ops.where(given[:, None] > 0, given[:, None], tokens)
    totals = scores[:, :, None] + ops.reshape(gains, (-1, width, best))
    totals, index = ops.top_k(ops.reshape(totals, (-1, width * best)), width)
    index = ops.cast(index, "int32")
    return totals, pick(ops.reshape(tokens, (-1, width * best)), index), index // best


def _finish(finished: _Hypotheses, live: _Live, parents: Any, time: Any, rules: _Rules) -> tuple[_Hypotheses, Any]:
    """The best finished hypotheses, new and old, and `(batch,)` how many are new."""
    ends = ops.logical_and(live.tokens == rules.end, live.scores > NONE)
    normalised = ops.where(ends, rules.normalise(live.scores, time + 1, live.covered), NONE)
    new = _Hypotheses(normalised, live.scores, ops.full_like(parents, 1) * time, parents)
    return _best(_join(finished, new), rules.nbest), ops.sum(ops.cast(ends, "int32"), axis=1)


def _going_on(live: _Live, finished: _Hypotheses, rules: _Rules) -> Any:
    """The scores of the hypotheses that neither have ended nor are beaten for good."""
    scores = ops.where(live.tokens == rules.end, NONE, live.scores)
    beaten = finished.scores[:, -1] >= rules.bound(ops.max(scores, axis=1))
    return ops.where(beaten[:, None], NONE, scores)


def _join(one: _Hypotheses, other: _Hypotheses) -> _Hypotheses:
    return _Hypotheses(*(ops.concatenate(pair, axis=1) for pair in zip(one, other, strict=True)))


def _best(hypotheses: _Hypotheses, number: int) -> _Hypotheses:
    scores, index = ops.top_k(hypotheses.scores, number)
    index = ops.cast(index, "int32")
    return _Hypotheses(scores, *(pick(part, index) for part in hypotheses[1:]))


def _reorder(tensor: Any, parents: Any) -> Any:
    """Rows of the state, `(batch * width, ...)`, by parents `(batch, width)`."""
    batch, width = ops.shape(parents)
    rows = parents + width * ops.arange(batch, dtype="int32")[:, None]
    return ops.take(tensor, ops.reshape(rows, (-1,)), axis=0)


def _fill(finished: _Hypotheses, live: _Live, rules: _Rules) -> _Hypotheses:
    """Finished hypotheses, and after them live ones where too few have finished."""
    scores = rules.normalise(live.scores, rules.length, live.covered)
    places = ops.arange(rules.width, dtype="int32")[None, :] * ops.ones_like(live.tokens)
    cut = _best(_Hypotheses(scores, live.scores, ops.full_like(places, rules.length), places), rules.nbest)
    kept = ops.sum(ops.cast(finished.scores > NONE, "int32"), axis=1, keepdims=True)
    place = ops.arange(rules.nbest, dtype="int32")[None, :]
    index = ops.where(place < kept, place, place - kept + rules.nbest)
    return tree.map_structure(lambda part: pick(part, index), _join(finished, cut))


def _read(hypotheses: _Hypotheses, history: History, rules: _Rules) -> Decoded:
    times = ops.where(hypotheses.scores > NONE, hypotheses.times, -1)
    lengths = ops.minimum(times + 1, rules.length)
    tokens, attention = history.read(times, hypotheses.parents, lengths, rules.end)
    return Decoded(tokens, hypotheses.scores, hypotheses.log_probabilities, lengths, attention)
