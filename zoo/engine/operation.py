"""A pair of numpy functions, forward and backward, as one differentiable operation of the backend."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Pair(NamedTuple):
    """What an operation is made of.

    `forward(*tensors, *fixed)` returns results and then what is kept for the gradient; `backward(*tensors, *fixed,
    *forward's, *derivatives of the results)` returns derivatives by the tensors. `shapes(tensors, fixed)` are those of
    all that `forward` returns, with None for sizes that are not known. All have the dtype of the first tensor.
    """

    forward: Callable[..., list]
    backward: Callable[..., list]
    shapes: Callable[[list, list], list[tuple]]
    results: int
    rows: int
    """How many of the tensors, from the first on, have the batch first, as all fixed ones have."""


def operation(pair: Pair, tensors: list, fixed: list) -> list:
    """The results for tensors, which have gradients, and fixed ones, which have none."""
    import keras

    return {"tensorflow": _in_tensorflow, "jax": _in_jax}[keras.backend.backend()](pair, tensors, fixed)


def _in_tensorflow(pair: Pair, tensors: list, fixed: list) -> list:
    import tensorflow as tf

    from zoo.engine.tensorflow import _call, _once

    shapes, dtype = pair.shapes(tensors, fixed), tensors[0].dtype

    @tf.custom_gradient
    def run(*tensors: Any) -> Any:
        made = _call(pair.forward, [*tensors, *fixed], [dtype] * len(shapes))
        for tensor, shape in zip(made, shapes, strict=True):
            tensor.set_shape(shape)

        def gradient(*derivatives: Any) -> tuple:
            def call(*arrays: Any) -> list:
                out = _call(pair.backward, list(arrays), [dtype] * len(tensors))
                for tensor, like in zip(out, tensors, strict=True):
                    tensor.set_shape(like.shape)
                return out

            return tuple(_once(call)(*tensors, *fixed, *made, *derivatives))

        return tuple(made[: pair.results]), gradient

    return list(run(*tensors))


def _in_jax(pair: Pair, tensors: list, fixed: list) -> list:
    import jax
    import numpy as np

    from zoo.engine.jax import sharded

    def called(function: Callable, shapes: list[tuple], arrays: tuple) -> tuple:
        out = tuple(jax.ShapeDtypeStruct(shape, tensors[0].dtype) for shape in shapes)
        return jax.pure_callback(
            lambda *given: tuple(function(*map(np.asarray, given))), out, *arrays, vmap_method="sequential"
        )

    @jax.custom_vjp
    def run(tensors: tuple, fixed: tuple) -> tuple:
        return kept(tensors, fixed)[0]

    def kept(tensors: tuple, fixed: tuple) -> tuple:
        made = called(pair.forward, pair.shapes(list(tensors), list(fixed)), (*tensors, *fixed))
        return made[: pair.results], (tensors, fixed, made)

    def gradient(residuals: tuple, derivatives: tuple) -> tuple:
        tensors, fixed, made = residuals
        arrays = (*tensors, *fixed, *made, *derivatives)
        by_fixed = tuple(np.zeros(array.shape, jax.dtypes.float0) for array in fixed)
        return called(pair.backward, [array.shape for array in tensors], arrays), by_fixed

    run.defvjp(kept, gradient)

    def flat(*arrays: Any) -> tuple:
        return tuple(run(arrays[: len(tensors)], arrays[len(tensors) :]))

    batched = [number < pair.rows or number >= len(tensors) for number in range(len(tensors) + len(fixed))]
    return list(sharded(flat, batched, tensors[0].shape[0])(*tensors, *fixed))
