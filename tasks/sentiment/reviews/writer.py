"""Fills frames: subjects, evaluations with or without negation, clauses made of both."""

import random
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from . import words
from .domains import DOMAINS

T = TypeVar("T")

# More negation and a bag of words finds nothing, less and it finds too much.
_NEGATED = 0.28


def pick(rng: random.Random, items: Sequence[T]) -> T:
    """Returns one of the items, the same on every machine for the same state of `rng`."""
    # `random()` is the one method whose sequence Python promises to keep; `choice` has changed before.
    return items[int(rng.random() * len(items))]


class Writer:
    """Fills the frames of one review, and remembers what was named before.

    Args:
        rng: Source of every choice.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.domain = pick(rng, DOMAINS)
        self.thing = pick(rng, self.domain.things)
        self.past = rng.random() < 0.5
        self.named = False  # has the work been introduced, so that "it" can stand for it?
        self.used: set[str] = set()  # no evaluation and no part twice in a review

    def write(self, frame: str, polarity: int) -> str:
        """Returns the frame with every slot filled, read from left to right."""
        self.facet = pick(self.rng, self.domain.facets)
        self.plural = "{parts}" in frame or self.rng.random() < 0.4
        self.part = self._fresh(self.facet.plural if self.plural else self.facet.singular)
        # "Although it was dull, I enjoyed it": both on the whole, so the verdict must be a feeling.
        self.rival_is_whole = self.rng.random() < 0.2
        self.on_whole = not any(slot in frame for slot in ("aspect", "{part"))
        text = re.sub(r"\{(.+?)\}", lambda slot: _SLOTS[slot[1]](self, polarity), frame)
        text = re.sub(r"\b([Aa]) (?=[aeiou](?!ni|ne-))", r"\1n ", text)  # but a university, a one-woman show
        return re.sub(r"^.|(?<=\. ).", lambda initial: initial[0].upper(), text)

    def pick(self, items: Sequence[T]) -> T:
        return pick(self.rng, items)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _fresh(self, items: Sequence[str]) -> str:
        item = self.pick([item for item in items if item not in self.used] or items)
        self.used.add(item)
        return item

    # Subjects and objects.

    def be(self, plural: bool = False) -> str:
        return (("is", "are"), ("was", "were"))[self.past][plural]

    def whole(self) -> str:
        if not self.named:
            self.named = True
            return f"this {self.thing}"
        return "it" if self.chance(0.6) else f"the {self.thing}"

    def other(self) -> str:
        thing = self.pick(self.domain.things)
        return self.pick(
            (
                f"the previous {thing}",
                f"my first {thing}",
                f"the {thing} in {self.pick(words.CITIES)}",
                f"the {thing} that {self.pick(words.NAMES)} chose",
                f"the {thing} of last {self.pick(words.MONTHS)}",
            )
        )

    def who(self) -> str:
        return self.pick(
            (
                f"my {self.pick(words.RELATIVES)}",
                f"my {self.pick(words.RELATIVES)}",
                self.pick(words.GROUPS),
                self.pick(words.NAMES),
                f"a friend from {self.pick(words.CITIES)}",
                f"the {self.pick(words.JOBS)} next to me",
            )
        )

    # Evaluations.

    def adjective(self, polarity: int) -> str:
        """Returns an adjective that suits the part the frame speaks of, or the whole if it speaks of none."""
        special = words.WHOLE_ADJECTIVES if self.on_whole else self.facet.adjectives
        return self._fresh(special[polarity] if self.chance(0.65) else words.ADJECTIVES[polarity])

    def noun(self, polarity: int, article: bool = True) -> str:
        noun = self._fresh(words.NOUNS[polarity])
        return f"a {noun}" if article else noun

    def quality(self, polarity: int, plain: bool) -> str:
        """Returns what can stand after "is": "dull", "far from dull", "neither dull nor flat"."""
        if not plain and self.chance(_NEGATED):
            if self.chance(0.15):
                return f"neither {self.adjective(1 - polarity)} nor {self.adjective(1 - polarity)}"
            return f"{self.pick(words.NEGATORS)} {self.adjective(1 - polarity)}"
        if not plain and self.chance(0.2):
            return f"{self.pick(words.KEEPERS)} {self.adjective(polarity)}"
        if self.chance(0.25):
            return f"{self.adjective(polarity)} and {self.adjective(polarity)}"
        return (
            f"{self.pick(words.ADVERBS)} {self.adjective(polarity)}" if self.chance(0.5) else self.adjective(polarity)
        )

    def thing_quality(self, polarity: int, plain: bool) -> str:
        """Returns what can stand after "it is": as `quality`, or "a gem", "far from being a bore"."""
        if self.chance(0.5):
            return self.quality(polarity, plain)
        if plain or not self.chance(_NEGATED):
            return self.noun(polarity)
        negator = self.pick(words.NOUN_NEGATORS)
        return f"{negator} {self.noun(1 - polarity, article=negator != 'no')}"

    # Clauses.

    def feeling(self, polarity: int) -> str:
        """Returns what the author felt: "I enjoyed it", "I did not regret it for a moment"."""
        if self.chance(_NEGATED):
            base, past = self.pick(words.FEELINGS[1 - polarity])
            if self.chance(0.4):
                return f"I never {past} {self.whole()}"
            return f"I did not {base} {self.whole()} {self.pick(words.AT_ALL)}"
        base, past = self.pick(words.FEELINGS[polarity])
        return f"I {past if self.chance(0.5) else f'came to {base}'} {self.whole()}"

    def on_the_whole(self, polarity: int, personal: bool = True, plain: bool = False) -> str:
        """Returns a clause on the whole work."""
        outer, self.on_whole = self.on_whole, True
        if personal and self.chance(0.5):
            clause = self.feeling(polarity) if self.chance(0.5) else self._call(self.whole(), polarity)
        else:
            clause = f"{self.whole()} {self.be()} {self.thing_quality(polarity, plain)}"
        self.on_whole = outer
        return clause

    def on_a_part(self, polarity: int, personal: bool = True, plain: bool = False) -> str:
        """Returns a clause on some part of the work, another one than the frame's own."""
        outer = self.facet, self.on_whole
        self.facet, self.on_whole = self.pick(self.domain.facets), False
        plural = self.chance(0.4)
        part = f"the {self._fresh(self.facet.plural if plural else self.facet.singular)}"
        if personal and self.chance(0.25):
            clause = self._effect(part, polarity)
        elif personal and self.chance(0.3):
            clause = self._call(part, polarity)
        elif not plain and self.chance(0.15):
            negated = self.chance(_NEGATED)
            amount, side = ("nothing", 1 - polarity) if negated else ("something", polarity)
            clause = f"there {self.be()} {amount} {self.adjective(side)} about {part}"
        else:
            clause = f"{part} {self.be(plural)} {self.quality(polarity, plain)}"
        self.facet, self.on_whole = outer
        return clause

    def _effect(self, part: str, polarity: int) -> str:
        if self.chance(_NEGATED):
            base, past = self.pick(words.EFFECTS[1 - polarity])
            return f"{part} {self.pick((f'did not {base}', f'never {past}', f'failed to {base}'))} me"
        base, past = self.pick(words.EFFECTS[polarity])
        return f"{part} {self.pick((past, past, f'managed to {base}', f'never failed to {base}'))} me"

    def _call(self, what: str, polarity: int) -> str:
        """Returns what it is called: "I found it far from dull", "nobody could call it dull"."""
        if self.chance(0.4):
            return f"I found {what} {self.quality(polarity, plain=False)}"
        turned = self.chance(0.5)
        return f"{self.pick(words.CALLS[turned])} {what} {self.quality(polarity ^ turned, plain=True)}"

    def clause(self, polarity: int, personal: bool = True, plain: bool = False) -> str:
        write = self.on_the_whole if self.chance(0.4) else self.on_a_part
        return write(polarity, personal, plain)

    def rival(self, polarity: int, personal: bool = True) -> str:
        if self.rival_is_whole:
            outer, self.on_whole = self.on_whole, True
            clause = f"{self.whole()} {self.be()} {self.quality(polarity, False)}"
            self.on_whole = outer
            return clause
        return self.on_a_part(polarity, personal)

    def verdict(self, polarity: int) -> str:
        return self.feeling(polarity) if self.rival_is_whole else self.on_the_whole(polarity)


_SLOTS: dict[str, Callable[[Writer, int], str]] = {
    "own": lambda w, p: w.clause(p),
    "verdict": lambda w, p: w.verdict(p),
    "claim": lambda w, p: w.clause(p, personal=False),
    "stated": lambda w, p: w.clause(p, personal=False, plain=True),
    "conceded": lambda w, p: w.on_a_part(p),
    "rival": lambda w, p: w.rival(1 - p),
    "rival claim": lambda w, p: w.rival(1 - p, personal=False),
    "scoped": lambda w, p: w.clause(1 - p, personal=False, plain=True),
    "adj": lambda w, p: w.adjective(p),
    "adj2": lambda w, p: w.adjective(p),
    "anti": lambda w, p: w.adjective(1 - p),
    "anti2": lambda w, p: w.adjective(1 - p),
    "np": lambda w, p: w.noun(p),
    "antinp": lambda w, p: w.noun(1 - p),
    "antinoun": lambda w, p: w.noun(1 - p, article=False),
    "like": lambda w, p: w.pick(words.FEELINGS[p])[0],
    "liked": lambda w, p: w.pick(words.FEELINGS[p])[1],
    "antilike": lambda w, p: w.pick(words.FEELINGS[1 - p])[0],
    "antiliked": lambda w, p: w.pick(words.FEELINGS[1 - p])[1],
    "fear adj": lambda w, p: w.pick(words.ANTICIPATIONS[p]),
    "fear anti": lambda w, p: w.pick(words.ANTICIPATIONS[1 - p]),
    "aspect": lambda w, p: f"the {w.part}",
    "aspect is": lambda w, p: f"the {w.part} {w.be(w.plural)}",
    "is aspect": lambda w, p: f"{w.be(w.plural)} the {w.part}",
    "part": lambda w, p: w.part,
    "parts": lambda w, p: w.part,
    "whole": lambda w, p: w.whole(),
    "it": lambda w, p: w.whole(),
    "whole is": lambda w, p: f"{w.whole()} {w.be()}",
    "is": lambda w, p: w.be(),
    "other": lambda w, p: w.other(),
    "who": lambda w, p: w.who(),
    "relative": lambda w, p: w.pick(words.RELATIVES),
    "name": lambda w, p: w.pick(words.NAMES),
    "city": lambda w, p: w.pick(words.CITIES),
    "month": lambda w, p: w.pick(words.MONTHS),
    "day": lambda w, p: w.pick(words.DAYS),
    "job": lambda w, p: w.pick(words.JOBS),
    "vehicle": lambda w, p: w.pick(words.VEHICLES),
    "hour": lambda w, p: w.pick(words.HOURS),
    "number": lambda w, p: w.pick(words.NUMBERS),
    "colour": lambda w, p: w.pick(words.COLOURS),
    "object": lambda w, p: w.pick(words.OBJECTS),
    "place": lambda w, p: w.pick(words.PLACES),
}
