"""The gradient of a function of tensors, on TensorFlow and JAX, also within a training step: Keras has none."""

from collections.abc import Callable, Sequence
from typing import Any

import keras


def gradient(function: Callable[[Any], Any], point: Any, variables: Sequence[Any] = ()) -> Any:
    """The gradient of a function that returns a scalar.

    Args:
        function: Tensor, or list of tensors, like `point` -> scalar tensor.
        point: Where the gradient is taken.
        variables: Keras variables that the function reads; those that are not trainable, such as the seeds of dropout,
            it may assign to. Only JAX needs to know, whose functions have no side effects.

    Returns:
        What `point` is, with the gradient in the place of each tensor; zeros where the function does not depend on it.
    """
    if keras.backend.backend() == "jax":
        return _on_jax(function, point, variables)
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(point)
        value = function(point)
    return tape.gradient(value, point, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _on_jax(function: Callable[[Any], Any], point: Any, variables: Sequence[Any]) -> Any:
    import jax

    # Assignments leave the traced function as results, and are made afterwards.
    before = [(variable, variable.value) for variable in variables]
    state = [variable for variable in variables if not variable.trainable]

    def pure(point: Any) -> tuple[Any, list]:
        if not before:
            return function(point), []
        with keras.StatelessScope(state_mapping=before) as scope:
            value = function(point)
        return value, [scope.get_current_value(variable) for variable in state]

    found, after = jax.grad(pure, has_aux=True)(point)
    for variable, value in zip(state, after, strict=True):
        variable.assign(value)
    return found
