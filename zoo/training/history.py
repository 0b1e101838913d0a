"""The numbers of each epoch of a training as CSV; `zoo.figures` draws them."""

import csv
from collections.abc import Sequence
from pathlib import Path


def write_history(file: Path, history: Sequence[dict[str, float]]) -> None:
    """Writes one row per epoch; a field is empty where an epoch has no such number."""
    names = list(dict.fromkeys(name for row in history for name in row))
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(history)
