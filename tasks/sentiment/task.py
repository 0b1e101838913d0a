"""The joins between the sentiment task and zoo."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from zoo import builders, metrics, optimizers, text
from zoo.saved import SavedModel
from zoo.task import Data, Task

from .data import encoder, load
from .pretraining import before
from .recipe import Predict, Train

AT_ONCE = 64
"""Texts of standard input that are read before they are answered together."""


def build(recipe: Train, data: Data) -> keras.Model:
    """The compiled classifier of a recipe."""
    model = builders.classifier(
        vocabulary=data.assets["tokenizer"].size,
        classes=len(data.assets["labels"]),
        cell=recipe.cell,
        units=recipe.units,
        embedding=recipe.embedding,
        depth=recipe.depth,
        bidirectional=recipe.bidirectional,
        pooling=recipe.pooling.split("+"),
        pool_embeddings=recipe.pool_embeddings,
        word_dropout=recipe.word_dropout,
        embedding_dropout=recipe.embedding_dropout,
        dropout=recipe.dropout,
    )
    optimizers.compile(
        model,
        recipe,
        data.sizes["train"],
        # A mean over real rows: those that only fill a batch up have weight 0.
        loss=(
            keras.losses.CategoricalCrossentropy(reduction="mean_with_sample_weight")
            if recipe.teacher
            else keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
        ),
        weighted_metrics=["accuracy"],
    )
    return model


def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
    """Accuracy, macro F1, negative log-likelihood and calibration error on some batches."""
    probabilities, labels = [], []
    for tokens, targets, weights in batches:
        real = np.asarray(weights) > 0
        probabilities.append(np.asarray(model.predict_on_batch(np.asarray(tokens)))[real])
        labels.append(np.asarray(targets)[real])
    return metrics.classification(np.concatenate(probabilities), np.concatenate(labels))


def predict(saved: SavedModel, ask: Predict) -> Iterator[str]:
    """A line for each text: label and probability, or JSON with all classes; with `explain` the words that count."""
    labels = saved.assets["labels"]
    for texts in text.in_batches(ask.inputs, AT_ONCE):
        for words, probabilities in zip(texts, _probabilities(saved, texts), strict=True):
            best = int(np.argmax(probabilities))
            marks = explain(saved, words, best) if ask.explain else []
            if ask.json:
                answer = {
                    "label": labels[best],
                    "probability": round(float(probabilities[best]), 6),
                    "probabilities": {k: round(float(p), 6) for k, p in zip(labels, probabilities, strict=True)},
                }
                if ask.explain:
                    answer["words"] = [
                        {"start": s, "end": e, "text": words[s:e], "effect": round(d, 6)} for s, e, d in marks
                    ]
                yield json.dumps(answer, ensure_ascii=False)
            else:
                line = f"{labels[best]}\t{probabilities[best]:.3f}"
                yield f"{line}\t{_marked(words, marks)}" if ask.explain else line


def _probabilities(saved: SavedModel, texts: list[str]) -> np.ndarray:
    """`(len(texts), classes)`."""
    return _answers(saved, encoder(saved.assets["tokenizer"], saved.recipe)(texts))


def _answers(saved: SavedModel, rows: list) -> np.ndarray:
    # Longer by less than a power of two: few shapes, so that few graphs are traced.
    longest = max(map(len, rows))
    tokens = text.pad(rows, 1 << (longest - 1).bit_length())
    return np.asarray(saved.model.predict_on_batch(tokens))


MOST_MARKED = 5
"""Words that `--explain` marks in plain output; the JSON has all of them."""


def explain(saved: SavedModel, words: str, label: int) -> list[tuple[int, int, float]]:
    """How much each word holds up the answer: the label's probability with it, minus without (occlusion).

    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 4.2, on words.

    Returns:
        `(start, end, effect)` of each word read, by falling size of the effect.
    """
    recipe = saved.recipe
    pieces = saved.assets["tokenizer"].pieces(words)
    if not pieces:
        return []
    pieces = list(text.cut(pieces, recipe.longest, recipe.head))
    ids = [token for token, _, _ in pieces]
    hidden = [[*ids[:i], text.UNKNOWN, *ids[i + 1 :]] for i in range(len(ids))]
    whole = _answers(saved, [ids])[0, label]
    without = [_answers(saved, rows)[:, label] for rows in text.in_batches(hidden, AT_ONCE)]
    effects = whole - np.concatenate(without)
    marks = [(start, end, float(effect)) for (_, start, end), effect in zip(pieces, effects, strict=True)]
    return sorted(marks, key=lambda mark: -abs(mark[2]))


def _marked(words: str, marks: list[tuple[int, int, float]]) -> str:
    """The text with the strongest words in brackets: `[+fine+]` holds the answer up, `[-but-]` pulls it down."""
    for start, end, effect in sorted(marks[:MOST_MARKED], reverse=True):
        sign = "+" if effect >= 0 else "-"
        words = f"{words[:start]}[{sign}{words[start:end]}{sign}]{words[end:]}"
    return " ".join(words.split())


TASK = Task(
    load=load,
    build=build,
    score=score,
    predict=predict,
    monitor="accuracy",
    before=before,
    examples=(
        "a fine film",
        "a waste of two hours",
        "Not bad at all: I expected a bore and laughed all evening.",
        "The photography is lovely, but the story is dull and the ending ruins it.",
        "",
    ),
)
