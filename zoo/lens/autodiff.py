"""Derivatives of functions of tensors, on TensorFlow and JAX: Keras has none of its own."""

import functools
import importlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops


def gradient(function: Callable[[Any], Any], point: np.ndarray) -> np.ndarray:
    """The gradient of a function that returns a scalar.

    Args:
        function: Tensor of the shape of `point` -> scalar tensor.
        point: Where the gradient is taken.

    Returns:
        An array of the shape of `point`.
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

    def total(column: int, rows: Any) -> Any:
        # Rows are independent, so the gradient of the sum over rows holds the gradient of each row.
        return ops.sum(function(rows)[:, column])

    outputs = int(function(ops.convert_to_tensor(points)).shape[1])
    columns = [gradient(functools.partial(total, column), points) for column in range(outputs)]
    return np.stack(columns, axis=1)  # (rows, outputs, inputs)


def _jax() -> Any:
    return importlib.import_module("jax")  # an optional dependency
