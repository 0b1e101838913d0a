"""Connects the tagging task to zoo."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from zoo import metrics
from zoo.data import images
from zoo.evaluation import predictions
from zoo.task import Data, Stage, Task

from . import scoring
from .clips import compose, drawing
from .data import load
from .model import build
from .predict import predict
from .pretraining import pretraining
from .recipe import Train
from .report import answers, baselines, far_inputs


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Accuracy, macro F1 and span F1 over the labeled steps of some batches; by distance in memory tests."""
    labels, kind = assets["labels"], assets["input"]["kind"]
    truth, found = [], []
    right, distances = [], []  # of each labeled step of a memory test
    for _, outputs, targets in predictions(model, batches):
        for target, predicted in zip(targets, outputs.argmax(axis=-1), strict=True):  # (time,) each
            labeled = target >= 0
            truth.append([labels[i] for i in target[labeled]])
            found.append([labels[i] for i in predicted[labeled]])
            if kind == "features":
                right += (target == predicted)[labeled].tolist()
                distances += [int(labeled.argmax())] * len(truth[-1])  # steps before the first labeled one
    scores = scoring.scores(truth, found, kind)
    return scores | (metrics.by_distance(np.array(right), np.array(distances)) if right else {})


def example_statistics(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> np.ndarray:
    """`(sequences, 2)`: right labels and labeled steps of each sequence."""
    counts = []
    for _, outputs, targets in predictions(model, batches):
        labeled = targets >= 0  # (batch, time)
        right = (outputs.argmax(axis=-1) == targets) & labeled
        counts.append(np.stack([right.sum(axis=1), labeled.sum(axis=1)], axis=1))
    return np.concatenate(counts)


def validate(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """The same without distances, of which the validation split has too many."""
    return {name: value for name, value in score(model, batches, assets).items() if "_at_" not in name}


def stages(recipe: Train, data: Data) -> list[Stage]:
    """Pretraining on bare sentences, if the recipe asks for it; training with labels."""
    first = [pretraining(recipe, data)] if recipe.pretrain_epochs else []
    return [*first, Stage("train", recipe, data, build, validate, "accuracy")]


def examples() -> Sequence[str]:
    """Two clips of the test split as `data:` URIs, so that a saved model can be checked on every machine."""
    clips = (frames[..., 0] for frames, _ in compose.examples("test", 2))
    return [images.data_uri(clip, drawing.DURATION) for clip in clips]


TASK = Task(
    load=load,
    stages=stages,
    score=score,
    predict=predict,
    monitor="accuracy",
    examples=examples,
    example_statistics=example_statistics,
    report=answers,
    baselines=baselines,
    far_inputs=far_inputs,
)
