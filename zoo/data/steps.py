"""Sequences of numbers as users type them."""

import json

import numpy as np

from zoo.errors import UserError

LONGEST_SHOWN = 40
"""Characters of an input that an error repeats."""


def parse_steps(text: str, features: int, count: int | None = None) -> np.ndarray:
    """Steps `(time, features)` float32 from JSON: a list of lists of numbers, or of numbers if there is one feature.

    Args:
        text: The JSON.
        features: Numbers of a step.
        count: Number of steps; None for any.

    Raises:
        UserError: If it is anything else.
    """
    steps_of = "steps" if count is None else f"{count} steps"
    each = f"a list of {features} numbers" if features > 1 else "a number"
    allowed = f"a JSON list of {steps_of}, each {each}"
    shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
    try:
        with np.errstate(over="ignore"):  # a number that is too large is infinite, and refused below
            steps = np.array(json.loads(text), "float32")
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        example = "[[1, 1], [-1, 0]]" if features > 1 else "[0.5, -1.2]"
        raise UserError(f"{shown!r} is not {allowed}, as in {example}.") from error
    steps = steps[:, None] if steps.ndim == 1 and features == 1 else steps
    if steps.ndim != 2 or steps.shape[1] != features or not len(steps):
        raise UserError(f"{shown!r} is not {allowed}; its shape is {steps.shape}.")
    if not np.isfinite(steps).all():
        where = int(np.argwhere(~np.isfinite(steps))[0, 0]) + 1
        raise UserError(f"{shown!r} is not {allowed}; step {where} has no finite number.")
    if count is not None and len(steps) != count:
        raise UserError(f"{shown!r} is not {allowed}; it has {len(steps)} steps.")
    return steps
