"""From a data set's name or file to batches of sequences with a label for each step."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import batches, text
from zoo.errors import UserError
from zoo.task import Data

from .folder import Look
from .recipe import DATASETS, Train
from .sequences import SOURCES, Sequences, open_sequences

assert SOURCES.keys() == DATASETS.keys(), "recipe.py tells of the sets that stand in sequences.py"

BOUNDARIES = (8, 12, 16, 24, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192)
"""Bucket boundaries: up to 48 the lengths of clips, behind them whatever a user may have."""

SHUFFLED = {"frames": 2_000, "features": 2_000, "tokens": batches.SHUFFLE_BUFFER}
"""Sequences held for shuffling: 50 MB of clips."""

PADDING, UNASKED = 0, 1
"""What labels are told apart from while they are batched; the first label is 2."""

SENTENCES = (
    "George Washington lived in Virginia .",
    "The United Nations met in New York on Friday .",
    "rain",
)
"""Golden inputs of a model of words."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, labels, vocabulary, batch size, longest, seed and limit are used.
        assets: Those of a saved model; without them a vocabulary is made of the training words, if it is words.

    Raises:
        UserError: If there is no such data set, it does not suit the saved model, or a file cannot be used.
    """
    side, channels = recipe.image_size, 3 if recipe.colour else 1
    if assets and assets["input"]["kind"] == "frames":
        side, _, channels = assets["input"]["shape"]
    look = Look(side, channels, recipe.fps)
    known = assets["labels"] if assets else None
    sequences = open_sequences(recipe.dataset, recipe.labels, recipe.seed, known, look)
    kind = sequences.kind
    count = min(recipe.limit or sequences.sizes["train"], sequences.sizes["train"])
    training = sequences.split("train").take(count)
    if assets:
        _check(recipe, sequences, assets)
        own = dict(assets)
    else:
        own = {"labels": list(sequences.labels), "input": {"kind": kind, "shape": list(sequences.shape)}}
        if kind == "tokens":
            own["tokenizer"] = vocabulary(recipe, training)
    tokenizer = own.get("tokenizer")

    def train(epoch: int) -> tf.data.Dataset:
        cut = training.map(lambda sequence, labels: (sequence[: recipe.longest], labels[: recipe.longest]))
        rows = batches.shuffled(_ready(cut, tokenizer), recipe.seed, epoch, SHUFFLED[kind])
        return batches.mixed(_batched(rows, kind, recipe.batch_size), recipe.seed, epoch).prefetch(2)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        rows = sequences.split(name)
        # No gradients to hold: larger batches than in training are faster.
        return _batched(_ready(rows.take(limit) if limit else rows, tokenizer), kind, 64).prefetch(2)

    return Data(
        train=train,
        split=split,
        assets=own,
        sizes={**sequences.sizes, "train": count},
        facts=sequences.facts,
        examples=_examples(sequences),
    )


def _check(recipe: Train, sequences: Sequences, assets: Mapping[str, Any]) -> None:
    """Raises a UserError unless a saved model can be scored on this data set."""
    labels, own = list(assets["labels"]), assets["input"]
    if list(sequences.labels) != labels:
        raise UserError(
            f"Data set {recipe.dataset!r} has the labels {', '.join(sequences.labels)}; "
            f"the model knows {', '.join(labels)}."
        )
    if (sequences.kind, list(sequences.shape)) != (own["kind"], own["shape"]):
        raise UserError(
            f"Data set {recipe.dataset!r} has {sequences.kind} of the shape {list(sequences.shape)}; "
            f"the model reads {own['kind']} of the shape {own['shape']}."
        )


def vocabulary(recipe: Train, training: tf.data.Dataset) -> text.Tokenizer:
    """The words of the training split, one id each."""
    words = (word.decode("utf-8", "replace") for some, _ in training.as_numpy_iterator() for word in some)
    return text.Tokenizer.train(words, "given", recipe.vocabulary, lowercase=recipe.lowercase, least=recipe.least)


def ids(tokenizer: text.Tokenizer, words: Sequence[str]) -> list[int]:
    """One id a word, whatever the word."""
    return [found[0] if found else text.UNKNOWN for found in tokenizer.encode(words)]


def _ready(rows: tf.data.Dataset, tokenizer: text.Tokenizer | None) -> tf.data.Dataset:
    """Words as ids, labels as they are batched."""

    def encode(words: np.ndarray) -> np.ndarray:
        assert tokenizer is not None
        return np.array(ids(tokenizer, [word.decode("utf-8", "replace") for word in words]), "int32")

    def step(sequence: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if tokenizer is not None:
            sequence = tf.ensure_shape(tf.numpy_function(encode, [sequence], tf.int32), [None])
        return sequence, tf.maximum(labels, -1) + UNASKED + 1

    return rows.map(step)


def _batched(rows: tf.data.Dataset, kind: str, batch_size: int) -> tf.data.Dataset:
    """Tokens, or pairs of sequences and their lengths; labels, -1 where nothing is asked; weights of rows."""

    def told(sequence: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tuple:
        lengths = tf.reduce_sum(tf.cast(labels > PADDING, tf.int32), axis=1)
        inputs = sequence if kind == "tokens" else (sequence, lengths)
        return inputs, tf.maximum(labels - UNASKED - 1, -1), weights

    return batches.bucketed(rows, batch_size, BOUNDARIES).map(told)


def _examples(sequences: Sequences) -> Sequence[str] | None:
    """Golden inputs as `zoo tag` takes them; those of the task are clips."""
    if sequences.kind != "features":
        return SENTENCES if sequences.kind == "tokens" else None
    rows = [steps[:24] for steps, _ in sequences.split("test").take(2).as_numpy_iterator()]
    return [json.dumps(np.round(steps.astype(float), 4).tolist()) for steps in rows]
