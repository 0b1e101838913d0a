"""What `zoo classify` prints: pictures or sequences in, a label of each out, in the same order."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zoo.data import text
from zoo.errors import UserError
from zoo.saved import SavedModel
from zoo.task import Failed

from .data import scaled
from .pictures import scaled as picture
from .recipe import Predict
from .sequences import parsed

AT_ONCE = 64
"""Inputs that are answered together; from a stream each is answered as soon as it comes."""


def predict(saved: SavedModel, ask: Predict) -> Iterator[str]:
    """A line for each input: label and probability, or JSON with all classes; or why it cannot be read."""
    together = AT_ONCE if isinstance(ask.inputs, Sequence) else 1
    for names in text.in_batches((name.strip() for name in ask.inputs), together):
        read = [_read(name, saved.assets["shape"], ask.invert) for name in names]
        seen = [item for item in read if isinstance(item, np.ndarray)]
        answers = iter(_probabilities(saved, seen) if seen else [])
        for name, item in zip(names, read, strict=True):
            yield _failed(ask, name, item) if isinstance(item, UserError) else _line(saved, ask, name, next(answers))


def _read(name: str, shape: Sequence[int | None], invert: bool) -> np.ndarray | UserError:
    try:
        if shape[0] is None:
            return parsed(name, int(shape[1] or 1))
        return picture(name, [int(side or 0) for side in shape], invert)
    except UserError as error:
        return error


def _probabilities(saved: SavedModel, read: Sequence[np.ndarray]) -> np.ndarray:
    """`(inputs, classes)`."""
    if saved.assets["shape"][0] is not None:
        return np.asarray(saved.model.predict_on_batch(scaled(np.stack(read))))
    longest = max(map(len, read))
    steps = np.zeros((len(read), 1 << (longest - 1).bit_length(), read[0].shape[1]), "float32")  # few shapes
    for row, item in zip(steps, read, strict=True):
        row[: len(item)] = item
    mask = np.arange(steps.shape[1]) < np.array([len(item) for item in read])[:, None]
    return np.asarray(saved.model.predict_on_batch([steps, mask]))


def _line(saved: SavedModel, ask: Predict, name: str, probabilities: np.ndarray) -> str:
    labels = saved.assets["labels"]
    best = int(np.argmax(probabilities))
    if not ask.json:
        return f"{labels[best]}\t{probabilities[best]:.3f}"
    answer: Mapping[str, Any] = {
        "input": name,
        "label": labels[best],
        "probability": round(float(probabilities[best]), 6),
        "probabilities": {label: round(float(p), 6) for label, p in zip(labels, probabilities, strict=True)},
    }
    return json.dumps(answer, ensure_ascii=False)


def _failed(ask: Predict, name: str, error: UserError) -> Failed:
    if ask.json:
        return Failed(json.dumps({"input": name, "error": str(error)}, ensure_ascii=False))
    return Failed(f"Error: {error}")
