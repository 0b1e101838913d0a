"""What all steps have in common: their type, and the logistic function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Weights = Mapping[str, np.ndarray]
"""The weights of a cell by name."""

Result = tuple[np.ndarray, list[np.ndarray]]
"""The output of a step and the states after it."""

Step = Callable[[Weights, np.ndarray, Sequence[np.ndarray], Mapping[str, Any]], Result]
"""`(weights, inputs, states, arguments) -> (output, new states)`."""


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function."""
    return 1 / (1 + np.exp(-x))
