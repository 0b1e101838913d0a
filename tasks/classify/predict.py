"""What `zoo classify` prints: pictures or sequences in, a label for each out, in the same order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zoo.data import text
from zoo.data.steps import parse_steps
from zoo.errors import UserError
from zoo.storage.saved_model import SavedModel
from zoo.task import error_line, json_line, named_line

from .inputs import read_picture
from .pixels import in_order, scale
from .recipe import Predict

BATCH = 64
"""Inputs that are answered together; from a stream each is answered as soon as it comes."""


def predict(saved: SavedModel, config: Predict) -> Iterator[str]:
    """A line for each input: label and probability, or JSON with all classes; or why it cannot be read."""
    size = BATCH if isinstance(config.inputs, Sequence) else 1
    for names in text.in_batches((name.strip() for name in config.inputs), size):
        items = [_read(name, saved.assets, config.invert) for name in names]
        good = [item for item in items if isinstance(item, np.ndarray)]
        answers = iter(predict_probabilities(saved, good) if good else [])
        for name, item in zip(names, items, strict=True):
            if isinstance(item, UserError):
                yield error_line(config, name, item)
            else:
                yield _answer(saved.assets["labels"], config, name, next(answers))


def _read(name: str, assets: Mapping[str, Any], invert: bool) -> np.ndarray | UserError:
    """An input as `predict_probabilities` takes it, or why it is none."""
    shape = assets["shape"]
    try:
        if "audio" in assets:
            from . import sound  # TensorFlow computes the frames

            return sound.read(name, assets["audio"])
        if "order" in assets:
            return in_order(read_picture(name, assets["picture"], invert)[None], assets["order"])[0]
        return parse_steps(name, shape[1], shape[0]) if len(shape) == 2 else read_picture(name, shape, invert)
    except UserError as error:
        return error


def predict_probabilities(saved: SavedModel, items: Sequence[np.ndarray]) -> np.ndarray:
    """The probabilities of the labels.

    Args:
        saved: The model.
        items: Pictures, or sequences `(steps, features)` of any lengths, as the model reads them.

    Returns:
        `(inputs, classes)`.
    """
    if saved.assets["shape"][0] is not None:
        inputs = np.stack(items)
        return np.asarray(saved.net.predict_on_batch(scale(inputs) if inputs.dtype == np.uint8 else inputs))
    longest = max(map(len, items))
    # Padded to a power of two: few shapes, so that few graphs are traced.
    steps = np.zeros((len(items), 1 << (longest - 1).bit_length(), items[0].shape[1]), "float32")
    for row, item in zip(steps, items, strict=True):
        row[: len(item)] = item
    mask = np.arange(steps.shape[1]) < np.array([len(item) for item in items])[:, None]  # (inputs, time)
    return np.asarray(saved.net.predict_on_batch([steps, mask]))


def _answer(labels: Sequence[str], config: Predict, name: str, probabilities: np.ndarray) -> str:
    best, *others = (int(i) for i in np.argsort(-probabilities, kind="stable"))
    if not config.json:
        return named_line(config, name, f"{labels[best]}\t{probabilities[best]:.3f}")
    return json_line(
        name,
        labels[best],
        float(probabilities[best]),
        [(labels[i], float(probabilities[i])) for i in others],
        label=labels[best],
        probability=round(float(probabilities[best]), 6),
        probabilities={label: round(float(p), 6) for label, p in zip(labels, probabilities, strict=True)},
    )
