"""Arrays as kernels need them: contiguous, of one dtype, padded on the right, well placed in memory."""

import math
from typing import Any

import numpy as np

from zoo.engine.buffers import BufferPool

BUFFERS = BufferPool()
"""Memory of the results of kernels and of what they keep."""


def fitted(array: Any, shape: tuple, dtype: Any, name: str) -> np.ndarray:
    """The array, contiguous and of a dtype.

    Raises:
        ValueError: If it has another shape.
    """
    if np.shape(array) != tuple(shape):
        raise ValueError(f"The {name} should be {tuple(shape)}; got {np.shape(array)}.")
    return np.ascontiguousarray(array, dtype)


def packed(inputs: np.ndarray, mask: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Inputs padded on the right, the lengths, and where each step came from if it had to be moved."""
    if mask is None:
        return np.ascontiguousarray(inputs), np.full(inputs.shape[0], inputs.shape[1], np.intp), None
    mask = np.asarray(mask, bool)
    lengths = mask.sum(axis=1, dtype=np.intp)
    if (mask == (np.arange(mask.shape[1]) < lengths[:, None])).all():
        return np.ascontiguousarray(inputs), lengths, None
    order = np.argsort(~mask, axis=1, kind="stable")
    return gathered(inputs, order), lengths, order


def gathered(sequence: np.ndarray, order: np.ndarray | None) -> np.ndarray:
    """The real steps of each row first."""
    return sequence if order is None else np.take_along_axis(sequence, order[:, :, None], axis=1)


def spread(sequence: np.ndarray, order: np.ndarray | None) -> np.ndarray:
    """The steps of each row back in their places."""
    if order is None:
        return sequence
    out = np.empty_like(sequence)
    np.put_along_axis(out, order[:, :, None], sequence, axis=1)
    return out


def empty(shape: tuple, dtype: Any) -> np.ndarray:
    """An array that begins at a multiple of 64 bytes: TensorFlow takes such an array over without copying it."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = BUFFERS.take(size + 64)
    start = -buffer.ctypes.data % 64
    return buffer[start : start + size].view(dtype).reshape(shape)


def narrowed(parts: list[np.ndarray], width: int) -> np.ndarray:
    """The first `width` columns of the parts beside each other, placed as `empty` does it."""
    if len(parts) == 1 and parts[0].shape[-1] == width:
        return parts[0]
    out, start = empty((*parts[0].shape[:-1], width), parts[0].dtype), 0
    for part in parts:
        end = min(start + part.shape[-1], width)
        out[..., start:end] = part[..., : end - start]
        start = end
    return out
