"""Two languages side by side: what both have words for, and where the source language tells things apart."""

import datetime
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from . import atoms
from .side import Side, normalized

DATE_STYLES = ("long", "full", "medium", "yMMMEd", "short", "MMMEd", "MMMMd", "yMMMM")
"""Ways to write a date, the first one first where the source language does not tell two apart.

English writes the long and the medium date of a day in May alike, where German does not: the target is the long one.
"""

INTERVALS = ("yMMMd", "MMMd", "yMMMM", "time")
"""Skeletons of CLDR for two dates, and `"time"` for two clock times."""

Both = tuple[str, str]
"""Source and target text."""

Key = TypeVar("Key", bound=Hashable)

# Amounts that reach every plural form of CLDR's languages: names that differ on these differ on all.
_PROBES = tuple(Decimal(number) for number in ("1", "2", "3", "5", "11", "21", "100", "2.5"))

_NAMES = {
    "territory": atoms.TERRITORIES,
    "language": atoms.LANGUAGES,
    "weekday": tuple(map(str, range(7))),
    "month": tuple(map(str, range(1, 13))),
}


class Pair:
    """Source and target language.

    What the source language calls by one name and the target by two is left out, so that a source text has one target.

    Args:
        source: A CLDR locale.
        target: Another one.

    Attributes:
        names: For each of territory, language, weekday and month: code to both names.
        currencies: Those of `atoms.CURRENCIES` that can be used.
        units: Those of `atoms.UNITS` that can be used.
        mixed: Those of `atoms.MIXED` whose units can be used.
        rates: Those of `atoms.RATES` that both languages have a "per" for.
        styles: Those of `DATE_STYLES` that both languages have.
        intervals: Those of `INTERVALS` that both languages have.
    """

    def __init__(self, source: str, target: str) -> None:
        self.source, self.target = Side(source), Side(target)
        self.styles = self._shared(DATE_STYLES, Side.has_style)
        self.intervals = self._shared(INTERVALS, Side.has_interval)
        self.rates = self._shared(atoms.RATES, Side.has_rate)
        self.names = self._clear_names()
        amounts = self._clear_amounts()
        self.currencies = tuple(code for code in atoms.CURRENCIES if code in amounts)
        self.units = tuple(code for code in atoms.UNITS if code in amounts)
        self.mixed = tuple(entry for entry in atoms.MIXED if amounts.issuperset(entry[:2]))

    def both(self, write: Callable[..., str], *what: Any) -> Both:
        """What `write`, a method of `Side`, makes of each side."""
        return write(self.source, *what), write(self.target, *what)

    def style_of(self, day: datetime.date, style: str) -> str:
        """The first style in which the source language writes this day as in `style`."""
        text = self.source.date(day, style)
        return next(other for other in self.styles if other == style or self.source.date(day, other) == text)

    def _shared(self, codes: Sequence[str], has: Callable[[Side, str], bool]) -> tuple[str, ...]:
        return tuple(code for code in codes if has(self.source, code) and has(self.target, code))

    def _clear_names(self) -> Mapping[str, Mapping[str, Both]]:
        found: dict[tuple[str, str], Both] = {}
        for kind, codes in _NAMES.items():
            for code in codes:
                source, target = self.source.name(kind, code), self.target.name(kind, code)
                if source and target:
                    found[kind, code] = normalized(source), normalized(target)
        clear = _clear({key: [names] for key, names in found.items()})
        return {
            kind: {code: found[kind, code] for code in codes if (kind, code) in clear} for kind, codes in _NAMES.items()
        }

    def _clear_amounts(self) -> set[str]:
        texts = {}
        for code in self._shared(atoms.CURRENCIES, Side.has_currency):
            texts[code] = [self.both(Side.money, amount, code, named) for amount in _PROBES for named in (True, False)]
        for code in self._shared(atoms.UNITS, Side.has_unit):
            texts[code] = [self.both(Side.unit, amount, code) for amount in _PROBES]
        return _clear(texts)


def _clear(texts: Mapping[Key, Iterable[Both]]) -> set[Key]:
    """The keys none of whose source texts has another target elsewhere."""
    targets: dict[str, set[str]] = {}
    for pairs in texts.values():
        for source, target in pairs:
            targets.setdefault(source.casefold(), set()).add(target)
    return {key for key, pairs in texts.items() if all(len(targets[source.casefold()]) == 1 for source, _ in pairs)}
