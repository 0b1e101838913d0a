"""What the documents show of `board.json`, which `scripts/board.py` measured: tables, ranks, a picture."""

import copy
import json
import statistics
from pathlib import Path
from typing import Any

from zoo import cards, cells, figures
from zoo.statistics import holm

FILE = Path(__file__).resolve().parent / "board.json"


def read() -> dict[str, Any]:
    """All rows by `"short"` and `"long"`; empty before the first measurement."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {"short": {}, "long": {}}


SAME = ("task", "dataset", "preset", "settings", "parameters")
"""What two measurements of a row need to have in common."""


def joined(before: dict[str, Any] | None, row: dict[str, Any]) -> dict[str, Any]:
    """A row together with what an earlier measurement of it has more of: its trainings may lie elsewhere by now.

    A cell is that of the later measurement unless the earlier one has more seeds. P-values are corrected for the cells
    of both.
    """
    if before is None or any(before[key] != row[key] for key in SAME):
        return row
    found = copy.deepcopy({**before["cells"], **row["cells"]})
    for name, cell in before["cells"].items():
        if len(cell["runs"]) > len(found[name]["runs"]):
            found[name] = copy.deepcopy(cell)
    items = [
        cell["difference"] for cell in found.values() if cell["difference"] and cell["difference"]["p"] is not None
    ]
    for item, value in zip(items, holm([item["p"] for item in items]), strict=True):
        item["p_holm"] = value
    notes = list(dict.fromkeys([*before["notes"], *row["notes"]]))
    refused = {cell: why for cell, why in (before["refused"] | row["refused"]).items() if cell not in found}
    return {**row, "cells": found, "notes": notes, "refused": refused}


def tests(cell: dict[str, Any]) -> list[float]:
    """Test scores of a cell's seeds."""
    return [run["test"] for run in cell["runs"].values()]


def _ranked(scores: dict[str, float], higher_is_better: bool) -> dict[str, float]:
    """Ranks from 1 on; equal scores share the mean of their ranks."""
    sign = -1 if higher_is_better else 1
    values = {cell: sign * score for cell, score in scores.items()}
    return {
        cell: 1 + sum(other < value for other in values.values()) + (list(values.values()).count(value) - 1) / 2
        for cell, value in values.items()
    }


def ranks(row: dict[str, Any]) -> dict[str, tuple[float, float, float]]:
    """Of each cell of a row: its rank by mean test score, and the best and worst of its ranks within one seed."""
    up = row["higher_is_better"]
    whole = _ranked({name: statistics.mean(tests(cell)) for name, cell in row["cells"].items()}, up)
    single: dict[str, list[float]] = {name: [] for name in row["cells"]}
    for seed in {seed for cell in row["cells"].values() for seed in cell["runs"]}:
        scores = {name: cell["runs"][seed]["test"] for name, cell in row["cells"].items() if seed in cell["runs"]}
        if len(scores) == len(row["cells"]):  # a rank among fewer cells is another thing
            for name, rank in _ranked(scores, up).items():
                single[name].append(rank)
    return {name: (rank, min(single[name] or [rank]), max(single[name] or [rank])) for name, rank in whole.items()}


def ordered(rows: dict[str, Any]) -> list[tuple[str, float | None]]:
    """Cells with their mean rank over all rows, best first; None for a cell that is missing in a row, at the end."""
    found = {name: ranks(row) for name, row in rows.items()}
    names = [cell for cell in cells.TABLE if any(cell in row for row in found.values())]
    means = {
        cell: statistics.mean(row[cell][0] for row in found.values())
        if all(cell in row for row in found.values())
        else None
        for cell in names
    }
    return sorted(means.items(), key=lambda item: (item[1] is None, item[1] or 0))


NOTHING = "Not measured yet: `python scripts/board.py`."


def blocks() -> dict[str, str]:
    """Text by marker name."""
    values = read()
    short, long = values["short"], values["long"]
    return {
        "board": f"{scores(short)}\n\n![Ranks of the cells](../scripts/board.png)" if short else NOTHING,
        "board-cost": cost(short) if short else NOTHING,
        "board-facts": facts(short) if short else NOTHING,
        "board-long": f"{scores(long)}\n\n{cost(long)}\n\n{facts(long)}" if long else NOTHING,
    }


def scores(rows: dict[str, Any]) -> str:
    """Mean and standard deviation of the test score, cells down, rows of the board across."""
    several = len(rows) > 1
    head = ("cell", *(f"{name}: {row['monitor']}{'' if row['higher_is_better'] else ' (lower is better)'}"
                      for name, row in rows.items()), *(("mean rank",) if several else ()))  # fmt: skip
    return cards.markdown(
        head,
        (
            (f"`{cell}`", *(_score(row, cell) for row in rows.values()), *((_rank(mean),) if several else ()))
            for cell, mean in ordered(rows)
        ),
    )


def _rank(mean: float | None) -> str:
    return "" if mean is None else f"{mean:.1f}"


def _score(row: dict[str, Any], name: str) -> str:
    """A mean with its standard deviation; an arrow where the difference from the first cell is clear."""
    if name not in row["cells"]:
        return "refused" if name in row["refused"] else ""
    cell = row["cells"][name]
    values = tests(cell)
    largest = max(value for other in row["cells"].values() for value in tests(other))
    digits = 2 if largest > 10 else 4  # BLEU goes to 100, accuracy to 1, a loss is a few nats
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    most = max(len(other["runs"]) for other in row["cells"].values())
    fewer = f" ({len(values)} of {most} seeds)" if len(values) < most else ""
    return f"{statistics.mean(values):.{digits}f}{spread}{_arrow(cell, row)}{fewer}"


def _arrow(cell: dict[str, Any], row: dict[str, Any]) -> str:
    item = cell["difference"]
    if item is None or item["p_holm"] is None or item["p_holm"] >= 0.05:
        return ""
    return " ▲" if (item["difference"] > 0) == row["higher_is_better"] else " ▼"


def cost(rows: dict[str, Any]) -> str:
    """Units and minutes of a training."""
    return cards.markdown(
        ("cell", *(f"{name}: units, parameters, minutes" for name in rows)),
        (
            (
                f"`{cell}`",
                *(
                    "{units}, {parameters:,}, {minutes:.1f}".format(
                        **row["cells"][cell],
                        minutes=statistics.mean(run["minutes"] for run in row["cells"][cell]["runs"].values()),
                    )
                    if cell in row["cells"]
                    else ""
                    for row in rows.values()
                ),
            )
            for cell, _ in ordered(rows)
        ),
    )


def facts(rows: dict[str, Any]) -> str:
    """What each row was measured with."""
    lines = []
    for name, row in rows.items():
        seeds = sorted({int(seed) for cell in row["cells"].values() for seed in cell["runs"]})
        sizes = ", ".join(f"{split} {count:,}" for split, count in row["sizes"].items())
        machine = row["machine"]
        lines.append(
            f"- {name}: `{row['dataset']}` ({sizes}), preset `{row['preset']}` of `{row['task']}`, nets of "
            f"{row['parameters']:,} parameters, seeds {', '.join(map(str, seeds))}; {machine['threads']} threads, "
            f"Keras {machine['versions']['keras']} on {machine['versions']['backend']}."
        )
        lines += [f"  `{cell}` is left out: {why}" for cell, why in row["refused"].items()]
        lines += [f"  {note}" for note in row["notes"]]
    return "\n".join(lines)


def draw(file: Path, rows: dict[str, Any]) -> None:
    """A heat map of ranks: dark is best; in each field the rank, and its range over seeds."""
    found = {name: ranks(row) for name, row in rows.items()}
    names = [cell for cell, _ in ordered(rows)]
    most = max(len(names), 2)
    with figures.canvas(file, 1.3 * len(rows) + 2.6, 0.34 * len(names) + 1.3) as figure:
        axes = figure.subplots()
        grid = [[(most - row[cell][0]) / (most - 1) if cell in row else 0 for row in found.values()] for cell in names]
        image = axes.imshow(grid, aspect="auto", cmap=figures.HEAT, vmin=0, vmax=1.25, interpolation="nearest")
        for down, cell in enumerate(names):
            for across, row in enumerate(found.values()):
                if cell in row:
                    rank, low, high = row[cell]
                    text = f"{rank:g} ({low:g} to {high:g})" if low != high else f"{rank:g}"
                    color = "white" if grid[down][across] > 0.7 else "black"
                    axes.text(across, down, text, ha="center", va="center", color=color, fontsize=8)
        axes.set_xticks(range(len(rows)), list(rows))
        axes.set_yticks(range(len(names)), [figures.label(name) for name in names])
        axes.set_title("rank by mean test score (range of ranks over seeds)")
        bar = figure.colorbar(image, ax=axes, boundaries=[step / 50 for step in range(51)], ticks=[0, 1])
        bar.ax.set_yticklabels(["last", "first"])
