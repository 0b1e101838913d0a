"""Memory tests: sequences of steps with features, each of its own length, and a label that was told long ago."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import tfds as sources
from zoo.errors import UserError

from .adding import adding_dataset_builder as adding
from .delayed_xor import delayed_xor_dataset_builder as delayed_xor
from .recipe import EMBEDDED

BUILDERS = {"delayed_xor": delayed_xor, "adding": adding}

BESIDE = {"delayed_xor": delayed_xor.BITS, "adding": 0}
"""Steps of a sequence that do not count as distance."""

LEAST, MOST = 5, 1_000
"""Longest distances that make sense: shorter ones test nothing, longer ones take hours."""

BOUNDARIES = (3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)


@dataclass(frozen=True)
class Sequences:
    """A memory test.

    Attributes:
        builder: The prepared TFDS builder.
        labels: Names of the classes.
        beside: Steps of a sequence that are no distance.
        longest: Steps of the longest sequence.
        facts: For the card.
    """

    builder: Any
    labels: Sequence[str]
    beside: int
    longest: int
    facts: Mapping[str, Any]

    def split(self, name: str) -> tf.data.Dataset:
        """Examples `(steps, label)`: steps `(time, features + 1)`, whose last feature is 1, for real."""
        read = self.builder.as_dataset(split=name, shuffle_files=False)
        return read.map(lambda item: (tf.pad(item["inputs"], [[0, 0], [0, 1]], constant_values=1.0), item["label"]))

    def boundaries(self) -> list[int]:
        """Those of `BOUNDARIES` that the sequences need."""
        return [*(bound for bound in BOUNDARIES if bound < self.longest), self.longest]

    def examples(self) -> list[str]:
        """A short, a middling and a long sequence of the test split, as `zoo classify` takes them."""
        rows = [item.numpy()[:, :-1] for item, _ in self.split("test").take(64)]
        rows.sort(key=len)
        return [json.dumps([[round(float(x), 2) for x in step] for step in rows[i]]) for i in (0, len(rows) // 2, -1)]


def is_memory(dataset: str) -> bool:
    """Whether a data set's name is that of a memory test, with or without its steps."""
    return dataset.partition("/")[0] in BUILDERS


def open_sequences(dataset: str) -> Sequences:
    """A memory test by `NAME` or `NAME/STEPS`; generated if need be.

    Raises:
        UserError: If the steps are no whole number in reach.
    """
    name, _, told = dataset.partition("/")
    if told and not (told.isdecimal() and LEAST <= int(told) <= MOST):
        raise UserError(f"{dataset!r}: the longest distance is a whole number from {LEAST} to {MOST:,}: {name}/100.")
    steps = int(told or 100)
    module = BUILDERS[name]
    builder = sources.prepared(functools.partial(module.Builder, config=module.config(steps)), EMBEDDED)
    facts = {
        "name": f"{name}/{steps}",
        "version": str(builder.info.version),
        "embedded": True,
        "licence": "Apache-2.0, drawn by a program of this project",
        "splits": "its own; distances of train and validation are log-uniform, of test fixed",
    }
    beside = BESIDE[name]
    return Sequences(builder, builder.info.features["label"].names, beside, steps + beside, facts)


def parsed(text: str, features: int) -> np.ndarray:
    """Steps `(time, features)` float32 from JSON: a list of lists of numbers, or of numbers if there is one feature.

    Raises:
        UserError: If it is anything else.
    """
    wanted = f"a JSON list of steps, each a list of {features} numbers"
    shown = text if len(text) <= 40 else f"{text[:40]}..."
    try:
        steps = np.array(json.loads(text), "float32")
    except (ValueError, TypeError) as error:
        raise UserError(f"{shown!r} is not {wanted}: [[1, 1], [-1, 0]].") from error
    steps = steps[:, None] if steps.ndim == 1 and features == 1 else steps
    if steps.ndim != 2 or steps.shape[1] != features or not len(steps) or not np.isfinite(steps).all():
        raise UserError(f"{shown!r} is not {wanted}; its shape is {steps.shape}.")
    return steps
