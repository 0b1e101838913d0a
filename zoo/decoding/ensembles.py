"""Several models that decode as one."""

import math
from collections.abc import Sequence
from typing import Any

from zoo.decoding.operations import ops
from zoo.decoding.state import Step
from zoo.decoding.vocabulary import normalized
from zoo.errors import UserError


def ensemble(steps: Sequence[Step]) -> Step:
    """Joins the steps of several models that share a vocabulary: the logarithm of their mean probability.

    Args:
        steps: One step or more; see `zoo.decoding`.

    Returns:
        A step whose state is a list, the state of each model in the order of `steps`.

    Raises:
        UserError: If there are no steps; from the step, if the number of states or the vocabularies differ.
    """
    steps = [normalized(one) for one in steps]
    if not steps:
        raise UserError("An ensemble needs at least one step; got none.")

    def step(tokens: Any, states: list) -> tuple[Any, list]:
        if len(states) != len(steps):
            raise UserError(f"An ensemble of {len(steps)} steps needs one state for each; got {len(states)}.")
        results = [one(tokens, state) for one, state in zip(steps, states, strict=True)]
        tables = [ops.cast(log_probabilities, "float32") for log_probabilities, _ in results]
        sizes = [table.shape[-1] for table in tables]
        if len(set(sizes) - {None}) > 1:
            raise UserError(f"The models of an ensemble share one vocabulary; got {', '.join(map(str, sizes))} tokens.")
        mean = ops.logsumexp(ops.stack(tables), axis=0) - math.log(len(steps))  # (rows, vocabulary)
        return mean, [state for _, state in results]

    return step
