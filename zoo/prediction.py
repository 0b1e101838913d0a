"""The `predict` of a saved model as a function whose signature has the options of its task."""

import dataclasses
import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from zoo.errors import UserError
from zoo.names import unknown
from zoo.settings import kinds
from zoo.task import Installed

OWN = ("inputs", "json")
"""Fields of the settings that are no options here: what to answer, and that answers are Python objects."""


def function(task: Installed, answer: Callable[[Any], Iterator[str]]) -> Callable[..., Any]:
    """`predict(inputs, **options)` with every option of a task by name, type and default.

    Args:
        task: The task.
        answer: Settings of a prediction -> lines of JSON.
    """
    settings = task.recipe.predict
    options = [item for item in dataclasses.fields(settings) if item.name not in OWN]

    def predict(inputs: str | os.PathLike | Iterable[str | os.PathLike], **given: Any) -> Any:
        for name in given:
            if name not in {item.name for item in options}:
                raise unknown(f"option of {task.name}", name, [item.name for item in options])
        single = isinstance(inputs, (str, os.PathLike))  # a string is not its letters
        several = _checked([inputs] if single else inputs, task)
        answers = [json.loads(line) for line in answer(settings(inputs=several, json=True, **given))]
        return answers[0] if single else answers

    predict.__doc__ = _description(task, options)
    setattr(predict, "__signature__", inspect.Signature(_parameters(settings, options)))  # noqa: B010
    return predict


def _checked(inputs: Any, task: Installed) -> list[str]:
    """Inputs as a list.

    Raises:
        UserError: If they are anything but strings.
    """
    allowed = f"{task.name} takes a string, or a list of strings: {task.recipe.inputs}"
    if isinstance(inputs, (bytes, Mapping)) or not isinstance(inputs, Iterable):
        raise UserError(f"{allowed}; got {type(inputs).__name__}.")
    several = list(inputs)
    for place, item in enumerate(several):
        if not isinstance(item, (str, os.PathLike)):
            raise UserError(f"{allowed}; number {place} of the list is {type(item).__name__}.")
    return list(map(os.fspath, several))


def _parameters(settings: type, options: list[dataclasses.Field]) -> list[inspect.Parameter]:
    types = kinds(settings)
    found = [inspect.Parameter("inputs", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="str | Iterable[str]")]
    for item in options:
        kind, optional = types[item.name]
        annotation = kind | None if optional else kind
        found.append(
            inspect.Parameter(item.name, inspect.Parameter.KEYWORD_ONLY, default=item.default, annotation=annotation)
        )
    return found


def _description(task: Installed, options: list[dataclasses.Field]) -> str:
    lines = "\n".join(f"    {item.name}: {item.metadata['help']}" for item in options)
    return f"""Answers as Python objects: what `zoo {task.name} --json` prints.

Args:
    inputs: One of the {task.recipe.inputs}, which gets one answer; or a list, which gets a list.
{lines}

Raises:
    UserError: If an option is unknown, or has a value that it does not take.
"""
