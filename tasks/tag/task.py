"""The joins between the tagging task and zoo."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo import builders, losses, metrics, optimizers
from zoo.data import images
from zoo.task import Data, Task

from . import scoring
from .answers import predict
from .clips import compose, drawing
from .data import load
from .recipe import Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled tagger of a recipe."""
    kind, shape = data.assets["input"]["kind"], tuple(data.assets["input"]["shape"])
    alone = recipe.cell == "none"
    model = builders.tagger(
        len(data.assets["labels"]),
        "gru" if alone else recipe.cell,
        recipe.units,
        vocabulary=data.assets["tokenizer"].size if kind == "tokens" else None,
        frame=shape if kind == "frames" else None,
        embedding=recipe.embedding,
        differences=recipe.differences and kind == "frames" and not alone,
        depth=0 if alone else recipe.depth,
        bidirectional=recipe.bidirectional,
        layer_norm=recipe.layer_norm,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
    )
    if kind == "features":
        model.build((None, None, *shape))
    optimizers.compile(model, recipe, data.sizes["train"], loss=losses.StepCrossentropy())
    return model


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Accuracy, macro F1 and span F1 over the steps of some batches that have a label; by distance in memory tests."""
    labels, kind = assets["labels"], assets["input"]["kind"]
    truth, guess = [], []
    right, distances = [], []  # of each step of a memory test that is asked for
    for inputs, targets, weights in batches:
        inputs = tuple(map(np.asarray, inputs)) if isinstance(inputs, (tuple, list)) else np.asarray(inputs)
        best = np.asarray(model.predict_on_batch(inputs)).argmax(axis=-1)
        real = np.asarray(weights) > 0
        for known, guessed in zip(np.asarray(targets)[real], best[real], strict=True):
            truth.append(scoring.named(labels, known[known >= 0]))
            guess.append(scoring.named(labels, guessed[known >= 0]))
            if kind == "features":
                right += (known == guessed)[known >= 0].tolist()
                distances += [int((known >= 0).argmax())] * len(truth[-1])  # steps before the first question
    scores = scoring.scores(truth, guess, kind)
    return scores | (metrics.by_distance(np.array(right), np.array(distances)) if right else {})


def validate(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """The same without distances, of which the validation split has too many."""
    return {name: value for name, value in score(model, batches, assets).items() if "_at_" not in name}


def _drawn(number: int) -> list[str]:
    """Clips of the test split as `data:` URIs: animations that every machine has, to check a saved model with."""
    clips = (frames[..., 0] for frames, _ in compose.examples("test", number))
    return [images.data_uri(clip, drawing.DURATION) for clip in clips]


TASK = Task(
    load=load,
    build=build,
    score=score,
    validate=validate,
    predict=predict,
    monitor="accuracy",
    examples=_drawn(2),
)
