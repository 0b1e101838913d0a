"""From a model that takes single steps to one that returns whole sequences, compiled once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import keras

from zoo import decoding
from zoo.decoding.options import accepts_old_names, check, current_names, names_of
from zoo.decoding.request import request
from zoo.errors import UserError

MOST_KEPT = 16
"""Compiled models that are kept per model; the one that was not used for longest is dropped first."""

DYNAMIC = ("start", "forced_prefix", "seed")
"""Options of a search that may come with the inputs, as arrays, instead of being compiled in."""

Made = TypeVar("Made")


class Searcher(keras.Model):
    """Inputs in, a dictionary of decoded sequences out; see `searcher`."""

    def __init__(self, models: Sequence[keras.Model], search: Callable[..., Any], options: dict[str, Any]) -> None:
        # In the models' own precision: outside a layer's call, Keras casts weights to that of the outermost one.
        super().__init__(name="searcher", dtype=models[0].dtype_policy)
        self.models, self.search, self.options = list(models), search, options
        # In TensorFlow, XLA would compile each new shape for longer than most searches take.
        self.jit_compile = keras.backend.backend() != "tensorflow"
        self.built = True

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """`{"inputs": what the models encode}`, optionally with `DYNAMIC` options -> the fields of `Decoded`."""
        dynamic = {name: value for name, value in inputs.items() if name != "inputs"}
        options: dict[str, Any] = {**self.options, **current_names(dynamic, DYNAMIC, "a searcher's inputs")}
        states = [model.encode(inputs["inputs"]) for model in self.models]
        steps = [getattr(model, "step_logits", model.step) for model in self.models]
        step, state = (steps[0], states[0]) if len(steps) == 1 else (decoding.ensemble(steps), states)
        if missing := [name for name in names_of(self.search)[1] if name not in options]:
            raise UserError(f"The search needs {' and '.join(missing)}: give it as an option or with the inputs.")
        result = self.search(step, state, **options)._asdict()
        if not options.get("keep_state"):
            del result["state"]
        return result


def searcher(models: keras.Model | tuple[keras.Model, ...], search: str = "greedy", **options: Any) -> Searcher:
    """A model around one or several others: its `predict_on_batch` runs a whole search as one compiled graph.

    The same arguments return the same object, so that asking again compiles nothing again. It is kept on the first
    of the models and freed together with it.

    Args:
        models: One model with `encode(inputs) -> state` and `step(tokens, state)`, or a tuple of several with one
            vocabulary, whose probabilities are averaged.
        search: A name in `zoo.decoding.TABLE`.
        **options: Of that function; `start`, `end` and `max_new_tokens` at least.

    Returns:
        A model: `{"inputs": ...}`, optionally with `"forced_prefix"` `(batch, time)`, `"start"` `(batch,)`, or
        `"seed"`, an integer scalar that makes each call of `"sample"` draw anew -> a dictionary with the fields of
        `zoo.decoding.Decoded`; `state` is among them with the option `keep_state`.

    Raises:
        UserError: If there is no such search or option (names the nearest), an option is missing, or a value makes no
            sense.
    """
    function = decoding.find(search)
    allowed, required = names_of(function)
    options = current_names(options, allowed, f"the search {search!r}")
    _check_complete(options, required, search)
    models = models if isinstance(models, tuple) else (models,)

    def make() -> Searcher:
        return Searcher(models, function, options)

    # Weights that got another dtype, as by `quantize`, are other weights than those that were compiled in.
    dtypes = tuple(str(weight.dtype) for model in models for weight in model.weights)
    others = tuple(map(id, models[1:]))  # the kept searcher keeps these models, so their ids stay theirs
    return kept_on(models[0], (search, others, dtypes, *sorted(options.items())), make)


def _check_complete(options: dict[str, Any], required: Sequence[str], search: str) -> None:
    """Refuses options that a search could not run with, before anything is compiled."""
    if missing := [name for name in required if name not in options and name not in DYNAMIC]:
        raise UserError(f"The search {search!r} needs {' and '.join(missing)}: give a value to each.")
    check(**options)
    for name, value in options.items():
        if not isinstance(value, Hashable):
            place = "give it with the inputs" if name in DYNAMIC else "only numbers and names can be compiled in"
            raise UserError(f"{name} of the search {search!r} is an array or a list: {place}.")


class _Kept:
    """What was made for a model. It is no layer and no container, so Keras neither tracks nor saves what is in it."""

    def __init__(self) -> None:
        self.made: OrderedDict[Hashable, Any] = OrderedDict()


def kept_on(model: keras.Model, key: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` returned for a model and a key, made at most once as long as it is among the `MOST_KEPT` last used.

    It lives on the model: a cache outside would keep every model alive that was ever asked for, because what is made
    refers to its model.

    Args:
        model: What it is made for.
        key: What else it depends on.
        make: Makes it.
    """
    kept = model.__dict__.get("_kept")
    if kept is None:
        kept = _Kept()
        object.__setattr__(model, "_kept", kept)  # not through Keras, which would track it
    if key not in kept.made:
        kept.made[key] = make()
        if len(kept.made) > MOST_KEPT:
            kept.made.popitem(last=False)
    kept.made.move_to_end(key)
    return kept.made[key]


@accepts_old_names
def search(
    models: keras.Model | tuple[keras.Model, ...],
    inputs: Any,
    *,
    beam_size: int = 5,
    length_penalty: float = 0.6,
    coverage_penalty: float = 0.0,
    consensus: float = 0.0,
    num_return: int = 1,
    max_new_tokens: int = 100,
    forced_prefix: Any | None = None,
    attention: bool = False,
) -> dict[str, Any]:
    """What models write about a batch of inputs.

    Args:
        models: An encoder-decoder, or a tuple of several with one vocabulary.
        inputs: What they read, `(batch, ...)`.
        beam_size: Hypotheses per input; 1 is greedy search.
        length_penalty: Exponent of the length normalization.
        coverage_penalty: Weight of the coverage penalty; 0 for none.
        consensus: If above 0, the hypotheses are ranked by their likeness to all of them, weighted by the softmax of
            this number times their scores (minimum Bayes risk); see `zoo.decoding.consensus`.
        num_return: Outputs per input, at most `beam_size`.
        max_new_tokens: Largest number of tokens of an output, the end token included.
        forced_prefix: Ids that each output begins with, `(batch, time)`, padded with 0 on the right.
        attention: Whether to return the attention weights.

    Returns:
        Arrays by name: `tokens` `(batch, num_return, max_new_tokens)`, best first, and `scores`,
        `log_probabilities`, `lengths`, `attention` likewise; see `zoo.decoding.Decoded`.

    Raises:
        UserError: If an option is unknown (names the nearest) or its value makes no sense.

    Reference:
        Wu et al. (2016), section 7, equation 14, for the penalties.
    """
    name, options = request(
        len(inputs), beam_size=beam_size, length_penalty=length_penalty, coverage_penalty=coverage_penalty,
        consensus=consensus, num_return=num_return, max_new_tokens=max_new_tokens, attention=attention,
    )  # fmt: skip
    given = {"inputs": inputs} if forced_prefix is None else {"inputs": inputs, "forced_prefix": forced_prefix}
    result = searcher(models, name, **options).predict_on_batch(given)
    return {key: value[:, None] for key, value in result.items()} if name == "greedy" else result
