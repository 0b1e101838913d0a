"""What `zoo list` shows: lines for a terminal, or objects for JSON."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo import cards, cells, engine
from zoo.storage import model_card
from zoo.task import installed

KINDS = ("tasks", "cells", "datasets", "models")
"""What can be listed."""

LEAST = 16
"""Characters that a wrapped column has at least."""

NOTE = (
    "loop: matrix products per step. weights: per unit squared, with as many features as units. path: on this "
    "machine's CPU. speed: of training, relative to lstm, {setting}."
)
"""What the columns of the table of cells mean."""


def lines(kind: str, models_dir: Path | None = None, width: int = 100) -> Iterator[str]:
    """Lines for a terminal.

    Args:
        kind: One of `KINDS`.
        models_dir: Folder of saved models, for models.
        width: Most characters of a line.
    """
    if kind == "tasks":
        yield from table([(row["name"], row["summary"]) for row in objects(kind)], width)
    elif kind == "cells":
        yield from _cell_table(width)
    elif kind == "datasets":
        rows = objects(kind)
        yield from table([(row["task"], row["name"], row["description"]) for row in rows], width)
    else:
        yield from _model_table([_model_row(model) for model in cards.models(models_dir)], width)
        for item in cards.damaged(models_dir):
            yield from textwrap.wrap(f"{item.path.name}  damaged: {item.reason}", width, subsequent_indent="    ")


def table(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Lines of a table of texts, whose last column is wrapped where lines would be longer.

    Args:
        rows: Its rows, all with the same number of columns.
        width: Most characters of a line.
    """
    *widths, last = [max(map(len, column)) for column in zip(*rows, strict=True)] or [0]
    last = min(last, max(width - sum(widths) - 2 * len(widths), LEAST))
    for *row, text in rows:
        for line in textwrap.wrap(text, last, break_on_hyphens=False) or [""]:
            yield "  ".join([*(part.ljust(size) for part, size in zip(row, widths, strict=True)), line]).rstrip()
            row = [""] * len(row)


def _model_table(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """One line per model; two where that would be too long, as a name is for copying and is never wrapped."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * len(widths) - 2 <= width:
        yield from table(rows, width)
        return
    for row in rows:
        yield row[0]
        facts = "  ".join(text.ljust(size) for text, size in zip(row[1:], widths[1:], strict=True)).rstrip()
        yield from textwrap.wrap(facts, width, initial_indent="    ", subsequent_indent="    ")


def _model_row(model: cards.Summary) -> tuple[str, ...]:
    data = ", ".join([model.dataset, *model_card.about(model)])
    return model.name, model.task, model.cell, data, f"{model.bytes / 1e6:.1f} MB", model.score


def objects(kind: str, models_dir: Path | None = None) -> list[dict[str, Any]]:
    """The same as values for JSON, one object per line; arguments as for `lines`."""
    if kind == "tasks":
        return [{"name": task.name, "summary": task.summary} for task in installed().values()]
    if kind == "cells":
        return [_facts(name) for name in cells.TABLE]
    if kind == "datasets":
        return [
            {"task": task.name, "name": name, "description": row.description, "terms": row.terms}
            for task in installed().values()
            for name, row in task.recipe.datasets.items()
        ]
    return [
        {
            "name": model.name,
            "task": model.task,
            "cell": model.cell,
            "dataset": model.dataset,
            "bytes": model.bytes,
            "monitor": model.metrics["monitor"],
            "score": model.shown,
            "split": model.split,
            "synthetic": bool(model.metrics["data"].get("synthetic")),
            "terms": model_card.terms(model),
        }
        for model in cards.models(models_dir)
    ]


def speed() -> dict[str, Any]:
    """Measured speeds of cells, as `scripts/bench_cells.py` wrote them: `cells` by name, and the `setting`."""
    file = Path(cells.__file__).with_name("speed.json")
    if not file.is_file():
        return {"cells": {}, "setting": "not measured"}
    return json.loads(file.read_text(encoding="utf-8"))


def _facts(name: str) -> dict[str, Any]:
    row = cells.TABLE[name]
    return {
        "name": name,
        "text": row.text,
        "paper": row.paper,
        "year": row.year,
        "states": row.states.split(", "),
        "products_in_loop": row.products,
        "parameters_per_unit_squared": row.parameters,
        "path": engine.outlook(name),
        "speed_relative_to_lstm": speed()["cells"].get(name),
        "reason": row.reason,
    }


def _cell_table(width: int) -> Iterator[str]:
    """Two lines per cell: the facts in columns, then the reason. Then words that `--cell` of a task takes as well."""
    measured = speed()
    rows = [["cell", "source", "states", "loop", "weights", "path", "speed"]]
    rows += [_cell_row(name, measured["cells"].get(name)) for name in cells.TABLE]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    narrow = sum(widths) + 2 * len(widths) - 2 > width
    for row in rows:
        shown = [text.ljust(size) for text, size in zip(row, widths, strict=True)]
        yield "  ".join(shown[:1] + shown[2:] if narrow else shown).rstrip()
        if row[0] in cells.TABLE:
            about = f"{cells.TABLE[row[0]].text}; {cells.TABLE[row[0]].reason}"
            about += f" ({cells.TABLE[row[0]].source})" if narrow else ""
            yield from textwrap.wrap(about, width, initial_indent="    ", subsequent_indent="    ")
    yield ""
    yield from textwrap.wrap(NOTE.format(setting=measured["setting"]), width)
    others = {name: text for task in installed().values() for name, text in task.recipe.cells.items()}
    if others:
        yield ""
    for name, text in others.items():
        yield from textwrap.wrap(f"{name:12}  {text}", width, subsequent_indent=" " * 14)


def _cell_row(name: str, relative: float | None) -> list[str]:
    row = cells.TABLE[name]
    path = engine.outlook(name).split()[0]
    return [
        name,
        row.source,
        row.states,
        str(row.products),
        f"{row.parameters:g}",
        "loop" if path == "a" else path,  # "a loop in the backend"
        "not measured" if relative is None else f"{relative:.2g} x",
    ]
