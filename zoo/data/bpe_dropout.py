"""BPE-dropout: words of the training texts in other pieces than the usual ones, at random."""

import json
import random
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from zoo.data.text import Tokenizer
from zoo.errors import UserError
from zoo.ids import UNKNOWN

VARIANTS = 16
"""Ways in which each word is written; an occurrence takes one of them at random. More would change little: of the
pieces of a short word there are no more."""


class BPEDropout:
    """Encodes texts like a BPE tokenizer that leaves out some of its merges.

    In each step of the encoding of a word, every possible merge is left out with some probability; of the others the
    one that was learned first is made, until there is none (Provilkov, Emelianenko and Voita, "BPE-Dropout: Simple and
    Effective Subword Regularization", 2020, algorithm 1). So a net sees rare pieces more often, and one word in several
    forms. Only training texts are encoded so.

    What a word may become follows from the seed and the word; which of that an occurrence takes, from the seed, the
    epoch and the text: a resumed training sees the same.

    Args:
        tokenizer: A tokenizer of the kind `"bpe"`.
        rate: Probability with which a merge is left out; 0 encodes as the tokenizer does.
        seed: Decides the draws.

    Raises:
        UserError: If the tokenizer is of another kind.
    """

    def __init__(self, tokenizer: Tokenizer, rate: float, seed: int = 1) -> None:
        model = json.loads(tokenizer.inner.to_str())["model"]
        if model["type"] != "BPE":
            raise UserError(f"BPE-dropout needs a tokenizer of the kind bpe; this one is {model['type']}.")
        merges = [merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"]]
        self.ranks = {(left, right): rank for rank, (left, right) in enumerate(merges)}
        self.vocabulary: dict[str, int] = model["vocab"]
        self.inner, self.rate, self.seed = tokenizer.inner, rate, seed
        self.variants: dict[str, list[list[int]]] = {}

    def encoder(self, epoch: int) -> Callable[[Sequence[str]], list[list[int]]]:
        """Texts -> ids, as `Tokenizer.encode`, with the pieces of an epoch."""
        return lambda texts: [self._text(text, epoch) for text in texts]

    def _text(self, text: str, epoch: int) -> list[int]:
        whole = text.encode("utf-8", "replace").decode("utf-8")
        normal = whole if self.inner.normalizer is None else self.inner.normalizer.normalize_str(whole)
        draw = random.Random(zlib.crc32(normal.encode()) + 1_000_003 * (self.seed * 10_007 + epoch))
        ids: list[int] = []
        for word, _ in self.inner.pre_tokenizer.pre_tokenize_str(normal):
            ids += draw.choice(self._variants(word))
        return ids

    def _variants(self, word: str) -> list[list[int]]:
        found = self.variants.get(word)
        if found is None:
            draw = random.Random(f"{self.seed} {word}")
            pieces = [self.pieces(word, draw) for _ in range(VARIANTS)]
            found = [[self.vocabulary.get(piece, UNKNOWN) for piece in each] for each in pieces]
            self.variants[word] = found
        return found

    def pieces(self, word: str, draw: Any) -> list[str]:
        """The pieces of a word, by one run of the algorithm."""
        symbols = list(word)
        while len(symbols) > 1:
            pairs = ((self.ranks.get((symbols[i], symbols[i + 1])), i) for i in range(len(symbols) - 1))
            possible = [(rank, i) for rank, i in pairs if rank is not None and draw.random() >= self.rate]
            if not possible:
                break
            _, place = min(possible)
            symbols[place : place + 2] = [symbols[place] + symbols[place + 1]]
        return symbols
