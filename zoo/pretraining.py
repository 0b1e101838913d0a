"""Pretraining: word vectors and recurrent layers learn from bare texts, before a task's training with labels.

A task hands over batches of texts; its settings are `pretrain_epochs`, `pretrain_learning_rate` and `pretrain_window`,
and the sizes of its net. See `zoo.builders.pretrainer` for what is learned.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import builders, optimizers
from zoo.errors import UserError
from zoo.evaluation import predictions
from zoo.settings import NO_LOSS_TERMS
from zoo.task import Data, Stage


def check(recipe: Any) -> None:
    """Refuses nets whose layers cannot learn from the words around a word.

    Raises:
        UserError: If the recipe's net is one.
    """
    if recipe.cell == "none":
        raise UserError(
            "--pretrain-epochs needs a recurrent cell, and --cell none has none. Choose a --cell such as gru."
        )
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


def stage(recipe: Any, data: Data, build: Callable[[Any, Data], keras.Model], **settings: Any) -> Stage:
    """The stage without labels.

    Args:
        recipe: Settings of the whole training.
        data: Batches of texts in place of those with labels: `(inputs, anything)`.
        build: The function below, or one that calls it.
        **settings: Further settings of this stage.

    Raises:
        UserError: If the recipe's net cannot be pretrained.
    """
    check(recipe)
    own = dataclasses.replace(
        recipe,
        epochs=recipe.pretrain_epochs,
        learning_rate=recipe.pretrain_learning_rate,
        schedule="cosine",
        warmup=0.05,
        ema_momentum=0.0,
        patience=0,
        **NO_LOSS_TERMS,
        **settings,
    )
    return Stage("pretrain", own, data, build, score, "loss_per_token", higher_is_better=False)


def window(steps: tf.Tensor, index: tf.Tensor, recipe: Any, epoch: int) -> tf.Tensor:
    """A part of a text, `pretrain_window` steps at most, from a position that seed, epoch and index decide.

    Args:
        steps: `(time, ...)`.
        index: Number of the text, int64.
        recipe: The settings.
        epoch: Number of the epoch.
    """
    length = recipe.pretrain_window
    room = tf.maximum(tf.shape(steps)[0] - length, 0)
    seed = tf.stack([index, tf.cast(recipe.seed * 1009 + epoch, tf.int64)])
    start = tf.random.stateless_uniform([], seed, 0, room + 1, tf.int32)
    return steps[start : start + length]


def build(recipe: Any, data: Data, **options: Any) -> keras.Model:
    """The compiled pretraining model, whose layers have the names and sizes of those of the task's model.

    Args:
        recipe: Settings of the stage.
        data: Its batches.
        **options: Further arguments of `builders.pretrainer`.
    """
    model = builders.pretrainer(
        vocabulary_size=data.assets["tokenizer"].size,
        cell=recipe.cell,
        units=recipe.units,
        embedding_dim=recipe.embedding_dim,
        bidirectional=recipe.bidirectional,
        block=None if recipe.block == "none" else recipe.block,
        **options,
    )
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=builders.token_mean)
    return model


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Cross-entropy in nats per predicted word, estimated as in training with sampled negatives."""
    total = np.zeros(2)
    for _, output, _ in predictions(model, batches):
        total += output.sum(axis=0)
    return {"loss_per_token": float(total[0] / max(total[1], 1.0))}
