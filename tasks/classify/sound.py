"""Recordings: from samples to log-mel frames, changed at random in training, and a file as a model reads it."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import audio, batches
from zoo.data.pipeline import Pipeline
from zoo.data.raw import RawDataset
from zoo.errors import UserError
from zoo.task import Data

from .recipe import Train

BOUNDARIES = (20, 30, 40, 50, 65, 80, 100, 150, 250, 500)
"""Bucket boundaries in frames, ten milliseconds each; the last holds whatever is longer."""

GOLDEN = 3
"""Recordings of the test split in `golden.json`."""


def load(raw: RawDataset, recipe: Train) -> Data:
    """A data set of recordings, examples `(samples, label)` with samples int16 `(time,)`.

    Args:
        raw: The data set; its card's details have the `sample_rate`.
        recipe: Bands, changes, batch size and seed are used.

    Raises:
        UserError: If the recipe asks for changes that are for other data.
    """
    if recipe.augment:
        raise UserError("--augment is for series; recordings have --speed-range, --time-shift and --noise.")
    rate, changes = raw.card.details["sample_rate"], (recipe.speed_range, recipe.time_shift, recipe.noise)
    recordings = raw.split("train").cache()

    def framed(samples: tf.Tensor) -> tf.Tensor:
        return audio.log_mel(samples, rate, recipe.num_mel)

    def encode(examples: tf.data.Dataset, training: bool) -> tf.data.Dataset:
        if training and any(changes):
            return examples  # `epoch_examples` has made its frames
        return examples.map(lambda samples, label: (framed(scaled(samples)), label), num_parallel_calls=2)

    def epoch_examples(epoch: int) -> tf.data.Dataset:
        start = tf.cast(recipe.seed * 100_003 + epoch, tf.int64)

        def step(index: tf.Tensor, example: tuple) -> tuple[tf.Tensor, tf.Tensor]:
            samples, label = example
            return framed(changed(scaled(samples), rate, *changes, seed=tf.stack([start, index]))), label

        return recordings.enumerate().map(step, num_parallel_calls=2, deterministic=True)

    def batch(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        # A further feature, 1 at real steps: padding has 0, and the mask is made of it.
        marked = examples.map(lambda x, label: (tf.pad(x, [[0, 0], [0, 1]], constant_values=1.0), label))
        padded = batches.bucketed(marked, size, BOUNDARIES)
        return padded.map(lambda x, *rest: ((x[..., :-1], x[..., -1] > 0), *rest))

    pipeline = Pipeline(
        raw, batch, encode, recipe.batch_size, recipe.seed, epoch_examples=epoch_examples if any(changes) else None
    )
    facts = {"sample_rate": rate, "num_mel": recipe.num_mel}
    assets = {"labels": list(raw.labels), "shape": [None, recipe.num_mel], "audio": facts}
    return Data(raw, pipeline.train, pipeline.split, assets, raw.sizes, raw.card, examples=golden(raw, rate))


def golden(raw: RawDataset, rate: int) -> list[str]:
    """Recordings of the test split as `data:` URIs."""
    rows = raw.split("test", GOLDEN).as_numpy_iterator()
    return [audio.data_uri(audio.Sound(samples / np.float32(32768), rate)) for samples, _ in rows]


def scaled(samples: tf.Tensor) -> tf.Tensor:
    """Whole numbers of 16 bit as numbers from -1 to 1."""
    return tf.cast(samples, tf.float32) / 32768


def changed(
    samples: tf.Tensor, rate: int, speed_range: float, time_shift: float, noise: float, seed: tf.Tensor
) -> tf.Tensor:
    """A recording, changed at random so that its class stays.

    Speed by reading between the samples, which moves the pitch with it (Ko et al., "Audio Augmentation for Speech
    Recognition", 2015, section 2.2); silence of random length before and after; white noise.

    Args:
        samples: `(time,)` float32.
        rate: Samples per second.
        speed_range: The speed is drawn from 1 less this to 1 and this.
        time_shift: Largest silence at each end, in seconds.
        noise: Largest standard deviation of the noise, as a fraction of that of the recording.
        seed: Two whole numbers that decide the draws.

    Returns:
        `(time,)` float32, of another length.
    """
    draws = tf.random.stateless_uniform([4], seed)
    speed = 1.0 + speed_range * (2.0 * draws[0] - 1.0)
    before, after = (tf.cast(time_shift * rate * draw, tf.int32) for draw in (draws[1], draws[2]))
    samples = tf.pad(at_speed(samples, speed), [[before, after]])
    deviation = noise * draws[3] * tf.math.reduce_std(samples)
    return samples + deviation * tf.random.stateless_normal(tf.shape(samples), seed + 1)


def at_speed(samples: tf.Tensor, speed: Any) -> tf.Tensor:
    """The samples `(time,)` read faster or slower, by linear interpolation."""
    length = tf.cast(tf.shape(samples)[0], tf.float32)
    places = tf.range(tf.maximum(tf.floor((length - 1.0) / speed), 1.0)) * speed
    left = tf.cast(places, tf.int32)
    right = tf.minimum(left + 1, tf.shape(samples)[0] - 1)
    part = places - tf.cast(left, tf.float32)
    return (1.0 - part) * tf.gather(samples, left) + part * tf.gather(samples, right)


def frames(samples: np.ndarray, facts: Mapping[str, Any]) -> np.ndarray:
    """Samples of a data set, int16 `(time,)`, as a model reads them: `(frames, num_mel)`."""
    return audio.log_mel(scaled(samples), facts["sample_rate"], facts["num_mel"]).numpy()


def read(name: str, facts: Mapping[str, Any]) -> np.ndarray:
    """A sound file as a model reads it, `(frames, num_mel)`; says on standard error if its rate had to be changed.

    Args:
        name: The file, or a `data:` URI.
        facts: The model's asset `audio`.

    Raises:
        UserError: If it cannot be read.
    """
    sound, rate = audio.read(name), facts["sample_rate"]
    if sound.rate != rate:
        print(f"{name[:60]}: {sound.rate:,} samples per second, resampled to {rate:,}.", file=sys.stderr, flush=True)
    return audio.log_mel(audio.resampled(sound, rate).samples, rate, facts["num_mel"]).numpy()
