"""What a report and a card need of the tagging task: answers, simple methods beside the net, unusual inputs."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from seqeval.metrics.sequence_labeling import get_entities
from sklearn.linear_model import LogisticRegression

from zoo.data import images, text
from zoo.report.values import Shown, Span, Tagged
from zoo.saved import SavedModel
from zoo.task import Data

from . import scoring
from .clips import drawing
from .encoding import encoded_words, spans
from .predict import BATCH, predict_probabilities

MOST_FRAMES = 12
"""Frames of a clip that are shown side by side."""

MOST_STEPS = 4_000
"""Frames from which the classifier of single frames learns."""

STEPS = 24
"""Steps of an unusual sequence."""


def answers(saved: SavedModel, data: Data, split: str, limit: int | None = None) -> Tagged:
    """The model's labels of a split, at the steps that have one."""
    rows = list(data.raw.split(split, limit).as_numpy_iterator())
    kind, tokenizer = saved.assets["input"]["kind"], saved.assets.get("tokenizer")
    characters = saved.assets.get("character_tokenizer")
    inputs = [encoded_words(tokenizer, characters, _words(row)) if tokenizer else row for row, _ in rows]
    best: list[Any] = [np.zeros(0, int)] * len(rows)
    by_length = sorted((i for i in range(len(rows)) if len(inputs[i])), key=lambda i: len(inputs[i]))
    for batch in text.in_batches(by_length, BATCH):
        for i, probabilities in zip(batch, predict_probabilities(saved, [inputs[i] for i in batch]), strict=True):
            best[i] = probabilities.argmax(axis=1)
    labeled = [np.asarray(labels) >= 0 for _, labels in rows]
    return Tagged(
        saved.assets["labels"],
        [np.asarray(labels)[where] for (_, labels), where in zip(rows, labeled, strict=True)],
        [labels[where] for labels, where in zip(best, labeled, strict=True)],
        lambda i: _shown(rows[i][0], kind),
        spans_of(kind, saved.assets["labels"]),
    )


def spans_of(kind: str, labels: Sequence[str]) -> Callable[[Sequence[str]], list[Span]] | None:
    """How labels make spans: runs of frames, entities of `B-` and `I-`; None where spans mean nothing."""
    if kind == "frames":
        return lambda names: [(span.start, span.end, span.label) for span in spans(names)]
    if kind == "tokens" and scoring.is_bio(labels):
        return lambda names: [(start, end + 1, label) for label, start, end in get_entities(list(names))]
    return None


def _words(row: np.ndarray) -> list[str]:
    return [word.decode("utf-8", "replace") for word in row]


def _shown(row: np.ndarray, kind: str) -> Shown:
    if kind == "tokens":
        return Shown(" ".join(_words(row)))
    if kind == "frames":
        some = row[:: -(-len(row) // MOST_FRAMES)]  # (some, height, width, channels)
        strip = np.concatenate(list(some), axis=1)
        return Shown(f"a clip of {len(row)} frames", strip[..., 0] if strip.shape[2] == 1 else strip)
    return Shown(json.dumps(np.round(row.astype(float), 2).tolist()))


def baselines(saved: SavedModel, data: Data, split: str) -> Mapping[str, Mapping[str, float]]:
    """The most frequent label; of words the most frequent label of each; of frames a classifier of single ones."""
    kind, labels = saved.assets["input"]["kind"], saved.assets["labels"]
    training, rows = (list(data.raw.split(name).as_numpy_iterator()) for name in ("train", split))
    steps = Counter(int(label) for _, row in training for label in row if label >= 0)
    common = max(sorted(steps), key=lambda label: steps[label])
    guesses: dict[str, Callable[[np.ndarray], Any]] = {"most frequent label": lambda row: [common] * len(row)}
    if kind == "tokens":
        guesses["most frequent label of each word"] = _by_word(training, common)
    if kind == "frames":
        guesses["logistic regression on single frames"] = _by_frame(training)
    truth = [[labels[i] for i in row if i >= 0] for _, row in rows]
    found = {}
    for name, guess in guesses.items():
        pairs = ((guess(items), row) for items, row in rows)
        said = [[labels[a] for a, b in zip(ours, row, strict=True) if b >= 0] for ours, row in pairs]
        found[name] = scoring.scores(truth, said, kind)
    return found


def _by_word(training: Sequence[tuple], common: int) -> Callable[[np.ndarray], list[int]]:
    counts: defaultdict[bytes, Counter[int]] = defaultdict(Counter)
    for words, row in training:
        for word, label in zip(words, row, strict=True):
            counts[word][int(label)] += 1
    table = {word: count.most_common(1)[0][0] for word, count in counts.items()}
    return lambda words: [table.get(word, common) for word in words]


def _by_frame(training: Sequence[tuple]) -> Callable[[np.ndarray], np.ndarray]:
    frames = np.concatenate([frames[row >= 0] for frames, row in training])
    labels = np.concatenate([row[row >= 0] for _, row in training])
    some = np.random.default_rng(1).permutation(len(labels))[:MOST_STEPS]
    # Strong regularization: with less, the pixels of these few frames are learned by heart.
    linear = LogisticRegression(C=0.01, max_iter=1_000).fit(frames[some].reshape(len(some), -1) / 255.0, labels[some])
    return lambda items: linear.predict(items.reshape(len(items), -1) / 255.0)


def far_inputs(assets: Mapping[str, Any]) -> Mapping[str, str]:
    """Noise and stillness; of words, another language and unknown ones."""
    kind, random = assets["input"]["kind"], np.random.default_rng(1)
    if kind == "tokens":
        return {
            "another language": "Anna wohnt seit Mai in Hamburg .",
            "unknown words": "Xqz flurbed the grindlewock .",
        }
    if kind == "frames":
        noise = random.integers(0, 256, (STEPS, *assets["input"]["shape"][:2]), dtype="uint8")
        still = np.zeros_like(noise)
        still[1::2, 0, 0] = 1  # equal frames in succession would be stored as one
        clips = {"noise": noise, "an empty clip": still}
        return {name: images.data_uri(clip, drawing.DURATION) for name, clip in clips.items()}
    steps = random.standard_normal((STEPS, assets["input"]["shape"][0])).round(2)
    return {"noise": json.dumps(steps.tolist()), "zeros only": json.dumps(np.zeros_like(steps).tolist())}
