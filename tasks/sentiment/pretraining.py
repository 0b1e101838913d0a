"""Pretraining: word vectors and recurrent layers learn from bare texts, labeled or not."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import builders, optimizers
from zoo.data import batches
from zoo.data.pipeline import Pipeline
from zoo.errors import UserError
from zoo.ids import END
from zoo.settings import NO_LOSS_TERMS
from zoo.task import Data, Stage

from .data import BOUNDARIES, all_texts
from .recipe import Train


def pretraining(recipe: Train, data: Data) -> Stage:
    """The stage without labels.

    Raises:
        UserError: If the recipe's net cannot be pretrained.
    """
    if recipe.num_layers > 1 and recipe.bidirectional:
        raise UserError(
            "--pretrain-epochs with --bidirectional needs --num-layers 1: above the first layer, each direction has "
            "already seen the words it would have to predict."
        )
    if recipe.block != "none" and recipe.bidirectional:
        raise UserError(
            f"--pretrain-epochs with --block {recipe.block} needs --no-bidirectional: a block mixes both directions, "
            "so that each would see the word it has to predict."
        )
    if recipe.num_layers > 1:
        raise UserError(f"--pretrain-epochs needs --num-layers 1; got {recipe.num_layers}.")
    own = dataclasses.replace(
        recipe,
        epochs=recipe.pretrain_epochs,
        learning_rate=recipe.pretrain_learning_rate,
        schedule="cosine",
        warmup=0.05,
        ema_momentum=0.0,
        patience=0,
        unlabeled=False,  # an option of the stage with labels: this one reads all texts in any case
        **NO_LOSS_TERMS,
    )
    return Stage("pretrain", own, windows(recipe, data), build, score, "loss_per_token", higher_is_better=False)


def windows(recipe: Train, data: Data) -> Data:
    """Batches of windows of texts: one from each text, which starts at a random position in each epoch."""
    raw, tokenizer, length = data.raw, data.assets["tokenizer"], recipe.pretrain_window

    def encode(examples: tf.data.Dataset, epoch: int) -> tf.data.Dataset:
        def window(index: tf.Tensor, item: tuple) -> tuple[tf.Tensor, tf.Tensor]:
            ids = item[0]
            room = tf.maximum(tf.shape(ids)[0] - length, 0)
            start = tf.random.stateless_uniform(
                [], tf.stack([index, tf.cast(recipe.seed * 1009 + epoch, tf.int64)]), 0, room + 1, tf.int32
            )
            return ids[start : start + length], tf.constant(0)

        encoded = batches.encoded(
            examples.map(lambda item: (item,)),
            # The end is a word too: without it, a backward model would never see how texts end.
            lambda rows: [[*ids, END] for ids in tokenizer.encode(rows)],
        )
        return encoded.enumerate().map(window)

    def batch(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        return batches.bucketed(examples, size, batches.boundaries(BOUNDARIES, length))

    def train(epoch: int) -> tf.data.Dataset:
        # The loss is a mean over tokens already; rows that only fill a batch have none.
        return pipeline.train(epoch).map(lambda tokens, targets, weights: (tokens, targets))

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        examples = raw.split(name, limit).map(lambda item, _: item)
        return batch(encode(examples, 0), pipeline.scoring_batch_size).prefetch(2)

    def sizes() -> dict[str, int]:
        known = raw.sizes()
        more = known.pop("unlabeled", 0)
        return {**known, "train": recipe.limit or known["train"] + more}

    pipeline = Pipeline(
        raw, batch, batch_size=recipe.batch_size, seed=recipe.seed,
        epoch_examples=lambda epoch: encode(all_texts(recipe, raw), epoch),
    )  # fmt: skip
    return Data(raw, train, split, data.assets, sizes, data.card)


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled pretraining model, whose layers have the classifier's names and sizes."""
    model = builders.pretrainer(
        vocabulary_size=data.assets["tokenizer"].size,
        cell=recipe.cell,
        units=recipe.units,
        embedding_dim=recipe.embedding_dim,
        bidirectional=recipe.bidirectional,
        block=None if recipe.block == "none" else recipe.block,
    )
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=builders.token_mean)
    return model


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Cross-entropy in nats per predicted word, estimated as in training with sampled negatives."""
    total = np.zeros(2)
    for tokens, *_ in batches:
        total += np.asarray(model.predict_on_batch(np.asarray(tokens))).sum(axis=0)
    return {"loss_per_token": float(total[0] / max(total[1], 1.0))}
