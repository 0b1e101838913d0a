"""One pipeline from raw examples to batches, for training and for scoring."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from zoo.data import batches
from zoo.data.raw import RawDataset

CACHED = 200_000
"""Training sets of at most this many examples are kept encoded in memory: 100 MB of ids at 120 tokens per example."""


def unchanged(examples: tf.data.Dataset, training: bool) -> tf.data.Dataset:
    """The encoder of examples that are numbers already."""
    return examples


@dataclass(frozen=True)
class Pipeline:
    """Raw examples -> encoded -> shuffled -> batches `(inputs, targets, weights)`.

    Attributes:
        raw: The examples.
        batch: Examples and a batch size -> batches; see `zoo.data.batches`.
        encode: Examples, and whether they are for training -> examples as `batch` takes them.
        batch_size: Rows of a training batch.
        seed: Decides the order of training examples, together with the epoch.
        scoring_batch_size: Rows of a batch that is scored: there are no gradients to hold.
        shuffle_buffer: Examples held for shuffling.
        shuffle_batches: Whether whole batches are shuffled too, as batches by length have to be.
        epoch_examples: Training examples of an epoch, where they are not the train split.
        cached: Largest number of training examples that are kept encoded in memory.
    """

    raw: RawDataset
    batch: Callable[[tf.data.Dataset, int], tf.data.Dataset]
    encode: Callable[[tf.data.Dataset, bool], tf.data.Dataset] = unchanged
    batch_size: int = 64
    seed: int = 1
    scoring_batch_size: int = 128
    shuffle_buffer: int = batches.SHUFFLE_BUFFER
    shuffle_batches: bool = True
    epoch_examples: Callable[[int], tf.data.Dataset] | None = None
    cached: int = CACHED

    def train(self, epoch: int) -> tf.data.Dataset:
        """Shuffled batches of an epoch; the same number gives the same batches in the same order."""
        examples = self.encode(self.epoch_examples(epoch), True) if self.epoch_examples else self._encoded
        examples = batches.shuffled(examples, self.seed, epoch, self.shuffle_buffer)
        ready = self.batch(examples, self.batch_size)
        ready = batches.shuffle_batches(ready, self.seed, epoch) if self.shuffle_batches else ready
        return ready.prefetch(2)

    @functools.cached_property
    def _encoded(self) -> tf.data.Dataset:
        """Encoded training examples; of a small set, later epochs take them from memory."""
        examples = self.encode(self.raw.split("train"), True)
        if self.encode is unchanged:  # a second copy would save nothing
            return examples
        return examples.cache() if self.raw.size("train") <= self.cached else examples

    def split(self, name: str, limit: int | None = None) -> tf.data.Dataset:
        """Batches of a split, or of its first `limit` examples, in order.

        Raises:
            UserError: If there is no such split.
        """
        examples = self.encode(self.raw.split(name, limit), False)
        return self.batch(examples, self.scoring_batch_size).prefetch(2)
