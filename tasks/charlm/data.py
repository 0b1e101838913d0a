"""From a data set's name or file to streams of tokens, and the tokenizer they need."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import streams, text
from zoo.errors import UserError
from zoo.task import Data

from .recipe import DATASETS, Train
from .texts import SOURCES, Texts, open_texts

assert SOURCES.keys() == DATASETS.keys(), "recipe.py tells of the sets that stand in texts.py"

SCORED_AT_ONCE = 16
"""Rows into which a split is cut when it is scored."""

CONTEXT = 512
"""Units that are read once more, unscored, where such a cut falls: about as far back as a trained net remembers."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, units, streams, chunk, seed and limit are used.
        assets: `tokenizer` and `units` of a saved model; without them a tokenizer is trained on the training texts.

    Raises:
        UserError: If there is no such data set, or its text is too short to learn from.
    """
    texts = open_texts(recipe.dataset)
    if assets is None:
        tokenizer = text.Tokenizer.train(
            (piece for document in texts.split("train") for piece in document),
            recipe.tokens,
            recipe.vocabulary,
            lowercase=recipe.lowercase,
            least=recipe.least,
        )
        assets = {"tokenizer": tokenizer, "units": recipe.tokens}
    most = recipe.limit * recipe.chunk if recipe.limit else None
    read = functools.cache(lambda name: _corpus(texts, assets, name, most if name == "train" else None))
    sizes = {name: read(name).predictions for name in ("train", "validation", "test")}
    _check(sizes, recipe)

    def train(epoch: int) -> tf.data.Dataset:
        generator = np.random.default_rng([recipe.seed, epoch])
        cut = streams.rows(read("train"), recipe.batch_size, generator=generator)
        return streams.batches(read("train"), cut, recipe.chunk)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        cut = streams.rows(read(name), SCORED_AT_ONCE, context=CONTEXT)
        return streams.batches(read(name), cut, recipe.chunk, limit)

    return Data(
        train=train,
        split=split,
        assets=assets,
        sizes=sizes,
        facts={**texts.facts, "counted": f"sizes are in units; a unit is a {recipe.tokens}"},
        epoch=-(-sizes["train"] // (recipe.batch_size * recipe.chunk)) * recipe.batch_size,
    )


def _check(sizes: Mapping[str, int], recipe: Train) -> None:
    """Raises `UserError` where there is nothing to learn, or nothing to learn it by."""
    own = recipe.dataset not in SOURCES and recipe.limit is None
    if min(sizes.values()) < 2 or (own and sizes["train"] < recipe.chunk):
        told = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        raise UserError(
            f"{recipe.dataset} is too short to learn from: there are {told} units to predict, and a chunk has "
            f"{recipe.chunk}. Give a longer text, or a smaller --chunk."
        )


def _corpus(texts: Texts, assets: Mapping[str, Any], split: str, most: int | None) -> streams.Corpus:
    """A split as ids on the disk, at most so many of them."""
    encode = encoder(assets)
    documents = ((ids for piece in document for ids in encode([piece])) for document in texts.split(split))
    return streams.corpus(documents, assets["tokenizer"].size, most)


def encoder(assets: Mapping[str, Any]) -> Callable[[Sequence[str]], Iterable[Sequence[int] | np.ndarray]]:
    """Texts -> ids without start and end."""
    tokenizer = assets["tokenizer"]
    return functools.partial(characters, tokenizer) if assets["units"] == "char" else tokenizer.encode


def characters(tokenizer: text.Tokenizer, texts: Sequence[str]) -> Iterator[np.ndarray]:
    """The ids that a tokenizer of characters gives, a hundred times as fast: by a look-up of code points."""
    table = _code_points(tokenizer)
    for item in texts:
        points = np.frombuffer(tokenizer.normalised(item).encode("utf-32-le", "replace"), "uint32")
        yield table[points]


@functools.lru_cache(maxsize=4)
def _code_points(tokenizer: text.Tokenizer) -> np.ndarray:
    """The id of each code point, `(0x110000,)` int32."""
    table = np.full(0x110000, text.UNKNOWN, "int32")
    for index in range(len(text.SPECIAL), tokenizer.size):
        table[ord(tokenizer.token(index))] = index
    return table
