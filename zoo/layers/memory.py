"""What a decoder's attention reads: values, keys and a mask."""

from typing import Any, NamedTuple


class Memory(NamedTuple):
    """What attention reads: values `(batch, time, features)`, keys, mask `(batch, time)` with True = real."""

    values: Any
    keys: Any
    mask: Any


class FoldedMemory(NamedTuple):
    """A memory whose values have gone through the products that a context goes through; see `RecurrentDecoder.fold`.

    `values` are `(batch, time, gates * units + readout_dim)`: the conditional cell's inputs, if there is such a cell,
    and the readout's.
    """

    values: Any
    keys: Any
    mask: Any
