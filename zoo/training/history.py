"""The history of a training: the numbers of each epoch as CSV, and their curves as PNG."""

import csv
from collections.abc import Sequence
from pathlib import Path


def write_history(file: Path, history: Sequence[dict[str, float]]) -> None:
    """Writes a row an epoch, with nothing where an epoch has no such number."""
    names = list(dict.fromkeys(name for row in history for name in row))
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(history)


def draw_curves(file: Path, history: Sequence[dict[str, float]], monitor: str) -> None:
    """Draws loss and the watched score over epochs as a PNG."""
    import matplotlib.figure  # half a second that only this function needs
    import matplotlib.ticker

    figure = matplotlib.figure.Figure(figsize=(8, 3.2), layout="constrained")
    for place, name in enumerate(("loss", monitor)):
        axes = figure.add_subplot(1, 2, place + 1)
        for key, label in ((name, "training"), (f"validation_{name}", "validation")):
            points = [(row["epoch"], row[key]) for row in history if key in row]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", label=label)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
        axes.legend()
    figure.savefig(file, dpi=100)
