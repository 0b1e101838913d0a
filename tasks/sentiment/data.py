"""From a data set's name or file to batches of token ids with labels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import batches, text
from zoo.data.datasets import find_row
from zoo.data.pipeline import Pipeline
from zoo.data.raw import RawDataset, with_labels
from zoo.errors import UserError
from zoo.task import Data

from .datasets import DATASETS
from .encoding import encoder
from .pseudo_labels import NGramClassifier
from .raw import open_texts
from .recipe import Train

SCORING_BATCH_SIZE = 128
"""Texts predicted at once where nothing is learned."""

BOUNDARIES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)
"""Bucket boundaries grow by a third or a half: padding stays small with few buckets."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None, *, fine_tune: bool = False) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, tokenization, batch size, seed and limit are used.
        assets: `tokenizer` and `labels` of a saved model; without them a tokenizer is trained on the training
            texts.
        fine_tune: Whether a training goes on from that model; without it, the data set is only scored.

    Raises:
        UserError: If there is no such data set, or the file has a row that cannot be used.
    """

    def read(known: Sequence[str] | None) -> RawDataset:
        return open_texts(
            recipe.dataset,
            known,
            text_column=recipe.text_column,
            label_column=recipe.label_column,
            validation=recipe.validation_dataset,
            test=recipe.test_dataset,
        )

    raw = with_labels(read, assets["labels"] if assets else None, fine_tune).take(recipe.limit)
    if (fine_tune or not assets) and find_row(recipe.dataset, DATASETS) is None:
        raw.check_trained(recipe.limit)
    tokenizer = assets["tokenizer"] if assets else train_tokenizer(recipe, all_texts(recipe, raw))
    card, epoch_examples, extra = raw.card, None, 0
    if recipe.reads_unlabeled and (fine_tune or not assets):
        epoch_examples, extra = with_unlabeled(recipe, raw, tokenizer)
        what = "with an n-gram classifier's probabilities" if recipe.pseudo_labels else "without a label"
        card = card.with_details(training=f"{raw.size('train'):,} labeled texts, and {extra:,} {what}")

    ready = pipeline(recipe, raw, tokenizer, epoch_examples)
    return Data(
        raw=raw,
        train=ready.train,
        split=ready.split,
        assets={"tokenizer": tokenizer, "labels": list(raw.labels)},
        sizes=lambda: {**raw.sizes(), "train": raw.size("train") + extra},
        card=card,
    )


def pipeline(
    recipe: Train,
    raw: RawDataset,
    tokenizer: text.Tokenizer,
    epoch_examples: Callable[[int], tf.data.Dataset] | None = None,
) -> Pipeline:
    """The pipeline from texts with their targets to batches."""

    def encode(examples: tf.data.Dataset, training: bool) -> tf.data.Dataset:
        return batches.encoded(examples, encoder(tokenizer, recipe))

    def batch(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        return batches.bucketed(examples, size, batches.boundaries(BOUNDARIES, recipe.max_length))

    return Pipeline(raw, batch, encode, recipe.batch_size, recipe.seed, epoch_examples=epoch_examples)


def all_texts(recipe: Train, raw: RawDataset) -> tf.data.Dataset:
    """Every text that may be read in training, without its label: scalars.

    Texts without labels are among them if the recipe learns from such.
    """
    training = raw.split("train")
    if not recipe.limit and (recipe.pretrain_epochs or recipe.reads_unlabeled) and "unlabeled" in raw.names:
        training = training.concatenate(raw.split("unlabeled"))
    return training.map(lambda item, _: item)


def with_unlabeled(
    recipe: Train, raw: RawDataset, tokenizer: text.Tokenizer
) -> tuple[Callable[[int], tf.data.Dataset], int]:
    """Labeled and unlabeled texts, with a probability for each label as target.

    Those of an unlabeled text come from a classifier of n-grams (`--pseudo-labels`), else all are 0.

    Returns:
        Epoch number -> examples `(text, probabilities)` with probabilities `(labels,)` float32; and the number of texts
        without a label.

    Raises:
        UserError: If the data set has no unlabeled texts, or for pseudo-labels other than two labels.
    """
    size, classes = raw.size("unlabeled"), len(raw.labels)
    if not size:
        option = "pseudo-labels" if recipe.pseudo_labels else "unlabeled"
        raise UserError(f"--{option} needs unlabeled texts; {recipe.dataset!r} has none. Train with --no-{option}.")
    size = min(size, recipe.limit or size)
    targets = pseudo_labels(recipe, raw, tokenizer, size) if recipe.pseudo_labels else np.zeros((size, classes), "f4")
    return mixed(recipe, raw, targets), size


def mixed(recipe: Train, raw: RawDataset, targets: np.ndarray) -> Callable[[int], tf.data.Dataset]:
    """Epoch number -> labeled texts, and unlabeled ones with these targets `(texts, labels)`."""
    soft = tf.data.Dataset.from_tensor_slices(targets.astype("float32"))
    unlabeled = tf.data.Dataset.zip((bare(raw, len(targets)), soft))
    labeled = raw.split("train").map(lambda item, label: (item, tf.one_hot(label, len(raw.labels))))
    streams, counts = [labeled, unlabeled], [raw.size("train"), len(targets)]

    def examples(epoch: int) -> tf.data.Dataset:
        # Drawn in proportion, so that both kinds are spread over the epoch.
        weights = [count / sum(counts) for count in counts]
        return tf.data.Dataset.sample_from_datasets(streams, weights, seed=recipe.seed * 1009 + epoch)

    return examples


def bare(raw: RawDataset, size: int) -> tf.data.Dataset:
    """The first texts without a label: scalars."""
    return raw.split("unlabeled", size).map(lambda item, _: item)


def pseudo_labels(recipe: Train, raw: RawDataset, tokenizer: text.Tokenizer, size: int) -> np.ndarray:
    """The probabilities of a classifier of n-grams for the first texts without a label, `(size, 2)` float32.

    Raises:
        UserError: If the data set has other than two labels.
    """
    if len(raw.labels) != 2:
        raise UserError(
            f"--pseudo-labels needs two labels; {recipe.dataset!r} has {len(raw.labels)}. Train with "
            "--no-pseudo-labels --self-training-epochs 0."
        )
    items, labels = zip(*raw.split("train").as_numpy_iterator(), strict=True)
    classifier = NGramClassifier(tokenizer.encode(_decoded(items)), np.array(labels), tokenizer.size, recipe.seed)
    found = [
        classifier.probabilities(tokenizer.encode(_decoded(some)))
        for some in bare(raw, size).batch(batches.ENCODE_AT_ONCE).as_numpy_iterator()
    ]
    return np.concatenate(found).astype("float32")


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
