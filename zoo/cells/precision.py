"""The precision of what must not be rounded: decays close to 1, exponentials and sums over many steps."""

from typing import Any

import keras
from keras import ops


def at_least_single(array: Any) -> Any:
    """Numbers of half precision in single precision, others as they are."""
    dtype = keras.backend.standardize_dtype(array.dtype)
    return ops.cast(array, "float32") if dtype in ("float16", "bfloat16") else array
