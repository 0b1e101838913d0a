"""From a recipe to a compiled language model."""

import keras

from zoo import builders, losses, optimizers
from zoo.ids import PAD, START, UNKNOWN
from zoo.task import Data

from .recipe import Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled language model of a recipe."""
    model = builders.language_model(
        vocabulary_size=data.assets["tokenizer"].size,
        cell=recipe.cell,
        units=recipe.units,
        embedding_dim=recipe.embedding_dim,
        num_layers=recipe.num_layers,
        tie_output=recipe.tie_output,
        block=None if recipe.block == "none" else recipe.block,
        residual=recipe.residual,
        layer_norm=recipe.layer_norm,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
        output_dropout=recipe.output_dropout,
        suppress_tokens=(PAD, UNKNOWN, START),  # none of them is text
        streams=recipe.batch_size,
    )
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=losses.TokenCrossentropy())
    return model
