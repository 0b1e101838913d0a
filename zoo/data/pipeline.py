"""One pipeline from raw examples to batches, for training and for scoring."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from zoo.data import batches
from zoo.data.raw import RawDataset

CACHED = 200_000
"""Splits of at most this many examples are kept encoded in memory: 100 MB of ids at 120 tokens per example."""


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
        cached: Largest number of examples of a split that are kept encoded in memory.
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
        examples = self.encode(self.epoch_examples(epoch), True) if self.epoch_examples else self._encoded("train")
        examples = batches.shuffled(examples, self.seed, epoch, self.shuffle_buffer)
        ready = self.batch(examples, self.batch_size)
        ready = batches.shuffle_batches(ready, self.seed, epoch) if self.shuffle_batches else ready
        return ready.prefetch(2)

    @functools.cached_property
    def _kept(self) -> dict[str, tf.data.Dataset]:
        """What `_encoded` has returned so far, by split."""
        return {}

    def _encoded(self, name: str) -> tf.data.Dataset:
        """Encoded examples of a split that every epoch reads; of a small one, later epochs take them from memory.

        Without that, a validation split that is held out of train is found anew by reading all of train.
        """
        if name not in self._kept:
            examples = self.encode(self.raw.split(name), name == "train")
            # What needs no encoding lies in memory already.
            small = self.encode is not unchanged and self.raw.size(name) <= self.cached
            self._kept[name] = examples.cache() if small else examples
        return self._kept[name]

    def split(self, name: str, limit: int | None = None) -> tf.data.Dataset:
        """Batches of a split, or of its first `limit` examples, in order.

        Raises:
            UserError: If there is no such split.
        """
        if name == "validation" and limit is None:
            examples = self._encoded(name)
        else:
            examples = self.encode(self.raw.split(name, limit), False)
        return self.batch(examples, self.scoring_batch_size).prefetch(2)
