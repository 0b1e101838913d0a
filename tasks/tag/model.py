"""From a recipe to a compiled tagger."""

import keras

from zoo import builders, losses, optimizers
from zoo.task import Data

from .recipe import Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled tagger of a recipe; with the cell `none` it labels every step by itself."""
    kind, shape = data.assets["input"]["kind"], tuple(data.assets["input"]["shape"])
    recurrent = recipe.cell != "none"
    model = builders.tagger(
        num_classes=len(data.assets["labels"]),
        cell=recipe.cell if recurrent else "gru",
        units=recipe.units,
        vocabulary_size=data.assets["tokenizer"].size if kind == "tokens" else None,
        frame_shape=shape if kind == "frames" else None,
        feature_dim=shape[0] if kind == "features" else None,
        embedding_dim=recipe.embedding_dim,
        differences=recipe.differences and kind == "frames" and recurrent,
        num_layers=recipe.num_layers if recurrent else 0,
        bidirectional=recipe.bidirectional,
        block=None if recipe.block == "none" else recipe.block,
        layer_norm=recipe.layer_norm,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
    )
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=losses.StepCrossentropy())
    return model
