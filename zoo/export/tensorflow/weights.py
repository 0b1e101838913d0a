"""Weights that a SavedModel stores in fewer bits: variables of int8 or float16, scaled back when a signature runs.

Which those are, and their numbers, is the same as in ONNX (`zoo.export.rounding`).
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.export import rounding
from zoo.layers import TokenEmbedding


class Small:
    """The large weights of a net in fewer bits.

    Args:
        net: The net; it stays as it is.
        quantize: `"int8"`, one scale for each output, each row of an embedding and each channel of a depthwise
            convolution; `"float16"`; None leaves all weights as they are.
    """

    def __init__(self, net: keras.Model, quantize: str | None) -> None:
        make = {"int8": _integers, "float16": _halves, None: None}[quantize]
        axes = dict(_axes(net))
        arrays = [(weight, np.asarray(weight.value)) for weight in net.weights]
        self._read = [
            (weight, make(array, axes.get(id(weight), (array.ndim - 1,))))
            for weight, array in arrays
            if make is not None and rounding.is_large(array)
        ]

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """While a function is traced here, the net has these weights."""
        if not self._read:
            yield
            return
        with keras.StatelessScope([(weight, read()) for weight, read in self._read]):
            yield


def _axes(net: keras.Model) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Id of a weight -> the axes of its outputs, where that is not the last one."""
    for layer in net._flatten_layers():
        if isinstance(layer, TokenEmbedding | keras.layers.Embedding):
            yield from ((id(weight), (0,)) for weight in layer.weights)
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            yield id(layer.kernel), (2, 3)


def _integers(array: np.ndarray, outputs: tuple[int, ...]) -> Callable[[], Any]:
    whole, scale = map(tf.Variable, rounding.integers(array, outputs))
    return lambda: tf.cast(whole, "float32") * scale


def _halves(array: np.ndarray, outputs: tuple[int, ...]) -> Callable[[], Any]:
    half = tf.Variable(rounding.halves(array))
    return lambda: tf.cast(half, "float32")
