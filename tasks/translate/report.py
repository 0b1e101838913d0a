"""What a report and a card need of the translation task: answers, simple methods beside the net, unusual inputs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from zoo.data import text
from zoo.report.values import Generated, Shown
from zoo.saved import SavedModel
from zoo.task import Data

from . import heatmap, scoring
from .predict import READ_AHEAD, best_translations, tokens_of
from .recipe import Predict

UNUSUAL = {
    "de": {
        "another domain": "Das Gericht wies die Berufung ab, weil der Vertrag abgelaufen war.",
        "unknown words": "Die Photosynthese der Cyanobakterien benötigt Chlorophyll.",
    },
    "en": {
        "another domain": "The court dismissed the appeal because the contract had expired.",
        "unknown words": "The photosynthesis of cyanobacteria requires chlorophyll.",
    },
}
"""Sentences unlike captions and phrases, by language."""


def answers(saved: SavedModel, data: Data, split: str, limit: int | None = None) -> Generated:
    """The model's translations of a split."""
    sources, references = _pairs(data, split, limit)
    texts = [
        hypotheses[0]["text"]
        for batch in text.in_batches(sources, READ_AHEAD)
        for hypotheses in best_translations(saved, Predict(), batch)
    ]

    def shown(i: int) -> Shown:
        return Shown(sources[i], draw=lambda file: _draw(saved, sources[i], file))

    return Generated(
        texts, [[reference] for reference in references], scoring.sentence_chrf(texts, references),
        "chrF2 of the sentence (0 to 100)", scoring.bleu_statistics(texts, references), scoring.bleu_of_sums, "bleu",
        re.compile(r"\w+(?:[-']\w+)*").findall, shown,
    )  # fmt: skip


def _pairs(data: Data, split: str, limit: int | None = None) -> tuple[list[str], list[str]]:
    """Sources and references of a split."""
    pairs = data.raw.split(split, limit).as_numpy_iterator()
    sources, references = zip(
        *((a.decode("utf-8", "replace"), b.decode("utf-8", "replace")) for a, b in pairs), strict=True
    )
    return [" ".join(source.split()) for source in sources], list(references)


def _draw(saved: SavedModel, source: str, file: Path) -> None:
    """The attention of a translation."""
    ((best, *_),) = best_translations(saved, Predict(json=True, attention=True), [source])
    if best["tokens"] and saved.recipe.attention != "none":
        heatmap.draw(file, best["attention"], *tokens_of(saved, source, best), title=f"Attention of {saved.path.name}")


def baselines(saved: SavedModel, data: Data, split: str) -> Mapping[str, Mapping[str, float]]:
    """The source itself; and the translation of the most similar training source, by n-grams of characters."""
    (sources, references), (known, translations) = _pairs(data, split), _pairs(data, "train")
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32)
    memory = vectors.fit_transform(known)
    nearest = [
        int(place)
        for batch in text.in_batches(sources, READ_AHEAD)
        for place in np.asarray((vectors.transform(batch) @ memory.T).argmax(axis=1)).ravel()
    ]
    language = saved.assets["languages"][1]
    found = {"source copied": sources, "nearest training sentence": [translations[place] for place in nearest]}
    return {
        name: {
            "bleu": scoring.bleu(texts, references),
            "bleu_lc_tok": scoring.bleu_lc_tok(texts, references, language),
            "chrf": scoring.chrf(texts, references),
        }
        for name, texts in found.items()
    }


def far_inputs(assets: Mapping[str, Any]) -> Mapping[str, str]:
    """Sentences unlike those of the training data, in the model's language where there are some here."""
    return UNUSUAL.get(assets["languages"][0], UNUSUAL["en"])
