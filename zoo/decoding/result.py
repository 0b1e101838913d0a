"""What a decoder returns."""

from typing import Any, NamedTuple

PAD = 0
"""The token that fills a row after its end."""


class Decoded(NamedTuple):
    """Sequences and their scores; of a beam search with `nbest` after `batch` in every shape, best first.

    Attributes:
        tokens: `(batch, length)` int32: without the start token, with the end token where it was produced, then 0.
        scores: `(batch,)` what the decoder ranks by: of a beam search normalised, else the log-probabilities.
        log_probabilities: `(batch,)` sums over the produced tokens, prefix and end token included.
        lengths: `(batch,)` int32, how many tokens were produced, prefix and end token included.
        attention: `(batch, length, source_time)`, what was recorded when each token was produced, 0 after the end;
            `source_time` is 0 if nothing was to be recorded.
        state: The state before the last token is fed back, from which to go on, where it was asked for; else `()`.
    """

    tokens: Any
    scores: Any
    log_probabilities: Any
    lengths: Any
    attention: Any
    state: Any = ()
