"""What a search returns."""

from typing import Any, NamedTuple


class Decoded(NamedTuple):
    """Sequences and their scores; from a beam search with `num_return` after `batch` in every shape, best first.

    Attributes:
        tokens: `(batch, max_new_tokens)` int32: without the start token, with the end token where it was produced,
            then 0.
        scores: `(batch,)` float32, what the search ranks by: in a beam search the normalized log-probabilities, else
            the log-probabilities.
        log_probabilities: `(batch,)` float32, sums over the produced tokens in nats, forced prefix and end token
            included.
        lengths: `(batch,)` int32, number of produced tokens, forced prefix and end token included.
        attention: `(batch, max_new_tokens, source_time)` float32, recorded when each token was produced, 0 after the
            end; `source_time` is 0 if nothing was recorded.
        state: The state from which to continue, before the last token is fed back, if it was asked for; else `()`.
    """

    tokens: Any
    scores: Any
    log_probabilities: Any
    lengths: Any
    attention: Any
    state: Any = ()
