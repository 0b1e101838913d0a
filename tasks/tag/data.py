"""From a data set's name or file to batches of sequences with a label for each step."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import batches, text, word_vectors
from zoo.data import pipeline as pipelines
from zoo.data.pipeline import Pipeline
from zoo.data.raw import RawDataset, with_labels
from zoo.errors import UserError
from zoo.task import Data

from .clips_folder import ClipFormat
from .encoding import MAX_CHARACTERS, encoded_words, model_inputs
from .raw import UNLABELED, open_sequences
from .recipe import Train

BOUNDARIES = (8, 12, 16, 24, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192)
"""Bucket boundaries: up to 48 the lengths of the built-in clips, then whatever a user may have."""

SHUFFLE_BUFFER = {"frames": 2_000, "features": 2_000, "tokens": batches.SHUFFLE_BUFFER}
"""Sequences held for shuffling: 2,000 of the built-in clips are 40 MB."""

SCORING_BATCH_SIZE = 64
"""Larger batches than in training are faster: there are no gradients to hold."""

SHIFT = 1 - UNLABELED
"""Added to labels while they are batched, so that the 0 of padding differs from all of them."""

SENTENCES = (
    "George Washington lived in Virginia .",
    "The United Nations met in New York on Friday .",
    "rain",
)
"""Golden inputs of a model of words."""

EXAMPLE_STEPS = 24
"""Steps of a golden input of numbers: enough to compare, short enough to read."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None, *, fine_tune: bool = False) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, labels, vocabulary, batch size, lengths, seed and limit are used.
        assets: Those of a saved model; without them a vocabulary is made of the training words, if steps are words.
        fine_tune: Whether a training goes on from that model; without it, the data set is only scored.

    Raises:
        UserError: If there is no such data set, it does not suit the saved model, or a file cannot be used.
    """

    def read(known: Sequence[str] | None) -> RawDataset:
        return open_sequences(
            recipe.dataset,
            recipe.tags,
            known,
            clip_format(recipe, assets),
            word_column=recipe.word_column,
            validation=recipe.validation_dataset,
            test=recipe.test_dataset,
        )

    raw = with_labels(read, assets["labels"] if assets else None, fine_tune).take(recipe.limit)
    if assets:
        check_input(raw, assets["input"])
    examples = golden_inputs(raw) if fine_tune or not assets else None
    if assets is None:
        assets = new_assets(recipe, raw)
    elif fine_tune:
        assets = {**assets, "labels": list(raw.labels)}
    kind, tokenizer, characters = kind_of(raw), assets.get("tokenizer"), assets.get("character_tokenizer")

    def encode(rows: tf.data.Dataset, training: bool) -> tf.data.Dataset:
        if training:
            rows = rows.map(lambda sequence, labels: (sequence[: recipe.max_length], labels[: recipe.max_length]))
        return _encoded(rows, tokenizer, characters)

    def batch(rows: tf.data.Dataset, size: int) -> tf.data.Dataset:
        return _batched(rows, kind, size, characters is not None)

    pipeline = Pipeline(
        raw,
        batch,
        encode,
        recipe.batch_size,
        recipe.seed,
        scoring_batch_size=SCORING_BATCH_SIZE,
        shuffle_buffer=SHUFFLE_BUFFER[kind],
        cached=0 if kind == "frames" else pipelines.CACHED,  # frames are large, and nothing is computed from them
    )
    return Data(
        raw=raw,
        train=pipeline.train,
        split=pipeline.split,
        assets=assets,
        sizes=raw.sizes,
        card=raw.card,
        examples=examples,
        paired=pipeline.split,
    )


def clip_format(recipe: Train, assets: Mapping[str, Any] | None = None) -> ClipFormat:
    """How clips of a folder are read: as a saved model needs them, else as the recipe says."""
    side, channels = recipe.image_size, 3 if recipe.color else 1
    if assets and assets["input"]["kind"] == "frames":
        side, _, channels = assets["input"]["shape"]
    return ClipFormat(side, channels, recipe.fps)


def kind_of(raw: RawDataset) -> str:
    """What a step is: `"frames"`, `"tokens"` or `"features"`."""
    return raw.card.details["kind"]


def step_shape(raw: RawDataset) -> list[int]:
    """Shape of a step: `[height, width, channels]`, `[]` or `[features]`."""
    if kind_of(raw) == "tokens":
        return []
    # The last split is "all" in a folder of clips: nothing is hashed to know which clips are held out.
    return raw.split(raw.names[-1]).element_spec[0].shape.as_list()[1:]


def check_input(raw: RawDataset, model_input: Mapping[str, Any]) -> None:
    """Raises a UserError unless a saved model can read the steps of this data set."""
    kind, shape = kind_of(raw), step_shape(raw)
    if (kind, shape) != (model_input["kind"], model_input["shape"]):
        raise UserError(
            f"Data set {raw.card.name!r} has {kind} of the shape {shape}; "
            f"the model reads {model_input['kind']} of the shape {model_input['shape']}. "
            "Give data of the model's kind, or train a new model on this data."
        )


def new_assets(recipe: Train, raw: RawDataset) -> dict[str, Any]:
    """What a saved model needs besides its weights: `labels`, `input`, and for words one or two tokenizers.

    Raises:
        UserError: If the recipe asks for characters or vectors of words, and steps are no words.
    """
    assets: dict[str, Any] = {"labels": list(raw.labels), "input": {"kind": kind_of(raw), "shape": step_shape(raw)}}
    if kind_of(raw) == "tokens":
        assets["tokenizer"] = vocabulary(recipe, raw.split("train"))
        if recipe.character_units:
            assets["character_tokenizer"] = text.Tokenizer.train(_words(raw.split("train")), "char", 10_000)
    else:
        given = {
            "--character-units": recipe.character_units,
            "--word-vectors": recipe.word_vectors,
            "--pretrain-epochs": recipe.pretrain_epochs,
        }
        for option, value in given.items():
            if value:
                raise UserError(f"{option} is for words; {raw.card.name} has {kind_of(raw)}. Leave it out.")
    return assets


def vocabulary(recipe: Train, training: tf.data.Dataset) -> text.Tokenizer:
    """The words of the training split, one id each, then those of the file of vectors as far as there is room."""
    words = _words(training)
    if recipe.word_vectors:
        given = word_vectors.read(Path(recipe.word_vectors)).words
        # As often as an entry must occur: behind the frequent words of the training split, before the rare ones.
        words = chain(words, (word for word in given for _ in range(recipe.min_count)))
    return text.Tokenizer.train(
        words, "given", recipe.vocabulary_size, lowercase=recipe.lowercase, min_count=recipe.min_count
    )


def _words(training: tf.data.Dataset) -> Iterator[str]:
    return (word.decode("utf-8", "replace") for some, _ in training.as_numpy_iterator() for word in some)


def step_spec(characters: text.Tokenizer | None) -> tf.TensorSpec:
    """What `encoded_words` returns."""
    return tf.TensorSpec([None] if characters is None else [None, 1 + MAX_CHARACTERS], tf.int32)


def _encoded(
    rows: tf.data.Dataset, tokenizer: text.Tokenizer | None, characters: text.Tokenizer | None
) -> tf.data.Dataset:
    """Words as ids; labels from 1 on, of which 1 is that of a step without a label."""

    def encode(words: np.ndarray) -> np.ndarray:
        assert tokenizer is not None
        return encoded_words(tokenizer, characters, [word.decode("utf-8", "replace") for word in words])

    def step(sequence: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if tokenizer is not None:
            encoded = tf.numpy_function(encode, [sequence], tf.int32)
            sequence = tf.ensure_shape(encoded, step_spec(characters).shape)
        return sequence, tf.maximum(tf.cast(labels, tf.int32), UNLABELED) + SHIFT

    return rows.map(step)


def _batched(rows: tf.data.Dataset, kind: str, batch_size: int, characters: bool) -> tf.data.Dataset:
    """What a model reads (`model_inputs`); labels, -1 at padding too; weights of rows."""

    def with_lengths(sequence: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tuple:
        lengths = tf.reduce_sum(tf.cast(labels > 0, tf.int32), axis=1)
        inputs = model_inputs(sequence, kind, lengths, characters)
        return inputs, tf.maximum(labels - SHIFT, UNLABELED), weights

    return batches.bucketed(rows, batch_size, BOUNDARIES).map(with_lengths)


def golden_inputs(raw: RawDataset) -> Sequence[str] | None:
    """Golden inputs as `zoo tag` takes them; for frames those of the task, which are clips."""
    if kind_of(raw) != "features":
        return SENTENCES if kind_of(raw) == "tokens" else None
    rows = [steps[:EXAMPLE_STEPS] for steps, _ in raw.split("test", 2).as_numpy_iterator()]
    return [json.dumps(np.round(steps.astype(float), 4).tolist()) for steps in rows]
