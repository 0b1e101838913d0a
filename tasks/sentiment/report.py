"""What a report and a card need of the sentiment task: answers, simple methods beside the net, unusual inputs."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo import metrics
from zoo.data import text
from zoo.report.values import Classified, Shown
from zoo.saved import SavedModel
from zoo.task import Data

from .predict import BATCH, explain, in_parts, predict_probabilities
from .pseudo_labels import NGramClassifier


def answers(saved: SavedModel, data: Data, split: str, limit: int | None = None) -> Classified:
    """The model's probabilities for the texts of a split."""
    texts, targets = _examples(data, split, limit)
    probabilities = np.zeros((len(texts), len(saved.assets["labels"])))
    by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding
    for batch in text.in_batches(by_length, BATCH):
        probabilities[batch] = predict_probabilities(saved, [texts[i] for i in batch])

    def shown(i: int) -> Shown:
        best = int(probabilities[i].argmax())
        return Shown(texts[i], marks=in_parts(texts[i], explain(saved, texts[i], best), relative=False))

    return Classified(saved.assets["labels"], targets, probabilities, shown)


def _examples(data: Data, split: str, limit: int | None = None) -> tuple[list[str], np.ndarray]:
    """Texts and labels of a split."""
    pairs = list(data.raw.split(split, limit).as_numpy_iterator())
    return [item.decode("utf-8", "replace") for item, _ in pairs], np.array([int(label) for _, label in pairs])


def baselines(saved: SavedModel, data: Data, split: str) -> Mapping[str, Mapping[str, float]]:
    """The most frequent label, and for two labels n-grams in a linear classifier, without a net."""
    (texts, labels), (others, truth) = _examples(data, "train"), _examples(data, split)
    shares = np.bincount(labels, minlength=len(data.raw.labels)) / len(labels)
    found = {"most frequent label": metrics.classification(np.tile(shares, (len(truth), 1)), truth)}
    if len(data.raw.labels) == 2:
        tokenizer = saved.assets["tokenizer"]
        classifier = NGramClassifier(tokenizer.encode(texts), labels, tokenizer.size, saved.recipe.seed)
        probabilities = classifier.probabilities(tokenizer.encode(others))
        found["n-grams in a linear classifier (NBSVM)"] = metrics.classification(probabilities, truth)
    return found


def far_inputs(assets: Mapping[str, Any]) -> Mapping[str, str]:
    """Texts unlike reviews in English."""
    return {
        "another language": "Der Film war wunderbar, ich habe gelacht und geweint.",
        "another domain": "The patient was discharged on the third day without complications.",
    }
