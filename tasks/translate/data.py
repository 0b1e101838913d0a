"""From a data set's name or folder to batches of sentence pairs, and the tokenizers they need."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from zoo.data import batches, text
from zoo.errors import UserError
from zoo.task import Data

from .recipe import DATASETS, Train
from .scoring import signatures
from .texts import SOURCES, open_pairs

assert SOURCES.keys() == DATASETS.keys(), "recipe.py tells of the sets that stand in texts.py"

BOUNDARIES = (8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256)
"""Bucket boundaries: sentences are short, so they are close to each other at the short end."""

SCORED_AT_ONCE = 128
"""Sentences that are translated together when a split is scored: no gradients to hold."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, direction, tokenization, batch size, seed, limit and search settings are used.
        assets: Those of a saved model; without them tokenizers are trained on the training pairs.

    Raises:
        UserError: If there is no such data set, or its languages are not those of the saved model.
    """
    known = assets["languages"] if assets else None
    pairs = open_pairs(recipe.dataset, recipe.reverse, recipe.source)
    languages = [pairs.source, pairs.target]
    if known and languages != known:
        raise UserError(
            f"Data set {recipe.dataset!r} goes from {pairs.source} to {pairs.target}; "
            f"the model translates from {known[0]} to {known[1]}."
        )
    training, count = pairs.split("train"), pairs.sizes["train"]
    if recipe.limit and recipe.limit < count:
        training, count = training.take(recipe.limit), recipe.limit
    search = {name: getattr(recipe, name) for name in ("beam", "penalty", "coverage")} | {"length": recipe.longest}
    assets = assets or {**train_tokenizers(recipe, training), "languages": languages, "search": search}

    def train(epoch: int) -> tf.data.Dataset:
        # A pair that does not fit is left out: half a sentence is not the translation of a whole one. A source is
        # cut to one token more than fits, so that it can be told.
        sides = source_encoder(assets, recipe.longest + 1), target_encoder(assets)
        examples = batches.encoded(training, *sides)
        examples = examples.filter(lambda s, t: tf.maximum(tf.size(s), tf.size(t) - 1) <= recipe.longest)
        examples = batches.shuffled(examples, recipe.seed, epoch)
        ready = batches.paired(examples, recipe.batch_size, bucket_boundaries(recipe.longest + 1))
        return batches.mixed(ready, recipe.seed, epoch).prefetch(2)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        examples = pairs.split(name)
        examples = examples.take(limit) if limit else examples
        examples = batches.encoded(examples, source_encoder(assets, recipe.longest))
        return batches.bucketed(examples, SCORED_AT_ONCE, bucket_boundaries(recipe.longest)).prefetch(2)

    return Data(
        train=train,
        split=split,
        assets=assets,
        sizes={**pairs.sizes, "train": count},
        facts={**pairs.facts, "scoring": signatures()},
    )


def bucket_boundaries(longest: int) -> list[int]:
    """Those of `BOUNDARIES` that sentences of at most `longest` tokens need."""
    return [*[b for b in BOUNDARIES if b < longest], longest]


def train_tokenizers(recipe: Train, training: tf.data.Dataset) -> dict[str, text.Tokenizer]:
    """One tokenizer for both sides, or one for each, trained on the training pairs."""

    def texts(*sides: int) -> Iterator[str]:
        for pair in training.as_numpy_iterator():
            yield from (pair[side].decode("utf-8", "replace") for side in sides)

    def learn(stream: Iterator[str]) -> text.Tokenizer:
        return text.Tokenizer.train(stream, recipe.tokens, recipe.vocabulary, lowercase=recipe.lowercase)

    if recipe.joint:
        return {"tokenizer": learn(texts(0, 1))}
    return {"source_tokenizer": learn(texts(0)), "target_tokenizer": learn(texts(1))}


def source_tokenizer(assets: Mapping[str, Any]) -> text.Tokenizer:
    """The tokenizer of the source side."""
    return assets.get("tokenizer") or assets["source_tokenizer"]


def target_tokenizer(assets: Mapping[str, Any]) -> text.Tokenizer:
    """The tokenizer of the target side."""
    return assets.get("tokenizer") or assets["target_tokenizer"]


def source_encoder(assets: Mapping[str, Any], longest: int) -> Callable[[Sequence[str]], list]:
    """Source texts -> ids, cut to `longest` with the end token, which tells the encoder where a sentence ends."""
    tokenizer = source_tokenizer(assets)
    return lambda texts: [[*text.cut(ids, longest - 1), text.END] for ids in tokenizer.encode(texts)]


def target_encoder(assets: Mapping[str, Any]) -> Callable[[Sequence[str]], list]:
    """Target texts -> ids between the start and the end token."""
    tokenizer = target_tokenizer(assets)
    return lambda texts: [[text.START, *ids, text.END] for ids in tokenizer.encode(texts)]
