"""The joins between the classification task and zoo."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo import builders, metrics, optimizers
from zoo.data import images
from zoo.task import Data, Task

from .answers import predict
from .data import load
from .pictures import digits
from .recipe import CELLS, Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled classifier of a recipe."""
    model = builders.perceptron(
        data.assets["shape"],
        len(data.assets["labels"]),
        cell=None if recipe.cell in CELLS else recipe.cell,
        units=recipe.units,
        depth=recipe.depth,
        dropout=recipe.dropout,
    )
    # A mean over real rows: those that only fill a batch up have weight 0.
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
    optimizers.compile(model, recipe, data.sizes["train"], loss=loss, weighted_metrics=["accuracy"])
    return model


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Accuracy, macro F1, negative log-likelihood and calibration error; of a memory test accuracy by distance too."""
    found, labels, distances = [], [], []
    for inputs, targets, weights in batches:
        real = np.asarray(weights) > 0
        inputs = [np.asarray(item) for item in inputs] if isinstance(inputs, tuple) else np.asarray(inputs)
        found.append(np.asarray(model.predict_on_batch(inputs))[real])
        labels.append(np.asarray(targets)[real])
        if isinstance(inputs, list):
            distances.append(inputs[1].sum(axis=1)[real] - assets["beside"])
    probabilities, truth = np.concatenate(found), np.concatenate(labels)
    scores = metrics.classification(probabilities, truth)
    if distances:
        scores |= metrics.by_distance(probabilities.argmax(axis=1) == truth, np.concatenate(distances))
    return scores


def validate(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """The same without distances, of which the validation split has too many."""
    return {name: value for name, value in score(model, batches, assets).items() if "_at_" not in name}


def _pictures(number: int) -> list[str]:
    """Digits of the test split as `data:` URIs: pictures that every machine has, to check a saved model with."""
    return [images.data_uri([image[..., 0]]) for image in digits().parts["test"][0][:number]]


TASK = Task(
    load=load,
    build=build,
    score=score,
    validate=validate,
    predict=predict,
    monitor="accuracy",
    examples=_pictures(4),
)
