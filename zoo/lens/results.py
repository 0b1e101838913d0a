"""Results of memory tests, and the file that keeps them, so that an interrupted command can go on."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import UserError

SOLVED = 0.9
"""Accuracy from which a distance counts as solved: far from chance, with room for a few errors."""


@dataclass(frozen=True)
class Result:
    """The result of one training.

    Attributes:
        cell: The cell as it was typed.
        seed: Random seed of the training.
        accuracy: On the test split, by distance in steps.
        minutes: Duration of the training.
        recipe: All settings of the training; the same ones give the same result.
    """

    cell: str
    seed: int
    accuracy: Mapping[int, float]
    minutes: float
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def remembers(self) -> int:
        """The largest distance up to which every tested distance is solved; 0 if none is."""
        best = 0
        for distance in sorted(self.accuracy):
            if self.accuracy[distance] < SOLVED:
                break
            best = distance
        return best

    def to_json(self) -> dict[str, Any]:
        """As one object of the JSON output."""
        return {
            "cell": self.cell,
            "seed": self.seed,
            "accuracy": {str(distance): round(value, 4) for distance, value in sorted(self.accuracy.items())},
            "remembers": self.remembers,
            "minutes": self.minutes,
            "recipe": dict(self.recipe),
        }


def read(file: Path) -> list[Result]:
    """The results of a file that `write` made; none if it does not exist.

    Raises:
        UserError: If it is no such file.
    """
    if not file.exists():
        return []
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["results"]
        return [
            Result(
                row["cell"],
                row["seed"],
                {int(distance): value for distance, value in row["accuracy"].items()},
                row["minutes"],
                row["recipe"],
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file} holds no results of `zoo lens memory` ({error!r}). Omit --resume, or give another --plot."
        ) from error


def write(file: Path, facts: Mapping[str, Any], results: Sequence[Result]) -> None:
    """Writes the results beside their place and moves them there, so that the file is always whole.

    Raises:
        UserError: If the file cannot be written.
    """
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_text(json.dumps({**facts, "results": [result.to_json() for result in results]}, indent=1) + "\n")
        new.replace(file)
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error}.") from error
