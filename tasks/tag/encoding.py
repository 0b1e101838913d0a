"""From words to the ids that a model reads, and from labels of steps to spans. No Keras here."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from zoo.data import text
from zoo.ids import UNKNOWN


def word_ids(tokenizer: text.Tokenizer, words: Sequence[str]) -> list[int]:
    """One id for each word, whatever the word."""
    return [ids[0] if ids else UNKNOWN for ids in tokenizer.encode(words)]


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
