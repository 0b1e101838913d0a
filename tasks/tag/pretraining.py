"""Pretraining on sentences without labels, `--pretrain-dataset`."""

import functools
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from zoo import pretraining as shared
from zoo.data import batches, files
from zoo.data.pipeline import Pipeline
from zoo.errors import UserError
from zoo.task import Data, Stage

from .conll import split_words
from .data import BOUNDARIES, step_spec
from .encoding import encoded_words, model_inputs
from .model import set_word_vectors
from .recipe import Train

NUM_SAMPLES = 1024
"""Negatives of the sampled softmax: twice the default, as the words are not sorted by their frequency in the file."""


def pretraining(recipe: Train, data: Data) -> Stage:
    """The stage without labels.

    Raises:
        UserError: If the recipe's net cannot be pretrained.
    """
    return shared.stage(recipe, sentences(recipe, data), build, batch_size=recipe.pretrain_batch_size)


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled pretraining model; it starts with the word vectors of the recipe, as the tagger does.

    Words are dropped as in the training with labels: without that, characters would hardly be learned from, and words
    that no vocabulary has are known by them alone.
    """
    characters = data.assets.get("character_tokenizer")
    model = shared.build(
        recipe, data, word_dropout=recipe.word_dropout, num_samples=NUM_SAMPLES, character_dim=recipe.character_dim,
        **({"character_vocabulary_size": characters.size, "character_units": recipe.character_units}
           if characters else {}),
    )  # fmt: skip
    set_word_vectors(model.embedding, recipe, data)
    return model


def sentences(recipe: Train, data: Data) -> Data:
    """Batches of the lines of a file, split into words as `zoo tag` splits what is typed; validation is the data's own.

    Raises:
        UserError: If the file cannot be read or has no sentence; when its size is asked for.
    """
    path, tokenizer = Path(recipe.pretrain_dataset or ""), data.assets["tokenizer"]
    characters, known = data.assets.get("character_tokenizer"), set(tokenizer.inner.get_vocab())

    def lines() -> Iterator[str]:
        """Those with two words at least: one alone has no neighbor to predict."""
        found = (line for line in files.lines(path) if len(line.split(maxsplit=1)) > 1)
        return (line for _, line in zip(range(recipe.limit), found)) if recipe.limit else found  # noqa: B905

    def encoded() -> Iterator[np.ndarray]:
        return (encoded_words(tokenizer, characters, split_words(line, known)) for line in lines())

    def examples(epoch: int) -> tf.data.Dataset:
        rows = tf.data.Dataset.from_generator(encoded, output_signature=step_spec(characters))
        return rows.enumerate().map(lambda index, row: (shared.window(row, index, recipe, epoch), tf.constant(0)))

    def batch(rows: tf.data.Dataset, size: int) -> tf.data.Dataset:
        ready = batches.bucketed(rows, size, batches.boundaries(BOUNDARIES, recipe.pretrain_window))
        # The loss is a mean over tokens already; rows that only fill a batch have none.
        return ready.map(lambda rows, nothing, _: (model_inputs(rows, "tokens", None, characters is not None), nothing))

    @functools.cache
    def number() -> int:
        if found := sum(1 for _ in lines()):
            return found
        raise UserError(f"{path} has no line with two words or more. Give a file with a sentence on each line.")

    pipeline = Pipeline(
        data.raw, batch, batch_size=recipe.pretrain_batch_size, seed=recipe.seed, epoch_examples=examples
    )
    return Data(
        data.raw, pipeline.train, data.split, data.assets, lambda: {**data.sizes(), "train": number()}, data.card
    )
