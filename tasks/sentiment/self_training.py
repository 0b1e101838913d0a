"""Self-training: the net learns on from what it and the classifier of n-grams think together of unlabeled texts."""

import dataclasses
import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.data.raw import RawDataset
from zoo.data.text import Tokenizer
from zoo.task import Data, Score, Stage

from .data import SCORING_BATCH_SIZE, bare, mixed, pipeline, pseudo_labels
from .model import build
from .recipe import Train

SURE = 1e-4
"""Probabilities are kept this far from 0 and 1 before they are averaged."""


def self_training(recipe: Train, data: Data, score: Score) -> Stage:
    """The stage after the training with the n-grams' probabilities.

    Before each epoch, the net predicts the unlabeled texts anew. The targets are the mean of its log-odds and those of
    the classifier of n-grams, which errs on other texts: together they are right more often than either (Blum and
    Mitchell 1998; Yarowsky 1995 for learning from one's own answers).
    """
    own = dataclasses.replace(
        recipe, epochs=recipe.self_training_epochs, learning_rate=recipe.self_training_learning_rate
    )
    size = min(data.raw.size("unlabeled"), recipe.limit or data.raw.size("unlabeled"))
    tokenizer = data.assets["tokenizer"]
    by_grams = functools.cache(lambda: pseudo_labels(recipe, data.raw, tokenizer, size))

    def train(epoch: int, model: keras.Model) -> tf.data.Dataset:
        targets = blended(predicted(model, recipe, data.raw, tokenizer, size), by_grams())
        return pipeline(own, data.raw, tokenizer, mixed(own, data.raw, targets)).train(epoch)

    return Stage(
        "self_training", own, dataclasses.replace(data, train=train), build, score, "accuracy",
        on_policy=True, start="weights",
    )  # fmt: skip


def predicted(model: keras.Model, recipe: Train, raw: RawDataset, tokenizer: Tokenizer, size: int) -> np.ndarray:
    """The net's probabilities for the first texts without a label, `(size, labels)`, in their order."""
    numbered = bare(raw, size).enumerate().map(lambda number, item: (item, number))
    ready = pipeline(recipe, raw, tokenizer)
    found = np.zeros((size, len(raw.labels)), "float32")
    for tokens, numbers, weights in ready.batch(ready.encode(numbered, False), SCORING_BATCH_SIZE):
        real = np.asarray(weights) > 0
        found[np.asarray(numbers)[real]] = np.asarray(model.predict_on_batch(np.asarray(tokens)))[real]
    return found


def blended(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The probabilities whose log-odds are the mean of those of two predictions, `(texts, labels)`."""
    logs: Any = (np.log(one.clip(SURE, 1 - SURE)) + np.log(other.clip(SURE, 1 - SURE))) / 2
    odds = np.exp(logs)
    return (odds / odds.sum(axis=1, keepdims=True)).astype("float32")
