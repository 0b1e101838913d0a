"""Parallel texts as they lie in a TFDS set or in a folder, before any tokenization."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.data import tfds as sources
from zoo.errors import UserError
from zoo.names import look_up, unknown

from . import files
from .multi30k import multi30k_dataset_builder as multi30k
from .phrases import phrases_dataset_builder as phrases
from .phrases.locales import LICENCE
from .phrases.locales import source as cldr
from .recipe import EMBEDDED

SPLITS = ("train", "validation", "test")
"""The order in which sizes are told."""

HELD_OUT, MOST_HELD_OUT = 20, 2_000
"""Where a split is missing, one source text in twenty of train serves, but no more than give a steady score."""

HINT = "Or give a folder with train.SRC and train.TGT"


@dataclass(frozen=True)
class Source:
    """A TFDS set of pairs, and which of its splits serve for what.

    `builder` makes a config's builder where TFDS does not know the set; `configs` lists its configs, unless there are
    too many; `later` tells which configs hold further test sets of a config. A split that is None is held out of train
    by a hash of the source text, so that copies of a text stay on one side.
    """

    licence: str = "see the TFDS catalogue"
    validation: str | None = "validation"
    test: str | None = "test"
    builder: Callable[[str], Callable[..., Any]] | None = None
    configs: Callable[[], Iterable[str]] | None = None
    later: Callable[[str], Mapping[str, str]] = lambda config: {}


@dataclass(frozen=True)
class Pairs:
    """Pairs of texts before tokenization: `split(name)` streams `(source, target)`, both scalars."""

    source: str
    target: str
    split: Callable[[str], tf.data.Dataset]
    sizes: Mapping[str, int]
    facts: Mapping[str, Any]


def _phrases(config: str) -> Callable[..., Any]:
    return functools.partial(phrases.Builder, config=phrases.config(config))


SOURCES = {
    "phrases": Source(f"{LICENCE} ({cldr()})", builder=_phrases),
    "multi30k": Source(
        "none stated, made for research; see github.com/multi30k/dataset",
        test="test_2016_flickr",
        builder=lambda config: functools.partial(multi30k.Builder, config=config),
        configs=multi30k.pairs,
        later=multi30k.later_tests,
    ),
    "ted_hrlr_translate": Source(),
    "wmt14_translate": Source(),
    "wmt15_translate": Source(),
    "wmt16_translate": Source(),
    "wmt17_translate": Source(),
    "wmt18_translate": Source(),
    "wmt19_translate": Source(validation=None, test="validation"),  # its test was secret; validation is newstest2018
    "opus": Source(validation=None, test=None),
    "para_crawl": Source(validation=None, test=None),
}
"""By base name; after a slash follows the config, which is the pair of languages in most sets."""


def open_pairs(dataset: str, reverse: bool = False, source_language: str | None = None) -> Pairs:
    """The pairs of a TFDS set, `base/config`, or of a folder.

    Args:
        dataset: A name whose base stands in `SOURCES`, or the path of a folder.
        reverse: Swap source and target.
        source_language: The side to translate from, before `reverse`; without it a set's own order, and for a folder
            the alphabet, decides.

    Raises:
        UserError: If there is no such data set, or it cannot be used.
    """
    if dataset.partition("/")[0] in SOURCES:
        return from_tfds(dataset, reverse, source_language)
    if Path(dataset).exists():
        return from_folder(Path(dataset), reverse, source_language)
    raise unknown("data set", dataset, SOURCES, HINT)


def from_tfds(name: str, reverse: bool = False, source_language: str | None = None) -> Pairs:
    """Pairs of a TFDS set; languages and direction are those of its supervised keys. See `open_pairs`."""
    base, _, config = name.partition("/")
    row = look_up(SOURCES, base, "data set", HINT)
    builder = _prepared(base, row, _known_config(base, row, config))
    info, later = builder.info, row.later(config)
    languages = _oriented(info.supervised_keys, source_language, reverse)
    own = {"train": "train", "validation": row.validation, "test": row.test}

    def read(split: str) -> tf.data.Dataset:
        holder = _prepared(base, row, later[split]) if split in later else builder
        whole = holder.as_dataset(split=own.get(split) or split, shuffle_files=False)
        # The texts of opus end with their line's end.
        return whole.map(lambda item: tuple(tf.strings.regex_replace(item[key], r"[\r\n]+$", "") for key in languages))

    embedded = base == EMBEDDED.partition("/")[0]
    facts = {"name": name, "version": str(info.version), "embedded": embedded, "licence": row.licence}
    sizes = {split: info.splits[theirs].num_examples for split, theirs in own.items() if theirs}
    return _pairs(languages, read, sizes, facts, {**own, **dict.fromkeys(info.splits), **later})


def _known_config(base: str, row: Source, config: str) -> str:
    known = list(row.configs() if row.configs else tfds.builder_cls(base).builder_configs if not row.builder else ())
    if not config:
        some = ", ".join(f"{base}/{name}" for name in known) or EMBEDDED
        raise UserError(f"Data set {base!r} has several configs, most of them pairs of languages. Name one: {some}.")
    if known and (config if row.builder else config.partition(":")[0]) not in known:  # TFDS's versions follow a colon
        raise unknown(f"config of {base}", config, known, f"Write {base}/ and one of them; --reverse swaps its sides")
    return config


def _prepared(base: str, row: Source, config: str) -> Any:
    try:
        source: Any = row.builder(config) if row.builder else f"{base}/{config}"
    except ValueError as error:  # the folders of our sets need not know zoo's error
        raise UserError(str(error)) from error
    return sources.prepared(source, EMBEDDED)


def _oriented(languages: Sequence[str], source: str | None, reverse: bool) -> tuple[str, str]:
    """`(source, target)`."""
    first, second = languages
    if source is not None and source not in languages:
        raise unknown("language of this data set", source, languages)
    return (second, first) if (source == second) != reverse else (first, second)


def _pairs(
    languages: tuple[str, str],
    read: Callable[[str], tf.data.Dataset],
    sizes: Mapping[str, int],
    facts: Mapping[str, Any],
    known: Iterable[str],
) -> Pairs:
    """Puts pairs together from splits that `read` gives; what `sizes` lacks is held out of train."""
    missing = [split for split in ("test", "validation") if split not in sizes]
    rule = f"held out of train by a hash of the source text, one in {HELD_OUT}, at most {MOST_HELD_OUT:,}"
    told = [f"{split}: {rule if split in missing else 'its own'}" for split in ("validation", "test")]
    training = read("train")
    bounds: dict[str, tuple[int, int]] = {}
    if missing:
        training = training.filter(lambda *pair: tf.reduce_all(tf.strings.length(tf.strings.strip(pair)) > 0))
        bounds, counts = _held_out(training, missing, facts["name"])
        sizes = {**sizes, **counts}

    def split(wanted: str) -> tf.data.Dataset:
        if wanted not in known:
            raise unknown("split", wanted, known)
        if wanted not in bounds:
            return read(wanted)
        low, high = bounds[wanted]
        return training.filter(lambda text, _: (low <= _hash(text)) & (_hash(text) < high))

    facts = {**facts, "splits": "; ".join(told), "languages": list(languages)}
    return Pairs(*languages, split, {name: sizes[name] for name in SPLITS if name in sizes}, facts)


def _hash(text: tf.Tensor) -> tf.Tensor:
    return tf.strings.to_hash_bucket_fast(text, 1 << 62)


def _held_out(
    pairs: tf.data.Dataset, missing: Sequence[str], name: str
) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """The interval of the source's hash that makes up train and each missing split, and how many pairs it has.

    Reads everything once and keeps the smallest hashes: as many as a share of `HELD_OUT` can need.
    """
    smallest, counts, total = np.zeros(0, "int64"), np.zeros(0, "int64"), 0
    for batch in pairs.map(lambda text, _: _hash(text)).batch(100_000).as_numpy_iterator():
        total += len(batch)
        smallest, place = np.unique(np.concatenate([smallest, batch]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, np.ones_like(batch)])).astype("int64")
        smallest, counts = smallest[: HELD_OUT * MOST_HELD_OUT], counts[: HELD_OUT * MOST_HELD_OUT]
    share = max(1, len(smallest) // HELD_OUT)
    if len(smallest) <= share * len(missing):
        wanted = " and ".join(missing)
        raise UserError(f"{name}: {total:,} pairs are too few to hold {wanted} out of. Give more, or {wanted} as well.")
    bounds, sizes = {}, {}
    for i, split in enumerate(missing):
        bounds[split] = (int(smallest[i * share]) if i else 0, int(smallest[(i + 1) * share]))
        sizes[split] = int(counts[i * share : (i + 1) * share].sum())
    bounds["train"] = (bounds[missing[-1]][1], 1 << 62)
    return bounds, {**sizes, "train": total - sum(sizes.values())}


def from_folder(path: Path, reverse: bool = False, source_language: str | None = None) -> Pairs:
    """Pairs of a folder with `train.SRC` and `train.TGT`, and `validation.*` and `test.*` if it has them.

    A line is a text, in UTF-8; pairs with an empty side are skipped. The suffixes are the languages. The source is
    `source_language` if given, else the first in the alphabet; `reverse` swaps. Missing splits are held out of train by
    a hash of the source text.

    Raises:
        UserError: With the file, and the number of the line that cannot be used.
    """
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise UserError(f"{path} {what}. Give a folder with train.SRC and train.TGT, e.g. train.en and train.de.")
    found = {split: files.sides(path, split) for split in SPLITS}
    languages = _oriented(sorted(found["train"]), source_language, reverse)
    sides = {split: _both(by_language, languages) for split, by_language in found.items() if by_language}
    sizes = {split: sum(1 for _ in files.rows(*both)) for split, both in sides.items()}
    for split, (left, right) in sides.items():
        if not sizes[split]:
            raise UserError(f"{left} and {right.name} have no line in which both hold a text. Fill them.")

    def read(split: str) -> tf.data.Dataset:
        text = tf.TensorSpec((), tf.string)
        return tf.data.Dataset.from_generator(lambda: files.rows(*sides[split]), output_signature=(text, text))

    facts = {
        "name": path.resolve().name,
        "embedded": False,
        "sha256": {file.name: files.digest(file) for both in sides.values() for file in both},
        "skipped": {split: files.count(left) - sizes[split] for split, (left, _) in sides.items()},
    }
    return _pairs(languages, read, sizes, facts, SPLITS)


def _both(found: Mapping[str, Path], languages: Sequence[str]) -> tuple[Path, Path]:
    """The files of the source and of the target."""
    for language in languages:
        if language not in found:
            have = " and ".join(map(str, found.values()))
            raise UserError(f"{have}: none is in {language!r}, as train is. Use the same two languages in every split.")
    return found[languages[0]], found[languages[1]]
