"""The ledger of test scores: every scoring of a published model on a test split, in the order of time.

`scripts/publish.py` writes it, cards and tables read it. A row has the `model`, `dataset`, `split`, `date` (UTC),
`commit`, `scores`, the `candidates` with their seeds and validation scores among which the model was chosen, and, if
the split had been scored before for a model of this name, `again`, the reason.
"""

import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "ledger.json"


def read() -> list[dict[str, Any]]:
    """All rows, the oldest first."""
    return json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else []


def of_model(name: str) -> list[dict[str, Any]]:
    """The rows of a published model, the oldest first."""
    return [row for row in read() if row["model"] == name]


def earlier(name: str, dataset: str, split: str) -> list[dict[str, Any]]:
    """The scorings of a test split for models of this name so far."""
    return [row for row in of_model(name) if (row["dataset"], row["split"]) == (dataset, split)]


def append(row: dict[str, Any]) -> None:
    """Adds a row at the end."""
    PATH.write_text(json.dumps([*read(), row], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
