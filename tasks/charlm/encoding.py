"""From texts to the ids that a model reads: the same in training and in prediction. No Keras here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zoo.data import text
from zoo.errors import UserError
from zoo.ids import SPECIAL, UNKNOWN


def encoder(assets: Mapping[str, Any]) -> Callable[[Sequence[str]], Iterable[Sequence[int] | np.ndarray]]:
    """Texts -> ids without start and end."""
    tokenizer = assets["tokenizer"]
    return _character_encoder(tokenizer) if assets["tokens"] == "char" else tokenizer.encode


def _character_encoder(tokenizer: text.Tokenizer) -> Callable[[Sequence[str]], Iterator[np.ndarray]]:
    """The ids that a tokenizer of characters gives, a hundred times as fast, by a table of all code points."""
    table = np.full(0x110000, UNKNOWN, "int32")
    for index in range(len(SPECIAL), tokenizer.size):
        if len(tokenizer.token(index)) != 1:
            raise UserError(f"The vocabulary is not one of characters: it has {tokenizer.token(index)[:40]!r}.")
        table[ord(tokenizer.token(index))] = index

    def encode(texts: Sequence[str]) -> Iterator[np.ndarray]:
        for item in texts:
            yield table[np.frombuffer(tokenizer.normalize(item).encode("utf-32-le", "replace"), "uint32")]

    return encode
