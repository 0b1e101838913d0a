"""Several models that decode as one."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from zoo.decoding.state import Step


def ensemble(steps: Sequence[Step]) -> Step:
    """Joins the steps of several models of one vocabulary: it gives the logarithm of their mean probability.

    Args:
        steps: One step or more; see `zoo.decoding`.

    Returns:
        A step whose state is a list, the state of each model in the order of `steps`.

    Raises:
        ValueError: If there are no steps; from the step, if there is not one state for each, or vocabularies differ.
    """
    steps = list(steps)
    if not steps:
        raise ValueError("An ensemble needs at least one step.")

    def step(tokens: Any, states: list) -> tuple[Any, list]:
        if len(states) != len(steps):
            raise ValueError(f"An ensemble of {len(steps)} steps needs as many states; got {len(states)}.")
        results = [one(tokens, state) for one, state in zip(steps, states, strict=True)]
        tables = [ops.cast(log_probabilities, "float32") for log_probabilities, _ in results]
        sizes = [table.shape[-1] for table in tables]
        if len(set(sizes) - {None}) > 1:
            raise ValueError(f"The models of an ensemble have one vocabulary; got sizes {', '.join(map(str, sizes))}.")
        mean = ops.logsumexp(ops.stack(tables), axis=0) - math.log(len(steps))
        return mean, [state for _, state in results]

    return step
