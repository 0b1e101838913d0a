"""`measured.json`: what the benchmarks measured and the documents show."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "measured.json"


def read() -> dict[str, Any]:
    """All measurements by name; empty before the first."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def write(values: dict[str, Any]) -> None:
    """Replaces them all."""
    FILE.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
