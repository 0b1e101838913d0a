"""Padding anywhere in a row: real steps are moved to the front, and answers back to where the steps were.

Recurrent layers read rows that are padded on the right. Rows that are not, such as those of
`keras.utils.pad_sequences`, which pads on the left, are made so first:

    tokens       mask         packed       order of the answers, unpacked
    a b c d      1 1 1 1      a b c d      a b c d
    0 0 e f      0 0 1 1      e f 0 0      . . e f
    g 0 h 0      1 0 1 0      g h 0 0      g . h .

Whether a batch needs it is decided when it runs: one comparison of neighbors in the mask, `(batch, time)` booleans. A
batch that is padded on the right, as all of `zoo.data` are, then passes through `keras.ops.cond` untouched.
"""

from typing import Any

import keras
from keras import ops


def pack(sequence: Any, mask: Any) -> tuple[Any, Any]:
    """Moves the real steps of each row to its front, in their order.

    Args:
        sequence: `(batch, time, ...)`.
        mask: `(batch, time)`, True = real.

    Returns:
        The sequence and its mask, padded on the right.
    """
    time = ops.arange(ops.shape(mask)[1], dtype="int32")[None, :]
    length = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)  # (batch, 1)

    def moved() -> Any:
        # Every key is there once, so that any sort keeps the order of the steps.
        return take_steps(sequence, ops.argsort(ops.where(mask, time, time + ops.shape(mask)[1]), axis=1))

    return _if_needed(sequence, mask, moved), time < length


def unpack(sequence: Any, mask: Any) -> Any:
    """Moves what was computed for packed steps back: the inverse of `pack` at real steps, anything at others.

    Args:
        sequence: `(batch, time, ...)`, one entry per packed step.
        mask: `(batch, time)`, as it was given to `pack`.
    """

    def moved() -> Any:
        place = ops.cumsum(ops.cast(mask, "int32"), axis=1) - 1  # of each real step among the real ones
        return take_steps(sequence, ops.maximum(place, 0))

    return _if_needed(sequence, mask, moved)


def take_steps(sequence: Any, index: Any) -> Any:
    """`sequence[b, index[b, t]]` of every `b` and `t`: `(batch, time, ...)` and `(batch, time)` int32.

    One gather of whole rows from `(batch * time, ...)`: `take_along_axis` would look up every number by itself. On
    JAX, one in each row of the batch: XLA sees that workers which share a batch have all they need, where it would
    otherwise send the whole sequence to each of them.
    """
    if keras.backend.backend() == "jax":
        return ops.vectorized_map(lambda row: ops.take(row[0], row[1], axis=0), (sequence, ops.cast(index, "int32")))
    batch, steps, *features = ops.shape(sequence)
    rows = ops.cast(index, "int32") + steps * ops.arange(batch, dtype="int32")[:, None]
    return ops.take(ops.reshape(sequence, (-1, *features)), rows, axis=0)


def _if_needed(sequence: Any, mask: Any, moved: Any) -> Any:
    """`moved()` if padding stands before a real step anywhere, else the sequence itself."""
    sequence = ops.convert_to_tensor(sequence)
    mask = ops.cast(mask, "bool")
    if mask.shape[1] == 1:
        return sequence
    needed = ops.any(ops.logical_and(mask[:, 1:], ops.logical_not(mask[:, :-1])))
    result = ops.cond(needed, moved, lambda: sequence)
    return ops.reshape(result, ops.shape(sequence))
