"""Connects the captioning task to zoo."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from zoo.data import images
from zoo.task import Data, Stage, Task

from . import scoring
from .data import load
from .model import build
from .predict import predict
from .raw import user_errors
from .recipe import Train
from .report import answers, baselines, far_inputs
from .reward import reward_stage
from .scenes import compose, drawing, truth


def stages(recipe: Train, data: Data) -> list[Stage]:
    """Teacher forcing, and learning from a reward if the recipe asks for it."""
    last = [reward_stage(recipe, data, validate)] if recipe.reward_epochs else []
    return [Stage("train", recipe, data, build, validate, "bleu_4"), *last]


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """All scores of captions found by beam search as the assets say."""
    captions, known = _captions(model, batches, assets, assets["search"])
    result = _scores(captions, known)
    if assets.get("meteor"):
        result["meteor"] = round(scoring.meteor(captions, [item["captions"] for item in known]), 4)
    return result


def example_statistics(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> np.ndarray:
    """Counts of each caption for BLEU-4, of captions found by beam search as the assets say."""
    captions, known = _captions(model, batches, assets, assets["search"])
    return scoring.bleu_statistics(captions, [item["captions"] for item in known])


def validate(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Some scores of captions found by greedy search, which takes less time: epochs are compared by them."""
    scores = _scores(*_captions(model, batches, assets, {**assets["search"], "beam_size": 1}))
    return {name: scores[name] for name in ("bleu_1", "bleu_4", "cider", "fact_accuracy") if name in scores}


def _captions(
    model: keras.Model, batches: Any, assets: Mapping[str, Any], search: Mapping[str, Any]
) -> tuple[list[str], list[dict]]:
    """Captions of all rows with a weight, and what is known of their images."""
    captions: list[str] = []
    known: list[dict] = []
    with user_errors():
        for pictures, references, weights in batches:
            real = np.asarray(weights) > 0
            result = model.search(np.asarray(pictures), **search)
            captions += assets["tokenizer"].decode(result["tokens"][real, 0])
            known += [json.loads(item) for item in np.asarray(references)[real]]
    return captions, known


def _scores(captions: Sequence[str], known: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    result = scoring.scores(captions, [item["captions"] for item in known])
    result = {name: round(value, 4) for name, value in result.items()}
    if all(item["facts"] for item in known):  # scenes, where everything about an image is known
        verdicts = [truth.is_true(caption, item["facts"]) for caption, item in zip(captions, known, strict=True)]
        result["fact_accuracy"] = round(sum(verdicts) / len(verdicts), 4)
    return result


def examples() -> list[str]:
    """Two scenes of the test split as `data:` URIs: images that every machine can draw."""
    return [images.data_uri([drawing.render(scene)]) for scene, _ in compose.examples("test", 2)]


TASK = Task(
    load=load,
    stages=stages,
    score=score,
    predict=predict,
    monitor="bleu_4",
    examples=examples,
    example_statistics=example_statistics,
    combine=scoring.bleu_of_sums,
    report=answers,
    baselines=baselines,
    far_inputs=far_inputs,
)
