"""From a model that can take single steps to one that answers with whole sequences, compiled once."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras

from zoo import decoding
from zoo.builders.encoder_decoder import END, START

LARGE = 16
"""Examples of a batch that is worth halving, which asks for a longer compilation, while they come to their ends."""


class Searcher(keras.Model):
    """Inputs in, a dictionary of decoded sequences out; see `searcher`."""

    def __init__(self, models: Sequence[keras.Model], search: Callable[..., Any], options: dict[str, Any]) -> None:
        # In the models' own precision: outside of a layer's call, Keras casts weights by that of the outermost one.
        super().__init__(name="searcher", dtype=models[0].dtype_policy)
        self.models, self.search, self.options = list(models), search, options
        # In TensorFlow, XLA would compile every new shape for longer than most searches take.
        self.jit_compile = keras.backend.backend() != "tensorflow"
        self.built = True

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """`{"inputs": what the models encode}`, optionally `"prefix"`, `"start"`, `"seed"` -> fields of `Decoded`."""
        states = [model.encode(inputs["inputs"]) for model in self.models]
        given: dict[str, Any] = {name: inputs[name] for name in ("prefix", "start", "seed") if name in inputs}
        options: dict[str, Any] = {**self.options, **given}
        if len(states) == 1:
            step, state = self.models[0].step, states[0]
        else:
            step, state = decoding.ensemble([model.step for model in self.models]), states
        found = self.search(step, state, **options)._asdict()
        if not options.get("keep_state"):
            del found["state"]
        return found


def searcher(models: keras.Model | tuple[keras.Model, ...], search: str = "greedy", **options: Any) -> Searcher:
    """A model around one or several others: its `predict_on_batch` runs a whole search as one compiled graph.

    The same arguments give the same object, so that asking again compiles nothing again.

    Args:
        models: One model with `encode(inputs) -> state` and `step(tokens, state)`, or several of one vocabulary whose
            probabilities are averaged.
        search: A name in `zoo.decoding.TABLE`.
        **options: Of that function; `start`, `end` and `length` at the least.

    Returns:
        A model: `{"inputs": ...}`, and if wanted `"prefix"` `(batch, time)`, or `"seed"`, an integer scalar that makes
        each call of `"sample"` draw anew -> a dictionary with the fields of `zoo.decoding.Decoded`; `state` is there
        with the option `keep_state`.

    Raises:
        UserError: If there is no such search; names the nearest.
    """
    return _made(models if isinstance(models, tuple) else (models,), search, tuple(sorted(options.items())))


@functools.lru_cache(maxsize=16)
def _made(models: tuple[keras.Model, ...], search: str, options: tuple[tuple[str, Any], ...]) -> Searcher:
    return Searcher(models, decoding.find(search), dict(options))


def search(
    models: keras.Model | tuple[keras.Model, ...],
    inputs: Any,
    *,
    beam: int = 5,
    penalty: float = 0.6,
    coverage: float = 0.0,
    nbest: int = 1,
    length: int = 100,
    prefix: Any | None = None,
    attention: bool = False,
) -> dict[str, Any]:
    """What models write about a batch of inputs.

    Args:
        models: An encoder-decoder, or several of one vocabulary.
        inputs: What they read, `(batch, ...)`.
        beam: Width; 1 is greedy search.
        penalty: Exponent of the length normalisation.
        coverage: Weight of the coverage penalty.
        nbest: Answers to each input.
        length: Most tokens of an answer, its end included.
        prefix: Ids that every answer begins with, `(batch, time)`.
        attention: Record where the decoder looked.

    Returns:
        Arrays by name: `tokens` `(batch, nbest, length)`, best first, and `scores`, `log_probabilities`, `lengths`,
        `attention` likewise; see `zoo.decoding.Decoded`.
    """
    options: dict[str, Any] = {"start": START, "end": END, "length": length}
    if attention or coverage:
        options["record"] = "attention"
    given = {"inputs": inputs} if prefix is None else {"inputs": inputs, "prefix": prefix}
    if beam == 1 == nbest:
        found = searcher(models, "greedy", **options).predict_on_batch(given)
        return {name: value[:, None] for name, value in found.items()}
    options |= {"width": max(beam, nbest), "nbest": nbest, "penalty": penalty, "coverage": coverage}
    if len(inputs) >= LARGE:
        options["halvings"] = 2
    return searcher(models, "beam", **options).predict_on_batch(given)
