"""From raw examples to batches: order, limits, what is encoded when."""

import numpy as np
import tensorflow as tf

from zoo.data import batches
from zoo.data.datasets import DatasetCard
from zoo.data.pipeline import Pipeline
from zoo.data.raw import RawDataset

TEXTS = [f"{'a' * (1 + i % 5)} {i}" for i in range(50)]


def pipeline(encoded, **options):
    """Texts as their characters' codes; `encoded` collects what is encoded."""

    def encode(examples, training):
        def codes(texts):
            encoded.extend(texts)
            return [[ord(letter) for letter in text] for text in texts]

        return batches.encoded(examples, codes)

    def read(name):
        return tf.data.Dataset.from_tensor_slices((TEXTS, np.arange(50, dtype="int64")))

    raw = RawDataset(read, ("train", "test"), DatasetCard("toy"), (), lambda name: 50)
    batch = lambda examples, size: batches.bucketed(examples, size, [4, 8, 12])  # noqa: E731
    return Pipeline(raw, batch, encode, batch_size=8, seed=3, **options)


def rows(some):
    return [(tokens.tolist(), targets.tolist()) for tokens, targets, _ in some.as_numpy_iterator()]


def test_an_epoch_has_its_own_order_and_every_example_once():
    made = pipeline([])
    first = rows(made.train(0))
    assert first == rows(made.train(0)) != rows(made.train(1))
    assert sorted(target for _, targets in first for target in targets) == list(range(50))


def test_a_small_training_set_is_encoded_once_and_to_the_same_batches():
    seen, again = [], []
    cached, uncached = pipeline(seen), pipeline(again, cached=49)
    for epoch in range(3):
        assert rows(cached.train(epoch)) == rows(uncached.train(epoch))
    assert len(seen) == 50
    assert len(again) == 150


def test_an_epoch_that_ends_early_leaves_the_next_one_whole():
    made = pipeline([])
    next(iter(made.train(0)))
    assert rows(made.train(1)) == rows(pipeline([]).train(1))


def test_a_split_keeps_its_order_and_a_limit_encodes_no_more():
    seen = []
    targets = [target for _, some in rows(pipeline(seen).split("test", 5)) for target in some]
    assert sorted(targets) == list(range(5))
    assert len(seen) == 5


def test_examples_of_an_epoch_may_depend_on_it():
    made = pipeline([], epoch_examples=lambda epoch: tf.data.Dataset.from_tensor_slices((TEXTS[:epoch], range(epoch))))
    assert [sum(len(targets) for _, targets in rows(made.train(epoch))) for epoch in (3, 7)] == [3, 7]
