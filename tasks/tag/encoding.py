"""From words to the ids that a model reads, and from labels of steps to spans. No Keras here."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo.data import text
from zoo.ids import MAX_CHARACTERS, UNKNOWN


def word_ids(tokenizer: text.Tokenizer, words: Sequence[str]) -> list[int]:
    """One id for each word, whatever the word."""
    return [ids[0] if ids else UNKNOWN for ids in tokenizer.encode(words)]


def encoded_words(tokenizer: text.Tokenizer, characters: text.Tokenizer | None, words: Sequence[str]) -> np.ndarray:
    """A sentence as a model of words reads it, before it is batched.

    Args:
        tokenizer: That of the words.
        characters: That of the characters, of a model that reads them.
        words: The words.

    Returns:
        Ids `(time,)` int32; with characters `(time, 1 + MAX_CHARACTERS)`: the word's, then those of its characters,
        padded with 0.
    """
    ids = np.array(word_ids(tokenizer, words), "int32").reshape(-1)
    if characters is None:
        return ids
    spelled = [text.truncate(row, MAX_CHARACTERS, 0.5) for row in characters.encode(words)]
    return np.concatenate([ids[:, None], text.pad(spelled, MAX_CHARACTERS)], axis=1)


def model_inputs(steps: Any, kind: str, lengths: Any, characters: bool) -> Any:
    """The inputs of a model from a padded batch: tokens, tokens and characters, or steps and lengths."""
    if kind != "tokens":
        return steps, lengths
    return (steps[..., 0], steps[..., 1:]) if characters else steps


class Span(NamedTuple):
    """Steps from `start` to before `end` that have one label."""

    start: int
    end: int
    label: str


def spans(labels: Sequence[str]) -> list[Span]:
    """Runs of equal labels."""
    found, start = [], 0
    for label, run in itertools.groupby(labels):
        end = start + sum(1 for _ in run)
        found.append(Span(start, end, label))
        start = end
    return found
