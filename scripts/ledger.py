"""The ledger of test scores: every scoring of a published model on a test split, in the order of time.

`scripts/publish.py` and `scripts/describe.py` write it. A row has the `model`, `dataset`, `split`, `date` (UTC),
`commit`, `scores` and the score `monitor` by which models are compared; `candidates`, the seeds with their validation
scores among which the model was chosen; and, if the split had been scored before for a model of this name, `again`, the
reason. `measured.json` of the model's folder repeats its rows, because its card is rendered from that folder alone.
"""

import datetime
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "ledger.json"
ROOT = Path(__file__).parents[1]


def read() -> list[dict[str, Any]]:
    """All rows, the oldest first."""
    return json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else []


def of_model(name: str) -> list[dict[str, Any]]:
    """The rows of a published model, the oldest first."""
    return [row for row in read() if row["model"] == name]


def earlier(name: str, dataset: str, split: str) -> list[dict[str, Any]]:
    """The scorings of a test split for models of this name so far."""
    return [row for row in of_model(name) if (row["dataset"], row["split"]) == (dataset, split)]


def for_card(name: str) -> list[dict[str, Any]]:
    """The rows of a published model as `measured.json` has them, under `scorings`."""
    return [{key: value for key, value in row.items() if key != "model"} for row in of_model(name)]


def record(
    model: str, dataset: str, split: str, scores: Mapping[str, float], monitor: str, **more: Any
) -> dict[str, Any]:
    """Adds a scoring at the end, with the date and the commit of the code.

    Args:
        model: Name of the published model.
        dataset: Name of its data.
        split: The split that was scored.
        scores: All scores by name.
        monitor: The score by which models of the task are compared.
        **more: `candidates` and `again`, see above.

    Returns:
        The row.
    """
    row = {
        "model": model, "dataset": dataset, "split": split,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"), "commit": commit(),
        "scores": {name: round(value, 6) for name, value in scores.items()}, "monitor": monitor, **more,
    }  # fmt: skip
    PATH.write_text(json.dumps([*read(), row], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return row


def commit() -> str:
    """The commit of the code, with a plus if files that Git knows were changed since."""
    run = ["git", "-C", str(ROOT)]
    name = subprocess.run([*run, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
    changes = subprocess.run(
        [*run, "status", "--porcelain", "--untracked-files=no", "--", "zoo", "tasks"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return name.stdout.strip() + ("+" if changes.stdout.strip() else "")
