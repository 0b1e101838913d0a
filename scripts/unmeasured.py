"""Numbers in documents that no measured file has.

Checked are numbers with a decimal point and percentages in the prose and hand-written tables of a README; not those in
code, in links, or between the markers that `render.py` fills. Such a number must be, at the digits shown, in the
measured files of the document (`pool`), or stand in `quoted.json` with where it comes from: results of others,
settings, versions. An entry of `quoted.json` that its document no longer has is an error too.
"""

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
QUOTED = ROOT / "scripts" / "quoted.json"

NUMBER = re.compile(r"(?<![\w.,-])(\d[\d,]*\.\d+|\d[\d,]*(?:\.\d+)?(?=\s?%))(?![\d]|\.\d)")


def prose(text: str) -> str:
    """A document without what is rendered, without code and without links; lines stay where they are."""

    def blank(match: re.Match) -> str:
        return "\n" * match[0].count("\n")

    text = re.sub(r"<!-- ([\w-]+) -->\n.*?<!-- /\1 -->", blank, text, flags=re.DOTALL)
    text = re.sub(r"```.*?```", blank, text, flags=re.DOTALL)
    text = re.sub(r"^(    |\t).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"`[^`]*`", blank, text)
    return re.sub(r"\]\([^)]*\)|https?://\S+", "", text)


def numbers(text: str) -> Iterator[tuple[int, str]]:
    """Line and number of each number in the prose of a document."""
    for line, content in enumerate(prose(text).split("\n"), 1):
        for match in NUMBER.finditer(content):
            yield line, match[1].replace(",", "")


def pool(document: Path) -> list[float]:
    """What was measured for a document: for a task's README what the task's folder and its models have, else all."""
    folder = document.parent
    files = [ROOT / "scripts" / "measured.json"]
    if folder.parent.name == "tasks":
        files += [*folder.glob("*.csv"), *folder.glob("*.json")]
        files += [file for kind in ("metrics", "measured", "recipe")
                  for file in (ROOT / "saved_models").glob(f"{folder.name}-*/{kind}.json")]  # fmt: skip
    else:
        files += [*(ROOT / "scripts").glob("*.json"), *(ROOT / "saved_models").glob("*/metrics.json")]
    return [value for file in files if file != QUOTED and file.is_file() for value in values(file)]


def values(file: Path) -> Iterator[float]:
    """All numbers of a JSON or CSV file."""
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                for cell in row:
                    yield from map(float, re.findall(r"(?<![\w.])\d+(?:\.\d+)?", cell.replace(",", "")))
        return
    yield from _numbers_of(json.loads(file.read_text(encoding="utf-8")))


def _numbers_of(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _numbers_of(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)


def is_measured(number: str, measured: Iterable[float]) -> bool:
    """Whether a number is one of those, at the digits it has; or a hundredth of it is, as of a percentage."""
    digits = len(number.partition(".")[2])
    half = 0.5000001 * 10**-digits
    value = float(number)
    return any(math.isfinite(m) and (abs(m - value) <= half or abs(100 * m - value) <= half) for m in measured)


def problems(document: Path, text: str, quoted: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """A sentence for each number of a document without a source."""
    name = document.relative_to(ROOT).as_posix()
    entries = quoted.get(name, [])
    known = {number for entry in entries for number in entry["numbers"]}
    found = list(numbers(text))
    measured = pool(document)
    for line, number in found:
        if number not in known and not is_measured(number, measured):
            yield f"{name}:{line}: {number} is in no measured file, and not in scripts/quoted.json"
    for number in sorted(known - {number for _, number in found}):
        yield f"scripts/quoted.json: {name} does not have {number}"


def check(documents: dict[Path, str]) -> list[str]:
    """All problems of some READMEs; cards, which are rendered whole, are compared as they are."""
    quoted = json.loads(QUOTED.read_text(encoding="utf-8")) if QUOTED.is_file() else {}
    return [problem for document, text in documents.items() for problem in problems(document, text, quoted)]
