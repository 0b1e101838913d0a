"""`measured.json` and its like: what scripts measured and the documents show."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "measured.json"


def read(file: Path = FILE) -> dict[str, Any]:
    """All measurements by name; empty before the first."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def write(values: dict[str, Any], file: Path = FILE) -> None:
    """Replaces them all."""
    file.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
