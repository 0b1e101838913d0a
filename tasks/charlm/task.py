"""Connects the language model task to zoo."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo.ids import END, PAD, UNKNOWN
from zoo.task import Data, Stage, Task

from .data import load
from .model import build
from .predict import predict
from .recipe import Train
from .report import answers, baselines, far_inputs


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Cross-entropy of a text, with the state carried from its beginning to its end.

    Returns:
        `loss`, the cross-entropy in nats per token; the same in bits as `bits_per_character`, or as `bits_per_token`
        where a token is no character; `perplexity`; and `oov_rate`, the fraction of unknown tokens. Ends of documents
        are predicted but not counted: the score is that of the text itself.
    """
    statistics, unknown = _windows(model, batches)
    nats, count = statistics.sum(axis=0)
    loss = nats / max(count, 1)
    bits = "bits_per_character" if assets["tokens"] == "char" else "bits_per_token"
    return {
        "loss": round(loss, 4),
        bits: round(loss / math.log(2), 4),
        "perplexity": round(math.exp(min(loss, 700)), 4),
        "oov_rate": round(unknown / max(int(count), 1), 4),
    }


def example_statistics(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> np.ndarray:
    """`(windows, 2)`: nats and counted tokens of each window of `sequence_length` tokens that has any."""
    statistics, _ = _windows(model, batches)
    return statistics[statistics[:, 1] > 0]


def _windows(model: keras.Model, batches: Any) -> tuple[np.ndarray, int]:
    """Nats and counted tokens of each row of each batch `(windows, 2)`; and the number of unknown tokens."""
    reader = model.reader()
    states: Any = None
    rows, unknown = [np.zeros((0, 2))], 0
    for (tokens, begins), targets, _ in batches:
        tokens, targets = np.asarray(tokens), np.asarray(targets)  # (streams, time)
        states = model.begin(len(tokens)) if states is None else states
        inputs = {"tokens": tokens, "targets": targets, "begins": np.asarray(begins), "states": states}
        outputs = reader.predict_on_batch(inputs)
        states = outputs["states"]
        counted = (targets != PAD) & (targets != END)
        nats = np.where(counted, outputs["nats"], 0.0).sum(axis=1, dtype="float64")
        rows.append(np.stack([nats, counted.sum(axis=1)], axis=1))
        unknown += int((targets == UNKNOWN).sum())
    return np.concatenate(rows), unknown


def stages(recipe: Train, data: Data) -> list[Stage]:
    """One stage."""
    return [Stage("train", recipe, data, build, score, "loss", higher_is_better=False)]


TASK = Task(
    load=load,
    stages=stages,
    score=score,
    predict=predict,
    monitor="loss",
    higher_is_better=False,
    examples=lambda: ("hello", "h"),
    example_statistics=example_statistics,
    report=answers,
    baselines=baselines,
    far_inputs=far_inputs,
)
