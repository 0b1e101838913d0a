"""What `zoo list` shows: lines for a terminal, or objects for JSON."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo import cards, cells, engine, model_card
from zoo.task import installed

KINDS = ("tasks", "cells", "datasets", "models")
"""What can be listed."""

WIDTH = 100
"""Characters of a line of the table of cells."""

NOTE = (
    "loop: matrix products per step. weights: per unit squared, with as many features as units. path: on this "
    "machine's CPU. speed: of training, relative to lstm, {setting}."
)
"""What the columns of the table of cells mean."""


def lines(kind: str, models_dir: Path | None = None) -> Iterator[str]:
    """Lines for a terminal.

    Args:
        kind: One of `KINDS`.
        models_dir: Folder of saved models, for models.
    """
    if kind == "tasks":
        yield from (f"{row['name']:12}  {row['summary']}" for row in objects(kind))
    elif kind == "cells":
        yield from _cell_table()
    elif kind == "datasets":
        yield from (f"{row['task']:12}  {row['name']:24}  {row['description']}" for row in objects(kind))
    else:
        for model in cards.models(models_dir):
            yield "  ".join([cards.line(model), *model_card.about(model)])
        yield from (f"{item.path.name:32}  damaged: {item.reason}" for item in cards.damaged(models_dir))


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
            "score": model.monitored,
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


def _cell_table() -> Iterator[str]:
    """Two lines per cell: the facts in columns, then the reason. Then words that `--cell` of a task takes as well."""
    measured = speed()
    rows = [["cell", "source", "states", "loop", "weights", "path", "speed"]]
    rows += [_cell_row(name, measured["cells"].get(name)) for name in cells.TABLE]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        if row[0] in cells.TABLE:
            yield f"    {cells.TABLE[row[0]].text}; {cells.TABLE[row[0]].reason}"
    yield ""
    yield from textwrap.wrap(NOTE.format(setting=measured["setting"]), WIDTH)
    others = {name: text for task in installed().values() for name, text in task.recipe.cells.items()}
    if others:
        yield ""
    for name, text in others.items():
        yield from textwrap.wrap(f"{name:12}  {text}", WIDTH, subsequent_indent=" " * 14)


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
