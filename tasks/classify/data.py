"""From a data set's name or folder to batches of pictures or sequences with labels."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import batches
from zoo.data.datasets import SPLITS, find_row
from zoo.data.pipeline import Pipeline
from zoo.data.raw import RawDataset, with_labels
from zoo.errors import UserError
from zoo.task import Data

from . import sound
from .augmentation import augmented
from .datasets import DATASETS
from .pixels import in_order, scale
from .raw import cached, is_memory_test, open_examples
from .recipe import CELLS, Train

BOUNDARIES = (3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)

NEXT_STEP = "Give data of the model's kind, or train a new model on this data."
"""What to do about data that a saved model cannot read."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None, *, fine_tune: bool = False) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, column of labels, cell, batch size, seed, limit, augmentation and the size of a folder's
            pictures are used.
        assets: `labels`, `shape` and perhaps `order` or `steps` of a saved model; data of another kind are refused.
        fine_tune: Whether a training goes on from that model; without it, the data set is only scored.

    Raises:
        UserError: If there is no such data set, it cannot be used, or it does not fit the saved model.
    """
    _check_cell(recipe, is_memory_test(recipe.dataset))
    any_length = assets is not None and assets["shape"][0] is None

    def read(known: Sequence[str] | None) -> RawDataset:
        return open_examples(recipe, known, any_length, assets.get("steps", ()) if assets else ())

    raw = with_labels(read, assets["labels"] if assets else None, fine_tune).take(recipe.limit)
    if (fine_tune or not assets) and find_row(recipe.dataset, DATASETS) is None:
        raw.check_trained(recipe.limit)
    if "sample_rate" in raw.card.details:
        return _recordings(raw, recipe, assets)
    own = _assets(raw)
    if assets:
        _check(recipe.dataset, own, assets)
    varying = own["shape"][0] is None
    _check_cell(recipe, varying)
    series = not varying and len(_shape(raw)) == 2
    if recipe.augment and not series:
        raise UserError(
            f"--augment is for series of one length, such as mnist1d; {recipe.dataset} has none. Leave --augment out."
        )
    make = _sequences if varying else _series if series else _pictures
    pipeline = make(raw, recipe)
    return Data(
        raw=raw,
        train=pipeline.train,
        split=pipeline.split,
        assets=own,
        sizes=raw.sizes,
        card=raw.card,
        examples=_examples(raw) if (varying or series) and (fine_tune or not assets) else None,
    )


def _check_cell(recipe: Train, varying: bool) -> None:
    """Raises a `UserError` if the cell cannot read sequences of several lengths."""
    if varying and recipe.cell in CELLS:
        raise UserError(
            f"{recipe.dataset} has sequences of several lengths, which {recipe.cell!r} cannot read: "
            "choose a recurrent --cell, such as gru."
        )


def _shape(raw: RawDataset) -> list[int | None]:
    """The shape of an example's input."""
    name = "all" if "all" in raw.names else "train"  # a few examples to be scored cannot be divided into splits
    return raw.split(name).element_spec[0].shape.as_list()


def _recordings(raw: RawDataset, recipe: Train, assets: Mapping[str, Any] | None) -> Data:
    """A data set of recordings, for a new model or a saved one."""
    _check_cell(recipe, varying=True)
    data = sound.load(raw, recipe)
    if assets and data.assets["audio"] != assets.get("audio"):
        raise UserError(
            f"Data set {recipe.dataset!r} has recordings, read as {data.assets['audio']}; the model reads "
            f"{assets.get('audio', 'no recordings')}."
        )
    return data


def _assets(raw: RawDataset) -> dict[str, Any]:
    """Labels and the shape of an input: `[height, width, channels]`, `[time, features]` or `[None, features]`.

    Of pictures as sequences of pixels also their `order` and the `picture`'s own shape.
    """
    shape: list[Any] = _shape(raw)
    assets = {"labels": list(raw.labels), "shape": shape, **raw.card.details}
    if "order" in assets:
        assets |= {"picture": shape, "shape": [shape[0] * shape[1], shape[2]]}
    return assets


def _check(name: str, own: Mapping[str, Any], saved: Mapping[str, Any]) -> None:
    """Raises a `UserError` if inputs are not as those of a saved model."""
    if own["shape"] != saved["shape"]:
        raise UserError(
            f"Data set {name!r} has inputs of shape {own['shape']}; the model takes {saved['shape']}. {NEXT_STEP}"
        )
    if own.get("order") != saved.get("order"):
        raise UserError(
            f"The inputs of data set {name!r} are {_ordered(own)}; the model was trained on {_ordered(saved)}. "
            f"{NEXT_STEP}"
        )


def _ordered(assets: Mapping[str, Any]) -> str:
    return {"pixels": "pixels row by row", "permuted": "permuted pixels"}.get(assets.get("order", ""), "series")


def _pictures(raw: RawDataset, recipe: Train) -> Pipeline:
    order = raw.card.details.get("order")

    def batch(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        return batches.batched(examples, size).map(lambda pixels, *rest: (in_order(scale(pixels), order), *rest))

    return Pipeline(cached(raw), batch, batch_size=recipe.batch_size, seed=recipe.seed, shuffle_batches=False)


def _series(raw: RawDataset, recipe: Train) -> Pipeline:
    raw = cached(raw)
    changed = (lambda epoch: augmented(raw.split("train"), recipe.seed, epoch)) if recipe.augment else None
    return Pipeline(
        raw, batches.batched, batch_size=recipe.batch_size, seed=recipe.seed, shuffle_batches=False,
        epoch_examples=changed,
    )  # fmt: skip


def _sequences(raw: RawDataset, recipe: Train) -> Pipeline:
    boundaries = batches.boundaries(BOUNDARIES, _longest(raw))

    def mark(examples: tf.data.Dataset, training: bool) -> tf.data.Dataset:
        # A further feature, 1 at real steps: padding has 0, and the mask is made of it.
        return examples.map(lambda x, label: (tf.pad(x, [[0, 0], [0, 1]], constant_values=1.0), label))

    def batch(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        padded = batches.bucketed(examples, size, boundaries)
        return padded.map(lambda x, *rest: ((x[..., :-1], x[..., -1] > 0), *rest))

    return Pipeline(raw, batch, mark, recipe.batch_size, recipe.seed)


def _longest(raw: RawDataset) -> int:
    """Steps of the longest sequence."""
    if (offset := raw.card.details.get("distance_offset")) is not None:  # a memory test's name has its steps
        return int(raw.card.name.partition("/")[2]) + offset
    splits = [name for name in SPLITS[:3] if name in raw.names]
    return max(len(steps) for name in splits for steps, _ in raw.split(name).as_numpy_iterator())


def _examples(raw: RawDataset) -> list[str]:
    """A short, a middling and a long sequence of the test split, as `zoo classify` takes them."""
    rows = sorted((steps for steps, _ in raw.split("test", 64).as_numpy_iterator()), key=len)
    return [_as_text(rows[i]) for i in (0, len(rows) // 2, -1)]


def _as_text(steps: np.ndarray) -> str:
    """Steps as JSON: a list of numbers if there is one feature, else a list of lists."""
    rows: Sequence = [[float(f"{x:.4g}") for x in step] for step in steps]
    return json.dumps([row[0] for row in rows] if steps.shape[1] == 1 else rows)
