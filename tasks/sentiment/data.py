"""From a data set's name or file to batches of sentiment, with the splits written down."""

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.sentiment.recipe import DATASETS, EMBEDDED, Train
from tasks.sentiment.reviews.reviews_dataset_builder import Builder as Reviews
from tasks.sentiment.teacher import Teacher
from zoo import batches, sources, text
from zoo.errors import UserError
from zoo.names import unknown
from zoo.task import Data


@dataclass(frozen=True)
class Source:
    """A TFDS set: its name or builder, its two features, and which of its splits serve for what.

    Splits are TFDS's, slices included. `validation` and `test` default to a part of `train` chosen by a hash of
    the text, so that copies of a text stay on one side.
    """

    name: Any
    text: str = "text"
    label: str = "label"
    validation: str | None = None
    test: str | None = "test"
    licence: str = "see the TFDS catalogue"
    unlabelled: str | None = None


SOURCES = {
    "reviews": Source(Reviews, validation="validation", licence="Apache-2.0, written by a grammar of this project"),
    "imdb_reviews": Source("imdb_reviews", unlabelled="unsupervised"),
    "glue/sst2": Source("glue/sst2", text="sentence", test="validation"),
    "yelp_polarity_reviews": Source("yelp_polarity_reviews"),
    "ag_news_subset": Source("ag_news_subset", text="description"),
}
assert SOURCES.keys() == DATASETS.keys(), "recipe.py tells of the sets that stand here"

HELD_OUT = 10
"""Where no split is given, one text in ten is held out: enough to choose by, little lost for training."""

BOUNDARIES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)
"""Bucket boundaries grow by a third or a half: padding stays small with few buckets."""


SPLITS = ("train", "validation", "test", "unlabelled")
"""The order in which sizes are told."""


@dataclass(frozen=True)
class Texts:
    """Labelled texts before tokenization: `split(name)` streams `(text, label)`, both scalars."""

    split: Callable[[str], tf.data.Dataset]
    labels: Sequence[str]
    sizes: Mapping[str, int]
    facts: Mapping[str, Any]


def load(recipe: Train, assets: Mapping[str, Any] | None = None) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, tokenization, batch size, seed and limit are used.
        assets: `tokenizer` and `labels` of a saved model; without them a tokenizer is trained on the training
            texts.

    Raises:
        UserError: If there is no such data set, or the file has a row that cannot be used.
    """
    texts = open_texts(recipe, assets["labels"] if assets else None)
    labels = list(assets["labels"]) if assets else list(texts.labels)
    if list(texts.labels) != labels:
        raise UserError(
            f"Data set {recipe.dataset!r} has the labels {', '.join(texts.labels)}; "
            f"the model knows {', '.join(labels)}."
        )
    training = texts.split("train")
    count = texts.sizes["train"]
    if recipe.limit and recipe.limit < count:
        training, count = training.take(recipe.limit), recipe.limit
    tokenizer = assets["tokenizer"] if assets else train_tokenizer(recipe, unlabelled(recipe, texts))
    boundaries = bucket_boundaries(recipe.longest)
    encode = encoder(tokenizer, recipe)
    facts = dict(texts.facts)
    streams, counts = [training], [count]
    if recipe.teacher and not assets:
        streams, counts = taught(recipe, texts, training, count, tokenizer)
        facts["training"] = f"{counts[0]:,} labelled texts, and {counts[1]:,} with an n-gram teacher's probabilities"

    def train(epoch: int) -> tf.data.Dataset:
        # Drawn in proportion, so that both kinds are spread over the epoch.
        weights = [part / sum(counts) for part in counts]
        drawn = tf.data.Dataset.sample_from_datasets(streams, weights, seed=recipe.seed * 1009 + epoch)
        examples = batches.shuffled(batches.encoded(drawn, encode), recipe.seed, epoch)
        ready = batches.bucketed(examples, recipe.batch_size, boundaries)
        return batches.mixed(ready, recipe.seed, epoch).prefetch(2)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        examples = texts.split(name)
        examples = examples.take(limit) if limit else examples
        # No gradients to hold: larger batches than in training are faster.
        return batches.bucketed(batches.encoded(examples, encode), 128, boundaries).prefetch(2)

    return Data(
        train=train,
        split=split,
        assets={"tokenizer": tokenizer, "labels": labels},
        sizes={**texts.sizes, "train": sum(counts)},
        facts=facts,
    )


def open_texts(recipe: Train, known: Sequence[str] | None = None) -> Texts:
    """The recipe's texts, from a TFDS set or a file; `known` are the labels of a saved model."""
    path = Path(recipe.dataset)
    if recipe.dataset in SOURCES:
        return from_tfds(recipe.dataset, SOURCES[recipe.dataset])
    if path.is_file():
        return from_file(path, recipe.seed, known)
    raise unknown("data set", recipe.dataset, SOURCES, "Or give a CSV or TSV file with columns text,label")


def unlabelled(recipe: Train, texts: Texts) -> tf.data.Dataset:
    """Every text that may be read in training, without its label: scalars. Texts of no label come with pretraining."""
    training = texts.split("train")
    if recipe.limit:
        training = training.take(recipe.limit)
    elif (recipe.pretrain_epochs or recipe.teacher) and texts.sizes.get("unlabelled"):
        training = training.concatenate(texts.split("unlabelled"))
    return training.map(lambda item, _: item)


def taught(
    recipe: Train, texts: Texts, training: tf.data.Dataset, count: int, tokenizer: text.Tokenizer
) -> tuple[list[tf.data.Dataset], list[int]]:
    """Labelled and unlabelled texts, both with a probability for each label as target.

    Returns:
        The two streams, `(text, probabilities)` with probabilities `(2,)` float32, and their sizes.

    Raises:
        UserError: If the data set has other than two labels, or no unlabelled texts.
    """
    size = texts.sizes.get("unlabelled")
    if len(texts.labels) != 2 or not size:
        raise UserError(
            f"--teacher needs two labels and unlabelled texts; {recipe.dataset!r} has {len(texts.labels)} labels "
            f"and {size or 0:,} unlabelled texts. Train with --no-teacher."
        )
    size = min(size, recipe.limit or size)
    answered = texts.split("unlabelled").take(size)
    items, labels = zip(*training.as_numpy_iterator(), strict=True)
    rows = tokenizer.encode([item.decode("utf-8", "replace") for item in items])
    teacher = Teacher(rows, np.array(labels), tokenizer.size, recipe.seed)
    chances = [
        teacher.probabilities(tokenizer.encode([item.decode("utf-8", "replace") for item in some]))
        for some in answered.map(lambda item, _: item).batch(batches.ENCODE_AT_ONCE).as_numpy_iterator()
    ]
    soft = tf.data.Dataset.from_tensor_slices(np.concatenate(chances).astype("float32"))
    labelled = training.map(lambda item, label: (item, tf.one_hot(label, 2)))
    return [labelled, tf.data.Dataset.zip((answered.map(lambda item, _: item), soft))], [count, size]


def bucket_boundaries(longest: int) -> list[int]:
    """Those of `BOUNDARIES` that texts of at most `longest` tokens need."""
    return [*[b for b in BOUNDARIES if b < longest], longest]


def train_tokenizer(recipe: Train, training: tf.data.Dataset) -> text.Tokenizer:
    """A tokenizer of the recipe's kind, trained on texts of the training split and on unlabelled ones."""
    stream = (item.decode("utf-8", "replace") for item in training.as_numpy_iterator())
    return text.Tokenizer.train(
        stream,
        recipe.tokens,
        recipe.vocabulary,
        lowercase=recipe.lowercase,
        replace=[("<br />", " ")],  # IMDb's line break
        least=recipe.least,
    )


def encoder(tokenizer: text.Tokenizer, recipe: Train) -> Callable[[Sequence[str]], list]:
    """Texts -> ids, each cut to the recipe's length from head and tail; an empty text is one unknown token."""

    def encode(texts: Sequence[str]) -> list:
        return [text.cut(ids or [text.UNKNOWN], recipe.longest, recipe.head) for ids in tokenizer.encode(texts)]

    return encode


def from_tfds(name: str, source: Source) -> Texts:
    """Texts of a TFDS set, one feature of text and one class label."""
    builder = sources.prepared(source.name, EMBEDDED)
    info = builder.info
    labels = info.features[source.label].names
    splits = {
        "train": "train", "validation": source.validation, "test": source.test, "unlabelled": source.unlabelled,
    }  # fmt: skip

    def read(split: str) -> tf.data.Dataset:
        whole = builder.as_dataset(split=split, shuffle_files=False)
        return whole.map(lambda item: (item[source.text], item[source.label]))

    def split(wanted: str) -> tf.data.Dataset:
        known = {*info.splits, *(name for name, own in splits.items() if own), "validation"}
        if wanted not in known:
            raise unknown("split", wanted, known)
        if source.validation is None and wanted in ("train", "validation"):
            held = wanted == "validation"
            return read("train").filter(lambda item, _: (_hash(item) < border) == held)
        return read(splits.get(wanted) or wanted)

    sizes = {name: info.splits[own].num_examples for name, own in splits.items() if own}
    border = 0
    if source.validation is None:
        hashes = [h for batch in read("train").batch(1000).map(lambda item, _: _hash(item)) for h in batch.numpy()]
        border = sorted(hashes)[len(hashes) // HELD_OUT]
        held = sum(int(h < border) for h in hashes)
        sizes |= {"train": sizes["train"] - held, "validation": held}
    rule = "TFDS's" if source.validation else f"one training text in {HELD_OUT} held out by a hash of the text"
    facts = {
        "name": name,
        "version": str(info.version),
        "embedded": name == EMBEDDED,
        "licence": source.licence,
        "splits": f"train and validation: {rule}; test: {source.test}",
        "labels": list(labels),
    }
    return Texts(split, labels, {k: sizes[k] for k in SPLITS if k in sizes}, facts)


def _hash(item: tf.Tensor) -> tf.Tensor:
    """Decides whether a training text is held out: depends on the text alone, so copies of it stay together."""
    return tf.strings.to_hash_bucket_fast(item, 1 << 62)


def from_file(path: Path, seed: int, known: Sequence[str] | None = None) -> Texts:
    """Texts of a CSV or TSV file with the columns `text` and `label`: 80 % train, 10 % validation, 10 % test.

    A text's split follows from a hash of its letters and the seed, so that copies of a text stay together.

    Raises:
        UserError: With the number of the first row that cannot be used.
    """
    counts: dict[str, int] = {}
    sizes = {"train": 0, "validation": 0, "test": 0}
    for row, label in _rows(path):
        if known is not None and label not in known:
            close = unknown("label", label, known)
            raise UserError(f"{path}: {close}")
        counts[label] = counts.get(label, 0) + 1
        sizes[_side(row, seed)] += 1
    if not counts:
        raise UserError(f"{path} has a header but no rows. Each row needs a text and a label.")
    labels = list(known) if known is not None else sorted(counts)
    if len(labels) < 2:
        raise UserError(f"{path}: every row has the label {labels[0]!r}. A classifier needs two labels at least.")
    empty = [name for name, size in sizes.items() if not size]
    if empty and known is None:
        total = sum(sizes.values())
        raise UserError(f"{path} has {total} rows, too few: none fell into {' and '.join(empty)}. Give 30 or more.")
    index = {label: i for i, label in enumerate(labels)}

    def split(wanted: str) -> tf.data.Dataset:
        if wanted not in (*sizes, "all"):
            raise unknown("split", wanted, [*sizes, "all"])

        def rows() -> Iterator[tuple[str, int]]:
            for row, label in _rows(path):
                if wanted in ("all", _side(row, seed)):
                    yield row, index[label]

        signature = (tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64))
        return tf.data.Dataset.from_generator(rows, output_signature=signature)

    facts = {
        "name": path.stem,
        "embedded": False,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "splits": f"80/10/10 % by a hash of the text and seed {seed}",
        "labels": labels,
    }
    return Texts(split, labels, sizes, facts)


def _side(row: str, seed: int) -> str:
    place = int.from_bytes(hashlib.sha256(f"{seed} {' '.join(row.split())}".encode()).digest()[:4], "big") % 10
    return {0: "validation", 1: "test"}.get(place, "train")


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """`(text, label)` of each row.

    Raises:
        UserError: With the number of the line that cannot be used.
    """
    delimiter = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    with path.open("rb") as stream:
        reader = csv.DictReader(_decoded(path, stream), delimiter=delimiter)
        try:
            first = reader.fieldnames or []
        except csv.Error as error:
            raise UserError(f"{path}, line 1: {error}. Save the file with one row a line.") from error
        header = [name.strip().lower() for name in first]
        reader.fieldnames = header
        for column in ("text", "label"):
            if column not in header:
                have = ", ".join(header) or "none"
                raise UserError(f"{path} has no column {column!r}; its columns: {have}. The first line names them.")
        for row in _told(reader, path):
            where = f"{path}, line {reader.line_num}"
            words, label = row["text"], row["label"]
            if row.get(None) is not None:
                raise UserError(f"{where}: more fields than the header has. Quote texts that contain {delimiter!r}.")
            if words is None or not words.strip():
                raise UserError(f"{where}: the text is empty. Fill it in or delete the row.")
            if label is None or not label.strip():
                raise UserError(f"{where}: the label is empty. Fill it in or delete the row.")
            yield words, label.strip()


def _told(reader: csv.DictReader, path: Path) -> Iterator[dict]:
    try:
        yield from reader
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num + 1}: {error}. Is a quotation mark never closed?") from error


def _decoded(path: Path, stream: Any) -> Iterator[str]:
    for number, line in enumerate(stream, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{path}, line {number}: not UTF-8 ({error.reason}). Save the file as UTF-8.") from error
