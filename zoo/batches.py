"""Steps of a `tf.data` pipeline: encode, shuffle, bucket by length, pad on the right.

All of them stream: memory holds one shuffle buffer and one open batch a bucket, whatever the size of the data set.

    three texts as ids      padded together         bucketed by length (2 | more)
    [5 6 7 8]               5 6 7 8                 5 6 7 8
    [9]                     9 0 0 0                 4 2 0 0
    [4 2]                   4 2 0 0                 (next batch) 9 0
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.text import PAD  # 0, which is also what tf.data pads with

SHUFFLE_BUFFER = 20_000
"""Examples held for shuffling: most small sets as a whole, about 20 MB of ids for reviews."""

ENCODE_AT_ONCE = 512
"""Texts handed to the tokenizer together: enough for its threads, little for memory."""


def encoded(dataset: tf.data.Dataset, encode: Callable[[Sequence[str]], Sequence[Sequence[int]]]) -> tf.data.Dataset:
    """`(text, *others)` -> `(ids, *others)`, ids `(time,)` int32 of any length from 0 on.

    Args:
        dataset: Single examples; the first component is a string.
        encode: Texts -> ids, called with many texts at once. It sees invalid UTF-8 as U+FFFD.
    """

    def flat(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = encode([text.decode("utf-8", "replace") for text in texts])
        lengths = np.array([len(row) for row in rows], "int32")
        return np.fromiter((i for row in rows for i in row), "int32", int(lengths.sum())), lengths

    def step(texts: tf.Tensor, *others: tf.Tensor) -> tuple:
        values, lengths = tf.numpy_function(flat, [texts], [tf.int32, tf.int32])
        values.set_shape([None])
        lengths.set_shape([None])
        return tf.RaggedTensor.from_row_lengths(values, lengths), *others

    rows = dataset.batch(ENCODE_AT_ONCE).map(step, num_parallel_calls=2).unbatch()
    # unbatch leaves ragged tensors of rank 1, which later steps refuse though they are plain vectors.
    return rows.map(lambda ids, *others: (tf.ensure_shape(ids, [None]), *others))


def shuffled(dataset: tf.data.Dataset, seed: int, epoch: int, buffer: int = SHUFFLE_BUFFER) -> tf.data.Dataset:
    """Shuffles so that seed and epoch decide the order: a resumed training sees the same one.

    TensorFlow's global seed enters as well; a training sets that from the same recipe.
    """
    return dataset.shuffle(buffer, seed=seed * 100_003 + epoch, reshuffle_each_iteration=False)


def bucketed(
    dataset: tf.data.Dataset,
    batch_size: int,
    boundaries: Sequence[int],
    *,
    fixed: bool | None = None,
) -> tf.data.Dataset:
    """Batches of sequences of like length, padded on the right: `(tokens, targets, weights)`.

    Args:
        dataset: Examples `(ids, target)`; ids `(time,)`, target of any fixed shape.
        batch_size: Rows of a batch.
        boundaries: Lengths at which a new bucket begins; the last is the longest length that occurs.
        fixed: Pad to the bucket's upper boundary and fill the last batches up to `batch_size` with rows of
            weight 0, so that a compiler sees one shape a bucket. Default: only on JAX, which compiles each
            shape anew; TensorFlow is faster with less padding.

    Returns:
        tokens `(batch, time)` int32, targets `(batch, ...)`, weights `(batch,)` float32: 1, and 0 for rows that
        only fill up.
    """
    fixed = keras.backend.backend() == "jax" if fixed is None else fixed

    def length(ids: tf.Tensor, *_: Any) -> tf.Tensor:
        return tf.shape(ids)[0]

    def weigh(tokens: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        rows = tf.shape(tokens)[0]
        weights = tf.ones([rows])
        if fixed:
            more = batch_size - rows
            tokens, targets, weights = (
                tf.pad(item, [[0, more], *[[0, 0]] * (len(item.shape) - 1)]) for item in (tokens, targets, weights)
            )
            tokens, targets, weights = (
                tf.ensure_shape(item, [batch_size, *item.shape[1:]]) for item in (tokens, targets, weights)
            )
        else:
            # At least one time step, also when every text of the batch is empty.
            tokens = tf.pad(tokens, [[0, 0], [0, tf.maximum(0, 1 - tf.shape(tokens)[1])]])
        return tokens, targets, weights

    batches = dataset.bucket_by_sequence_length(
        length,
        [upper + 1 for upper in boundaries],  # TensorFlow's are exclusive
        [batch_size] * (len(boundaries) + 1),
        pad_to_bucket_boundary=fixed,
    )
    return batches.map(weigh)


def mixed(batches: tf.data.Dataset, seed: int, epoch: int, buffer: int = 64) -> tf.data.Dataset:
    """Shuffles whole batches: buckets fill up at different speeds, so long texts would come last."""
    return shuffled(batches, seed + 1, epoch, buffer)


def padding_waste(batches: Any) -> float:
    """Part of all time steps in some batches that is padding, 0 to 1."""
    steps, real = 0, 0
    for tokens, *_ in batches:
        tokens = np.asarray(tokens)
        steps, real = steps + tokens.size, real + int((tokens != PAD).sum())
    return 1 - real / steps if steps else 0.0
