"""Padding anywhere in a row of a batch: exported graphs read rows that are padded on the right.

`zoo.layers.padding` does the same inside of a Keras model.
"""

import numpy as np


def pack(sequence: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Moves the real steps of each row to its front, in their order.

    Args:
        sequence: `(batch, time, ...)`.
        mask: `(batch, time)`, True = real.

    Returns:
        The sequence, padded with 0 on the right, and the step `(batch, time)` that stands at each place now; None
        where nothing had to be moved.
    """
    mask = np.asarray(mask, bool)
    if not (mask[:, 1:] & ~mask[:, :-1]).any():
        return sequence, None
    order = np.argsort(~mask, axis=1, kind="stable")
    rows = np.arange(len(mask))[:, None]
    packed, real = sequence[rows, order], mask[rows, order]
    return np.where(real.reshape(real.shape + (1,) * (packed.ndim - 2)), packed, 0).astype(sequence.dtype), order


def unpack(sequence: np.ndarray, order: np.ndarray | None) -> np.ndarray:
    """Moves what was computed for packed steps back to where the steps were."""
    if order is None:
        return sequence
    result = np.empty_like(sequence)
    result[np.arange(len(order))[:, None], order] = sequence
    return result
