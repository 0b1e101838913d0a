"""From a recipe to a compiled classifier."""

import keras

from zoo import builders, optimizers
from zoo.task import Data

from .recipe import CELLS, Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled classifier of a recipe."""
    model = builders.perceptron(
        data.assets["shape"],
        num_classes=len(data.assets["labels"]),
        cell=None if recipe.cell in CELLS else recipe.cell,
        units=recipe.units,
        num_layers=recipe.num_layers,
        bidirectional=recipe.bidirectional,
        block=None if recipe.block == "none" else recipe.block,
        pooling=recipe.pooling if "+" not in recipe.pooling else recipe.pooling.split("+"),
        conv_filters=recipe.conv_filters,
        kernel_size=recipe.kernel_size,
        dropout=recipe.dropout,
    )
    # A mean over real rows: those that only fill a batch have weight 0.
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=loss, weighted_metrics=["accuracy"])
    return model
