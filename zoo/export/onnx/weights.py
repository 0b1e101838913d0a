"""Smaller weights: the large initializers of a graph in float16 or in integers of 8 bits.

The graph itself computes in float32. A runtime scales the weights back once, when it loads the graph: the size on
disk is what is saved, not time or memory. Unlike products of integers, that works for every operator, and only the
weights are rounded, not what is computed at each step of a recurrence.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo.export import rounding


def compress(model: onnx.ModelProto, quantize: str | None) -> onnx.ModelProto:
    """A model with large weights in another dtype.

    Args:
        model: The model; it is changed.
        quantize: `"int8"`, one scale for each output (each row of a recurrent operator, each column of another
            matrix); `"float16"`; None leaves it alone.
    """
    if quantize is None:
        return model
    graph, added = model.graph, []
    axes = dict(_axes(graph))
    kept = []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if not rounding.is_large(array):
            kept.append(tensor)
            continue
        small = _integers if quantize == "int8" else _halves
        tensors, new = small(tensor.name, array, axes.get(tensor.name, array.ndim - 1))
        kept += tensors
        added += new
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = [*added, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def _axes(graph: Any) -> Iterator[tuple[str, int]]:
    """Name of a weight -> the axis of its outputs, where that is not the last one."""
    for node in graph.node:
        if node.op_type in ("LSTM", "GRU", "RNN"):  # (directions, outputs, inputs)
            yield from ((name, 1) for name in node.input[1:3])
        elif node.op_type == "Conv":  # (filters, channels, rows, columns)
            yield node.input[1], 0
        elif node.op_type == "Gather":  # a row for each token
            yield node.input[0], 0


def _integers(name: str, array: np.ndarray, axis: int) -> tuple[list[Any], list[Any]]:
    whole, scale = rounding.integers(array, (axis,))
    tensors = [numpy_helper.from_array(whole, f"{name}_int8"), numpy_helper.from_array(scale, f"{name}_scale")]
    nodes = [
        helper.make_node("Cast", [f"{name}_int8"], [f"{name}_whole"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [name]),
    ]
    return tensors, nodes


def _halves(name: str, array: np.ndarray, axis: int) -> tuple[list[Any], list[Any]]:
    node = helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT)
    return [numpy_helper.from_array(rounding.halves(array), f"{name}_half")], [node]
