"""Connects the language model task to zoo."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo import builders
from zoo.ids import END, PAD, UNKNOWN
from zoo.task import Data, Stage, Task

from .data import load
from .model import build
from .predict import predict
from .recipe import Train


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Cross-entropy of a text, with the state carried from its beginning to its end.

    Returns:
        `loss`, the cross-entropy in nats per token; the same in bits as `bits_per_character`, or as `bits_per_token`
        where a token is no character; `perplexity`; and `oov_rate`, the fraction of unknown tokens. Ends of documents
        are predicted but not counted: the score is that of the text itself.
    """
    reader = builders.reader(model)
    states: Any = None
    nats, count, unknown = 0.0, 0, 0
    for (tokens, begins), targets, _ in batches:
        tokens, targets = np.asarray(tokens), np.asarray(targets)  # (streams, time)
        states = model.begin(len(tokens)) if states is None else states
        inputs = {"tokens": tokens, "targets": targets, "begins": np.asarray(begins), "states": states}
        outputs = reader.predict_on_batch(inputs)
        states = outputs["states"]
        counted = (targets != PAD) & (targets != END)
        nats += float(outputs["nats"][counted].sum(dtype="float64"))
        count, unknown = count + int(counted.sum()), unknown + int((targets == UNKNOWN).sum())
    loss = nats / max(count, 1)
    bits = "bits_per_character" if assets["tokens"] == "char" else "bits_per_token"
    return {
        "loss": round(loss, 4),
        bits: round(loss / math.log(2), 4),
        "perplexity": round(math.exp(min(loss, 700)), 4),
        "oov_rate": round(unknown / max(count, 1), 4),
    }


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
)
