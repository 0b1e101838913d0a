"""Sampling: random tokens, each with the probability that the model gives it, or a sharper one."""

from typing import Any

import keras
from keras import ops

from zoo.decoding.filters import top_k as keep_k
from zoo.decoding.filters import top_p as keep_p
from zoo.decoding.generate import generate
from zoo.decoding.greedy_search import greedy
from zoo.decoding.result import Decoded
from zoo.decoding.state import Step


class _SeedOfStep(keras.random.SeedGenerator):
    """The seed of one step of a loop, a pure function of the two numbers.

    `keras.random` takes a number, the same for every step of the loop, or a generator, and Keras's own generator is a
    variable, which a loop cannot update on JAX.
    """

    def __init__(self, seed: Any, time: Any) -> None:
        self.pair = ops.stack([ops.cast(seed, "uint32"), ops.cast(time, "uint32")])

    def next(self, ordered: bool = True) -> Any:
        return self.pair


def sample(
    step: Step,
    state: Any,
    *,
    start: Any,
    end: int,
    length: int,
    seed: Any,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    prefix: Any | None = None,
    record: str | None = None,
    keep_state: bool = False,
) -> Decoded:
    """Draws a token at random at each step.

    First the temperature is applied, then `top_k`, then `top_p`. The same seed gives the same tokens, in a batch of
    the same size: what is drawn depends on the seed, the time, and the row's place in the batch.

    Args:
        step: `(tokens, state) -> (log_probabilities, state)`; see `zoo.decoding`.
        state: A nest of `(batch, ...)`.
        start: The id that comes before the first token, or `(batch,)` ids; needed for each example only if the state
            has no tensor that tells the size of the batch.
        end: The id that ends a row.
        length: The most tokens of a row, the end token included.
        seed: A number, or a scalar tensor of integers, so that one compiled graph can draw again and again.
        temperature: Divides the log-probabilities: below 1 the probable becomes more probable; 0 is greedy search.
        top_k: Draw from this many of the most probable tokens; 0 from all.
        top_p: Draw from the fewest tokens that together have at least this probability.
        prefix: `(batch, time)` ids that every row begins with, padded with 0 on the right. They count in the score.
        record: Key of a state that is a dictionary; its value, `(batch, source_time)`, is returned of every step as
            `attention`.
        keep_state: Return the state from which to go on as well, with the last token as the next `start`.

    Returns:
        Tokens `(batch, length)`; `scores` are sums of the model's own log-probabilities, whatever the temperature.

    Raises:
        ValueError: If an argument is out of range, or the size of the batch is unknown.
    """
    if temperature < 0:
        raise ValueError(f"A temperature cannot be negative; got temperature={temperature}.")
    options = {"start": start, "end": end, "length": length, "prefix": prefix, "record": record}
    options["keep_state"] = keep_state
    seed = seed % 2**31 if isinstance(seed, int) else seed

    def choose(log_probabilities: Any, time: Any) -> Any:
        logits = ops.cast(log_probabilities, "float32") / temperature
        logits = keep_p(keep_k(logits, top_k), top_p)
        tokens = keras.random.categorical(logits, 1, dtype="int32", seed=_SeedOfStep(seed, time))
        # Of a row in which everything is forbidden TensorFlow draws a token that does not exist.
        return ops.minimum(tokens[:, 0], ops.shape(logits)[1] - 1)

    return generate(step, state, choose, **options) if temperature else greedy(step, state, **options)
