"""Pictures as a model reads them: pixels from 0 to 1, or a sequence of single pixels. No TensorFlow for arrays.

Reference: Le, Jaitly and Hinton, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units" (2015),
section 4.2, for MNIST: pixels in scan line order, and in one random order that is the same for all pictures.
"""

from typing import Any

import numpy as np

SEED = 1
"""Seed of the permutation: the same for every training and every set, so that trainings can be compared."""


def permutation(count: int) -> np.ndarray:
    """The fixed order of `count` pixels: `permutation(count)[t]` is the place of the pixel read at step t."""
    # RandomState, since numpy promises that its numbers stay the same in all versions.
    return np.random.RandomState(SEED).permutation(count)


def in_order(pictures: Any, order: str | None) -> Any:
    """Pictures as the model reads them.

    Args:
        pictures: `(batch, height, width, channels)`, an array or a tensor.
        order: None leaves them as they are, `"pixels"` reads row by row, `"permuted"` in the fixed order.

    Returns:
        The pictures themselves, or `(batch, height * width, channels)`.
    """
    if order is None:
        return pictures
    height, width, channels = pictures.shape[1:]
    places = permutation(height * width) if order == "permuted" else None
    if isinstance(pictures, np.ndarray):
        pixels = pictures.reshape(-1, height * width, channels)
        return pixels if places is None else pixels[:, places]
    import tensorflow as tf

    pixels = tf.reshape(pictures, (-1, height * width, channels))
    return pixels if places is None else tf.gather(pixels, places, axis=1)


def scale(pixels: Any) -> Any:
    """Pixels 0 to 255, an array or a tensor, as float32 from 0 to 1."""
    if isinstance(pixels, np.ndarray):
        return pixels.astype(np.float32) / 255
    import tensorflow as tf

    return tf.cast(pixels, tf.float32) / 255
