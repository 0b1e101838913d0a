"""From a recipe to a captioner, uncompiled or compiled."""

import keras

from zoo import builders, layers, losses, optimizers, saved
from zoo.errors import UserError
from zoo.ids import UNKNOWN
from zoo.task import Data

from .recipe import Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The captioner of a recipe, compiled for teacher forcing."""
    model = captioner(recipe, data)
    loss = losses.TokenCrossentropy(recipe.label_smoothing)
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=loss)
    return model


def build_on_policy(recipe: Train, data: Data) -> keras.Model:
    """The captioner of a recipe, compiled to learn from a reward of captions that it sampled."""
    model = captioner(recipe, data)
    loss = losses.PolicyGradient(recipe.temperature)
    optimizers.compile(model, recipe, data.examples_per_epoch(), loss=loss)
    return model


def captioner(recipe: Train, data: Data) -> keras.Model:
    """The captioner of a recipe.

    Raises:
        UserError: If there is no such encoder, or it takes images of another size.
    """
    scratch = recipe.encoder == "convolutional"
    return builders.captioner(
        vocabulary_size=data.assets["tokenizer"].size,
        cell=recipe.cell,
        units=recipe.units,
        encoder=recipe.encoder if scratch else encoder(recipe),
        image_size=recipe.image_size if scratch else None,
        frozen=frozen(recipe),
        pooling=recipe.pooling.split("+"),
        position_embeddings=recipe.position_embeddings,
        projection=recipe.projection,
        embedding_dim=recipe.embedding_dim,
        num_layers=recipe.num_layers,
        block=None if recipe.block == "none" else recipe.block,
        attention=None if recipe.attention == "none" else recipe.attention,
        conditional_cell=recipe.conditional_cell,
        input_feeding=recipe.input_feeding,
        context_gate=recipe.context_gate,
        doubly_stochastic=recipe.doubly_stochastic,
        tie_output=recipe.tie_output,
        layer_norm=recipe.layer_norm,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
        output_dropout=recipe.output_dropout,
        scheduled_sampling=recipe.scheduled_sampling,
        suppress_tokens=(UNKNOWN,),  # "a man in a <unk>" helps nobody
    )


def encoder(recipe: Train) -> keras.Model:
    """The pretrained image encoder of a recipe; with `init_from`, that of the saved model, which may have learned on.

    Raises:
        UserError: If there is no such encoder, or it takes images of another size.
    """
    kind = saved.load(recipe.init_from).net.encoder if recipe.init_from else recipe.encoder
    model = layers.image_encoder(kind, recipe.image_size)
    height, width = model.input_shape[1:3]
    if any(side not in (None, recipe.image_size) for side in (height, width)):
        raise UserError(
            f"{recipe.encoder} takes images of {height} x {width} pixels, not of {recipe.image_size}: "
            f"give --image-size {height}."
        )
    return model


def frozen(recipe: Train) -> bool:
    """Whether the encoder keeps its weights, so that it has to encode each image only once."""
    return recipe.encoder != "convolutional" and not recipe.fine_tune
