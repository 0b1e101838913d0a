"""From a data set's name or folder to batches of pictures or sequences with labels."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import batches
from zoo.data.pipeline import Pipeline
from zoo.data.raw import RawDataset
from zoo.errors import UserError
from zoo.task import Data

from .raw import cached, is_memory_test, open_examples
from .recipe import CELLS, Train

BOUNDARIES = (3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)


def load(recipe: Train, assets: Mapping[str, Any] | None = None) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, cell, batch size, seed, limit and the size of a folder's pictures are used.
        assets: `labels` and `shape` of a saved model; data of another kind are refused.

    Raises:
        UserError: If there is no such data set, it cannot be used, or it does not fit the saved model.
    """
    memory = is_memory_test(recipe.dataset)
    if memory and recipe.cell in CELLS:
        raise UserError(
            f"{recipe.dataset} has sequences of several lengths, which {recipe.cell!r} cannot read: "
            "choose a recurrent --cell, such as gru."
        )
    raw = open_examples(recipe).take(recipe.limit)
    own = _assets(raw)
    if assets:
        raw.check_labels(assets["labels"])
        if own["shape"] != assets["shape"]:
            raise UserError(
                f"Data set {recipe.dataset!r} has inputs of shape {own['shape']}; the model takes {assets['shape']}."
            )
    make = _sequences if memory else _pictures
    pipeline = make(raw, recipe)
    return Data(
        raw=raw,
        train=pipeline.train,
        split=pipeline.split,
        assets=own,
        sizes=raw.sizes,
        card=raw.card,
        examples=_examples(raw) if memory and not assets else None,
    )


def _assets(raw: RawDataset) -> dict[str, Any]:
    """Labels and the shape of an input: `[height, width, channels]`, or `[None, features]`."""
    shape = raw.split("train").element_spec[0].shape.as_list()
    return {"labels": list(raw.labels), "shape": shape, **raw.card.details}


def _pictures(raw: RawDataset, recipe: Train) -> Pipeline:
    def batch(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        return batches.batched(examples, size).map(lambda pixels, *rest: (scale(pixels), *rest))

    return Pipeline(cached(raw), batch, batch_size=recipe.batch_size, seed=recipe.seed, shuffle_batches=False)


def scale(pixels: Any) -> Any:
    """Pixels 0 to 255 as float32 from 0 to 1."""
    return (tf.cast(pixels, tf.float32) if tf.is_tensor(pixels) else pixels.astype(np.float32)) / 255


def _sequences(raw: RawDataset, recipe: Train) -> Pipeline:
    steps = int(raw.card.name.partition("/")[2])
    boundaries = batches.boundaries(BOUNDARIES, steps + raw.card.details["distance_offset"])

    def mark(examples: tf.data.Dataset, training: bool) -> tf.data.Dataset:
        # A further feature, 1 at real steps: padding has 0, and the mask is made of it.
        return examples.map(lambda x, label: (tf.pad(x, [[0, 0], [0, 1]], constant_values=1.0), label))

    def batch(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        padded = batches.bucketed(examples, size, boundaries)
        return padded.map(lambda x, *rest: ((x[..., :-1], x[..., -1] > 0), *rest))

    return Pipeline(raw, batch, mark, recipe.batch_size, recipe.seed)


def _examples(raw: RawDataset) -> list[str]:
    """A short, a middling and a long sequence of the test split, as `zoo classify` takes them."""
    rows = sorted((steps for steps, _ in raw.split("test", 64).as_numpy_iterator()), key=len)
    return [json.dumps([[round(float(x), 2) for x in step] for step in rows[i]]) for i in (0, len(rows) // 2, -1)]
