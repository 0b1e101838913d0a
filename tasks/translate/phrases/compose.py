"""Deals phrases of two languages out to splits that share none: `splits` gives the whole data set."""

import random
from collections.abc import Iterator, Mapping
from decimal import Decimal

from zoo.errors import UserError

from .composer import Composer, Phrase
from .pair import Pair
from .side import SECONDS, Side

SIZES = {"train": 20_000, "validation": 1_000, "test": 1_000}

SEED = 1

COMMON = 30
"""Relative times up to this number are all in train: people ask for them, and few others resemble them."""

SINGULAR_RATES = 5
"""Rates by which one of each currency is given in train: what occurs there five times can be asked for in test."""

LONGEST = 100
"""Characters; longer phrases (some languages need many for a full date and a time) are not drawn."""


def splits(
    source: str, target: str, sizes: Mapping[str, int] | None = None, seed: int = SEED
) -> dict[str, list[Phrase]]:
    """Distinct phrases for each split; none shares a source or a target text, whatever its case, with another split.

    Args:
        source: A CLDR locale.
        target: Another one.
        sizes: Phrases by split; `SIZES` if not given.
        seed: Equal arguments and an equal version of Babel give equal phrases.

    Raises:
        UserError: If CLDR has not enough on the two languages.
    """
    sizes = SIZES if sizes is None else sizes
    pair, dealer = Pair(source, target), Dealer()
    common = list(_common(pair))
    drawn = {"train": [phrase for phrase in common if dealer.take(phrase, "train")][: sizes["train"]]}
    # The small splits choose first: train has enough left, and they keep the mix that `KINDS` asks for.
    for split in sorted(sizes, key=lambda name: sizes[name]):
        composer = Composer(pair, split, random.Random(f"{seed}/{split}"))
        phrases = drawn.setdefault(split, [])
        tries = 0
        while len(phrases) < sizes[split]:
            phrase = composer.draw()
            if phrase and dealer.take(phrase, split):
                phrases.append(phrase)
            tries += 1
            if tries > 1_000 + 50 * sizes[split]:
                raise UserError(
                    f"CLDR has words for only {len(phrases):,} of {sizes[split]:,} phrases of {split} in {source!r} "
                    f"and {target!r}; take a pair of languages that it covers better, such as 'en-de'."
                )
        composer.rng.shuffle(phrases)
    return {split: drawn[split] for split in sizes}


class Dealer:
    """Keeps each text in one split, and each source text at one target."""

    def __init__(self) -> None:
        self._sources: set[str] = set()
        self._owners: dict[str, str] = {}

    def take(self, phrase: Phrase, split: str) -> bool:
        """Whether the phrase is new and may be in this split; if so, it is recorded."""
        source, target = phrase.source.casefold(), phrase.target.casefold()
        if not source or not target or max(len(source), len(target)) > LONGEST:
            return False
        # Two sources may have one target, but not in two splits.
        if source in self._sources or self._owners.setdefault(target, split) != split:
            return False
        self._sources.add(source)
        return True


def _common(pair: Pair) -> Iterator[Phrase]:
    """Short phrases that belong to train: names alone, relative times with small numbers, and one of each thing."""
    for names in pair.names.values():
        for both in names.values():
            yield Phrase("name", *both)
    for number in (*range(1, COMMON + 1), *range(-COMMON, 0)):
        for unit in SECONDS:
            yield Phrase("relative", *pair.both(Side.relative, number, unit))
    yield from _singular(pair)


def _singular(pair: Pair) -> Iterator[Phrase]:
    """One of each thing, money also by some rates: drawn numbers are seldom 1, and its words are often others."""
    for code in pair.units:
        yield Phrase("unit", *pair.both(Side.unit, Decimal(1), code))
    for code in pair.currencies:
        one = pair.both(Side.money, Decimal(1), code, True)
        yield Phrase("money", *one)
        for rate in pair.rates[:SINGULAR_RATES]:
            yield Phrase("price", pair.source.price(one[0], rate), pair.target.price(one[1], rate))
