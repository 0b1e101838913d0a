"""From a data set's name or folder to batches of sentence pairs, and the tokenizers they need."""

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from zoo.data import batches, text
from zoo.data.bpe_dropout import BPEDropout
from zoo.data.pipeline import Pipeline
from zoo.decoding.options import of_recipe
from zoo.errors import UserError
from zoo.task import Data

from .encoding import BOUNDARIES, Encode, framed, source_encoder, source_tokenizer, target_tokenizer
from .raw import open_pairs
from .recipe import Train
from .scoring import signatures


def load(recipe: Train, assets: Mapping[str, Any] | None = None, *, fine_tune: bool = False) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, direction, tokenization, batch size, seed, limit and search settings are used.
        assets: Those of a saved model; without them tokenizers are trained on the training pairs.
        fine_tune: Whether a training goes on from that model; without it, the data set is only scored.

    Raises:
        UserError: If there is no such data set, or its languages are not those of the saved model.
    """
    raw = open_pairs(
        recipe.dataset,
        recipe.reverse,
        recipe.source,
        columns=(recipe.source_column, recipe.target_column),
        validation=recipe.validation_dataset,
        test=recipe.test_dataset,
        read_all=fine_tune or assets is None,
    ).take(recipe.limit)
    languages, card = raw.card.details["languages"], raw.card
    if fine_tune or assets is None:
        card = card.with_details(scoring=signatures())
    if assets is None:
        assets = {**train_tokenizers(recipe, raw.split("train")), "languages": languages, "search": of_recipe(recipe)}
    elif languages != assets["languages"]:
        source, target = assets["languages"]
        raise UserError(
            f"Data set {recipe.dataset!r} goes from {languages[0]} to {languages[1]}; "
            f"the model translates from {source} to {target}. "
            "Give data in the model's direction, or train a new model on this data."
        )
    elif fine_tune:
        assets = {**assets, "search": of_recipe(recipe)}
    longest, drops = recipe.max_length, bpe_dropout(recipe, assets)

    def encode_pairs(examples: tf.data.Dataset, source: Encode, target: Encode) -> tf.data.Dataset:
        # A pair that is too long is left out: half a sentence is not the translation of a whole one. A source is
        # truncated to one token more than allowed, which shows that it was too long.
        examples = batches.encoded(examples, framed(source, longest + 1), framed(target, start=True))
        return examples.filter(lambda s, t: tf.maximum(tf.size(s), tf.size(t) - 1) <= longest)

    def lengths(split: str, limit: int | None) -> Iterator[int]:
        encoders = framed(source_tokenizer(assets).encode), framed(target_tokenizer(assets).encode)
        for pair in batches.encoded(raw.split(split, limit), *encoders).as_numpy_iterator():
            yield max(map(len, pair))

    def encode_training(examples: tf.data.Dataset, training: bool) -> tf.data.Dataset:
        if drops and training:
            return examples  # each epoch has encoded its own
        return encode_pairs(examples, source_tokenizer(assets).encode, target_tokenizer(assets).encode)

    def epoch_examples(epoch: int) -> tf.data.Dataset:
        source, target = (each.encoder(epoch) for each in drops)
        return encode_pairs(raw.split("train"), source, target)

    def encode_sources(examples: tf.data.Dataset, training: bool) -> tf.data.Dataset:
        return batches.encoded(examples, source_encoder(assets, longest))

    def teacher_forced(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        return batches.teacher_forced(examples, size, batches.boundaries(BOUNDARIES, longest + 1))

    def bucketed(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        return batches.bucketed(examples, size, batches.boundaries(BOUNDARIES, longest))

    training = Pipeline(
        raw,
        teacher_forced,
        encode_training,
        recipe.batch_size,
        recipe.seed,
        epoch_examples=epoch_examples if drops else None,
    )
    return Data(
        raw=raw,
        train=training.train,
        split=Pipeline(raw, bucketed, encode_sources).split,
        assets=assets,
        sizes=raw.sizes,
        card=card,
        paired=training.split,
        lengths=lengths,
    )


def train_tokenizers(recipe: Train, training: tf.data.Dataset) -> dict[str, text.Tokenizer]:
    """One tokenizer for both sides, or one for each, trained on the training pairs."""

    def texts(*sides: int) -> Iterator[str]:
        for pair in training.as_numpy_iterator():
            yield from (pair[side].decode("utf-8", "replace") for side in sides)

    def learn(stream: Iterator[str]) -> text.Tokenizer:
        return text.Tokenizer.train(stream, recipe.tokenizer, recipe.vocabulary_size, lowercase=recipe.lowercase)

    if recipe.shared_vocabulary:
        return {"tokenizer": learn(texts(0, 1))}
    return {"source_tokenizer": learn(texts(0)), "target_tokenizer": learn(texts(1))}


def bpe_dropout(recipe: Train, assets: Mapping[str, Any]) -> list[BPEDropout]:
    """The encoders of training texts, source and target, that leave merges out; empty if the recipe has none."""
    if not recipe.bpe_dropout:
        return []
    tokenizers = source_tokenizer(assets), target_tokenizer(assets)
    return [BPEDropout(each, recipe.bpe_dropout, recipe.seed + side) for side, each in enumerate(tokenizers)]
