"""Look a name up in a table, or fail with a sentence that helps."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from zoo.errors import UserError

Value = TypeVar("Value")

MOST_SHOWN = 20
"""Longer tables are not listed in an error, only their nearest names."""

LONGEST_SHOWN = 100
"""Characters of a name that are repeated in an error."""


MOST_NAMED = 3
"""Names of many that a note or an error gives as examples."""


def some(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def split(words: str) -> list[str]:
    """The names between commas, each once, without the blanks around them."""
    return list(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that looks most like `name`, or None if nothing comes close."""
    by_lower = {item.lower(): item for item in allowed}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[close[0]] if close else None


def unknown(kind: str, name: str, allowed: Iterable[str], next_step: str = "") -> UserError:
    """The error for a name that is in no table.

    Args:
        kind: What the name was meant to be, in the singular: `"cell"`.
        name: What came.
        allowed: The names that would do.
        next_step: A sentence without full stop that says what else to do.

    Returns:
        The exception, to be raised by the caller.
    """
    allowed = sorted(allowed)
    name = name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}..."
    close = nearest(name, allowed)
    meant = f"; did you mean {close!r}?" if close else "."
    shown = allowed if len(allowed) <= MOST_SHOWN else difflib.get_close_matches(name, allowed, n=5, cutoff=0)
    more = f" and {len(allowed) - len(shown)} more" if len(shown) < len(allowed) else ""
    known = f" Known: {', '.join(shown)}{more}." if allowed else ""
    then = f" {next_step}." if next_step else ""
    return UserError(f"No {kind} is called {name!r}{meant}{known}{then}")


def look_up(table: Mapping[str, Value], name: str, kind: str, next_step: str = "") -> Value:
    """`table[name]`.

    Args:
        table: Name -> value.
        name: The name to look up.
        kind: What the name was meant to be, in the singular: `"cell"`.
        next_step: A sentence without full stop that says what else to do.

    Raises:
        UserError: If the name is not there; names the nearest one and all that are.
    """
    if name not in table:
        raise unknown(kind, name, table, next_step)
    return table[name]
