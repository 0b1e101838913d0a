"""Learning from a reward: captions that the model samples are scored against those of people.

Reference: Rennie, Marcheret, Mroueh, Ross and Goel, "Self-critical Sequence Training for Image Captioning" (2017). The
baseline of a caption is the mean reward of the image's other samples: Luo, "A Better Variant of Self-Critical Sequence
Training" (2020).
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from zoo import builders
from zoo.data import batches, text
from zoo.ids import END, PAD, START
from zoo.settings import NO_LOSS_TERMS
from zoo.task import Data, Score, Stage

from . import scoring
from .data import BOUNDARIES, features, normalized_captions
from .model import build_on_policy
from .recipe import Train

ENDED = "</s>"
"""Follows a caption that has ended; without it, captions that break off after "in a" would get the same reward."""


def reward_stage(recipe: Train, data: Data, validate: Score) -> Stage:
    """The stage that learns from a reward, without dropout, scheduled sampling and averaging.

    Args:
        recipe: Of the whole training.
        data: Of the stage before.
        validate: Scores of the validation split; the reward is added to them.
    """
    off: dict[str, Any] = dict.fromkeys(
        ("word_dropout", "embedding_dropout", "dropout", "output_dropout", "scheduled_sampling", "ema_momentum"), 0.0
    )
    off |= NO_LOSS_TERMS
    own = dataclasses.replace(recipe, **off, epochs=recipe.reward_epochs, learning_rate=recipe.reward_learning_rate)

    def score(model: keras.Model, batches: Any, assets: Mapping[str, Any]) -> dict[str, float]:
        """The reward is that of training, but a mean over images rather than over samples."""
        scores = validate(model, batches, assets)
        reward = (scores["cider"] + recipe.reward_bleu * scores["bleu_1"]) / 100
        return {**scores, "reward": round(reward, 4)}

    sampled_data = dataclasses.replace(data, train=sampled(own, data), epoch_size=None)
    return Stage("reward", own, sampled_data, build_on_policy, score, "reward", on_policy=True, start="weights")


class Reward:
    """The reward of a caption: CIDEr-D, 0 to 10, and a multiple of BLEU-1, 0 to 1.

    Args:
        references: Captions of each image, normalized.
        bleu: Weight of BLEU-1, which counts single words and takes the length into account.
    """

    def __init__(self, references: Sequence[Sequence[str]], bleu: float) -> None:
        self.references = [[[*one.split(), ENDED] for one in several] for several in references]
        self.cider = scoring.Cider(map(_ngrams, self.references))
        self.bleu = bleu

    def __call__(self, captions: Sequence[str], ended: Iterable[bool], image: int) -> list[float]:
        """Rewards of several captions of one image, each given with whether it has ended."""
        words = [[*one.split(), *([ENDED] if end else [])] for one, end in zip(captions, ended, strict=True)]
        references = _ngrams(self.references[image])
        return [
            self.cider.score(one, references) + self.bleu * scoring.bleu_1(one[0], [other[0] for other in references])
            for one in _ngrams(words)
        ]


def _ngrams(several: Sequence[Sequence[str]]) -> list:
    return [scoring.ngrams_of(words) for words in several]


def advantages(rewards: np.ndarray) -> np.ndarray:
    """How much larger each reward is than the mean of the image's other samples; `(images, samples)` both."""
    samples = rewards.shape[1]
    return (rewards - rewards.mean(axis=1, keepdims=True)) * samples / (samples - 1)


def sampled(recipe: Train, data: Data) -> Callable[[int, keras.Model], Iterator[tuple]]:
    """Batches of captions that the model in training samples.

    Args:
        recipe: Of the stage; `num_samples`, `reward_bleu`, `temperature` and what `load` uses.
        data: Of the stage before.

    Returns:
        Epoch number and model -> batches `((images, inputs), targets, advantages)`, ids `(batch, samples, time)`,
        advantages `(batch, samples)`. Each batch is sampled when it is asked for, by the model as it is then. An epoch
        is each image once; those that fill no whole batch wait for another epoch.
    """

    @functools.cache
    def references() -> tuple[Reward, np.ndarray]:
        """The reward, and the numbers of the images that have a caption."""
        captions = normalized_captions(data.raw, "train", data.sizes()["train"])
        several = [[one for one in some if one] for some in captions]
        return Reward(several, recipe.reward_bleu), np.flatnonzero([bool(some) for some in several])

    def train(epoch: int, model: keras.Model) -> Iterator[tuple]:
        reward, known = references()
        arrays, size = features(data.raw, recipe, "train", data.sizes()["train"]), recipe.batch_size
        sampler = builders.searcher(
            model, "sample", start=START, end=END, max_new_tokens=recipe.max_length, temperature=recipe.temperature
        )
        random = np.random.default_rng([recipe.seed, epoch])
        order = random.permutation(known)
        for some in text.in_batches(order[: max(len(order) // size, 1) * size], size):
            images, seed = arrays.take(some), random.integers(2**31, size=(), dtype="int32")
            result = sampler.predict_on_batch({"inputs": np.repeat(images, recipe.num_samples, axis=0), "seed": seed})
            ids = until_padding(np.asarray(result["tokens"]))
            rewards = _rewards(reward, data.assets["tokenizer"].decode(ids), (ids == END).any(axis=1), some)
            inputs, targets = shifted(_truncated(ids, recipe.max_length).reshape(*rewards.shape, -1))
            yield (images, inputs), targets, advantages(rewards)

    return train


def _rewards(reward: Reward, captions: Sequence[str], ended: np.ndarray, images: Sequence[int]) -> np.ndarray:
    """`(images, samples)` float32; the samples of an image stand next to each other in `captions`."""
    samples = len(captions) // len(images)
    starts = range(0, len(captions), samples)
    rows = [
        reward(captions[i : i + samples], ended[i : i + samples], image)
        for i, image in zip(starts, images, strict=True)
    ]
    return np.array(rows, "float32")


def until_padding(ids: np.ndarray) -> np.ndarray:
    """Up to the first padding, which a model that has learned little may sample as if it were a word."""
    return np.where(np.logical_and.accumulate(ids != PAD, axis=1), ids, PAD)


def _truncated(ids: np.ndarray, max_length: int) -> np.ndarray:
    """Without the last columns that have padding only; few different lengths, as each is compiled anew."""
    length = int((ids != PAD).any(axis=0).sum())
    return ids[:, : next(upper for upper in batches.boundaries(BOUNDARIES, max_length) if upper >= length)]


def shifted(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ids `(..., time)` that end with the end token, as a decoder's inputs and targets."""
    start = np.full_like(ids[..., :1], START)
    return np.where(ids != PAD, np.concatenate([start, ids[..., :-1]], axis=-1), PAD), ids
