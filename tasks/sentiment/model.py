"""From a recipe to a compiled classifier."""

import keras

from zoo import builders, losses, optimizers
from zoo.task import Data

from .recipe import Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled classifier of a recipe."""
    model = builders.classifier(
        vocabulary_size=data.assets["tokenizer"].size,
        num_classes=len(data.assets["labels"]),
        cell=recipe.cell,
        units=recipe.units,
        embedding_dim=recipe.embedding_dim,
        num_layers=recipe.num_layers,
        bidirectional=recipe.bidirectional,
        block=None if recipe.block == "none" else recipe.block,
        pooling=recipe.pooling.split("+"),
        pool_embeddings=recipe.pool_embeddings,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
    )
    compile(model, recipe, data)
    return model


def compile(model: keras.Model, recipe: Train, data: Data) -> None:
    """Compiles a classifier, recurrent or not, with the loss and the optimizer of a recipe."""
    if recipe.reads_unlabeled:  # targets are probabilities, all 0 for a text without a label
        loss, shown = losses.LabeledCrossentropy(), []
    else:  # a mean over real rows: those that only fill a batch have weight 0
        loss, shown = keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight"), ["accuracy"]
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=loss, weighted_metrics=shown)
