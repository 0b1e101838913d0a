"""A comparison's table, chart and files."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo import figures
from zoo.comparison.results import score, summary_line
from zoo.errors import UserError

RESULTS, CHART = "results.json", "comparison.png"

HEAD = (
    "cell", "units", "parameters", "validation", "test", "difference", "95 % interval", "p", "minutes", "examples/s",
)  # fmt: skip


def write(output: Path, results: Mapping[str, Any]) -> None:
    """Writes `results.json` and the chart.

    Raises:
        UserError: If they cannot be written.
    """
    new = output / f".{RESULTS}.new"
    try:
        new.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(new, output / RESULTS)
    except OSError as error:
        raise UserError(f"{output / RESULTS} cannot be written: {error}.") from error
    draw(output / CHART, results)


def lines(results: Mapping[str, Any]) -> Iterator[str]:
    """What the command prints: the table, the verdicts, the notes."""
    seeds = ", ".join(map(str, results["seeds"]))
    direction = "higher" if results["higher_is_better"] else "lower"
    yield (
        f"{results['task']} on {results['dataset']}: {results['monitor']} ({direction} is better), "
        f"mean ± standard deviation over seeds {seeds}"
    )
    yield from aligned(HEAD, [_row(row) for row in results["cells"]])
    if any(row["difference"] for row in results["cells"]):
        compared = sum(row["difference"] is not None for row in results["cells"])
        corrected = f", corrected for {compared} comparisons (Holm)" if compared > 1 else ""
        yield f"Differences are those of test scores from {results['first']}; p is two-sided{corrected}."
        for row in results["cells"]:
            if verdict := summary_line(row, results["first"], results["higher_is_better"]):
                yield verdict
    yield from results["notes"]


def _row(row: Mapping[str, Any]) -> list[str]:
    return [
        row["cell"],
        "-" if row["units"] is None else str(row["units"]),
        f"{row['parameters']:,}",
        spread(row["validation"]),
        spread(row["test"]),
        *change(row["difference"]),
        f"{row['minutes']:.1f}",
        f"{row['examples_per_second']:,.0f}",
    ]


def spread(values: Mapping[str, float | None]) -> str:
    """A mean with its standard deviation."""
    return score(values["mean"]) + (f" ± {score(values['std'])}" if values["std"] is not None else "")


def change(difference: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """A difference, its interval and its corrected p-value, as text."""
    if difference is None:
        return "-", "-", "-"
    low, high, p = (difference[name] for name in ("low", "high", "p_holm"))
    interval = "-" if low is None else f"{low:+.4f} to {high:+.4f}"
    return f"{difference['difference']:+.4f}", interval, "-" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a table: the first column left-aligned, the others right-aligned."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        first, *others = row
        padded = (text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *padded]).rstrip()


def draw(file: Path, results: Mapping[str, Any]) -> None:
    """Draws the test score of each training as a circle, the mean of each cell as a line, cells from top to bottom.

    Raises:
        UserError: If the file cannot be written.
    """
    rows = results["cells"]
    monitor = results["monitor"]
    with figures.canvas(file, 6.5, 1.4 + 0.34 * len(rows)) as figure:
        axes = figure.subplots()
        for place, row in enumerate(rows):
            values = [run["test"][monitor] for run in row["runs"]]
            chosen = [run["validation"][monitor] for run in row["runs"]]
            kinds = ((chosen, "x", figures.COLORS[2], "validation"), (values, "o", figures.COLORS[0], "test"))
            for scores, marker, color, name in kinds:
                axes.plot(
                    scores, [place] * len(scores), marker, color=color, linestyle="", markerfacecolor="none",
                    label=name if place == 0 else None,
                )  # fmt: skip
            axes.plot([row["test"]["mean"]] * 2, [place - 0.35, place + 0.35], "-", color="black", linewidth=1.5)
        axes.set_yticks(range(len(rows)), [figures.label(f"{row['cell']} ({row['parameters']:,})") for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        better = "higher" if results["higher_is_better"] else "lower"
        axes.set_xlabel(f"{monitor.replace('_', ' ')}, each seed; {better} is better; line: mean on test")
        axes.set_title(figures.label(f"{results['task']} on {results['dataset']}"))
        axes.grid(visible=True, axis="x")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
