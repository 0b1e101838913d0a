"""What `zoo tag` prints: clips, sentences or numbers in, one line of labels for each out, in the same order."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from zoo.data import frames, text
from zoo.data.steps import parse_steps
from zoo.errors import UserError
from zoo.storage.saved_model import SavedModel
from zoo.task import error_line, json_line, named_line, shortened

from .conll import split_words
from .encoding import Span, encoded_words, model_inputs, spans
from .recipe import Predict

BATCH = 64
"""Sentences of standard input that are read before they are answered together."""

MIN_STEPS = 16
"""Sequences are padded to a power of two of steps, at least this one: few shapes, so that few graphs are traced."""


def predict(saved: SavedModel, config: Predict) -> Iterator[str]:
    """A line for each input. One that cannot be read gets an error line; the others are answered."""
    kind = saved.assets["input"]["kind"]
    if kind == "tokens":
        return _sentences(saved, config)
    return _one_by_one(saved, config, {"frames": _clip, "features": _features}[kind])


def _one_by_one(saved: SavedModel, config: Predict, answer: Callable[..., str]) -> Iterator[str]:
    for item in config.inputs:
        try:
            yield answer(saved, config, item)
        except UserError as error:
            yield error_line(config, shortened(item), error)


def _clip(saved: SavedModel, config: Predict, name: str) -> str:
    """Spans of a clip with their times."""
    height, width, channels = saved.assets["input"]["shape"]
    clip = frames.read(name.strip(), height, width, channels, fps=config.fps)
    found = _spans(saved, predict_probabilities(saved, [clip.frames])[0])
    times = [[step * clip.seconds for step in (span.start, span.end)] for span, _ in found]
    plain = "; ".join(
        f"{start:.2f}-{end:.2f} s {span.label}" for (start, end), (span, _) in zip(times, found, strict=True)
    )
    if not config.json:
        return named_line(config, name, plain)
    answers = [
        {
            "start": span.start,
            "end": span.end,
            "seconds": [round(time, 4) for time in span_times],
            "label": span.label,
            "probability": round(probability, 6),
        }
        for span_times, (span, probability) in zip(times, found, strict=True)
    ]
    name = shortened(name)
    return json_line(name, plain, _mean(found), clip=name, frames=len(clip.frames), spans=answers)


def _mean(found: Sequence[tuple[Span, float]]) -> float:
    """Mean probability of the labels over all steps."""
    return float(np.average([p for _, p in found], weights=[span.end - span.start for span, _ in found]))


def _features(saved: SavedModel, config: Predict, item: str) -> str:
    """Spans of a sequence of numbers with their steps."""
    found = _spans(saved, predict_probabilities(saved, [parse_steps(item, saved.assets["input"]["shape"][0])])[0])
    plain = "; ".join(f"{span.start}-{span.end} {span.label}" for span, _ in found)
    if not config.json:
        return plain
    answers = [{"start": s.start, "end": s.end, "label": s.label, "probability": round(p, 6)} for s, p in found]
    return json_line(shortened(item), plain, _mean(found), spans=answers)


def _sentences(saved: SavedModel, config: Predict) -> Iterator[str]:
    """Words with their labels."""
    tokenizer, labels = saved.assets["tokenizer"], saved.assets["labels"]
    characters = saved.assets.get("character_tokenizer")
    known = set(tokenizer.inner.get_vocab())
    for texts in text.in_batches(config.inputs, BATCH):
        rows = [split_words(sentence, known) for sentence in texts]
        ids = [encoded_words(tokenizer, characters, words) for words in rows if words]
        answers = iter(predict_probabilities(saved, ids) if ids else [])
        for sentence, words in zip(texts, rows, strict=True):
            probabilities = next(answers) if words else np.zeros((0, len(labels)))
            best = probabilities.argmax(axis=1)
            plain = " ".join(f"{word}/{labels[i]}" for word, i in zip(words, best, strict=True))
            if not config.json:
                yield plain
                continue
            packed = [
                {"word": word, "label": labels[i], "probability": round(float(row[i]), 6)}
                for word, i, row in zip(words, best, probabilities, strict=True)
            ]
            score = float(probabilities.max(axis=1).mean()) if words else None
            yield json_line(text.whole_characters(sentence), plain, score, words=packed)


def _spans(saved: SavedModel, probabilities: np.ndarray) -> list[tuple[Span, float]]:
    """Runs of the most probable label, each with the mean of its probability."""
    labels, best = saved.assets["labels"], probabilities.argmax(axis=1)
    runs = spans([labels[i] for i in best])
    return [(run, float(probabilities[run.start : run.end, best[run.start]].mean())) for run in runs]


def predict_probabilities(saved: SavedModel, rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The probabilities of the labels at each step.

    Args:
        saved: The model.
        rows: Sequences of any lengths, encoded as the model reads them: frames, features or ids.

    Returns:
        `(time, classes)` for each sequence.
    """
    lengths = np.array([len(row) for row in rows], "int32")
    steps = max(MIN_STEPS, 1 << (int(lengths.max()) - 1).bit_length())
    batch = np.zeros((len(rows), steps, *rows[0].shape[1:]), rows[0].dtype)
    for i, row in enumerate(rows):
        batch[i, : len(row)] = row
    kind, characters = saved.assets["input"]["kind"], "character_tokenizer" in saved.assets
    inputs = model_inputs(batch, kind, lengths, characters)
    probabilities = np.asarray(saved.net.predict_on_batch(inputs))
    return [row[:length] for row, length in zip(probabilities, lengths, strict=True)]
