"""Decoding: from a model's step to whole sequences. It knows no model, and no model knows it.

A model and a search meet in one function,

    step(tokens, state) -> (log_probabilities, state)

| | shape | |
|---|---|---|
| `tokens` | `(rows,)` | int32 ids, the tokens that were produced last; at first, `start` |
| `log_probabilities` | `(rows, vocabulary)` | of the next token; `-inf` excludes one; or `Logits` |
| `state` | a nest of tensors, each `(rows, ...)` | what a step remembers; returned with the same structure and shapes |

A row is an example of the batch, and in a beam search one hypothesis of an example: `rows = batch * beam_size`, where
the rows of one example are neighbors. Decoding starts from a state of `(batch, ...)`; a beam search repeats it, and
reorders it after each step, so everything that belongs to a hypothesis must be part of it. What all hypotheses of an
example have in common need not be repeated: `BatchShared` marks it. `Constant` marks what is the same for all
examples, `Emitted` what a step writes and never reads.

Token 0 is padding: it fills a row after its end. Log-probabilities are summed in float32. The loop over steps is one
`keras.ops.while_loop`, so decoding can run inside `keras.Model.predict_on_batch`, with a batch size that is not known
beforehand. Inside `on_numpy()` the same search runs on arrays, for a step that runs outside of Keras.

A new search is one file here and one line in `TABLE`.
"""

from collections.abc import Callable

from zoo.decoding.beam_search import beam
from zoo.decoding.ensembles import ensemble
from zoo.decoding.filters import top_k, top_p
from zoo.decoding.greedy_search import greedy
from zoo.decoding.operations import on_numpy
from zoo.decoding.request import request
from zoo.decoding.result import Decoded
from zoo.decoding.sampling import sample
from zoo.decoding.state import BatchShared, Constant, Emitted
from zoo.decoding.vocabulary import Logits
from zoo.names import look_up

TABLE: dict[str, tuple[Callable[..., Decoded], str]] = {
    "greedy": (greedy, "The most probable token at each step"),
    "beam": (beam, "The best of several hypotheses, with length and coverage penalties (Wu et al. 2016)"),
    "sample": (sample, "Random tokens, with temperature, top-k (Fan et al. 2018) and top-p (Holtzman et al. 2020)"),
}
"""Name of a search -> its function and what it is."""

__all__ = [
    "TABLE",
    "BatchShared",
    "Constant",
    "Decoded",
    "Emitted",
    "Logits",
    "beam",
    "ensemble",
    "find",
    "greedy",
    "on_numpy",
    "request",
    "sample",
    "top_k",
    "top_p",
]


def find(name: str) -> Callable[..., Decoded]:
    """The function of a search.

    Args:
        name: A name in `TABLE`.

    Returns:
        `(step, state, **options) -> Decoded`.

    Raises:
        UserError: If there is no such search; names the nearest.
    """
    return look_up(TABLE, name, "search")[0]
