"""The compiled path of linear recurrences h_t = a_t * h_{t-1} + b_t on numpy arrays."""

import itertools
from typing import Any

import numpy as np

from zoo.engine import threads
from zoo.engine.arrays import empty, fitted, gathered, packed, spread
from zoo.engine.compiled import calls, kernels

DTYPES = (np.float32, np.float64, np.complex64, np.complex128)
SPLIT_NUMBERS = 100_000
"""Numbers below which a second core costs more than it gives."""


def forward(
    a: np.ndarray, b: np.ndarray, h0: np.ndarray, mask: np.ndarray | None, reverse: bool
) -> tuple[np.ndarray, np.ndarray]:
    """All h_t `(batch, time, channels)`, zero at padded steps, and the last one of each row `(batch, channels)`.

    Raises:
        ValueError: If shapes do not fit together.
    """
    a, b, h0, lengths, order = _checked(a, b, h0, mask)
    y, hn = empty(b.shape, b.dtype), empty(h0.shape, b.dtype)
    run = kernels("linear").forward.load(b.dtype)
    threads.run(run, [(a, b, h0, lengths, reverse, *part, y, hn) for part in _parts(b.shape)])
    calls["forward"] += 1
    return spread(y, order), hn


def backward(
    a: np.ndarray, h0: np.ndarray, mask: np.ndarray | None, reverse: bool, y: np.ndarray, dy: np.ndarray,
    dhn: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Derivatives of the loss by a, b and h0.

    Raises:
        ValueError: If shapes do not fit together.
    """
    a, y, h0, lengths, order = _checked(a, y, h0, mask)
    dy, dhn = fitted(gathered(dy, order), y.shape, y.dtype, "gradient"), fitted(dhn, h0.shape, y.dtype, "gradient")
    da, db, dh0 = empty(y.shape, y.dtype), empty(y.shape, y.dtype), empty(h0.shape, y.dtype)
    run = kernels("linear").backward.load(y.dtype)
    threads.run(run, [(a, h0, lengths, reverse, *part, y, dy, dhn, da, db, dh0) for part in _parts(y.shape)])
    calls["backward"] += 1
    return spread(da, order), spread(db, order), dh0


def _checked(a: Any, b: Any, h0: Any, mask: Any) -> tuple:
    if b.ndim != 3 or b.dtype not in DTYPES:
        raise ValueError(f"A linear recurrence needs real or complex numbers (batch, time, channels); got {b.dtype} "
                         f"{b.shape}.")  # fmt: skip
    if mask is not None and mask.shape != b.shape[:2]:
        raise ValueError(f"A mask is (batch, time) = {b.shape[:2]}; got {mask.shape}.")
    a = fitted(a, b.shape, b.dtype, "factor a")
    h0 = fitted(h0, (b.shape[0], b.shape[2]), b.dtype, "state")
    b, lengths, order = packed(b, mask)
    return np.ascontiguousarray(gathered(a, order)), b, h0, lengths, order


def _parts(shape: tuple) -> list[tuple[int, int, int, int]]:
    """Rows and channels of each job: rows are dealt out, or channels where there are fewer rows than cores."""
    batch, time, channels = shape
    cores = threads.cores() if batch * time * channels > SPLIT_NUMBERS else 1
    if batch >= cores:
        edges = [batch * k // cores for k in range(cores + 1)]
        return [(top, bottom, 0, channels) for top, bottom in itertools.pairwise(edges)]
    cores = min(cores, max(1, channels // 16))  # 64 bytes: no two cores write into one line of the cache
    edges = [channels * k // cores // 16 * 16 for k in range(cores)] + [channels]
    return [(0, batch, left, right) for left, right in itertools.pairwise(edges)]
