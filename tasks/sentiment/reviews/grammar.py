"""Writes reviews whose label follows from their composition, not from their words.

A review is a few sentences. Those of the author (`frames.WEIGHED`) all have the polarity that is the label;
beside them stand sentences that do not count (`asides`: what others said, what was promised, what another work
was like, what is granted) and neutral scenes. Within a sentence the constructions of `frames` and the negators of
`words` decide how the polarity follows from the evaluative words, so that each of these appears under both labels.
"""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from . import asides, frames
from .writer import Writer, pick

T = TypeVar("T")

# Sentences that do not count are as often against the label as with it: else they would be a hint.
_AGAINST = 0.5
# Extra plain sentences beside the seventeen constructions: they are what a bag of words can see.
_PLAIN = 0.3
_WORDS = range(15, 61)


class Sentence(NamedTuple):
    """One entry of a derivation: `frame` of `construction`, filled with words, became `text`."""

    construction: str
    frame: str
    text: str


class Review(NamedTuple):
    """A review with its label (0 negative, 1 positive) and how it was derived."""

    text: str
    label: int
    sentences: tuple[Sentence, ...]


def generate(split: str, count: int, seed: int) -> Iterator[tuple[str, int]]:
    """Yields distinct reviews, half of them positive.

    Args:
        split: One of `frames.SPLITS`; no frame and no text of one split occurs in another.
        count: Number of reviews. Fewer of them are a prefix of more.
        seed: Two calls with equal arguments give equal reviews, on every machine.

    Yields:
        Text and label (0 negative, 1 positive).

    Raises:
        ValueError: If `split` is unknown.
    """
    for review in derive(split, count, seed):
        yield review.text, review.label


def derive(split: str, count: int, seed: int) -> Iterator[Review]:
    """Yields what `generate` yields, with the derivations."""
    if split not in frames.SPLITS:
        raise ValueError(f"unknown split {split!r}; known are {', '.join(frames.SPLITS)}")
    rng = random.Random(f"{seed}/{split}")  # seeding by a string goes through SHA-512: the same everywhere
    seen: set[str] = set()
    label = 0
    for index in range(count):
        # One review of each label a pair, in random order: balanced, and a prefix does not depend on `count`.
        label = 1 - label if index % 2 else int(rng.random() < 0.5)
        review = _compose(split, label, rng)
        while review.text in seen or len(review.text.split()) not in _WORDS:
            review = _compose(split, label, rng)
        seen.add(review.text)
        yield review


def _shuffled(rng: random.Random, items: Sequence[T]) -> list[T]:
    return [item for _, _, item in sorted((rng.random(), place, item) for place, item in enumerate(items))]


def _compose(split: str, label: int, rng: random.Random) -> Review:
    writer = Writer(rng)
    weighed = pick(rng, (1, 1, 1, 1, 1, 2, 2, 2, 3))
    discounted = pick(rng, (0, 0, 0, 1, 1, 1, 2, 2)) if weighed < 3 else 0
    scenes = pick(rng, (0, 0, 1, 1)) if weighed + discounted > 1 else 1
    kinds = ["weighed"] * weighed + ["discounted"] * discounted + ["scene"] * scenes
    sentences: list[Sentence] = []
    for kind in _shuffled(rng, kinds):
        construction, frame, polarity = _draw(kind, split, label, writer)
        while frame in (sentence.frame for sentence in sentences):
            construction, frame, polarity = _draw(kind, split, label, writer)
        sentences.append(Sentence(construction, frame, writer.write(frame, polarity)))
    return Review(" ".join(sentence.text for sentence in sentences), label, tuple(sentences))


def _draw(kind: str, split: str, label: int, writer: Writer) -> tuple[str, str, int]:
    """Returns construction, frame and the polarity it is to be written with."""
    rng = writer.rng
    if kind == "scene":
        scenes = pick(rng, (asides.SCENES[split], writer.domain.scenes[split]))
        return "scene", pick(rng, scenes), label
    if kind == "weighed":
        construction = "plain" if rng.random() < _PLAIN else pick(rng, tuple(frames.WEIGHED))
        return construction, pick(rng, frames.WEIGHED[construction][split]), label
    if rng.random() < 0.3:
        return "granted", pick(rng, asides.GRANTED[split]), 1 - label
    construction = pick(rng, tuple(asides.DISCOUNTED))
    polarity = 1 - label if rng.random() < _AGAINST else label
    return construction, pick(rng, asides.DISCOUNTED[construction][split]), polarity
