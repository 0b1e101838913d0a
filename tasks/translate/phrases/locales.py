"""Which languages and pairs of them there are, and where their data come from."""

import functools
import re

import babel
from babel import Locale, core, localedata

from zoo.errors import UserError
from zoo.names import nearest

from .atoms import TERRITORIES

SEPARATOR = "-"
"""Between the two locales of a pair; inside a locale is an underscore."""

CODE = re.compile(r"[a-z]{2,3}([_-][A-Za-z]{2,4})?")
"""A language's code, such as `en`, `deu` and `zh_CN`."""


def source() -> str:
    """Where the phrases come from, with versions: "Unicode CLDR 47 by way of Babel 2.18.0"."""
    version = getattr(core, "get_cldr_version", None)  # Babel 2.16 does not have it
    number = f" {version()}" if version else ""
    return f"Unicode CLDR{number} by way of Babel {babel.__version__}"


def language_of(title: str) -> str | None:
    """The language that a title names: `de` for `de`, `DE` and `German`, `zh_CN` as it is; None for other words."""
    known = _languages()
    if CODE.fullmatch(title) and re.split("[_-]", title)[0] in known:
        return title
    return known.get(title.lower())


@functools.cache
def _languages() -> dict[str, str]:
    """Codes of ISO 639, and the English names of languages in lower case -> code."""
    names = {code: name for code, name in Locale("en").languages.items() if code not in ("mul", "und", "zxx")}
    codes = [*names, *core.get_global("language_aliases")]
    return {name.lower(): code for code, name in names.items()} | {code: code for code in codes}


def pair(name: str) -> tuple[str, str]:
    """The two locales of a pair's name.

    Args:
        name: E.g. `"en-de"` or `"pt_BR-zh_Hant"`.

    Raises:
        UserError: If it does not name two locales, CLDR has no such locale or little of it, or both are one language.
    """
    parts = name.split(SEPARATOR)
    if len(parts) != 2:
        raise UserError(
            f"{name!r} is not a pair of languages; write two CLDR locales with one {SEPARATOR!r} between them and "
            f"'_' inside a locale, such as 'en-de' or 'pt_BR-zh_Hant'."
        )
    first, second = parts
    for part in parts:
        _check(part, name)
    if Locale.parse(first).language == Locale.parse(second).language:
        raise UserError(
            f"{name!r} names one language twice; write two different languages, such as 'en-de' or '{first}-"
            f"{'fr' if Locale.parse(first).language != 'fr' else 'en'}'."
        )
    return first, second


def _check(locale: str, name: str) -> None:
    known = localedata.locale_identifiers()
    if locale not in known:
        close = nearest(locale, known)
        meant = f"; did you mean {close!r}?" if close else "."
        raise UserError(
            f"CLDR has no locale {locale!r}, named in the pair {name!r}{meant} "
            f"Known are {len(known):,} locales such as de, pt_BR, zh_Hant: write two of them, such as 'en-de'."
        )
    # Where CLDR has next to nothing on a language, Babel writes codes in the place of words.
    named = sum(code in Locale.parse(locale).territories for code in TERRITORIES)
    if named < len(TERRITORIES) / 2:
        raise UserError(
            f"CLDR names only {named} of {len(TERRITORIES)} countries in {locale!r}, named in the pair {name!r}, too "
            f"few for phrases; write a language with more, such as 'en' or 'de'."
        )
