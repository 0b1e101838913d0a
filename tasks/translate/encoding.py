"""From texts to the ids that a model reads: the same in training and in prediction. No Keras here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zoo.data import text
from zoo.ids import END, START

BOUNDARIES = (8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256)
"""Bucket boundaries: sentences are short, so they are close to each other at the short end."""


def source_tokenizer(assets: Mapping[str, Any]) -> text.Tokenizer:
    """The tokenizer of the source side."""
    return assets.get("tokenizer") or assets["source_tokenizer"]


def target_tokenizer(assets: Mapping[str, Any]) -> text.Tokenizer:
    """The tokenizer of the target side."""
    return assets.get("tokenizer") or assets["target_tokenizer"]


def source_encoder(assets: Mapping[str, Any], max_length: int) -> Callable[[Sequence[str]], list]:
    """Source texts -> ids, at most `max_length` of them, the last the end token: it marks where a sentence ends."""
    tokenizer = source_tokenizer(assets)
    return lambda texts: [[*text.truncate(ids, max_length - 1), END] for ids in tokenizer.encode(texts)]


def target_encoder(assets: Mapping[str, Any]) -> Callable[[Sequence[str]], list]:
    """Target texts -> ids between the start and the end token."""
    tokenizer = target_tokenizer(assets)
    return lambda texts: [[START, *ids, END] for ids in tokenizer.encode(texts)]
