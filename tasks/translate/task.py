"""Connects the translation task to zoo."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo.task import Data, Stage, Task

from . import scoring
from .data import load
from .encoding import target_tokenizer
from .model import build
from .predict import predict
from .recipe import Train
from .report import answers, baselines, far_inputs

EXAMPLES = (
    "3 days ago",
    "A man in a blue shirt is standing on a ladder.",
    "Ein Mann im blauen Hemd steht auf einer Leiter.",
    "",
)


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """All scores of some batches, by the beam search that the recipe names and by greedy search."""
    (by_beam, greedy), references = _translations(model, batches, assets, assets["search"], _greedy(assets))
    language = assets["languages"][1]
    return {
        "bleu": scoring.bleu(by_beam, references),
        "bleu_lc_tok": scoring.bleu_lc_tok(by_beam, references, language),
        "chrf": scoring.chrf(by_beam, references),
        "exact_match": scoring.exact_match(by_beam, references),
        "bleu_greedy": scoring.bleu(greedy, references),
        "bleu_lc_tok_greedy": scoring.bleu_lc_tok(greedy, references, language),
    }


def validate(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """BLEU and exact matches by greedy search alone: what epochs are compared by."""
    (texts,), references = _translations(model, batches, assets, _greedy(assets))
    return {"bleu": scoring.bleu(texts, references), "exact_match": scoring.exact_match(texts, references)}


def example_statistics(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> np.ndarray:
    """Counts of each sentence for BLEU of the translations found by the recipe's beam search."""
    (texts,), references = _translations(model, batches, assets, assets["search"])
    return scoring.bleu_statistics(texts, references)


def _greedy(assets: Mapping[str, Any]) -> dict[str, Any]:
    return {**assets["search"], "beam_size": 1, "coverage_penalty": 0.0}


def _translations(
    model: keras.Model, batches: Any, assets: Mapping[str, Any], *searches: Mapping[str, Any]
) -> tuple[list[list[str]], list[str]]:
    """Translations of all real rows by each search, and their references."""
    texts: list[list[str]] = [[] for _ in searches]
    references: list[str] = []
    tokenizer = target_tokenizer(assets)
    for tokens, targets, weights in batches:
        real = np.asarray(weights) > 0
        for translated, search in zip(texts, searches, strict=True):
            result = model.search(np.asarray(tokens), **search)
            translated += tokenizer.decode(result["tokens"][real, 0])
        references += [text.decode("utf-8", "replace") for text in np.asarray(targets)[real]]
    return texts, references


def stages(recipe: Train, data: Data) -> list[Stage]:
    """One stage, whose epochs are compared by greedy BLEU."""
    return [Stage("train", recipe, data, build, validate, "bleu")]


TASK = Task(
    load=load,
    stages=stages,
    score=score,
    predict=predict,
    monitor="bleu",
    examples=lambda: EXAMPLES,
    example_statistics=example_statistics,
    combine=scoring.bleu_of_sums,
    report=answers,
    baselines=baselines,
    far_inputs=far_inputs,
)
