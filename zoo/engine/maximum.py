"""The compiled path of the maximum over time on numpy arrays."""

import itertools
from typing import Any

import numpy as np

from zoo.engine import threads
from zoo.engine.arrays import empty, fitted
from zoo.engine.compiled import calls, kernels

SPLIT_NUMBERS = 100_000
"""Numbers below which a second core costs more than it gives."""


def forward(x: np.ndarray, mask: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The largest values `(batch, features)` over the real steps, zero where there are none, and their times or -1.

    Raises:
        ValueError: If shapes do not fit together.
    """
    if x.ndim != 3 or x.dtype not in (np.float32, np.float64):
        raise ValueError(f"A kernel needs float32 or float64 (batch, time, features); got {x.dtype} {x.shape}.")
    mask = np.ones(x.shape[:2], bool) if mask is None else fitted(mask, x.shape[:2], bool, "mask")
    y, index = empty((x.shape[0], x.shape[2]), x.dtype), empty((x.shape[0], x.shape[2]), np.int32)
    run = kernels("maximum").forward.load(x.dtype)
    threads.run(run, [(np.ascontiguousarray(x), mask, *part, y, index) for part in _parts(x.shape)])
    calls["forward"] += 1
    return y, index


def backward(index: np.ndarray, dy: np.ndarray, time: int) -> np.ndarray:
    """The derivative of the loss by x.

    Raises:
        ValueError: If shapes do not fit together, or an index is not below `time`.
    """
    index = np.ascontiguousarray(index, np.int32)
    dy = fitted(dy, index.shape, dy.dtype, "gradient")
    if index.size and int(index.max()) >= time:
        raise ValueError(f"An index of {index.max()} is not in {time} steps.")
    dx = empty((index.shape[0], int(time), index.shape[1]), dy.dtype)
    run = kernels("maximum").backward.load(dy.dtype)
    threads.run(run, [(index, dy, *part, dx) for part in _parts(dx.shape)])
    calls["backward"] += 1
    return dx


def _parts(shape: Any) -> list[tuple[int, int]]:
    """Rows of each job."""
    cores = min(threads.cores(), shape[0]) if np.prod(shape) > SPLIT_NUMBERS else 1
    edges = [shape[0] * k // cores for k in range(cores + 1)]
    return list(itertools.pairwise(edges))
