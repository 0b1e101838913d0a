"""From a recipe to a compiled tagger."""

from pathlib import Path

import keras
import numpy as np

from zoo import builders, losses, optimizers
from zoo.data import word_vectors
from zoo.layers import TokenEmbedding
from zoo.task import Data

from .recipe import Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled tagger of a recipe; with the cell `none` it labels every step by itself."""
    kind, shape = data.assets["input"]["kind"], tuple(data.assets["input"]["shape"])
    recurrent, characters = recipe.cell != "none", data.assets.get("character_tokenizer")
    model = builders.tagger(
        num_classes=len(data.assets["labels"]),
        cell=recipe.cell if recurrent else "gru",
        units=recipe.units,
        vocabulary_size=data.assets["tokenizer"].size if kind == "tokens" else None,
        frame_shape=shape if kind == "frames" else None,
        feature_dim=shape[0] if kind == "features" else None,
        embedding_dim=recipe.embedding_dim,
        character_vocabulary_size=characters.size if characters else None,
        character_dim=recipe.character_dim,
        character_units=recipe.character_units or 1,
        differences=recipe.differences and kind == "frames" and recurrent,
        num_layers=recipe.num_layers if recurrent else 0,
        bidirectional=recipe.bidirectional,
        block=None if recipe.block == "none" else recipe.block,
        layer_norm=recipe.layer_norm,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
    )
    if kind == "tokens":
        set_word_vectors(model.reader, recipe, data)
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=losses.StepCrossentropy())
    return model


def set_word_vectors(embedding: TokenEmbedding, recipe: Train, data: Data) -> None:
    """Puts pretrained vectors into an embedding, if the recipe names a file of them."""
    if recipe.word_vectors:
        tokenizer, table = data.assets["tokenizer"], embedding.table.embeddings
        names = [tokenizer.token(i) for i in range(tokenizer.size)]
        table.assign(word_vectors.rows_for(word_vectors.read(Path(recipe.word_vectors)), names, np.array(table)))
