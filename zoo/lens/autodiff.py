"""Derivatives of any function of tensors, on both backends: the one place of zoo that asks which one runs."""

import functools
import importlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops


def gradient(function: Callable[[Any], Any], point: np.ndarray) -> np.ndarray:
    """The gradient of a function that returns one number.

    Args:
        function: Tensor of the point's shape -> scalar tensor.
        point: Where.
    """
    if keras.backend.backend() == "jax":
        return np.asarray(_jax().grad(function)(ops.convert_to_tensor(point)))
    tf = importlib.import_module("tensorflow")
    variable = tf.convert_to_tensor(point)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = function(variable)
    return tape.gradient(value, variable).numpy()


def jacobians(function: Callable[[Any], Any], points: np.ndarray) -> np.ndarray:
    """The Jacobian of each row of a function that treats rows independently.

    Args:
        function: `(rows, inputs)` -> `(rows, outputs)`.
        points: `(rows, inputs)`.

    Returns:
        `(rows, outputs, inputs)`.
    """

    def total(place: int, rows: Any) -> Any:
        # Rows do not mix, so the gradient of a sum over rows has the gradient of each row in it.
        return ops.sum(function(rows)[:, place])

    outputs = int(function(ops.convert_to_tensor(points)).shape[1])
    columns = [gradient(functools.partial(total, place), points) for place in range(outputs)]
    return np.stack(columns, axis=1)


def _jax() -> Any:
    return importlib.import_module("jax")  # an extra: not every machine has it
