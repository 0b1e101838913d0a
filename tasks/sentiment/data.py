"""From a data set's name or file to batches of sentiment, with the splits written down."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo import batches, text
from zoo.errors import UserError
from zoo.names import unknown
from zoo.task import Data

from .recipe import DATASETS, Train
from .reviews.reviews_dataset_builder import Builder as Reviews
from .teacher import Teacher
from .texts import Source, Texts, from_file, from_tfds

POLARITY = ("negative", "positive")

SOURCES = {
    "reviews": Source(Reviews, validation="validation", licence="Apache-2.0, written by a grammar of this project"),
    "imdb_reviews": Source("imdb_reviews", unlabelled="unsupervised", labels=POLARITY),
    "glue/sst2": Source("glue/sst2", text="sentence", test="validation"),
    "yelp_polarity_reviews": Source("yelp_polarity_reviews", labels=POLARITY),
    "ag_news_subset": Source("ag_news_subset", text="description"),
}
assert SOURCES.keys() == DATASETS.keys(), "recipe.py tells of the sets that stand here"

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
    texts = open_texts(recipe, assets["labels"] if assets else None)
    labels = list(assets["labels"]) if assets else list(texts.labels)
    if list(texts.labels) != labels:
        raise UserError(
            f"Data set {recipe.dataset!r} has the labels {', '.join(texts.labels)}; "
            f"the model knows {', '.join(labels)}."
        )
    training = texts.split("train")
    count = texts.sizes["train"]
    if recipe.limit and recipe.limit < count:
        training, count = training.take(recipe.limit), recipe.limit
    tokenizer = assets["tokenizer"] if assets else train_tokenizer(recipe, unlabelled(recipe, texts))
    boundaries = bucket_boundaries(recipe.longest)
    encode = encoder(tokenizer, recipe)
    facts = dict(texts.facts)
    streams, counts = [training], [count]
    if recipe.teacher and not assets:
        streams, counts = taught(recipe, texts, training, count, tokenizer)
        facts["training"] = f"{counts[0]:,} labelled texts, and {counts[1]:,} with an n-gram teacher's probabilities"

    def train(epoch: int) -> tf.data.Dataset:
        # Drawn in proportion, so that both kinds are spread over the epoch.
        weights = [part / sum(counts) for part in counts]
        drawn = tf.data.Dataset.sample_from_datasets(streams, weights, seed=recipe.seed * 1009 + epoch)
        examples = batches.shuffled(batches.encoded(drawn, encode), recipe.seed, epoch)
        ready = batches.bucketed(examples, recipe.batch_size, boundaries)
        return batches.mixed(ready, recipe.seed, epoch).prefetch(2)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        examples = texts.split(name)
        examples = examples.take(limit) if limit else examples
        # No gradients to hold: larger batches than in training are faster.
        return batches.bucketed(batches.encoded(examples, encode), 128, boundaries).prefetch(2)

    return Data(
        train=train,
        split=split,
        assets={"tokenizer": tokenizer, "labels": labels},
        sizes={**texts.sizes, "train": sum(counts)},
        facts=facts,
    )


def open_texts(recipe: Train, known: Sequence[str] | None = None) -> Texts:
    """The recipe's texts, from a TFDS set or a file; `known` are the labels of a saved model."""
    path = Path(recipe.dataset)
    if recipe.dataset in SOURCES:
        return from_tfds(recipe.dataset, SOURCES[recipe.dataset])
    if path.is_file():
        return from_file(path, recipe.seed, known)
    raise unknown("data set", recipe.dataset, SOURCES, "Or give a CSV or TSV file with columns text,label")


def unlabelled(recipe: Train, texts: Texts) -> tf.data.Dataset:
    """Every text that may be read in training, without its label: scalars. Texts of no label come with pretraining."""
    training = texts.split("train")
    if recipe.limit:
        training = training.take(recipe.limit)
    elif (recipe.pretrain_epochs or recipe.teacher) and texts.sizes.get("unlabelled"):
        training = training.concatenate(texts.split("unlabelled"))
    return training.map(lambda item, _: item)


def taught(
    recipe: Train, texts: Texts, training: tf.data.Dataset, count: int, tokenizer: text.Tokenizer
) -> tuple[list[tf.data.Dataset], list[int]]:
    """Labelled and unlabelled texts, both with a probability for each label as target.

    Returns:
        The two streams, `(text, probabilities)` with probabilities `(2,)` float32, and their sizes.

    Raises:
        UserError: If the data set has other than two labels, or no unlabelled texts.
    """
    size = texts.sizes.get("unlabelled")
    if len(texts.labels) != 2 or not size:
        raise UserError(
            f"--teacher needs two labels and unlabelled texts; {recipe.dataset!r} has {len(texts.labels)} labels "
            f"and {size or 0:,} unlabelled texts. Train with --no-teacher."
        )
    size = min(size, recipe.limit or size)
    answered = texts.split("unlabelled").take(size)
    items, labels = zip(*training.as_numpy_iterator(), strict=True)
    rows = tokenizer.encode([item.decode("utf-8", "replace") for item in items])
    teacher = Teacher(rows, np.array(labels), tokenizer.size, recipe.seed)
    chances = [
        teacher.probabilities(tokenizer.encode([item.decode("utf-8", "replace") for item in some]))
        for some in answered.map(lambda item, _: item).batch(batches.ENCODE_AT_ONCE).as_numpy_iterator()
    ]
    soft = tf.data.Dataset.from_tensor_slices(np.concatenate(chances).astype("float32"))
    labelled = training.map(lambda item, label: (item, tf.one_hot(label, 2)))
    return [labelled, tf.data.Dataset.zip((answered.map(lambda item, _: item), soft))], [count, size]


def bucket_boundaries(longest: int) -> list[int]:
    """Those of `BOUNDARIES` that texts of at most `longest` tokens need."""
    return [*[b for b in BOUNDARIES if b < longest], longest]


def train_tokenizer(recipe: Train, training: tf.data.Dataset) -> text.Tokenizer:
    """A tokenizer of the recipe's kind, trained on texts of the training split and on unlabelled ones."""
    stream = (item.decode("utf-8", "replace") for item in training.as_numpy_iterator())
    return text.Tokenizer.train(
        stream,
        recipe.tokens,
        recipe.vocabulary,
        lowercase=recipe.lowercase,
        replace=[("<br />", " ")],  # IMDb's line break
        least=recipe.least,
    )


def encoder(tokenizer: text.Tokenizer, recipe: Train) -> Callable[[Sequence[str]], list]:
    """Texts -> ids, each cut to the recipe's length from head and tail; an empty text is one unknown token."""

    def encode(texts: Sequence[str]) -> list:
        return [text.cut(ids or [text.UNKNOWN], recipe.longest, recipe.head) for ids in tokenizer.encode(texts)]

    return encode
