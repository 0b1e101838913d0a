"""Learning from what captions are worth: a model's own, drawn at random, are scored against those of people.

Source: Rennie, Marcheret, Mroueh, Ross and Goel, "Self-critical Sequence Training for Image Captioning" (2017). What
a caption is compared with is the mean of the picture's other ones: Luo, "A Better Variant of Self-Critical Sequence
Training" (2020).
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from zoo import builders
from zoo.data import text
from zoo.task import Data

from . import scoring
from .data import bucket_boundaries, learned_captions, seen
from .pictures import open_pictures
from .recipe import Train

ENDED = "</s>"
"""Stands behind a caption that has ended; without it, captions that break off after "in a" would be worth no less."""


class Reward:
    """What a caption of a picture is worth: CIDEr-D, 0 to 10, and a part of BLEU-1, 0 to 1.

    Args:
        references: Captions of each picture, normalised.
        bleu: Weight of BLEU-1, which counts single words and minds the length.
    """

    def __init__(self, references: Sequence[Sequence[str]], bleu: float) -> None:
        self.references = [[[*one.split(), ENDED] for one in several] for several in references]
        self.cider = scoring.Cider(map(_ngrams, self.references))
        self.bleu = bleu

    def __call__(self, captions: Sequence[str], ended: Sequence[bool], picture: int) -> list[float]:
        """Of several captions of one picture, each with whether it has ended."""
        words = [[*one.split(), *([ENDED] if end else [])] for one, end in zip(captions, ended, strict=True)]
        wanted = _ngrams(self.references[picture])
        return [
            self.cider.score(one, wanted) + self.bleu * scoring.bleu1(one[0], [other[0] for other in wanted])
            for one in _ngrams(words)
        ]


def _ngrams(several: Sequence[Sequence[str]]) -> list:
    return [scoring.ngrams_of(words) for words in several]


def advantages(rewards: np.ndarray) -> np.ndarray:
    """How much more each sample is worth than the mean of the others; `(pictures, samples)` both."""
    samples = rewards.shape[1]
    return (rewards - rewards.mean(axis=1, keepdims=True)) * samples / (samples - 1)


def drawn(recipe: Train, data: Data, model: keras.Model) -> Data:
    """The data of a stage that learns from a reward.

    Args:
        recipe: Of the stage; `samples`, `reward_bleu`, `temperature` and what `tasks.caption.data.load` uses.
        data: Of the stage before.
        model: What is in training. Each batch is drawn when it is asked for, by the model as it is then.

    Returns:
        The same data with other batches to train on: `((pictures, inputs), targets, advantages)`, ids
        `(batch, samples, time)`, advantages `(batch, samples)`. An epoch is each picture once; those that fill no
        whole batch wait for another epoch.
    """
    count, size, tokenizer = data.sizes["train"], recipe.batch_size, data.assets["tokenizer"]
    pictures = open_pictures(recipe.dataset)
    arrays = seen(pictures, recipe, "train", count)
    captions = [[one for one in several if one] for several in learned_captions(pictures, "train", count)]
    worth = Reward(captions, recipe.reward_bleu)
    known = np.flatnonzero([bool(several) for several in captions])
    options = {"start": text.START, "end": text.END, "length": recipe.longest, "temperature": recipe.temperature}
    sampler = builders.searcher(model, "sample", **options)

    def batch(some: Sequence[int], seed: Any) -> tuple:
        inputs = arrays.take(some)
        found = sampler.predict_on_batch({"inputs": np.repeat(inputs, recipe.samples, axis=0), "seed": seed})
        ids = _begun(np.asarray(found["tokens"]))
        said, ended = tokenizer.decode(ids), (ids == text.END).any(axis=1)
        places = np.arange(len(ids)).reshape(len(some), recipe.samples)
        rewards = [
            worth([said[i] for i in row], ended[row], picture) for picture, row in zip(some, places, strict=True)
        ]
        before, after = shifted(_cut(ids, recipe.longest).reshape(*places.shape, -1))
        return (inputs, before), after, advantages(np.array(rewards, "float32"))

    def train(epoch: int) -> Iterator[tuple]:
        random = np.random.default_rng([recipe.seed, epoch])
        order = random.permutation(known)
        for some in text.in_batches(order[: max(len(order) // size, 1) * size], size):
            yield batch(some, random.integers(2**31, size=(), dtype="int32"))

    return dataclasses.replace(data, train=train, epoch=None)


def _begun(ids: np.ndarray) -> np.ndarray:
    """Up to the first padding, which a model that has learned little may draw as if it were a word."""
    return np.where(np.logical_and.accumulate(ids != text.PAD, axis=1), ids, text.PAD)


def _cut(ids: np.ndarray, longest: int) -> np.ndarray:
    """Without the last columns that have padding only; few different lengths, as each is compiled anew."""
    length = int((ids != text.PAD).any(axis=0).sum())
    return ids[:, : next(upper for upper in bucket_boundaries(longest) if upper >= length)]


def shifted(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ids `(..., time)` that end with the end token, as a decoder's inputs and targets."""
    begin = np.full_like(ids[..., :1], text.START)
    return np.where(ids != text.PAD, np.concatenate([begin, ids[..., :-1]], axis=-1), text.PAD), ids
