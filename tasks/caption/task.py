"""The joins between the captioning task and zoo."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from zoo import builders, losses, optimizers
from zoo.data import images
from zoo.task import Data, Stage, Task
from zoo.data.text import UNKNOWN

from . import scoring
from .answers import predict
from .data import encoder, frozen, load
from .pictures import user_errors
from .recipe import Train
from .reward import drawn
from .scenes import compose, drawing, truth


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled captioner of a recipe."""
    own = recipe.encoder == "convolutional"
    model = builders.captioner(
        data.assets["tokenizer"].size,
        recipe.cell,
        recipe.units,
        recipe.encoder if own else encoder(recipe),
        image_size=recipe.image_size if own else None,
        frozen=frozen(recipe),
        summary=recipe.summary.split("+"),
        places=recipe.places,
        projection=recipe.projection,
        embedding=recipe.embedding,
        depth=recipe.depth,
        attention=None if recipe.attention == "none" else recipe.attention,
        conditional=recipe.conditional,
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
        forbidden=(UNKNOWN,),  # "a man in a <unk>" helps nobody
    )
    examples = data.epoch or data.sizes["train"]
    optimizers.compile(model, recipe, examples, loss=losses.TokenCrossentropy(recipe.smoothing))
    return model


def after(recipe: Train, data: Data) -> Stage | None:
    """A training on a reward, without dropout: captions are learned from as they are drawn."""
    if not recipe.reward_epochs:
        return None
    calm: dict[str, Any] = dict.fromkeys(
        ("word_dropout", "embedding_dropout", "dropout", "output_dropout", "scheduled_sampling"), 0.0
    )
    calm |= {"epochs": recipe.reward_epochs, "learning_rate": recipe.reward_rate, "averaging": 0.0}
    own = dataclasses.replace(recipe, **calm)
    model = build(own, data)
    optimizers.compile(model, own, data.sizes["train"], loss=losses.PolicyGradient(recipe.temperature))

    def rewarded(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
        """Chosen by what is learned from, as a mean over pictures rather than over samples."""
        found = validate(model, batches, assets)
        return {**found, "reward": round((found["cider"] + recipe.reward_bleu * found["bleu1"]) / 100, 4)}

    return Stage(own, drawn(own, data, model), lambda *_: model, rewarded, "reward", in_turn=True)


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """All scores of some batches, by the beam that the recipe names."""
    texts, known = _captions(model, batches, assets, assets["search"])
    result = _scores(texts, known)
    if assets.get("meteor"):
        result["meteor"] = round(scoring.meteor(texts, [item["captions"] for item in known]), 4)
    return result


def validate(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """The same of greedy captions, in less time: what epochs are compared by."""
    found = _scores(*_captions(model, batches, assets, {**assets["search"], "beam": 1}))
    return {name: found[name] for name in ("bleu1", "bleu4", "cider", "true") if name in found}


def _captions(
    model: keras.Model, batches: Any, assets: Mapping[str, Any], search: Mapping[str, Any]
) -> tuple[list[str], list[dict]]:
    """Captions of all real rows, and what is known of their pictures."""
    texts: list[str] = []
    known: list[dict] = []
    for pictures, references, weights in _read(batches):
        real = np.asarray(weights) > 0
        found = builders.search(model, np.asarray(pictures), **search)
        texts += assets["tokenizer"].decode(found["tokens"][real, 0])
        known += [json.loads(item) for item in np.asarray(references)[real]]
    return texts, known


def _read(batches: Any) -> Iterator[Any]:
    """The batches; a picture that cannot be read is told as users are told things."""
    with user_errors():
        yield from batches


def _scores(texts: list[str], known: list[dict]) -> dict[str, float]:
    result = scoring.scores(texts, [item["captions"] for item in known])
    result = {name: value if isinstance(value, int) else round(value, 4) for name, value in result.items()}
    if all(item["facts"] for item in known):  # scenes, of which all is known
        verdicts = [truth.is_true(said, item["facts"]) for said, item in zip(texts, known, strict=True)]
        result["true"] = round(sum(verdicts) / len(verdicts), 4)
    return result


def _drawn(number: int) -> list[str]:
    """Scenes of the test split as `data:` URIs: pictures that every machine has, to check a saved model with."""
    return [images.data_uri([drawing.render(scene)]) for scene, _ in compose.examples("test", number)]


TASK = Task(
    load=load,
    build=build,
    score=score,
    validate=validate,
    predict=predict,
    monitor="bleu4",
    after=after,
    examples=_drawn(2),
)
