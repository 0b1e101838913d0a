"""Random changes of training series that keep their class.

Most are those by which MNIST-1D itself is drawn (Greydanus and Kobak 2024, section 2): a shift, a dilation, a scale, a
shear and correlated noise, each a little, on top of what the series has already.
"""

import tensorflow as tf

SHIFT, DILATION, SCALE, SHEAR, NOISE = 0.2, 0.1, 0.15, 0.5, 0.15
"""Largest shift and dilation as fractions of the length, scale as a fraction, shear in values from end to end divided
by two, and the standard deviation of the noise; series have standard deviation 1."""


def augmented(examples: tf.data.Dataset, seed: int, epoch: int) -> tf.data.Dataset:
    """Examples `(series, label)`, changed at random; seed and epoch decide how.

    Args:
        examples: Series `(time, features)` float32 and their labels.
        seed: Seed of the training.
        epoch: Number of the epoch.
    """

    def change(index: tf.Tensor, example: tuple) -> tuple:
        series, label = example
        return changed(series, tf.stack([tf.cast(seed * 100_003 + epoch, tf.int64), index])), label

    return examples.enumerate().map(change, num_parallel_calls=2, deterministic=True)


def changed(series: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """One series `(time, features)`, changed at random; `seed` is two whole numbers."""
    time, features = series.shape
    draws = tf.random.stateless_uniform([4], seed, -1.0, 1.0)
    shift, dilation, scale, shear = tf.unstack(draws * [SHIFT * time, DILATION, SCALE, SHEAR])
    steps = tf.range(time, dtype=tf.float32)
    middle = (time - 1) / 2
    moved = _read(series, middle + (steps - middle) * (1 + dilation) + shift)
    line = (steps / middle - 1)[:, None]  # -1 to 1
    noise = tf.random.stateless_normal([time + 4, features], seed + 1, stddev=NOISE)
    smooth = tf.add_n([noise[i : i + time] for i in range(5)]) / 5**0.5  # correlated over 5 steps
    return moved * (1 + scale) + shear * line + smooth


def _read(series: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """The series at places `(time,)` between its steps, by linear interpolation; its ends go on for ever."""
    last = series.shape[0] - 1
    places = tf.clip_by_value(places, 0.0, float(last))
    left = tf.minimum(tf.cast(places, tf.int32), last - 1)
    part = (places - tf.cast(left, tf.float32))[:, None]
    return (1 - part) * tf.gather(series, left) + part * tf.gather(series, left + 1)
