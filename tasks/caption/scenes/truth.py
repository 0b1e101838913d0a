"""Whether a caption is true of a scene: a second source, which reads the caption and does not ask who wrote it."""

from collections.abc import Mapping
from typing import Any, Literal

from . import claims, parser

Verdict = Literal["true", "false", "unparsed"]


def judge(caption: str, facts: str | Mapping[str, Any]) -> Verdict:
    """Checks every claim of a caption.

    Args:
        caption: Words separated by single spaces, lower case, no punctuation.
        facts: What the data set says of the scene, JSON or what it stands for.

    Returns:
        `"unparsed"` if it is no caption of the language: a wrong article or plural is enough.
    """
    try:
        stated = parser.parse(caption)
    except parser.ParseError:
        return "unparsed"
    seen = claims.view(facts)
    return "true" if all(claim.holds(seen) for claim in stated) else "false"


def is_true(caption: str, facts: str | Mapping[str, Any]) -> bool:
    """Whether `judge` finds it true; what cannot be parsed is not."""
    return judge(caption, facts) == "true"
