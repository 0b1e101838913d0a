"""Draws one phrase at a time; the tables on top tune the mix."""

import calendar
import datetime
import random
import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple, TypeVar

from babel import numbers

from .pair import Both, Pair
from .side import SECONDS, WIDTHS, Side

Value = TypeVar("Value")

KINDS = {
    "date": 22,
    "datetime": 12,
    "interval": 10,
    "time": 4,
    "relative": 12,
    "money": 10,
    "price": 5,
    "unit": 8,
    "measure": 5,
    "list": 9,
    "name": 3,
}
"""Shares of the kinds of phrase. A kind that runs out of new phrases leaves its place to the others."""

STYLES = {"long": 5, "full": 4, "medium": 3, "yMMMEd": 2, "short": 2, "MMMEd": 1, "MMMMd": 1, "yMMMM": 1}
"""Shares of the ways to write a date."""

LISTED = {"territory": 9, "language": 7, "weekday": 2, "month": 2}
"""Shares of what a list is about."""

SPANS = {"yMMMd": range(1, 90), "MMMd": range(1, 90), "yMMMM": range(30, 720)}
"""Days from start to end of an interval, by skeleton. Without a year, it has to be shorter than one."""

VARIETY = "{0} ({1})"
"""A language as spoken in a territory, German (Austria): CLDR's root pattern, which Babel uses for every locale too."""

DIGITS = {1: 2, 2: 5, 3: 3, 4: 2}
"""Shares of the lengths of a number. Four digits are enough for a thousands separator."""

YEARS = range(1970, 2050)
"""Fewer than a hundred: a short date has two digits for the year, and they shall mean one year."""

SHARED_NUMBERS = 100
"""Numbers below occur in every split; from here on each belongs to one split, as each date does."""

ONE_IN = 20
"""Of this many dates or numbers, one goes to test and one to validation."""


class Phrase(NamedTuple):
    """One example: `kind` is of `KINDS`."""

    kind: str
    source: str
    target: str


class Composer:
    """Draws phrases for one split.

    Args:
        pair: The languages.
        split: Dates and larger numbers are those of this split.
        rng: Where chance comes from; its state is the only one.
    """

    def __init__(self, pair: Pair, split: str, rng: random.Random) -> None:
        self.pair, self.split, self.rng = pair, split, rng
        self._styles = {style: share for style, share in STYLES.items() if style in pair.styles}
        self._writers: dict[str, Callable[[], Both | None]] = {
            "date": self._date,
            "datetime": self._datetime,
            "interval": self._interval,
            "time": self._time,
            "relative": self._relative,
            "money": self._money,
            "price": self._price,
            "unit": self._unit,
            "measure": self._measure,
            "list": self._list,
            "name": self._name,
        }

    def draw(self) -> Phrase | None:
        """A phrase of some kind; None where the languages lack words, or the choice has no place in this split."""
        kind = self._weighted(KINDS)
        both = self._writers[kind]()
        return Phrase(kind, *both) if both else None

    def _weighted(self, shares: Mapping[Value, int]) -> Value:
        return self.rng.choices(list(shares), list(shares.values()))[0]

    def _mine(self, key: str) -> bool:
        bucket = zlib.crc32(key.encode()) % ONE_IN
        return self.split == ("test", "validation")[bucket] if bucket < 2 else self.split == "train"

    def _number(self) -> int:
        digits = self._weighted(DIGITS)
        while True:
            number = self.rng.randrange(10 ** (digits - 1), 10**digits)
            if number < SHARED_NUMBERS or self._mine(str(number)):
                return number

    def _day(self) -> datetime.date:
        while True:
            year, month = self.rng.choice(YEARS), self.rng.randint(1, 12)
            day = datetime.date(year, month, self.rng.randint(1, calendar.monthrange(year, month)[1]))
            if self._mine(day.isoformat()):
                return day

    def _clock(self) -> datetime.time:
        # Full and half hours are what people write most.
        minute = self.rng.choice((0, 30)) if self.rng.random() < 0.2 else self.rng.randrange(60)
        return datetime.time(self.rng.randrange(24), minute)

    def _date(self) -> Both:
        day = self._day()
        style = self.pair.style_of(day, self._weighted(self._styles))
        return self.pair.both(Side.date, day, style)

    def _datetime(self) -> Both:
        day, clock = self._day(), self._clock()
        style = self.pair.style_of(day, self.rng.choice(WIDTHS))
        width = style if style in WIDTHS else "medium"
        return self.pair.both(lambda side: side.joined(side.date(day, style), clock, width))

    def _interval(self) -> Both | None:
        skeleton = self.rng.choice((*self.pair.intervals, ""))
        if skeleton == "time":
            clocks = sorted((self._clock(), self._clock()))
            return self.pair.both(Side.interval, *clocks, skeleton) if clocks[0] != clocks[1] else None
        if not skeleton:  # where a pair has no intervals
            return None
        start = self._day()
        later = (start + datetime.timedelta(days) for days in SPANS[skeleton])
        ends = [day for day in later if self._mine(day.isoformat())]
        return self.pair.both(Side.interval, start, self.rng.choice(ends), skeleton) if ends else None

    def _time(self) -> Both:
        clock = self._clock()
        if self.rng.random() < 0.5:
            return self.pair.both(Side.time, clock)
        exact = clock.replace(second=self.rng.randrange(60))
        return self.pair.both(Side.time, exact, "medium")

    def _relative(self) -> Both:
        sign = self.rng.choice((1, -1))
        if self.rng.random() < 0.4:
            # With a time of day, as in "3 days ago, 5:30 PM": hours and minutes ago would contradict it.
            number, unit, clock = sign * self._number(), self.rng.choice(("day", "week", "month")), self._clock()
            return self.pair.both(lambda side: side.joined(side.relative(number, unit), clock, "medium"))
        number, unit = sign * self._number(), self.rng.choice(list(SECONDS))
        return self.pair.both(Side.relative, number, unit)

    def _money(self) -> Both | None:
        if not self.pair.currencies:
            return None
        currency = self.rng.choice(self.pair.currencies)
        if self.rng.random() < 0.5:
            amount = Decimal(self._number())
            return self.pair.both(Side.money, amount, currency, True)
        amount = self._amount(currency)
        return self.pair.both(Side.money, amount, currency, False)

    def _price(self) -> Both | None:
        if not self.pair.currencies or not self.pair.rates:
            return None
        currency, unit = self.rng.choice(self.pair.currencies), self.rng.choice(self.pair.rates)
        named = self.rng.random() < 0.5
        amount = Decimal(self._number()) if named else self._amount(currency)
        return self.pair.both(lambda side: side.price(side.money(amount, currency, named), unit))

    def _amount(self, currency: str) -> Decimal:
        number, places = self._number(), numbers.get_currency_precision(currency)
        return Decimal(number) + Decimal(self.rng.randrange(10**places)).scaleb(-places)

    def _unit(self) -> Both | None:
        if not self.pair.units:
            return None
        unit, amount = self.rng.choice(self.pair.units), Decimal(self._number())
        if self.rng.random() < 0.2:
            amount += Decimal(self.rng.randint(1, 9)) / 10
        return self.pair.both(Side.unit, amount, unit)

    def _measure(self) -> Both | None:
        if not self.pair.mixed:
            return None
        large, small, parts = self.rng.choice(self.pair.mixed)
        counts = Decimal(self.rng.randrange(1, SHARED_NUMBERS)), Decimal(self.rng.randrange(1, parts))

        def write(side: Side) -> str:
            return side.listed([side.unit(counts[0], large), side.unit(counts[1], small)], "unit") or ""

        return self.pair.both(write)

    def _list(self) -> Both | None:
        names = list(self.pair.names[self._weighted(LISTED)].values())
        count, style = self._weighted({2: 3, 3: 2, 4: 1}), self._weighted({"standard": 3, "or": 2})
        if len(names) < count:
            return None
        sources, targets = zip(*self.rng.sample(names, count), strict=True)
        source, target = self.pair.source.listed(sources, style), self.pair.target.listed(targets, style)
        return (source, target) if source and target else None

    def _name(self) -> Both | None:
        languages, territories = (list(self.pair.names[kind].values()) for kind in ("language", "territory"))
        if not languages or not territories:
            return None
        language, territory = self.rng.choice(languages), self.rng.choice(territories)
        source, target = (VARIETY.format(*names) for names in zip(language, territory, strict=True))
        return source, target
