"""What a report and a card need of the captioning task: answers, simple methods beside the net, unusual inputs."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sacrebleu
import tensorflow as tf

from zoo.data import images, text
from zoo.report.values import Generated, Shown
from zoo.saved import SavedModel
from zoo.task import Data

from . import scoring
from .attention_sheet import draw
from .predict import best_captions
from .raw import user_errors
from .recipe import Predict
from .scenes import truth

BATCH = 64
"""Pictures that are decoded and captioned together."""

_CHRF = sacrebleu.CHRF()


def answers(saved: SavedModel, data: Data, split: str, limit: int | None = None) -> Generated:
    """The model's captions of a split."""
    rows = list(data.raw.split(split, limit).as_numpy_iterator())
    references = [[scoring.normalize(item.decode("utf-8", "replace")) for item in known] for _, known, _ in rows]
    texts = _captions(saved, Predict(), data, rows)

    def shown(i: int) -> Shown:
        picture = _picture(data, rows[i])
        return Shown("", picture, draw=lambda file: _draw(saved, picture, file))

    return Generated(
        texts, references, _sentence_chrf(texts, references), "chrF2 of the caption (0 to 100)",
        scoring.bleu_statistics(texts, references), scoring.bleu_of_sums, "bleu_4", str.split, shown, pictures=True,
    )  # fmt: skip


def _picture(data: Data, row: tuple) -> np.ndarray:
    """The pixels of an example."""
    return np.asarray(data.raw.decode(tf.constant(row[0])))


def _captions(saved: SavedModel, config: Predict, data: Data, rows: list[tuple]) -> list[str]:
    """One caption per example."""
    texts = []
    with user_errors():
        for batch in text.in_batches(rows, BATCH):
            found = best_captions(saved, config, [_picture(data, row) for row in batch])
            texts += [captions[0]["caption"] for captions in found]
    return texts


def _sentence_chrf(texts: list[str], references: list[list[str]]) -> np.ndarray:
    return np.array([_CHRF.sentence_score(ours, right).score for ours, right in zip(texts, references, strict=True)])


def _draw(saved: SavedModel, picture: np.ndarray, file: Path) -> None:
    ((best, *_),) = best_captions(saved, Predict(json=True, attention=True), [picture])
    draw(file, picture, best["words"], best["attention"], title=best["caption"])


def baselines(saved: SavedModel, data: Data, split: str) -> Mapping[str, Mapping[str, float]]:
    """The most frequent training caption for every picture; and the model with greedy search in place of a beam."""
    training = Counter(
        scoring.normalize(item.decode("utf-8", "replace"))
        for _, known, _ in data.raw.split("train").as_numpy_iterator()
        for item in known
    )
    caption, _ = min(training.most_common(), key=lambda item: (-item[1], item[0]))
    rows = list(data.raw.split(split).as_numpy_iterator())
    written = {
        f"the caption {json.dumps(caption)} for every picture": [caption] * len(rows),
        "greedy search": _captions(saved, Predict(beam_size=1), data, rows),
    }
    return {name: _scores(texts, rows) for name, texts in written.items()}


def _scores(texts: list[str], rows: list[tuple]) -> dict[str, float]:
    """The scores by which captions are compared here."""
    found = scoring.scores(texts, [[item.decode("utf-8", "replace") for item in known] for _, known, _ in rows])
    facts = [row[2].decode("utf-8") for row in rows]
    if all(facts):  # scenes, where everything about an image is known
        found["fact_accuracy"] = sum(map(truth.is_true, texts, facts)) / len(facts)
    kept = ("bleu_1", "bleu_4", "cider", "fact_accuracy")
    return {name: round(found[name], 4) for name in kept if name in found}


def far_inputs(assets: Mapping[str, Any]) -> Mapping[str, str]:
    """Pictures that show nothing."""
    noise = np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype="uint8")
    return {"noise": images.data_uri([noise]), "a gray picture": images.data_uri([np.full_like(noise, 128)])}
