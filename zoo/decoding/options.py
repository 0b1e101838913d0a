"""The options of a search: which there are, what they were called before, and which values make sense."""

import functools
import inspect
import math
import numbers
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from zoo.errors import UserError
from zoo.names import unknown

Function = TypeVar("Function", bound=Callable[..., Any])

OLD_NAMES = {
    "beam": "beam_size",
    "width": "beam_size",
    "penalty": "length_penalty",
    "coverage": "coverage_penalty",
    "nbest": "num_return",
    "length": "max_new_tokens",
    "prefix": "forced_prefix",
}
"""Name in version 0.1 -> name since. The old ones are accepted for one version."""

_COUNTS = {"max_new_tokens": 1, "beam_size": 1, "num_return": 1, "top_k": 0, "halvings": 0}
"""Options that are whole numbers -> the smallest that is allowed."""

_WEIGHTS = ("length_penalty", "coverage_penalty", "consensus", "temperature")
"""Options that are finite numbers from 0 on."""


def current_names(options: Mapping[str, Any], allowed: Collection[str], what: str) -> dict[str, Any]:
    """Options by the names that they have now.

    Args:
        options: As the caller named them.
        allowed: Names that exist now.
        what: What has these options, for a message: `"beam search"`.

    Returns:
        The same values; an old name is replaced, with a FutureWarning.

    Raises:
        UserError: If a name is unknown (names the nearest), or both the old and the new name are given.
    """
    result: dict[str, Any] = {}
    for name, value in options.items():
        new = name if name in allowed else OLD_NAMES.get(name, name)
        if new not in allowed:
            raise unknown(f"option of {what}", name, allowed)
        if new != name:
            if new in options:
                raise UserError(f"{what}: {name} is the old name of {new}; both were given. Keep {new}.")
            message = f"{what}: {name} is now called {new}; the old name works in this version only."
            warnings.warn(message, FutureWarning, stacklevel=3)  # the caller of the caller
        result[new] = value
    return result


def accepts_old_names(function: Function) -> Function:
    """A function whose keywords may also have the names of version 0.1, and whose unknown keywords are explained.

    Args:
        function: Its keyword-only parameters are the options; a `**` parameter gets the others unchecked.
    """
    parameters = inspect.signature(function).parameters.values()
    allowed = [item.name for item in parameters if item.kind in (item.KEYWORD_ONLY, item.POSITIONAL_OR_KEYWORD)]
    what = f"{function.__name__}()"

    @functools.wraps(function)
    def renamed(*arguments: Any, **options: Any) -> Any:
        return function(*arguments, **current_names(options, allowed, what))

    return renamed  # type: ignore[return-value]


def names_of(search: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """The options of a search, and those among them that have no default."""
    options = [item for item in inspect.signature(search).parameters.values() if item.kind is item.KEYWORD_ONLY]
    return [item.name for item in options], [item.name for item in options if item.default is item.empty]


RANKING = ("beam_size", "length_penalty", "coverage_penalty", "consensus")
"""Settings of a training and of a prediction that say how hypotheses are found and ranked; not every task has each."""


def of_recipe(recipe: Any) -> dict[str, Any]:
    """How a saved model searches by default: its asset `search`.

    Raises:
        UserError: If one hypothesis is to be ranked by its likeness to others.
    """
    found = {name: getattr(recipe, name) for name in RANKING if hasattr(recipe, name)}
    _check_consensus(found["consensus"], found["beam_size"])
    return {**found, "max_new_tokens": recipe.max_length}


def of_prediction(search: Mapping[str, Any], config: Any) -> dict[str, Any]:
    """The options of a search: those of a model, and in their place those that a prediction names.

    Raises:
        UserError: If one hypothesis is to be ranked by its likeness to others.
    """
    given = {name: getattr(config, name) for name in RANKING if getattr(config, name, None) is not None}
    widened = {"beam_size": max(search["beam_size"], config.num_return)}  # a smaller one that the user names is refused
    options = {**search, **widened, **given, "num_return": config.num_return}
    _check_consensus(given.get("consensus", 0.0), options["beam_size"])
    return options


def _check_consensus(consensus: float, beam_size: int) -> None:
    if consensus and beam_size == 1:
        raise UserError(
            f"--consensus {consensus:g} compares several hypotheses, and --beam-size 1 finds one. Give a larger "
            "--beam-size, such as 16, or --consensus 0."
        )


def check(**options: Any) -> None:
    """Refuses values that make no sense.

    Args:
        **options: By name; others than those above are ignored.

    Raises:
        UserError: With the name, the value that came and what is allowed.
    """
    for name, least in _COUNTS.items():
        value = options.get(name, least)
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
            raise UserError(f"{name} is a whole number from {least} on; got {name}={value!r}.")
    for name in _WEIGHTS:
        value = options.get(name, 0.0)
        if not _is_number(value) or value < 0:
            raise UserError(f"{name} is a finite number from 0 on; got {name}={value!r}.")
    top_p = options.get("top_p", 1.0)
    if not _is_number(top_p) or not 0 < top_p <= 1:
        raise UserError(f"top_p is a probability above 0 and at most 1; got top_p={top_p!r}.")
    if "beam_size" in options and options.get("num_return", 1) > options["beam_size"]:
        raise UserError(
            f"num_return is at most beam_size; got num_return={options['num_return']} with "
            f"beam_size={options['beam_size']}. Follow more hypotheses or return fewer."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
