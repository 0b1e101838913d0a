"""Decoding: from a model's step to whole sequences. It knows no model, and no model knows it.

All that joins the two is one function,

    step(tokens, state) -> (log_probabilities, state)

| | shape | |
|---|---|---|
| `tokens` | `(rows,)` | int32 ids, the tokens that were produced last; at first, `start` |
| `log_probabilities` | `(rows, vocabulary)` | of the tokens that come next; `-inf` forbids one |
| `state` | a nest of tensors, each `(rows, ...)` | what a step remembers; returned with the same structure and shapes |

A row is an example of the batch, and in a beam search one hypothesis of an example: `rows = batch * width`, where the
rows of one example stand next to each other. Decoding starts from a state of `(batch, ...)`; a beam repeats it, and
reorders it after each step, so all that belongs to a hypothesis must travel in it. What all hypotheses of an example
have in common need not be repeated: `Shared` marks it.

Token 0 is padding: it fills what comes after a sequence's end. Log-probabilities are added up in float32. The loop
over steps is one `keras.ops.while_loop`, so decoding can run inside `keras.Model.predict_on_batch`, with a batch size
that is not known before.

Importing this package does not import Keras; taking something out of it does. A new decoder is one file here and one
line in `TABLE`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo.names import look_up

if TYPE_CHECKING:
    from zoo.decoding.beam_search import beam
    from zoo.decoding.ensembles import ensemble
    from zoo.decoding.filters import top_k, top_p
    from zoo.decoding.greedy_search import greedy
    from zoo.decoding.result import Decoded
    from zoo.decoding.sampling import sample
    from zoo.decoding.state import Shared

TABLE = {
    "greedy": ("greedy_search", "The most probable token at each step"),
    "beam": ("beam_search", "The best of several hypotheses at a time, with length and coverage (Wu et al. 2016)"),
    "sample": ("sampling", "Random tokens, with temperature, top-k (Fan et al. 2018) and top-p (Holtzman et al. 2020)"),
}
"""Name of a decoder -> its file, which must not have the function's own name, and what it is."""

_FILES = {
    **{name: file for name, (file, _) in TABLE.items()},
    "Decoded": "result",
    "Shared": "state",
    "ensemble": "ensembles",
    "top_k": "filters",
    "top_p": "filters",
}

__all__ = ["TABLE", "Decoded", "Shared", "beam", "ensemble", "find", "greedy", "sample", "top_k", "top_p"]


def find(name: str) -> Any:
    """The search of a name in `TABLE`.

    Raises:
        UserError: If there is none; names the nearest.
    """
    look_up(TABLE, name, "search")
    return __getattr__(name)


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)
