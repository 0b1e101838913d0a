"""What a report and a card need of the classification task: answers, simple methods beside the net, unusual inputs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from zoo import figures, metrics
from zoo.data import audio, images, text
from zoo.report.values import Classified, Shown
from zoo.saved import SavedModel
from zoo.task import Data

from . import sound
from .pixels import in_order
from .predict import BATCH, predict_probabilities

STEPS = 40
"""Steps of an unusual sequence where a model reads any number."""


def answers(saved: SavedModel, data: Data, split: str, limit: int | None = None) -> Classified:
    """The model's probabilities for the pictures or sequences of a split."""
    inputs, targets = _examples(data, split, limit)
    order, recorded = saved.assets.get("order"), saved.assets.get("audio")
    items = [in_order(item[None], order)[0] for item in inputs] if order else inputs
    items = [sound.frames(item, recorded) for item in items] if recorded else items
    probabilities = np.zeros((len(items), len(saved.assets["labels"])))
    by_length = sorted(range(len(items)), key=lambda i: len(items[i]))
    for batch in text.in_batches(by_length, BATCH):
        probabilities[batch] = predict_probabilities(saved, [items[i] for i in batch])
    return Classified(saved.assets["labels"], targets, probabilities, lambda i: _shown(inputs[i]))


def _examples(data: Data, split: str, limit: int | None = None) -> tuple[list[np.ndarray], np.ndarray]:
    """Inputs and labels of a split."""
    pairs = list(data.raw.split(split, limit).as_numpy_iterator())
    return [item for item, _ in pairs], np.array([int(label) for _, label in pairs])


def _shown(item: np.ndarray) -> Shown:
    """A picture as it is; a sequence as lines over time; a recording as its samples."""
    if item.ndim == 3:
        return Shown("a picture", item[..., 0] if item.shape[2] == 1 else item)

    what = f"a recording of {len(item):,} samples" if item.ndim == 1 else f"a sequence of {len(item)} steps"
    item = item[:, None] if item.ndim == 1 else item

    def draw(file: Path) -> None:
        lines = {f"feature {i}": (range(len(item)), item[:, i]) for i in range(item.shape[1])}
        figures.draw_lines(file, lines, ("time (steps)", "value"), title="Input sequence")

    return Shown(what, draw=draw)


def baselines(saved: SavedModel, data: Data, split: str) -> Mapping[str, Mapping[str, float]]:
    """The most frequent label, and a linear classifier of all numbers of an input where inputs have one size."""
    (inputs, labels), (others, truth) = _examples(data, "train"), _examples(data, split)
    shares = np.bincount(labels, minlength=len(data.raw.labels)) / len(labels)
    found = {"most frequent label": metrics.classification(np.tile(shares, (len(truth), 1)), truth)}
    if len({item.shape for item in inputs}) == 1 and len(np.unique(labels)) == len(data.raw.labels):
        flat, other = (np.stack(side).reshape(len(side), -1).astype("float64") for side in (inputs, others))
        scale = max(np.abs(flat).max(), 1e-9)
        linear = LogisticRegression(max_iter=2_000).fit(flat / scale, labels)
        found["logistic regression"] = metrics.classification(linear.predict_proba(other / scale), truth)
    return found


def far_inputs(assets: Mapping[str, Any]) -> Mapping[str, str]:
    """Inputs that show nothing: noise, and the same value everywhere."""
    shape, random = assets.get("picture", assets["shape"]), np.random.default_rng(1)
    if "audio" in assets:
        rate = assets["audio"]["sample_rate"]
        white = random.normal(0, 0.1, rate // 2).astype("float32")
        sounds = {"white noise": white, "silence": np.zeros_like(white)}
        return {name: audio.data_uri(audio.Sound(samples, rate)) for name, samples in sounds.items()}
    if len(shape) == 3:
        noise = random.integers(0, 256, shape[:2], dtype="uint8")
        return {"noise": images.data_uri([noise]), "an empty picture": images.data_uri([np.zeros_like(noise)])}
    steps = random.standard_normal((shape[0] or STEPS, shape[1])).round(2)
    return {"noise": json.dumps(steps.tolist()), "zeros only": json.dumps(np.zeros_like(steps).tolist())}
