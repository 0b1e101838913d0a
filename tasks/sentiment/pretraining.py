"""Before the labels: word vectors and recurrent layers learn from bare texts, labelled or not."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import batches, builders, optimizers, text
from zoo.errors import UserError
from zoo.task import Data, Stage

from .data import bucket_boundaries, open_texts, unlabelled
from .recipe import Train


def before(recipe: Train, data: Data) -> Stage | None:
    """The stage without labels, if the recipe wants one.

    Raises:
        UserError: If the recipe's net cannot be pretrained.
    """
    if not recipe.pretrain_epochs:
        return None
    if recipe.depth > 1 and recipe.bidirectional:
        raise UserError(
            "--pretrain-epochs with --bidirectional needs --depth 1: above the first layer, each direction has "
            "already seen the words it would have to predict."
        )
    if recipe.depth > 1:
        raise UserError(f"--pretrain-epochs needs --depth 1; got {recipe.depth}.")
    own = dataclasses.replace(
        recipe,
        epochs=recipe.pretrain_epochs,
        learning_rate=recipe.pretrain_rate,
        schedule="cosine",
        warmup=0.05,
        averaging=0.0,
        patience=0,
    )
    return Stage(own, windows(recipe, data), build, score, monitor="nats_a_word", higher_is_better=False)


def windows(recipe: Train, data: Data) -> Data:
    """Batches of pieces of texts: from each text one, which starts at a random place each epoch."""
    texts = open_texts(recipe)
    tokenizer = data.assets["tokenizer"]
    longest = recipe.pretrain_window
    sizes = dict(texts.sizes)
    more = sizes.pop("unlabelled", 0)
    sizes["train"] = recipe.limit or sizes["train"] + more

    def pieces(dataset: tf.data.Dataset, epoch: int) -> tf.data.Dataset:
        def piece(index: tf.Tensor, item: tuple) -> tuple[tf.Tensor, tf.Tensor]:
            ids = item[0]
            room = tf.maximum(tf.shape(ids)[0] - longest, 0)
            start = tf.random.stateless_uniform(
                [], tf.stack([index, tf.cast(recipe.seed * 1009 + epoch, tf.int64)]), 0, room + 1, tf.int32
            )
            return ids[start : start + longest], tf.constant(0)

        encoded = batches.encoded(
            dataset.map(lambda item: (item,)),
            # The end is a word too: without it, a backward model would never see how texts stop.
            lambda rows: [[*ids, text.END] for ids in tokenizer.encode(rows)],
        )
        return encoded.enumerate().map(piece)

    def train(epoch: int) -> tf.data.Dataset:
        examples = batches.shuffled(pieces(unlabelled(recipe, texts), epoch), recipe.seed, epoch)
        ready = batches.bucketed(examples, recipe.batch_size, bucket_boundaries(longest))
        return batches.mixed(ready, recipe.seed, epoch).map(_inputs_only).prefetch(2)

    def split(name: str) -> tf.data.Dataset:
        whole = texts.split(name).map(lambda item, _: item)
        return batches.bucketed(pieces(whole, 0), 128, bucket_boundaries(longest)).prefetch(2)

    return Data(train, split, data.assets, sizes, data.facts)


def _inputs_only(tokens: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    # The loss is a mean over tokens already; rows that only fill a batch up have none.
    return tokens, targets


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled pretraining model, whose layers have the classifier's names and sizes."""
    model = builders.pretrainer(
        vocabulary=data.assets["tokenizer"].size,
        cell=recipe.cell,
        units=recipe.units,
        embedding=recipe.embedding,
        bidirectional=recipe.bidirectional,
    )
    optimizers.compile(model, recipe, data.sizes["train"], loss=builders.token_mean)
    return model


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Nats a predicted word, estimated as in training with sampled negatives."""
    total = np.zeros(2)
    for tokens, *_ in batches:
        total += np.asarray(model.predict_on_batch(np.asarray(tokens))).sum(axis=0)
    return {"nats_a_word": float(total[0] / max(total[1], 1.0))}
