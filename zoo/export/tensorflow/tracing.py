"""From a function of a net to a graph of TensorFlow that nothing of this process is left in.

Predictions outside of a trainer are traced by the plain path of `zoo.engine`: compiled kernels live in the process that
made them and cannot be stored.
"""

import contextlib
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.engine.choice import plain_only
from zoo.errors import UserError
from zoo.export.graphs import GraphSpec, Port
from zoo.export.tensorflow.weights import Small

IN_PROCESS = ("EagerPyFunc", "PyFunc", "PyFuncStateless")
"""Operations that call Python: a graph with one of them runs in no other process."""


def check_backend(format: str) -> None:
    """Checks that Keras runs on TensorFlow.

    Raises:
        UserError: If it does not.
    """
    if (backend := keras.backend.backend()) != "tensorflow":
        raise UserError(f"{format} is written by Keras on TensorFlow; got --backend {backend}. Leave --backend out.")


def traced(spec: GraphSpec, small: Small | None = None) -> Any:
    """The graph of a function, with outputs by name.

    Args:
        spec: The function; axes of its inputs that have a name may have any size.
        small: Weights that take the place of the net's own.

    Returns:
        A `ConcreteFunction`.
    """
    signature = [
        tf.TensorSpec([size if isinstance(size, int) else None for size in port.shape], port.dtype, name=port.name)
        for port in spec.inputs
    ]

    def call(*tensors: Any) -> dict[str, Any]:
        with small.in_place() if small else contextlib.nullcontext():
            results = spec.call(*tensors)
        return {
            port.name: tf.cast(result, port.dtype) for port, result in zip(spec.outputs, results, strict=True)
        }  # fmt: skip

    with plain_only():
        return tf.function(call, input_signature=signature, autograph=False).get_concrete_function()


def sized(specs: Sequence[GraphSpec], sizes: Mapping[str, int]) -> tuple[GraphSpec, ...]:
    """Graphs with all sizes that are known: those that are given, and those that tracing finds.

    Args:
        specs: The graphs, in the order in which they read what others give.
        sizes: Name of an axis -> its size.
    """
    found: dict[str, tuple] = {}
    result = []
    for spec in specs:
        inputs = tuple(_sized(port, found.get(port.name, ()), sizes) for port in spec.inputs)
        new = dataclasses.replace(spec, inputs=inputs)
        shapes = {name: tuple(tensor.shape) for name, tensor in traced(new).structured_outputs.items()}
        outputs = tuple(_sized(port, shapes[port.name], sizes) for port in spec.outputs)
        result.append(dataclasses.replace(new, outputs=outputs))
        found |= shapes
    return tuple(result)


def _sized(port: Port, shape: Sequence[int | None], sizes: Mapping[str, int]) -> Port:
    """A port with what is known of its shape: of an axis that has a name yet, by tracing or by name."""
    axes = itertools.zip_longest(port.shape, shape)
    known = (size if isinstance(size, int) else found or sizes.get(size, size) for size, found in axes)
    return dataclasses.replace(port, shape=tuple(known))


def operations(function: Any) -> set[str]:
    """Types of all operations of a graph and of the functions in it."""
    definition = function.graph.as_graph_def()
    nodes = [*definition.node, *(node for inner in definition.library.function for node in inner.node_def)]
    return {node.op for node in nodes}


def module(functions: Mapping[str, Any] | Sequence[Any]) -> tf.Module:
    """What has to live, and to be saved, with some graphs: the variables that they read."""
    every = functions.values() if isinstance(functions, Mapping) else functions
    kept = tf.Module()
    kept.weights = list({id(variable): variable for function in every for variable in function.variables}.values())
    return kept
