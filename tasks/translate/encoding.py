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


Encode = Callable[[Sequence[str]], list[list[int]]]
"""Texts -> ids without start and end."""


def source_encoder(assets: Mapping[str, Any], max_length: int) -> Encode:
    """Source texts -> ids, at most `max_length` of them, the last the end token."""
    return framed(source_tokenizer(assets).encode, max_length)


def framed(encode: Encode, max_length: int | None = None, start: bool = False) -> Encode:
    """An encoder whose ids end with the end token, which marks where a sentence ends, and may begin with the start.

    Args:
        encode: Texts -> ids.
        max_length: Largest number of ids, the end token included; longer texts are truncated. None for any.
        start: Whether the start token stands before.
    """
    first = [START] * start

    def encoded(texts: Sequence[str]) -> list[list[int]]:
        rows = encode(texts)
        cut = rows if max_length is None else [text.truncate(ids, max_length - 1) for ids in rows]
        return [[*first, *ids, END] for ids in cut]

    return encoded
