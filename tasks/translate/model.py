"""From a recipe to a compiled translator."""

import keras

from zoo import builders, losses, optimizers
from zoo.task import Data

from .encoding import source_tokenizer, target_tokenizer
from .recipe import Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled translator of a recipe."""
    model = builders.translator(
        source_vocabulary_size=source_tokenizer(data.assets).size,
        target_vocabulary_size=target_tokenizer(data.assets).size,
        cell=recipe.cell,
        units=recipe.units,
        decoder_cell=recipe.decoder_cell,
        embedding_dim=recipe.embedding_dim,
        encoder_layers=recipe.encoder_layers,
        block=None if recipe.block == "none" else recipe.block,
        decoder_layers=recipe.decoder_layers,
        attention=None if recipe.attention == "none" else recipe.attention,
        conditional_cell=recipe.conditional_cell,
        input_feeding=recipe.input_feeding,
        share_embeddings=recipe.shared_vocabulary,
        layer_norm=recipe.layer_norm,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
        output_dropout=recipe.output_dropout,
        scheduled_sampling=recipe.scheduled_sampling,
    )
    compile(model, recipe, data)
    return model


def compile(model: keras.Model, recipe: Train, data: Data) -> None:
    """Compiles a translator, recurrent or not, with the loss and the optimizer of a recipe."""
    loss = losses.TokenCrossentropy(recipe.label_smoothing)
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=loss)
