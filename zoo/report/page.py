"""The page of a report: one HTML file with all its pictures in it. Everything that comes from data is escaped."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from zoo import __version__
from zoo.report.sections import Picture, Section
from zoo.terminal import shades

TEMPLATE = Path(__file__).with_name("page.html.jinja")


def render(
    folder: Path, title: str, facts: Mapping[str, Any], scores: Sequence[tuple], sections: Sequence[Section]
) -> str:
    """The page as HTML.

    Args:
        folder: Where its pictures lie.
        title: Of the page.
        facts: What the report is about, by name.
        scores: Name, value and definition of each score.
        sections: The parts of the page.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["background"] = shades.background
    environment.filters["embedded"] = lambda picture: embedded(folder, picture)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(title=title, facts=facts, scores=scores, sections=sections, version=__version__)


def embedded(folder: Path, picture: Picture) -> str:
    """A picture as a `data:` URI."""
    return f"data:image/png;base64,{base64.b64encode((folder / picture.file).read_bytes()).decode()}"
