"""From a data set's name or file to batches of token ids with labels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import batches, text
from zoo.data.pipeline import Pipeline
from zoo.data.raw import RawDataset
from zoo.errors import UserError
from zoo.task import Data

from .encoding import encoder
from .pseudo_labels import NGramClassifier
from .raw import open_texts
from .recipe import Train

BOUNDARIES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)
"""Bucket boundaries grow by a third or a half: padding stays small with few buckets."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, tokenization, batch size, seed and limit are used.
        assets: `tokenizer` and `labels` of a saved model; without them a tokenizer is trained on the training
            texts.

    Raises:
        UserError: If there is no such data set, or the file has a row that cannot be used.
    """
    raw = open_texts(
        recipe.dataset,
        assets["labels"] if assets else None,
        text_column=recipe.text_column,
        label_column=recipe.label_column,
        validation=recipe.validation_dataset,
        test=recipe.test_dataset,
    ).take(recipe.limit)
    if assets:
        raw.check_labels(assets["labels"])
    tokenizer = assets["tokenizer"] if assets else train_tokenizer(recipe, all_texts(recipe, raw))
    card, epoch_examples, extra = raw.card, None, 0
    if recipe.pseudo_labels and not assets:
        epoch_examples, extra = pseudo_labeled(recipe, raw, tokenizer)
        sizes = f"{raw.size('train'):,} labeled texts, and {extra:,} with an n-gram classifier's probabilities"
        card = card.with_details(training=sizes)

    def encode(examples: tf.data.Dataset, training: bool) -> tf.data.Dataset:
        return batches.encoded(examples, encoder(tokenizer, recipe))

    def batch(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        return batches.bucketed(examples, size, batches.boundaries(BOUNDARIES, recipe.max_length))

    pipeline = Pipeline(raw, batch, encode, recipe.batch_size, recipe.seed, epoch_examples=epoch_examples)
    return Data(
        raw=raw,
        train=pipeline.train,
        split=pipeline.split,
        assets={"tokenizer": tokenizer, "labels": list(raw.labels)},
        sizes=lambda: {**raw.sizes(), "train": raw.size("train") + extra},
        card=card,
    )


def all_texts(recipe: Train, raw: RawDataset) -> tf.data.Dataset:
    """Every text that may be read in training, without its label: scalars.

    Texts without labels are among them if the recipe learns from such.
    """
    training = raw.split("train")
    if not recipe.limit and (recipe.pretrain_epochs or recipe.pseudo_labels) and "unlabeled" in raw.names:
        training = training.concatenate(raw.split("unlabeled"))
    return training.map(lambda item, _: item)


def pseudo_labeled(
    recipe: Train, raw: RawDataset, tokenizer: text.Tokenizer
) -> tuple[Callable[[int], tf.data.Dataset], int]:
    """Labeled and unlabeled texts, both with a probability for each label as target.

    Returns:
        Epoch number -> examples `(text, probabilities)` with probabilities `(2,)` float32; and the number of texts
        without a label.

    Raises:
        UserError: If the data set has other than two labels, or no unlabeled texts.
    """
    size = raw.size("unlabeled")
    if len(raw.labels) != 2 or not size:
        raise UserError(
            f"--pseudo-labels needs two labels and unlabeled texts; {recipe.dataset!r} has {len(raw.labels)} labels "
            f"and {size:,} unlabeled texts. Train with --no-pseudo-labels."
        )
    size = min(size, recipe.limit or size)
    items, labels = zip(*raw.split("train").as_numpy_iterator(), strict=True)
    classifier = NGramClassifier(tokenizer.encode(_decoded(items)), np.array(labels), tokenizer.size, recipe.seed)
    unlabeled = raw.split("unlabeled", size).map(lambda item, _: item)
    probabilities = [
        classifier.probabilities(tokenizer.encode(_decoded(some)))
        for some in unlabeled.batch(batches.ENCODE_AT_ONCE).as_numpy_iterator()
    ]
    soft = tf.data.Dataset.from_tensor_slices(np.concatenate(probabilities).astype("float32"))
    labeled = raw.split("train").map(lambda item, label: (item, tf.one_hot(label, 2)))
    streams, counts = [labeled, tf.data.Dataset.zip((unlabeled, soft))], [len(labels), size]

    def examples(epoch: int) -> tf.data.Dataset:
        # Drawn in proportion, so that both kinds are spread over the epoch.
        weights = [count / sum(counts) for count in counts]
        return tf.data.Dataset.sample_from_datasets(streams, weights, seed=recipe.seed * 1009 + epoch)

    return examples, size


def _decoded(items: Sequence[bytes]) -> list[str]:
    return [item.decode("utf-8", "replace") for item in items]


def train_tokenizer(recipe: Train, training: tf.data.Dataset) -> text.Tokenizer:
    """A tokenizer of the recipe's kind, trained on texts of the training split and on unlabeled ones."""
    stream = (item.decode("utf-8", "replace") for item in training.as_numpy_iterator())
    return text.Tokenizer.train(
        stream,
        recipe.tokenizer,
        recipe.vocabulary_size,
        lowercase=recipe.lowercase,
        replace=[("<br />", " ")],  # IMDb's line break
        min_count=recipe.min_count,
    )
