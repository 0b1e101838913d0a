"""Networks over pictures as ONNX nodes. Inside, channels stand before rows and columns, as ONNX wants them."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from zoo.errors import UserError
from zoo.export.onnx.cells import weight
from zoo.export.onnx.graph import Graph, Value
from zoo.export.onnx.layers import activation, check_plain, dense
from zoo.layers import FrameEncoder


def image_encoder(graph: Graph, model: Any, pictures: Value) -> Value:
    """A functional network: `(batch, height, width, channels)` float32 -> `(batch, rows, columns, channels)`.

    Raises:
        UserError: If it has a layer that is not in `LAYERS`.
    """
    values = model._run_through_graph(
        graph.transpose(pictures, 0, 3, 1, 2),
        operation_fn=lambda operation: lambda *inputs, **_: _emit(graph, operation, list(inputs)),
    )
    return graph.transpose(keras.tree.flatten(values)[0], 0, 2, 3, 1)


def _emit(graph: Graph, layer: Any, inputs: list[Any]) -> Any:
    if isinstance(layer, keras.Model):  # a network within the network
        return layer._run_through_graph(
            inputs[0], operation_fn=lambda operation: lambda *inner, **_: _emit(graph, operation, list(inner))
        )
    function = LAYERS.get(type(layer).__name__)
    if function is None or not type(layer).__module__.startswith("keras."):
        raise UserError(
            f"The layer {type(layer).__name__} of the image encoder has no export; there are {', '.join(LAYERS)}."
        )
    check_plain(layer)
    values = inputs[0] if isinstance(inputs[0], (list, tuple)) else inputs
    return function(graph, layer, *values)


def convolution(graph: Graph, layer: Any, x: Value) -> Value:
    """`Conv1D`, `Conv2D` and `DepthwiseConv2D`; padding "same" is what TensorFlow makes of it.

    Raises:
        UserError: If the padding is another one.
    """
    paddings = {"same": "SAME_UPPER", "valid": "VALID"}
    if layer.padding not in paddings:
        raise UserError(
            f"The padding {layer.padding!r} of a convolution has no export; there are {', '.join(paddings)}."
        )
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    kernel = weight(layer.kernel)  # (rows, columns, channels in, filters), over time (steps, channels in, filters)
    if depthwise:
        rows, columns, channels, multiplier = kernel.shape
        kernel, groups = kernel.reshape(rows, columns, 1, channels * multiplier), channels
    else:
        groups = layer.groups
    bias = () if layer.bias is None else (weight(layer.bias),)
    kernel = np.moveaxis(kernel, (-1, -2), (0, 1))  # filters and channels first
    x = graph.op(
        "Conv", x, graph.constant(kernel, "kernel"), *bias, group=groups, strides=list(layer.strides),
        dilations=list(layer.dilation_rate), auto_pad=paddings[layer.padding],
    )  # fmt: skip
    return activation(graph, x, layer.activation)


def _batch_norm(graph: Graph, layer: Any, x: Value) -> Value:
    mean, variance = weight(layer.moving_mean), weight(layer.moving_variance)
    gamma = weight(layer.gamma) if layer.scale else np.ones_like(mean)
    beta = weight(layer.beta) if layer.center else np.zeros_like(mean)
    return graph.op("BatchNormalization", x, gamma, beta, mean, variance, epsilon=float(layer.epsilon))


def _relu(graph: Graph, layer: Any, x: Value) -> Value:
    if layer.negative_slope or layer.threshold:
        raise UserError("ReLU with a negative slope or a threshold has no export.")
    limit = None if layer.max_value is None else np.float32(layer.max_value)
    return graph.op("Relu", x) if limit is None else graph.op("Clip", x, np.float32(0), limit)


def _by_channel(value: Any) -> np.ndarray:
    """A scale or an offset as it stands before rows and columns."""
    array = np.asarray(value, "float32")
    return array.reshape(-1, 1, 1) if array.ndim else array


def _sum(graph: Graph, layer: Any, *values: Value) -> Value:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


LAYERS: dict[str, Callable[..., Value]] = {
    "InputLayer": lambda graph, layer, x: x,
    "Rescaling": lambda graph, layer, x: x * _by_channel(layer.scale) + _by_channel(layer.offset),
    "Cast": lambda graph, layer, x: x,
    "Conv2D": convolution,
    "DepthwiseConv2D": convolution,
    "BatchNormalization": _batch_norm,
    "ReLU": _relu,
    "Activation": lambda graph, layer, x: activation(graph, x, layer.activation),
    "Add": _sum,
    "Dropout": lambda graph, layer, x: x,
}
"""Name of a layer of Keras -> its nodes."""


def frame_encoder(graph: Graph, layer: FrameEncoder, frames: Value) -> Value:
    """`FrameEncoder`: `(batch, time, height, width, channels)` float32 -> `(batch, time, units)`."""
    first = graph.op("Shape", frames, start=0, end=2)
    folded = graph.op("Reshape", frames, graph.concat([np.array([-1]), graph.op("Shape", frames, start=2)], axis=0))
    x = graph.transpose(folded * (1 / 127.5) - 1.0, 0, 3, 1, 2)
    for conv, norm in zip(layer.convolutions, layer.norms, strict=True):
        x = graph.op("Relu", _group_norm(graph, norm, convolution(graph, conv, x), conv.filters))
    coarse = graph.op(
        "AveragePool", x, kernel_shape=list(layer.coarse.pool_size), strides=list(layer.coarse.strides),
        auto_pad="SAME_UPPER", count_include_pad=0,
    )  # fmt: skip
    coarse = graph.op("Flatten", graph.transpose(coarse, 0, 2, 3, 1), axis=1)
    vectors = dense(graph, layer.vector, graph.concat([coarse, _positions(graph, layer, x)]))
    return graph.op("Reshape", vectors, graph.concat([first, np.array([layer.units])], axis=0))


def _group_norm(graph: Graph, layer: Any, x: Value, channels: int) -> Value:
    """Moments over each group of channels of a picture, `(pictures, channels, rows, columns)`."""
    shape = graph.op("Shape", x)
    grouped = graph.reshape(x, [0, layer.groups, -1])  # each group as one instance: one operator instead of seven
    one, zero = np.ones(layer.groups, "float32"), np.zeros(layer.groups, "float32")
    normal = graph.op("InstanceNormalization", grouped, one, zero, epsilon=float(layer.epsilon))
    normal = graph.op("Reshape", normal, shape)
    return normal * _by_channel(layer.gamma) + _by_channel(layer.beta)


def _positions(graph: Graph, layer: FrameEncoder, maps: Value) -> Value:
    """Where each map is strongest, and how strong: `(pictures, 3 * channels)`."""
    rows, columns = layer.grid
    flat = graph.reshape(maps, [0, 0, -1])  # (pictures, channels, positions)
    weights = graph.op("Softmax", flat * weight(layer.sharpness)[:, None], axis=2)
    down, across = (np.linspace(-1.0, 1.0, count, dtype="float32") for count in layer.grid)
    places = np.stack([np.repeat(down, columns), np.tile(across, rows)])  # (2, positions)
    strongest = graph.transpose(weights @ places.T, 0, 2, 1)  # (pictures, 2, channels)
    size = 2 * math.prod(weight(layer.sharpness).shape)
    return graph.concat([graph.reshape(strongest, [0, size]), graph.op("ReduceMax", flat, axes=[2], keepdims=0)])
