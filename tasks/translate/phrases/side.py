"""One language's half of a phrase: what Babel, or CLDR's pattern, writes for a date, an amount or a name."""

import datetime
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from babel import Locale, dates, localedata, numbers, units

Width = Literal["full", "long", "medium", "short"]

SECONDS: dict[Any, int] = {
    "year": 365 * 86_400,  # as Babel counts them; only whole multiples are drawn, so that nothing is rounded
    "month": 30 * 86_400,
    "week": 7 * 86_400,
    "day": 86_400,
    "hour": 3_600,
    "minute": 60,
    "second": 1,
}
"""Units of relative time."""

WIDTHS: tuple[Width, ...] = ("full", "long", "medium", "short")
"""CLDR's standard date formats; other styles are skeletons, e.g. `"yMMMEd"`."""

# Directional marks guide the layout and are not typed; Persian's zero-width non-joiner is spelling and stays.
_MARKS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")

# A part that a list style lacks comes from the next style: CLDR's inheritance, which Babel's data do not keep.
_INHERITED = {"standard": ("standard",), "or": ("or",), "unit": ("unit", "unit-short", "standard")}

# Spanish turns "y" into "e" and "o" into "u" before the same sound; CLDR leaves that to code. Such lists are not drawn.
_CLASHES = {"es": {"standard": re.compile(r"h?[ií](?![aeo])"), "or": re.compile(r"h?[oó]|8")}}


def normalized(text: str) -> str:
    """NFC, each run of white space (no-break and thin spaces too) one plain space, no directional marks."""
    return " ".join(_MARKS.sub("", unicodedata.normalize("NFC", text)).split())


def _loaded(name: str) -> Locale:
    """A locale with data of its own.

    Babel's locales share what they inherit, and the first one to look an alias up writes its own words into it: after
    Swahili, Serbian has Swahili weekdays. What was read before must not decide what is written now.
    """
    parsed = Locale.parse(name)
    locale = Locale(parsed.language, parsed.territory, parsed.script, parsed.variant, parsed.modifier)
    shared = getattr(localedata, "_cache", {})
    shared.clear()
    _ = locale._data  # reads the files
    shared.clear()
    return locale


class Side:
    """Writes in one locale. Digits are Latin everywhere.

    Args:
        name: A CLDR locale, e.g. `"pt_BR"`.
    """

    def __init__(self, name: str) -> None:
        self.locale = _loaded(name)
        self._clashes = _CLASHES.get(self.locale.language, {})
        clock = self.locale.time_formats["short"].pattern
        self._clock = "Hm" if re.search("[Hk]", clock) else "hm"

    def has_style(self, style: str) -> bool:
        """Whether the locale writes dates in this style without making another skeleton do."""
        return style in WIDTHS or style in self.locale.datetime_skeletons

    def has_interval(self, skeleton: str) -> bool:
        """Whether the locale has a pattern for this interval; `"time"` is one of two clock times."""
        formats = self.locale.interval_formats.get(self._clock if skeleton == "time" else skeleton, {})
        return bool(formats) and "B" not in formats  # Babel does not compare parts of the day, as Chinese has them

    def has_currency(self, code: str) -> bool:
        """Whether the locale has a name for the currency. CLDR leaves out plurals that are like the name."""
        return code in self.locale.currencies

    def has_unit(self, unit: str) -> bool:
        """Whether the locale has words for the unit: without, Babel writes its identifier."""
        return "other" in self._long(unit)

    def has_rate(self, unit: str) -> bool:
        """Whether the locale can say "per" this unit: in its own pattern, or by a mere sign.

        A pattern with a word for "per" would need the unit's name in a case that Babel does not have.
        """
        per = self.locale._data["compound_unit_patterns"].get("per", {}).get("long", {}).get("compound", "{0}/{1}")
        return "per" in self._long(unit) or (self.has_unit(unit) and not re.search(r"\w", re.sub(r"\{.\}", "", per)))

    def _long(self, unit: str) -> dict[str, str]:
        return self.locale._data["unit_patterns"].get(unit, {}).get("long", {})

    def date(self, day: datetime.date, style: str) -> str:
        """The date in a standard format or by a skeleton."""
        if style in WIDTHS:
            return normalized(dates.format_date(day, style, self.locale))
        return normalized(dates.format_skeleton(style, day, locale=self.locale))

    def time(self, clock: datetime.time, width: str = "short") -> str:
        """The time of day: 3:05 PM, or with `width="medium"` 3:05:20 PM."""
        return normalized(dates.format_time(clock, width, locale=self.locale))

    def joined(self, first: str, clock: datetime.time, width: Width) -> str:
        """A date, or a relative one, with the time of day, by the locale's pattern for dates of this width."""
        pattern = str(dates.get_datetime_format(width, locale=self.locale)).replace("'", "")  # quotes around letters
        return normalized(pattern.replace("{0}", self.time(clock)).replace("{1}", first))

    def interval(self, start: datetime.date | datetime.time, end: datetime.date | datetime.time, skeleton: str) -> str:
        """From one date or time to another; `skeleton` as for `has_interval`."""
        skeleton = self._clock if skeleton == "time" else skeleton
        return normalized(dates.format_interval(start, end, skeleton, locale=self.locale))

    def relative(self, number: int, unit: Any) -> str:
        """In this many units of `SECONDS`, or ago if `number` is negative: 3 days ago."""
        delta = datetime.timedelta(seconds=number * SECONDS[unit])
        # No larger unit reaches the threshold, so that Babel keeps the one asked for.
        text = dates.format_timedelta(delta, unit, threshold=1e9, add_direction=True, locale=self.locale)
        return normalized(text)

    def money(self, amount: Decimal, currency: str, named: bool) -> str:
        """An amount with the currency's name, 5 euros, or with its symbol, €5.00."""
        if named:
            text = numbers.format_currency(
                amount, currency, locale=self.locale, format_type="name", currency_digits=False
            )
        else:
            text = numbers.format_currency(amount, currency, locale=self.locale)
        return normalized(text)

    def unit(self, amount: Decimal, unit: str) -> str:
        """An amount of a unit, in full: 5 kilometers."""
        return normalized(units.format_unit(amount, unit, "long", locale=self.locale))

    def price(self, money: str, unit: str) -> str:
        """So much money, as `money` writes it, for one unit: €5.00 per liter."""
        return normalized(units.format_compound_unit(money, denominator_unit=unit, locale=self.locale) or "")

    def name(self, kind: str, code: str) -> str | None:
        """The word for a territory, language, weekday (0 is Monday) or month (1 to 12), None if CLDR has none."""
        if kind == "weekday":
            return dates.get_day_names("wide", "stand-alone", self.locale)[int(code)]
        if kind == "month":
            return dates.get_month_names("wide", "stand-alone", self.locale)[int(code)]
        return (self.locale.territories if kind == "territory" else self.locale.languages).get(code)

    def listed(self, items: Sequence[str], style: str) -> str | None:
        """Two or more items with the locale's "and" (`"standard"`), `"or"`, or as amounts (`"unit"`).

        Returns:
            None where the last item would change the word before it.
        """
        clash = self._clashes.get(style)
        if clash and clash.match(items[-1].casefold()):
            return None
        if len(items) == 2:
            return normalized(self._part(style, "2").format(*items))
        text = self._part(style, "start").format(*items[:2])
        for item in items[2:-1]:
            text = self._part(style, "middle").format(text, item)
        return normalized(self._part(style, "end").format(text, items[-1]))

    def _part(self, style: str, part: str) -> str:
        # Arabic joins two items as it joins the last one, and has no pattern of its own for two.
        for pattern in (part, "end"):
            for name in _INHERITED[style]:
                if pattern in self.locale.list_patterns.get(name, {}):
                    return self.locale.list_patterns[name][pattern]
        return "{0}, {1}"  # CLDR's root
