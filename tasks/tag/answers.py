"""What `zoo tag` prints: clips, sentences or numbers in, a line of labels of each out, in the same order."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from zoo.data import frames, text
from zoo.errors import UserError
from zoo.saved import SavedModel
from zoo.task import Failed

from .conll import words_of
from .data import ids
from .recipe import Predict
from .scoring import Span, spans

AT_ONCE = 64
"""Sentences that are read before they are answered together."""

LEAST = 16
"""Sequences are filled up to a power of two of steps, this one at least: few shapes, so that few graphs are traced."""


def predict(saved: SavedModel, ask: Predict) -> Iterator[str]:
    """A line for each input. One that cannot be read gets a line that says why, and the others their answers."""
    kind = saved.assets["input"]["kind"]
    if kind == "tokens":
        return _sentences(saved, ask)
    return _one_by_one(saved, ask, {"frames": _clip, "features": _features}[kind])


def _one_by_one(saved: SavedModel, ask: Predict, answer: Callable[..., str]) -> Iterator[str]:
    for name in ask.inputs:
        try:
            yield answer(saved, ask, name)
        except UserError as error:
            told = json.dumps({"input": _short(name), "error": str(error)}, ensure_ascii=False)
            yield Failed(told if ask.json else f"Error: {error}")


def _short(name: str) -> str:
    return name if len(name) <= 200 else f"{name[:40]}..."


def _clip(saved: SavedModel, ask: Predict, name: str) -> str:
    """Spans of a clip with their times."""
    height, width, channels = saved.assets["input"]["shape"]
    clip = frames.read(name.strip(), height, width, channels, fps=ask.fps)
    probabilities = _answered(saved, [clip.frames])[0]
    found = _spans(saved, probabilities)
    if not ask.json:
        return "; ".join(f"{s.start * clip.seconds:.2f}-{s.end * clip.seconds:.2f} s {s.label}" for s, _ in found)
    told = [
        {
            "start": span.start,
            "end": span.end,
            "seconds": [round(span.start * clip.seconds, 4), round(span.end * clip.seconds, 4)],
            "label": span.label,
            "probability": round(sure, 6),
        }
        for span, sure in found
    ]
    return json.dumps({"clip": _short(name), "frames": len(clip.frames), "spans": told}, ensure_ascii=False)


def _features(saved: SavedModel, ask: Predict, name: str) -> str:
    """Spans of a sequence of numbers with their steps."""
    found = _spans(saved, _answered(saved, [parsed(name, saved.assets["input"]["shape"][0])])[0])
    if not ask.json:
        return "; ".join(f"{span.start}-{span.end} {span.label}" for span, _ in found)
    told = [{"start": s.start, "end": s.end, "label": s.label, "probability": round(p, 6)} for s, p in found]
    return json.dumps({"spans": told}, ensure_ascii=False)


def parsed(told: str, features: int) -> np.ndarray:
    """Steps `(time, features)` float32 from JSON, a list of lists of numbers.

    Raises:
        UserError: If it is anything else.
    """
    wanted = f"This model reads sequences of {features} numbers a step, as JSON: [[0, 1], [1, 0]]"
    try:
        steps = np.array(json.loads(told), "float32")
    except (ValueError, TypeError) as error:
        raise UserError(f"{wanted}; got {_short(told)!r}.") from error
    if steps.ndim != 2 or steps.shape[1] != features or not len(steps) or not np.isfinite(steps).all():
        raise UserError(f"{wanted}; got the shape {steps.shape}.")
    return steps


def _sentences(saved: SavedModel, ask: Predict) -> Iterator[str]:
    """Words with their labels."""
    tokenizer, labels = saved.assets["tokenizer"], saved.assets["labels"]
    known = set(tokenizer.inner.get_vocab())
    for texts in text.in_batches(ask.inputs, AT_ONCE):
        rows = [words_of(one, known) for one in texts]
        asked = [ids(tokenizer, words) for words in rows if words]
        answers = iter(_answered(saved, [np.array(row, "int32") for row in asked]) if asked else [])
        for words in rows:
            probabilities = next(answers) if words else np.zeros((0, len(labels)))
            best = probabilities.argmax(axis=1) if words else []
            if not ask.json:
                yield " ".join(f"{word}/{labels[i]}" for word, i in zip(words, best, strict=True))
                continue
            told = [
                {"word": word, "label": labels[i], "probability": round(float(row[i]), 6)}
                for word, i, row in zip(words, best, probabilities, strict=True)
            ]
            yield json.dumps({"words": told}, ensure_ascii=False)


def _spans(saved: SavedModel, probabilities: np.ndarray) -> list[tuple[Span, float]]:
    """Runs of the likeliest label, each with the mean of its probability."""
    labels, best = saved.assets["labels"], probabilities.argmax(axis=1)
    found = spans([labels[i] for i in best])
    return [(span, float(probabilities[span.start : span.end, best[span.start]].mean())) for span in found]


def _answered(saved: SavedModel, rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Probabilities `(time, classes)` of each sequence."""
    lengths = np.array([len(row) for row in rows], "int32")
    steps = max(LEAST, 1 << (int(lengths.max()) - 1).bit_length())
    batch = np.zeros((len(rows), steps, *rows[0].shape[1:]), rows[0].dtype)
    for place, row in enumerate(rows):
        batch[place, : len(row)] = row
    inputs: Any = batch if saved.assets["input"]["kind"] == "tokens" else (batch, lengths)
    found = np.asarray(saved.model.predict_on_batch(inputs))
    return [found[place, :length] for place, length in enumerate(lengths)]
