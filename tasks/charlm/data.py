"""From a data set's name or file to streams of tokens, and the tokenizer they need."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data import streams, text
from zoo.data.raw import RawDataset
from zoo.errors import UserError
from zoo.task import Data

from .datasets import DATASETS
from .encoding import encoder
from .raw import open_texts
from .recipe import Train

SCORING_STREAMS = 16
"""Streams into which a split is cut when it is scored."""

CONTEXT = 512
"""Tokens that are read again, unscored, at such a cut: about as far back as a trained model remembers."""

NOUNS = {"char": "character", "word": "word", "bpe": "BPE piece"}
"""What a token is, by tokenizer."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None, *, fine_tune: bool = False) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, tokenization, batch size, sequence length, seed and limit are used.
        assets: `tokenizer` and `tokens` of a saved model; without them a tokenizer is trained on the training texts.
        fine_tune: Whether a training goes on from that model; without it, the data set is only scored.

    Raises:
        UserError: If there is no such data set, or its text is too short to learn from.
    """
    raw = open_texts(recipe.dataset, recipe.validation_dataset, recipe.test_dataset)
    known = assets or {"tokenizer": train_tokenizer(recipe, raw), "tokens": recipe.tokenizer}

    @functools.cache
    def corpus(name: str, max_tokens: int | None = None) -> streams.Corpus:
        return _corpus(raw, known, name, max_tokens)

    def training() -> streams.Corpus:
        return corpus("train", recipe.limit * recipe.sequence_length if recipe.limit else None)

    def train(epoch: int) -> tf.data.Dataset:
        generator = np.random.default_rng([recipe.seed, epoch])
        cut = streams.cut(training(), recipe.batch_size, generator=generator)
        return streams.batches(training(), cut, recipe.sequence_length)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        # Only as much is encoded as the limit may need, in fewer streams, of which each cut costs a context.
        chosen = corpus(name, limit * recipe.sequence_length if limit else None)
        if not chosen.tokens:
            raise UserError(
                f"The split {name!r} of {recipe.dataset} has no text to score. Choose another --split, or add text."
            )
        count = min(SCORING_STREAMS, max(1, limit // SCORING_STREAMS)) if limit else SCORING_STREAMS
        cut = streams.cut(chosen, count, context=CONTEXT)
        return streams.batches(chosen, cut, recipe.sequence_length, limit)

    def sizes() -> dict[str, int]:
        return {"train": training().predictions, **{name: corpus(name).predictions for name in ("validation", "test")}}

    if fine_tune or assets is None:
        _check_sizes(sizes(), recipe)
    return Data(
        raw=raw,
        train=train,
        split=split,
        assets=known,
        sizes=sizes,
        card=raw.card.with_details(counted=f"sizes are in tokens; a token is a {NOUNS[known['tokens']]}"),
        epoch_size=lambda: (
            -(-training().predictions // (recipe.batch_size * recipe.sequence_length)) * recipe.batch_size
        ),
    )


def train_tokenizer(recipe: Train, raw: RawDataset) -> text.Tokenizer:
    """A tokenizer of the recipe's kind, trained on the training texts."""
    return text.Tokenizer.train(
        (piece for document in raw.split("train") for piece in document),
        recipe.tokenizer,
        recipe.vocabulary_size,
        lowercase=recipe.lowercase,
        min_count=recipe.min_count,
    )


def _check_sizes(sizes: Mapping[str, int], recipe: Train) -> None:
    """Raises `UserError` where there is nothing to learn, or nothing to score."""
    own = recipe.dataset.partition("/")[0] not in DATASETS and recipe.limit is None
    if min(sizes.values()) < 2 or (own and sizes["train"] < recipe.sequence_length):
        counts = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        raise UserError(
            f"{recipe.dataset} is too short to learn from: tokens to predict are {counts}, and --sequence-length is "
            f"{recipe.sequence_length}. Give a longer text, or a smaller --sequence-length."
        )


def _corpus(raw: RawDataset, assets: Mapping[str, Any], name: str, max_tokens: int | None) -> streams.Corpus:
    """A split, or several joined by `+`, as ids on disk, at most `max_tokens` of them."""
    encode = encoder(assets)
    documents = (document for part in name.split("+") for document in raw.split(part))
    ids = ((row for piece in document for row in encode([piece])) for document in documents)
    return streams.corpus(ids, assets["tokenizer"].size, max_tokens)
