"""Steps of a `tf.data` pipeline: encode, shuffle, bucket by length, pad on the right.

All of them stream: memory holds one shuffle buffer and one open batch a bucket, whatever the size of the data set.

    three texts as ids      padded together         bucketed by length (2 | more)
    [5 6 7 8]               5 6 7 8                 5 6 7 8
    [9]                     9 0 0 0                 4 2 0 0
    [4 2]                   4 2 0 0                 (next batch) 9 0
"""

import os
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

SHUFFLE_BUFFER = 20_000
"""Examples held for shuffling: most small sets as a whole, about 20 MB of ids for reviews."""

ENCODE_AT_ONCE = 512
"""Texts handed to the tokenizer together: enough for its threads, little for memory."""


Encode = Callable[[Sequence[str]], Sequence[Sequence[int]]]
"""Texts -> ids, called with many texts at once. It sees invalid UTF-8 as U+FFFD."""


def without_autotune(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same examples, in this pipeline and all that are made from it, without TensorFlow's tuning of buffers.

    Ours state their buffers and threads themselves. The thread that tunes them sleeps for up to a minute, and on one
    core the end of an iterator waited for it: 24 s after each epoch over IMDb.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def encoded(dataset: tf.data.Dataset, *encoders: Encode) -> tf.data.Dataset:
    """`(text, *others)` -> `(ids, *others)`, ids `(time,)` int32 of any length from 0 on.

    Args:
        dataset: Single examples; the first component is a string.
        *encoders: One for each component that is a text, from the first on.
    """

    def step(*items: tf.Tensor) -> tuple:
        ids = [_ragged(encode, texts) for encode, texts in zip(encoders, items)]  # noqa: B905  others follow
        return *ids, *items[len(encoders) :]

    rows = dataset.batch(ENCODE_AT_ONCE).map(step, num_parallel_calls=2).unbatch()

    # unbatch leaves ragged tensors of rank 1, which later steps refuse though they are plain vectors.
    def plain(*items: tf.Tensor) -> tuple:
        return *(tf.ensure_shape(ids, [None]) for ids in items[: len(encoders)]), *items[len(encoders) :]

    return rows.map(plain)


def _ragged(encode: Encode, texts: tf.Tensor) -> tf.RaggedTensor:
    def flat(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = encode([text.decode("utf-8", "replace") for text in texts])
        lengths = np.array([len(row) for row in rows], "int32")
        return np.fromiter((i for row in rows for i in row), "int32", int(lengths.sum())), lengths

    values, lengths = tf.numpy_function(flat, [texts], [tf.int32, tf.int32])
    values.set_shape([None])
    lengths.set_shape([None])
    return tf.RaggedTensor.from_row_lengths(values, lengths)


ONE_SHAPE = "ZOO_ONE_SHAPE"
"""Environment variable of a training whose devices share each batch, which has to divide."""


def one_shape() -> bool:
    """Whether all batches of a bucket have one shape: JAX compiles each anew, and several devices want equal parts."""
    return keras.backend.backend() == "jax" or ONE_SHAPE in os.environ


def boundaries(grid: Sequence[int], max_length: int) -> list[int]:
    """The bucket boundaries that sequences of at most `max_length` steps need, `max_length` included.

    JAX gets every other one: each bucket costs it seconds of compiling, on a GPU a dozen, and kernels skip padded
    steps.
    """
    if keras.backend.backend() == "jax":
        grid = grid[1::2]
    return [*(upper for upper in grid if upper < max_length), max_length]


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
        dataset: Examples `(ids, target)`; ids `(time,)`, target of any fixed shape. In place of ids there may be
            features, `(time, features)`, of any type.
        batch_size: Rows of a batch.
        boundaries: Lengths at which a new bucket begins; the last is the longest length that occurs.
        fixed: Pad to the bucket's upper boundary and fill the last batches up to `batch_size` with rows of
            weight 0, so that a compiler sees one shape a bucket. Default: only on JAX, which compiles each
            shape anew; TensorFlow is faster with less padding.

    Returns:
        tokens `(batch, time)` int32, targets `(batch, ...)`, weights `(batch,)` float32: 1, and 0 for rows that
        only fill up.
    """
    fixed = one_shape() if fixed is None else fixed

    def weigh(tokens: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        weights = tf.ones([tf.shape(tokens)[0]])
        if fixed:
            tokens, targets, weights = _pad_batch(batch_size, tokens, targets, weights)
        else:
            # At least one time step, also when every text of the batch is empty.
            more = [0, tf.maximum(0, 1 - tf.shape(tokens)[1])]
            tokens = tf.pad(tokens, [[0, 0], more, *[[0, 0]] * (len(tokens.shape) - 2)])
        return tokens, targets, weights

    batches = _buckets(dataset, lambda ids, _: tf.shape(ids)[0], batch_size, boundaries, fixed)
    return batches.map(weigh)


def teacher_forced(
    dataset: tf.data.Dataset,
    batch_size: int,
    boundaries: Sequence[int],
    *,
    fixed: bool | None = None,
    length: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
) -> tf.data.Dataset:
    """Batches for teacher forcing, a decoder reading the true tokens: `((inputs, target inputs), targets, weights)`.

        target      target inputs    targets
        [2 7 8 3]   2 7 8            7 8 3          2 begins, 3 ends, 0 is padding
        [2 5 3]     2 5 3            5 3 0          where the target is padding, nothing is learned

    Args:
        dataset: Examples `(ids, target)`; target `(time,)` ids from the start to the end token, or
            `(captions, time)`. In place of `ids` there may be anything if `length` is given.
        batch_size: Rows of a batch.
        boundaries: As for `bucketed`, of the lengths.
        fixed: As for `bucketed`.
        length: Length of an example; default that of the longer one of the two.

    Returns:
        Inputs and targets `(batch, time)` int32, each with its own time; weights as of `bucketed`.
    """
    fixed = one_shape() if fixed is None else fixed

    def longer(ids: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        return tf.maximum(tf.shape(ids)[0], tf.shape(target)[0])

    def shift(ids: tf.Tensor, target: tf.Tensor) -> tuple:
        weights = tf.ones([tf.shape(ids)[0]])
        if fixed:
            ids, target, weights = _pad_batch(batch_size, ids, target, weights)
        return (ids, target[..., :-1]), target[..., 1:], weights

    return _buckets(dataset, length or longer, batch_size, boundaries, fixed).map(shift)


def batched(dataset: tf.data.Dataset, batch_size: int, *, fixed: bool | None = None) -> tf.data.Dataset:
    """Batches of examples `(inputs, targets)` of one shape: `(inputs, targets, weights)`, weights as in `bucketed`."""
    fixed = one_shape() if fixed is None else fixed

    def weigh(inputs: tf.Tensor, targets: tf.Tensor) -> tuple:
        items = inputs, targets, tf.ones([tf.shape(inputs)[0]])
        return tuple(_pad_batch(batch_size, *items)) if fixed else items

    return dataset.batch(batch_size).map(weigh)


def _pad_batch(batch_size: int, *items: tf.Tensor) -> list[tf.Tensor]:
    """Each item, `(rows, ...)`, padded with rows of zeros to a whole batch."""
    more = batch_size - tf.shape(items[0])[0]
    nothing = {tf.string: ""}
    padded = [
        tf.pad(item, [[0, more], *[[0, 0]] * (len(item.shape) - 1)], constant_values=nothing.get(item.dtype, 0))
        for item in items
    ]
    return [tf.ensure_shape(item, [batch_size, *item.shape[1:]]) for item in padded]


def _buckets(
    dataset: tf.data.Dataset, length: Callable[..., tf.Tensor], batch_size: int, boundaries: Sequence[int], fixed: bool
) -> tf.data.Dataset:
    return dataset.bucket_by_sequence_length(
        length,
        [upper + 1 for upper in boundaries],  # TensorFlow's are exclusive
        [batch_size] * (len(boundaries) + 1),
        pad_to_bucket_boundary=fixed,
    )


def shuffle_batches(batches: tf.data.Dataset, seed: int, epoch: int, buffer: int = 64) -> tf.data.Dataset:
    """Shuffles whole batches: buckets fill up at different speeds, so long texts would come last."""
    return shuffled(batches, seed + 1, epoch, buffer)
