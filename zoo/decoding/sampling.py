"""Sampling: random tokens, each with the probability that the model gives it, or a sharper one."""

from typing import Any

from zoo.decoding import filters
from zoo.decoding.generate import generate
from zoo.decoding.greedy_search import greedy
from zoo.decoding.operations import categorical, ops
from zoo.decoding.options import accepts_old_names, check
from zoo.decoding.result import Decoded
from zoo.decoding.state import Step
from zoo.decoding.vocabulary import gather_tokens, normalized


@accepts_old_names
def sample(
    step: Step,
    state: Any,
    *,
    start: Any,
    end: int,
    max_new_tokens: int,
    seed: Any,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    forced_prefix: Any | None = None,
    record: str | None = None,
    keep_state: bool = False,
) -> Decoded:
    """Draws a random token at each step.

    First the temperature is applied, then `top_k`, then `top_p`. The same seed gives the same tokens in a batch of
    the same size: what is drawn depends on the seed, the time, and the row's place in the batch.

    Args:
        step: `(tokens, state) -> (log_probabilities, state)`; see `zoo.decoding`.
        state: A nest of `(batch, ...)`.
        start: The id that comes before the first token, or `(batch,)` ids; `(batch,)` is needed only if the state
            has no tensor that gives the batch size.
        end: The id that ends a row.
        max_new_tokens: Largest number of tokens of a row, the end token included.
        seed: A whole number, or a scalar integer tensor, so that one compiled graph can draw again and again.
        temperature: Divides the log-probabilities: below 1 probable tokens become more probable; 0 is greedy search.
        top_k: Draw from this many of the most probable tokens; 0 from all.
        top_p: Draw from the smallest set of tokens whose total probability is at least this.
        forced_prefix: `(batch, time)` ids that each row begins with, padded with 0 on the right. They count in the
            score.
        record: Key of a state that is a dictionary; its value, `(batch, source_time)`, is returned for every step as
            `attention`.
        keep_state: Also return the state from which to continue, with the last token as the next `start`.

    Returns:
        Tokens `(batch, max_new_tokens)`; `scores` are sums of the model's own log-probabilities, whatever the
        temperature.

    Raises:
        UserError: If an argument is out of range, or the batch size is unknown.

    Reference:
        Fan et al. (2018), section 5.4, for `top_k`; Holtzman et al. (2020), section 3.1, for `top_p`.
    """
    check(max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p)
    options = {"start": start, "end": end, "max_new_tokens": max_new_tokens, "forced_prefix": forced_prefix}
    options |= {"record": record, "keep_state": keep_state}
    seed = seed % 2**31 if isinstance(seed, int) else seed

    def choose(log_probabilities: Any, time: Any) -> tuple[Any, Any]:
        logits = ops.cast(log_probabilities, "float32") / temperature
        logits = filters.top_p(filters.top_k(logits, top_k), top_p)
        # If every token of a row is excluded, TensorFlow draws an id that does not exist.
        tokens = ops.minimum(categorical(logits, seed, time), ops.shape(logits)[1] - 1)
        return tokens, gather_tokens(log_probabilities, tokens)

    return generate(normalized(step), state, choose, **options) if temperature else greedy(step, state, **options)
