"""Layers without recurrence as ONNX nodes: products, normalization, embedding, pooling, attention."""

from typing import Any

import numpy as np

from zoo.errors import UserError
from zoo.export.onnx.cells import weight
from zoo.export.onnx.graph import Graph, Value
from zoo.layers.attention import AdditiveAttention, Attention, DotAttention

LOWEST = np.float32(-6e4)
"""Stands for the score of a padded position, as in `zoo.layers`."""

ACTIVATIONS = {"linear": None, "relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "softmax": "Softmax"}
"""Name of an activation in Keras -> ONNX's operator."""


def check_plain(layer: Any) -> None:
    """Refuses a layer whose weights are integers."""
    if getattr(layer, "quantization_mode", None) is not None:
        raise UserError(
            f"The layer {layer.name!r} is quantized ({layer.quantization_mode}): export the model as it was before "
            "quantize(), and give --quantize int8."
        )


def activation(graph: Graph, x: Value, function: Any) -> Value:
    """An activation of Keras.

    Raises:
        UserError: If it is none of `ACTIVATIONS`.
    """
    name = getattr(function, "__name__", "linear")
    if name not in ACTIVATIONS:
        raise UserError(f"The activation {name!r} has no export; there are {', '.join(ACTIVATIONS)}.")
    kind = ACTIVATIONS[name]
    return x if kind is None else graph.op(kind, x)


def dense(graph: Graph, layer: Any, x: Value) -> Value:
    """`keras.layers.Dense`."""
    check_plain(layer)
    x = x @ graph.constant(weight(layer.kernel), "kernel")
    x = x if layer.bias is None else x + weight(layer.bias)
    return activation(graph, x, layer.activation)


def layer_norm(graph: Graph, layer: Any, x: Value) -> Value:
    """`keras.layers.LayerNormalization` over the last axis."""
    if layer.gamma is None or layer.beta is None:
        raise UserError(f"The layer {layer.name!r} normalizes without gamma or beta, which has no export.")
    return graph.op(
        "LayerNormalization", x, weight(layer.gamma), weight(layer.beta), axis=-1, epsilon=float(layer.epsilon)
    )


def table(graph: Graph, embedding: Any) -> Value:
    """All vectors of a `TokenEmbedding`, `(vocabulary_size, embedding_dim)`."""
    check_plain(embedding.table)
    return graph.constant(weight(embedding.table.embeddings), "embeddings")


def embed(graph: Graph, embedding: Any, tokens: Value) -> Value:
    """`TokenEmbedding`: ids `(...)` -> vectors `(..., embedding_dim)`."""
    return graph.op("Gather", table(graph, embedding), tokens, axis=0)


def pooled(graph: Graph, layer: Any, x: Value, mask: Value | None) -> Value:
    """`Pooling` over time: `(batch, time, features)` -> `(batch, features * kinds)`."""
    if mask is None:
        mask = graph.op("Greater", graph.op("Expand", np.array([[1]]), _first_axes(graph, x)), np.array(0))
    real = graph.unsqueeze(graph.cast(mask, "float32"), 2)  # (batch, time, 1)
    some = graph.op("ReduceMax", real, axes=[1], keepdims=0)  # (batch, 1): 0 if nothing is real
    results = [POOLINGS[kind](graph, layer, x, mask, real) for kind in layer.kinds]
    return graph.concat([each * some for each in results])


def _first_axes(graph: Graph, x: Value) -> Value:
    return graph.op("Shape", x, start=0, end=2)


def last(graph: Graph, layer: Any, x: Value, mask: Value, real: Value) -> Value:
    """The last real step; one 1 among zeros chooses it."""
    time = graph.op("Range", np.array(0), graph.squeeze(graph.size(x, 1), 0), np.array(1))
    places = graph.op("Where", mask, graph.unsqueeze(time, 0), np.array(0))
    last = graph.op("ReduceMax", places, axes=[1], keepdims=1)  # (batch, 1)
    index = graph.concat([graph.unsqueeze(_arange(graph, x), 1), last])  # (batch, 2)
    return graph.op("GatherND", x, index)


def _arange(graph: Graph, x: Value) -> Value:
    return graph.op("Range", np.array(0), graph.squeeze(graph.size(x, 0), 0), np.array(1))


def _mean(graph: Graph, layer: Any, x: Value, mask: Value, real: Value) -> Value:
    count = graph.op("ReduceSum", real, np.array([1]), keepdims=0)
    total = graph.op("ReduceSum", graph.op("Where", graph.unsqueeze(mask, 2), x, 0.0), np.array([1]), keepdims=0)
    return total / graph.op("Max", count, 1.0)


def _max(graph: Graph, layer: Any, x: Value, mask: Value, real: Value) -> Value:
    return graph.op("ReduceMax", graph.op("Where", graph.unsqueeze(mask, 2), x, LOWEST), axes=[1], keepdims=0)


def _attention(graph: Graph, layer: Any, x: Value, mask: Value, real: Value) -> Value:
    hidden = graph.op("Tanh", x @ graph.constant(weight(layer.kernel), "kernel") + weight(layer.bias))
    scores = hidden @ graph.constant(weight(layer.context), "kernel")
    weights = graph.op("Softmax", graph.op("Where", graph.unsqueeze(mask, 2), scores, LOWEST), axis=1)
    return graph.op("ReduceSum", x * weights, np.array([1]), keepdims=0)


POOLINGS = {"last": last, "mean": _mean, "max": _max, "attention": _attention}
"""Kind of pooling -> its function."""


def attention_keys(graph: Graph, attention: Attention, memory: Value) -> Value:
    """`Attention.keys`: memory `(batch, time, features)` -> `(batch, time, .)`."""
    kernel = getattr(attention, "key_kernel", None)
    keys = memory if kernel is None else memory @ graph.constant(weight(kernel), "kernel")
    return keys + weight(attention.bias) if isinstance(attention, AdditiveAttention) else keys


def attention_read(
    graph: Graph, attention: Attention, query: Value, memory: Value, keys: Value, mask: Value
) -> tuple[Value, Value]:
    """`Attention.call`: query `(rows, units)`, rows a multiple of the memory's -> context `(rows, features)`, weights.

    Raises:
        UserError: If it is another attention than those of `zoo.layers`.
    """
    if isinstance(attention, AdditiveAttention):
        query = query @ graph.constant(weight(attention.query_kernel), "kernel")
    batch = graph.size(keys, 0)
    groups = graph.concat([batch, np.array([-1]), graph.size(query, 1)], axis=0)
    query = graph.op("Reshape", query, groups)  # (batch, group, units)
    if isinstance(attention, AdditiveAttention):
        hidden = graph.op("Tanh", graph.unsqueeze(query, 2) + graph.unsqueeze(keys, 1))
        scores = graph.squeeze(hidden @ graph.constant(weight(attention.vector), "kernel"), 3)
    elif isinstance(attention, DotAttention):
        scores = query @ graph.transpose(keys, 0, 2, 1)
    else:
        raise UserError(f"The attention {type(attention).__name__} has no export.")
    scores = graph.op("Where", graph.unsqueeze(mask, 1), scores, LOWEST)  # (batch, group, time)
    weights = graph.op("Softmax", scores, axis=-1)
    context = weights @ memory
    flat = graph.concat([np.array([-1]), graph.size(memory, 2)], axis=0)
    flat_weights = graph.concat([np.array([-1]), graph.size(keys, 1)], axis=0)
    return graph.op("Reshape", context, flat), graph.op("Reshape", weights, flat_weights)
