"""Sequences with a label for each step as they lie in a TFDS set or in a file, before words become ids."""

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import tfds as sources
from zoo.errors import UserError
from zoo.names import look_up, unknown

from . import conll, folder
from .clips import drawing
from .recipe import EMBEDDED

SPLITS = ("train", "validation", "test")
"""The order in which sizes are told."""

HINT = f"Or give a CoNLL file, a word and its label a line, or a folder of clips with {folder.TABLE}"


def _clips(config: str) -> Any:
    from .clips import clips_dataset_builder

    del config
    return clips_dataset_builder.Builder


def _copy_memory(config: str) -> Any:
    from .copy_memory import copy_memory_dataset_builder as module

    if not (config.isdecimal() and 5 <= int(config) <= 1_000):
        raise UserError(f"copy_memory/{config}: the longest distance is a whole number from 5 to 1,000.")
    return functools.partial(module.Builder, config=module.config(int(config)))


@dataclass(frozen=True)
class Source:
    """A TFDS set: what its steps are, its features, and which of its splits serve for what.

    `kind` is `"frames"` (uint8 pictures), `"tokens"` (words) or `"features"` (numbers). `labels` are the features that
    may be learned, the default first: sequences of TFDS's class labels, or of numbers whose `names` stand here, in
    which those below 0 are not asked for. `builder` makes one of our own from the config, what stands behind the
    slash of a data set's name; `config` is the default one.
    """

    kind: str
    inputs: str
    labels: Sequence[str] = ("labels",)
    names: Sequence[str] | None = None
    builder: Callable[[str], Any] | None = None
    config: str = ""
    splits: Mapping[str, str] = field(default_factory=dict)
    licence: str = "see the TFDS catalogue"
    seconds: float | None = None


DEV: Mapping[str, str] = {"validation": "dev"}

SOURCES = {
    "clips": Source(
        "frames", "frames", builder=_clips, licence="Apache-2.0, drawn by a program of this project",
        seconds=drawing.DURATION,
    ),
    "copy_memory": Source(
        "features", "inputs", names=("a", "b", "c", "d"), builder=_copy_memory, config="100",
        licence="Apache-2.0, drawn by a program of this project",
    ),
    "conll2003": Source("tokens", "tokens", ("ner", "pos", "chunks"), splits=DEV),
    "universal_dependencies": Source("tokens", "tokens", ("upos",), config="en_ewt", splits=DEV),
}  # fmt: skip
"""By name; a config may follow it after a slash, as in `universal_dependencies/de_gsd`."""


@dataclass(frozen=True)
class Sequences:
    """Labelled sequences.

    Attributes:
        kind: What a step is: `"frames"`, `"tokens"` or `"features"`.
        shape: Of a step: `(height, width, channels)`, `()` or `(features,)`.
        split: Name -> examples `(sequence, labels)`: uint8, strings or float32 `(time, *shape)`; int32 `(time,)`, -1
            where nothing is asked.
        labels: Their names.
        sizes: Examples by split.
        facts: For the card.
    """

    kind: str
    shape: tuple[int, ...]
    split: Callable[[str], tf.data.Dataset]
    labels: Sequence[str]
    sizes: Mapping[str, int]
    facts: Mapping[str, Any]


def open_sequences(
    dataset: str,
    labels: str | None = None,
    seed: int = 1,
    known: Sequence[str] | None = None,
    look: folder.Look | None = None,
) -> Sequences:
    """The sequences of a data set, a file or a folder.

    Args:
        dataset: A name that stands in `SOURCES`, with or without a config, a CoNLL file, or a folder of clips.
        labels: Which ones, where there are several; default the source's first.
        seed: Enters how a file or a folder is split.
        known: Labels of a saved model, for a file or folder that need not have all of them.
        look: How the clips of a folder are read.

    Raises:
        UserError: If there is no such data set or labels, or the file or folder cannot be used.
    """
    if dataset.partition("/")[0] in SOURCES:
        return from_tfds(dataset, labels)
    path = Path(dataset)
    if labels and path.exists():
        raise UserError(f"--labels is for data sets; of {path} the last column is learned.")
    if path.is_file():
        return from_file(path, seed, known)
    if path.is_dir() and look:
        return from_folder(path, seed, look, known)
    raise unknown("data set", dataset, SOURCES, HINT)


def from_tfds(dataset: str, labels: str | None = None) -> Sequences:
    """Sequences of a set that stands in `SOURCES`. See `open_sequences`."""
    name, _, config = dataset.partition("/")
    row = SOURCES[name]
    config = config or row.config
    full = f"{name}/{config}" if config else name
    builder = sources.prepared(row.builder(config) if row.builder else full, EMBEDDED)
    info = builder.info
    wanted = labels or row.labels[0]
    if wanted not in row.labels:
        raise unknown("kind of labels", wanted, row.labels)
    theirs = {split: row.splits.get(split, split) for split in SPLITS}
    for part, own in theirs.items():
        if own not in info.splits:
            raise UserError(f"Data set {full!r} has no split {own!r}, which serves as {part}; choose another.")
    theirs |= {part: part for part in info.splits if part not in theirs.values()}
    names = list(row.names or info.features[wanted].feature.names)

    def split(part: str) -> tf.data.Dataset:
        own = look_up(theirs, part, "split")
        read = builder.as_dataset(split=own, shuffle_files=False)
        return read.map(lambda item: (item[row.inputs], tf.cast(item[wanted], tf.int32)))

    facts = {
        "name": full,
        "version": str(info.version),
        "embedded": row.builder is not None,
        "licence": row.licence,
        "splits": "its own",
        "kind": row.kind,
        "labels": names,
        **({"learned": wanted} if len(row.labels) > 1 else {}),
        **({"seconds": row.seconds} if row.seconds else {}),
    }
    sizes = {part: info.splits[own].num_examples for part, own in theirs.items()}
    shape = () if row.kind == "tokens" else tuple(info.features[row.inputs].shape[1:])
    return Sequences(row.kind, shape, split, names, sizes, facts)


def from_file(path: Path, seed: int, known: Sequence[str] | None = None) -> Sequences:
    """Sentences of a CoNLL file: 80 % train, 10 % validation, 10 % test.

    Raises:
        UserError: If the file has a line or a label that cannot be used, or too few sentences.
    """
    every = list(conll.sentences(path))
    sides = [conll.side(words, seed) for words, _ in every]
    facts = {
        "name": path.stem,
        "embedded": False,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "splits": f"80/10/10 % by a hash of the sentence and seed {seed}",
        "kind": "tokens",
    }
    return _own(path, every, sides, tf.TensorSpec((None,), tf.string), facts, known)


def from_folder(path: Path, seed: int, look: folder.Look, known: Sequence[str] | None = None) -> Sequences:
    """Clips of a folder with `labels.csv`, see `folder`. They are read once and kept in memory.

    Raises:
        UserError: If the table or a clip cannot be used, or there are too few.
    """
    told = folder.told(path)
    every = list(folder.read(path, told, look))
    sides = folder.sides([clip.frames for clip, _ in every], seed)
    facts = {
        "name": path.resolve().name,
        "embedded": False,
        "sha256": {folder.TABLE: hashlib.sha256((path / folder.TABLE).read_bytes()).hexdigest()},
        "splits": f"1 clip in {folder.HELD_OUT} for validation, 1 for test, by a hash of its frames and seed {seed}",
        "kind": "frames",
        "seconds": round(float(np.median([clip.seconds for clip, _ in every])), 4),
    }
    spec = tf.TensorSpec((None, look.side, look.side, look.channels), tf.uint8)
    return _own(path, [(clip.frames, labels) for clip, labels in every], sides, spec, facts, known)


def _own(
    path: Path,
    every: Sequence[tuple[Any, Sequence[str | None]]],
    sides: Sequence[str],
    spec: tf.TensorSpec,
    facts: Mapping[str, Any],
    known: Sequence[str] | None,
) -> Sequences:
    """Sequences of a file or folder, with the split of each. A label that is None is not asked for.

    Raises:
        UserError: If there are fewer than two labels, one that a saved model does not know, or an empty split.
    """
    found = sorted({label for _, labels in every for label in labels if label is not None})
    if known is not None:
        for label in found:
            look_up(dict.fromkeys(known), label, f"label of this model, in {path},")
    names = list(known) if known is not None else found
    things = "sentences" if facts["kind"] == "tokens" else "clips"
    if len(names) < 2:
        raise UserError(f"{path} has {len(every):,} {things} and {len(names)} labels; two labels are the least.")
    parts: dict[str, list] = {name: [] for name in SPLITS}
    for item, side in zip(every, sides, strict=True):
        parts[side].append(item)
    empty = [name for name, part in parts.items() if not part]
    if empty and known is None:
        raise UserError(
            f"{path} has {len(every):,} {things}, too few: none fell into {' and '.join(empty)}. Give 30 or more."
        )
    number = {label: i for i, label in enumerate(names)} | {None: -1}

    def split(wanted: str) -> tf.data.Dataset:
        part = every if wanted == "all" else look_up({**parts, "all": every}, wanted, "split")

        def rows() -> Iterator[tuple[Any, np.ndarray]]:
            for sequence, labels in part:
                yield sequence, np.array([number[label] for label in labels], "int32")

        signature = (spec, tf.TensorSpec((None,), tf.int32))
        return tf.data.Dataset.from_generator(rows, output_signature=signature)

    sizes = {name: len(part) for name, part in parts.items()}
    return Sequences(facts["kind"], tuple(spec.shape[1:]), split, names, sizes, {**facts, "labels": names})
