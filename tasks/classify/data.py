"""From a data set's name or folder to batches of pictures or sequences with labels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import batches
from zoo.errors import UserError
from zoo.names import unknown
from zoo.task import Data

from . import pictures, sequences
from .recipe import CELLS, DATASETS, Train

assert DATASETS.keys() == {pictures.EMBEDDED, *pictures.TFDS, *sequences.BUILDERS}, "recipe.py tells of the sets here"

SCORED_AT_ONCE = 128
"""No gradients to hold: larger batches than in training are faster."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, cell, batch size, seed, limit and the size of a folder's pictures are used.
        assets: `labels` and `shape` of a saved model; data of another kind are refused.

    Raises:
        UserError: If there is no such data set, it cannot be used, or it does not fit the saved model.
    """
    data = _sequences(recipe) if sequences.is_memory(recipe.dataset) else _pictures(recipe)
    if assets:
        for name in ("labels", "shape"):
            if data.assets[name] != assets[name]:
                raise UserError(
                    f"Data set {recipe.dataset!r} has the {name} {data.assets[name]}; the model knows {assets[name]}."
                )
    return data


def _pictures(recipe: Train) -> Data:
    found = pictures.open_pictures(recipe)
    parts = dict(found.parts)
    if recipe.limit:
        images, targets = parts["train"]
        parts["train"] = images[: recipe.limit], targets[: recipe.limit]

    def examples(name: str) -> tf.data.Dataset:
        if name not in parts:
            raise unknown("split", name, parts)
        images, targets = parts[name]
        read = tf.data.Dataset.from_tensor_slices((images, targets.astype("int64")))
        return read

    def train(epoch: int) -> tf.data.Dataset:
        ready = batches.plain(batches.shuffled(examples("train"), recipe.seed, epoch), recipe.batch_size)
        return ready.map(_as_numbers).prefetch(2)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        chosen = examples(name).take(limit) if limit else examples(name)
        return batches.plain(chosen, SCORED_AT_ONCE).map(_as_numbers).prefetch(2)

    return Data(
        train=train,
        split=split,
        assets={"labels": list(found.labels), "shape": list(parts["train"][0].shape[1:])},
        sizes={name: len(targets) for name, (_, targets) in parts.items()},
        facts={**found.facts, "labels": list(found.labels)},
    )


def _as_numbers(images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> tuple:
    return scaled(images), targets, weights


def scaled(images: Any) -> Any:
    """Pixels 0 to 255 as float32 from 0 to 1."""
    return (tf.cast(images, tf.float32) if tf.is_tensor(images) else images.astype(np.float32)) / 255


def _sequences(recipe: Train) -> Data:
    if recipe.cell in CELLS:
        raise UserError(
            f"{recipe.dataset} has sequences of several lengths, which {recipe.cell!r} cannot read: "
            "choose a recurrent --cell, such as gru."
        )
    found = sequences.open_sequences(recipe.dataset)
    info = found.builder.info
    sizes = {name: split.num_examples for name, split in info.splits.items()}
    sizes["train"] = min(recipe.limit or sizes["train"], sizes["train"])

    def examples(name: str) -> tf.data.Dataset:
        if name not in sizes:
            raise unknown("split", name, sizes)
        return found.split(name)

    def train(epoch: int) -> tf.data.Dataset:
        mixed = batches.shuffled(examples("train").take(sizes["train"]), recipe.seed, epoch)
        ready = batches.bucketed(mixed, recipe.batch_size, found.boundaries())
        return batches.mixed(ready, recipe.seed, epoch).map(_with_mask).prefetch(2)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        chosen = examples(name).take(limit) if limit else examples(name)
        return batches.bucketed(chosen, SCORED_AT_ONCE, found.boundaries()).map(_with_mask).prefetch(2)

    return Data(
        train=train,
        split=split,
        assets={
            "labels": list(found.labels),
            "shape": [None, info.features["inputs"].shape[-1]],
            "beside": found.beside,
        },
        sizes={name: sizes[name] for name in pictures.SPLITS},
        facts={**found.facts, "labels": list(found.labels)},
        examples=found.examples(),
    )


def _with_mask(steps: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> tuple:
    """The last feature, 1 where a step is real and 0 in the padding, becomes the mask."""
    return (steps[..., :-1], steps[..., -1] > 0), targets, weights
