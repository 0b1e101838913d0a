"""Weights in fewer bits, whatever the format: which ones, and their numbers."""

from collections.abc import Collection

import numpy as np

SMALLEST = 512
"""Numbers of the smallest weight that is stored in fewer bits: biases stay as they are."""

LARGEST_INTEGER = 127
"""Symmetric: -127 to 127, and 0 stays 0."""


def is_large(array: np.ndarray) -> bool:
    """Whether a weight is stored in fewer bits."""
    return array.dtype == np.float32 and array.size >= SMALLEST and array.ndim >= 2


def integers(array: np.ndarray, outputs: Collection[int]) -> tuple[np.ndarray, np.ndarray]:
    """Integers of 8 bits with one scale for each output: `array` is about `integers * scale`.

    Args:
        array: A weight in float32.
        outputs: Axes of its outputs.

    Returns:
        int8 of the same shape; float32 scales, 1 long along the other axes.
    """
    others = tuple(axis for axis in range(array.ndim) if axis not in outputs)
    largest = np.abs(array).max(axis=others, keepdims=True)
    scale = np.maximum(largest, np.finfo("float32").tiny).astype("float32") / LARGEST_INTEGER
    return np.round(array / scale).clip(-LARGEST_INTEGER, LARGEST_INTEGER).astype("int8"), scale


def halves(array: np.ndarray) -> np.ndarray:
    """A weight in float16; numbers beyond its range become the largest of it."""
    largest = np.finfo("float16").max
    return array.clip(-largest, largest).astype("float16")
