"""The joins between the language model task and zoo."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo import builders, losses, optimizers
from zoo.task import Data, Task
from zoo.data.text import END, PAD, START, UNKNOWN

from .answers import predict
from .data import load
from .recipe import Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled language model of a recipe."""
    model = builders.language_model(
        data.assets["tokenizer"].size,
        recipe.cell,
        recipe.units,
        embedding=recipe.embedding,
        depth=recipe.depth,
        tie_output=recipe.tie_output,
        residual=recipe.residual,
        layer_norm=recipe.layer_norm,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
        output_dropout=recipe.output_dropout,
        forbidden=(PAD, UNKNOWN, START),  # none of them is text
        streams=recipe.batch_size,
    )
    optimizers.compile(model, recipe, data.epoch or 0, loss=losses.TokenCrossentropy())
    return model


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """How surprising a text is, its state carried from beginning to end.

    Returns:
        `nats` and `bits` a unit, `perplexity` of a unit, and the part of units that are `unknown`. Ends of documents
        are predicted but not counted: the score is that of the text itself.
    """
    reader = builders.reader(model)
    states: Any = None
    nats, count, unknown = 0.0, 0, 0
    for (tokens, begins), targets, _ in batches:
        tokens, targets = np.asarray(tokens), np.asarray(targets)
        states = model.begin(len(tokens)) if states is None else states
        chunk = {"tokens": tokens, "targets": targets, "begins": np.asarray(begins), "states": states}
        found = reader.predict_on_batch(chunk)
        states = found["states"]
        counted = (targets != PAD) & (targets != END)
        nats += float(found["nats"][counted].sum(dtype="float64"))
        count, unknown = count + int(counted.sum()), unknown + int((targets == UNKNOWN).sum())
    mean = nats / max(count, 1)
    return {
        "nats": round(mean, 4),
        "bits": round(mean / math.log(2), 4),
        "perplexity": round(math.exp(min(mean, 700)), 4),
        "unknown": round(unknown / max(count, 1), 4),
    }


TASK = Task(
    load=load,
    build=build,
    score=score,
    predict=predict,
    monitor="nats",
    higher_is_better=False,
    examples=("hello", "h"),
)
