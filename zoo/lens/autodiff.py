"""Derivatives of functions of tensors as arrays."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from zoo import engine


def gradient(function: Callable[[Any], Any], point: np.ndarray) -> np.ndarray:
    """The gradient of a function that returns a scalar, see `zoo.engine.gradient`, as an array of the same shape."""
    return np.asarray(engine.gradient(function, ops.convert_to_tensor(point)))


def jacobians(function: Callable[[Any], Any], points: np.ndarray) -> np.ndarray:
    """The Jacobian of each row of a function that treats rows independently.

    Args:
        function: `(rows, inputs)` -> `(rows, outputs)`.
        points: `(rows, inputs)`.

    Returns:
        `(rows, outputs, inputs)`.
    """

    def total(column: int, rows: Any) -> Any:
        # Rows are independent, so the gradient of the sum over rows holds the gradient of each row.
        return ops.sum(function(rows)[:, column])

    outputs = int(function(ops.convert_to_tensor(points)).shape[1])
    columns = [gradient(functools.partial(total, column), points) for column in range(outputs)]
    return np.stack(columns, axis=1)  # (rows, outputs, inputs)
