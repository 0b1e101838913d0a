"""What `zoo sentiment` prints: texts in, labels with probabilities out, in the same order."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from zoo.data import text
from zoo.ids import UNKNOWN
from zoo.storage.saved_model import SavedModel
from zoo.task import Styled, json_line
from zoo.terminal import shades
from zoo.terminal.console import printable

from .encoding import encoder
from .recipe import Predict

BATCH = 64
"""Texts of standard input that are read before they are answered together."""

LEAST_SCALE = 0.02
"""Effects are colored relative to the strongest, or to this one: smaller ones mean nothing."""

MOST_MARKED = 5
"""Words that `--explain` marks in plain output; the JSON has all of them."""


def predict(saved: SavedModel, config: Predict) -> Iterator[str]:
    """A line for each text: label and probability, or JSON with all classes; with `explain` the words that count."""
    labels = saved.assets["labels"]
    panels = []
    for texts in text.in_batches(config.inputs, BATCH):
        for words, probabilities in zip(texts, predict_probabilities(saved, texts), strict=True):
            best = int(np.argmax(probabilities))
            marks = explain(saved, words, best) if config.explain or config.html else []
            plain = f"{labels[best]}\t{probabilities[best]:.3f}"
            if config.html:
                panels.append((plain.replace("\t", " "), in_parts(words, marks)))
            if config.json:
                yield _json(labels, probabilities, words, marks if config.explain else None)
            else:
                yield _explained(plain, words, marks) if config.explain else plain
    if config.html:
        shades.write_page(config.html, saved.path.name, shades.SIGNED_LEGEND, panels)
    elif config.explain and not config.json:
        print(shades.SIGNED_LEGEND if shades.has_color() else LEGEND, file=sys.stderr)


def _json(labels: list[str], probabilities: np.ndarray, words: str, marks: list[tuple[int, int, float]] | None) -> str:
    best, *others = (int(i) for i in np.argsort(-probabilities, kind="stable"))
    more: dict[str, Any] = {
        "label": labels[best],
        "probability": round(float(probabilities[best]), 6),
        "probabilities": {k: round(float(p), 6) for k, p in zip(labels, probabilities, strict=True)},
    }
    if marks is not None:
        more["words"] = [{"start": s, "end": e, "text": words[s:e], "effect": round(d, 6)} for s, e, d in marks]
    alternatives = [(labels[i], float(probabilities[i])) for i in others]
    return json_line(text.whole_characters(words), labels[best], float(probabilities[best]), alternatives, **more)


def predict_probabilities(saved: SavedModel, texts: list[str]) -> np.ndarray:
    """The probabilities of the labels.

    Args:
        saved: The model.
        texts: Texts of any lengths.

    Returns:
        `(texts, classes)`.
    """
    return _answers(saved, encoder(saved.assets["tokenizer"], saved.recipe)(texts))


def _answers(saved: SavedModel, rows: list) -> np.ndarray:
    # Padded to a power of two: few shapes, so that few graphs are traced.
    longest = max(map(len, rows))
    tokens = text.pad(rows, 1 << (longest - 1).bit_length())
    return np.asarray(saved.net.predict_on_batch(tokens))


def explain(saved: SavedModel, words: str, label: int) -> list[tuple[int, int, float]]:
    """How much each word supports the answer: the label's probability with it, minus without (occlusion).

    Reference: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 4.2, on words.

    Returns:
        `(start, end, effect)` of each word read, by falling size of the effect.
    """
    recipe = saved.recipe
    spans = saved.assets["tokenizer"].encode_with_offsets(words)
    if not spans:
        return []
    spans = list(text.truncate(spans, recipe.max_length, recipe.head_fraction))
    ids = [token for token, _, _ in spans]
    hidden = [[*ids[:i], UNKNOWN, *ids[i + 1 :]] for i in range(len(ids))]
    whole = _answers(saved, [ids])[0, label]
    without = [_answers(saved, rows)[:, label] for rows in text.in_batches(hidden, BATCH)]
    effects = whole - np.concatenate(without)
    marks = [(start, end, float(effect)) for (_, start, end), effect in zip(spans, effects, strict=True)]
    return sorted(marks, key=lambda mark: -abs(mark[2]))


def _explained(plain: str, words: str, marks: list[tuple[int, int, float]]) -> str:
    """A line with the text behind it, its words colored where the terminal can, else the strongest in brackets."""
    if shades.has_color():
        return Styled(f"{printable(plain)}\t{shades.signed(in_parts(words, marks))}")
    return f"{plain}\t{_marked(words, marks)}"


def in_parts(words: str, marks: Sequence[tuple[int, int, float]], relative: bool = True) -> list[tuple[str, float]]:
    """A whole text in parts, each with its effect; 0 between the words that were read.

    Args:
        words: The text.
        marks: `(start, end, effect)` of words, see `explain`.
        relative: Whether effects are divided by the strongest one, for colors.
    """
    scale = max([LEAST_SCALE, *(abs(effect) for _, _, effect in marks)]) if relative else 1.0
    parts, done = [], 0
    for start, end, effect in sorted(marks):
        parts += [(words[done:start], 0.0), (words[start:end], effect / scale)]
        done = end
    return [(part, effect) for part, effect in [*parts, (words[done:], 0.0)] if part]


LEGEND = "[+word+] supports the answer, [-word-] speaks against it."
"""What `_marked` means."""


def _marked(words: str, marks: list[tuple[int, int, float]]) -> str:
    """The text with the strongest words in brackets: `[+fine+]` supports the answer, `[-but-]` speaks against it."""
    for start, end, effect in sorted(marks[:MOST_MARKED], reverse=True):
        sign = "+" if effect >= 0 else "-"
        words = f"{words[:start]}[{sign}{words[start:end]}{sign}]{words[end:]}"
    return " ".join(words.split())
