"""The joins between the translation task and zoo."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo import builders, losses, optimizers
from zoo.task import Data, Task

from . import scoring
from .answers import predict
from .data import load, source_tokenizer, target_tokenizer
from .recipe import Train


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled translator of a recipe."""
    model = builders.translator(
        source_tokenizer(data.assets).size,
        target_tokenizer(data.assets).size,
        recipe.cell,
        recipe.units,
        decoder_cell=recipe.decoder_cell,
        embedding=recipe.embedding,
        encoder_depth=recipe.encoder_depth,
        decoder_depth=recipe.decoder_depth,
        attention=None if recipe.attention == "none" else recipe.attention,
        conditional=recipe.conditional,
        input_feeding=recipe.input_feeding,
        tie_source=recipe.joint,
        layer_norm=recipe.layer_norm,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
        output_dropout=recipe.output_dropout,
        scheduled_sampling=recipe.scheduled_sampling,
    )
    optimizers.compile(model, recipe, data.sizes["train"], loss=losses.TokenCrossentropy(recipe.smoothing))
    return model


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """All scores of some batches, by the beam that the recipe names and by greedy search."""
    (by_beam, greedy), references = _translations(model, batches, assets, assets["search"], _greedy(assets))
    language = assets["languages"][1]
    return {
        "bleu": scoring.bleu(by_beam, references),
        "bleu_tokenized": scoring.bleu_tokenized(by_beam, references, language),
        "chrf": scoring.chrf(by_beam, references),
        "exact": scoring.exact(by_beam, references),
        "bleu_greedy": scoring.bleu(greedy, references),
        "bleu_tokenized_greedy": scoring.bleu_tokenized(greedy, references, language),
    }


def validate(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """BLEU by greedy search alone: what epochs are compared by."""
    (texts,), references = _translations(model, batches, assets, _greedy(assets))
    return {"bleu": scoring.bleu(texts, references), "exact": scoring.exact(texts, references)}


def _greedy(assets: Mapping[str, Any]) -> dict[str, Any]:
    return {**assets["search"], "beam": 1, "coverage": 0.0}


def _translations(
    model: keras.Model, batches: Any, assets: Mapping[str, Any], *searches: Mapping[str, Any]
) -> tuple[list[list[str]], list[str]]:
    """Translations of all real rows by each search, and their references."""
    texts: list[list[str]] = [[] for _ in searches]
    references: list[str] = []
    tokenizer = target_tokenizer(assets)
    for tokens, targets, weights in batches:
        real = np.asarray(weights) > 0
        for found, search in zip(texts, searches, strict=True):
            found += tokenizer.decode(builders.search(model, np.asarray(tokens), **search)["tokens"][real, 0])
        references += [text.decode("utf-8", "replace") for text in np.asarray(targets)[real]]
    return texts, references


TASK = Task(
    load=load,
    build=build,
    score=score,
    validate=validate,
    predict=predict,
    monitor="bleu",
    examples=(
        "3 days ago",
        "A man in a blue shirt is standing on a ladder.",
        "Ein Mann im blauen Hemd steht auf einer Leiter.",
        "",
    ),
)
