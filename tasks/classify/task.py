"""Connects the classification task to zoo."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo import metrics
from zoo.data import images
from zoo.evaluation import predictions, right_answers
from zoo.task import Data, Stage, Task

from .data import load
from .model import build
from .predict import predict
from .raw import digits
from .recipe import Train
from .report import answers, baselines, far_inputs


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Accuracy, macro F1, log loss and calibration error; of a memory test also accuracy by distance."""
    probabilities, labels, distances = [], [], []
    for inputs, outputs, targets in predictions(model, batches):
        probabilities.append(outputs)
        labels.append(targets)
        if "distance_offset" in assets:
            distances.append(inputs[1].sum(axis=1) - assets["distance_offset"])
    predicted, truth = np.concatenate(probabilities), np.concatenate(labels)
    scores = metrics.classification(predicted, truth)
    if distances:
        scores |= metrics.by_distance(predicted.argmax(axis=1) == truth, np.concatenate(distances))
    return scores


def validate(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """The same without distances, of which the validation split has too many."""
    return {name: value for name, value in score(model, batches, assets).items() if "_at_" not in name}


def stages(recipe: Train, data: Data) -> list[Stage]:
    """One stage."""
    return [Stage("train", recipe, data, build, validate, "accuracy")]


def examples() -> list[str]:
    """Digits of the test split as data URIs: pictures that every machine has, to check a saved model with."""
    return [images.data_uri([pixels[..., 0]]) for pixels, _ in digits().split("test", 4).as_numpy_iterator()]


TASK = Task(
    load=load,
    stages=stages,
    score=score,
    predict=predict,
    monitor="accuracy",
    examples=examples,
    example_statistics=right_answers,
    report=answers,
    baselines=baselines,
    far_inputs=far_inputs,
)
