"""Connects the sentiment task to zoo."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo import metrics
from zoo.evaluation import predictions, right_answers
from zoo.task import Data, Stage, Task

from .data import load
from .model import build
from .predict import predict
from .pretraining import pretraining
from .recipe import Train
from .report import answers, baselines, far_inputs
from .self_training import self_training

EXAMPLES = (
    "a fine film",
    "a waste of two hours",
    "Not bad at all: I expected a bore and laughed all evening.",
    "The photography is lovely, but the story is dull and the ending ruins it.",
    "",
)


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Accuracy, macro F1, log loss and calibration error on some batches."""
    outputs, labels = zip(*((found, truth) for _, found, truth in predictions(model, batches)), strict=True)
    return metrics.classification(np.concatenate(outputs), np.concatenate(labels))


def stages(recipe: Train, data: Data) -> list[Stage]:
    """Pretraining on bare texts and self-training, if the recipe asks for them; between, training with labels."""
    first = [pretraining(recipe, data)] if recipe.pretrain_epochs else []
    last = [self_training(recipe, data, score)] if recipe.self_training_epochs else []
    return [*first, Stage("train", recipe, data, build, score, "accuracy"), *last]


TASK = Task(
    load=load,
    stages=stages,
    score=score,
    predict=predict,
    monitor="accuracy",
    examples=lambda: EXAMPLES,
    example_statistics=right_answers,
    report=answers,
    baselines=baselines,
    far_inputs=far_inputs,
)
