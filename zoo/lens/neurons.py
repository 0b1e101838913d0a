"""`zoo lens neurons`: units of a language model that follow quotes, brackets, lines and indentation.

Reference:
    Karpathy, Johnson and Fei-Fei, "Visualizing and Understanding Recurrent Networks" (2015), section 4.1.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo import cells, figures
from zoo.cells.cell import state_sizes
from zoo.errors import UserError
from zoo.lens import nets, tables
from zoo.lens.language import language_model, states_along, tokens_of
from zoo.lens.properties import PROPERTIES
from zoo.lens.settings import Neurons
from zoo.saved import SavedModel
from zoo.terminal import shades

MIN_CHARACTERS = 200
"""Shortest text: with less, a correlation means nothing."""

EXCERPT = 320
"""Characters that are shown for each property."""


@dataclass(frozen=True)
class Unit:
    """The unit that follows a property best.

    Attributes:
        property: Name of the property.
        name: Which unit it is, as in "layer 2, c, unit 7".
        chosen_by: Its correlation on the first half of the text, the largest of all units.
        correlation: Its correlation on the second half, which played no part in the choice.
        activation: Its state after each token, `(tokens,)`, with the sign that makes the correlation positive.
    """

    property: str
    name: str
    chosen_by: float
    correlation: float
    activation: np.ndarray


def correlations(states: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each unit with a property; 0 where either never changes.

    Args:
        states: `(tokens, units)`.
        values: `(tokens,)`.

    Returns:
        `(units,)`.
    """
    states, values = states - states.mean(axis=0), values - values.mean()
    scale = np.linalg.norm(states, axis=0) * np.linalg.norm(values)
    return np.divide(values @ states, scale, out=np.zeros(states.shape[1]), where=scale > 1e-9)


def best_unit(states: np.ndarray, names: Sequence[str], property: str, values: np.ndarray) -> Unit | None:
    """The unit with the largest correlation on the first half; None where the property never changes in a half.

    Args:
        states: `(tokens, units)`.
        names: Of the units.
        property: Name of the property.
        values: Its value at each token.
    """
    half = len(values) // 2
    if not values[:half].std() or not values[half:].std():
        return None
    first = correlations(states[:half], values[:half])
    unit = int(np.abs(first).argmax())
    sign = 1.0 if first[unit] >= 0 else -1.0
    second = correlations(states[half:, unit : unit + 1], values[half:])[0]
    return Unit(property, names[unit], abs(float(first[unit])), sign * float(second), sign * states[:, unit])


def unit_names(saved: SavedModel) -> list[str]:
    """A name for each column of the states of all layers, in the order of `states_along`."""
    names = []
    for layer, ways in enumerate(language_model(saved).recurrent.runs, 1):
        sizes = state_sizes(nets.cell_of(ways[0]))
        row = cells.TABLE.get(saved.recipe.cell.partition(":")[0])
        letters = row.states.split(", ") if row else []
        if len(letters) != len(sizes):  # a cell of one's own
            letters = [f"state {number}" for number in range(1, len(sizes) + 1)]
        for letter, size in zip(letters, sizes, strict=True):
            names += [f"layer {layer}, {letter}, unit {unit}" for unit in range(1, size + 1)]
    return names


def find(saved: SavedModel, text: str) -> tuple[list[str], dict[str, Unit | None]]:
    """The best unit for each property of a text.

    Args:
        saved: A language model of characters or other tokens; a property of a token is that of its last character.
        text: A text.

    Returns:
        The tokens, and property -> its unit, None where the text does not have the property.

    Raises:
        UserError: If it is no language model, or the text is too short.
    """
    language_model(saved)
    if len(text) < MIN_CHARACTERS:
        raise UserError(f"The text has {len(text)} characters; at least {MIN_CHARACTERS} are needed to correlate with.")
    tokens, ids = tokens_of(saved, text)
    ends = np.array([end for _, _, end in saved.assets["tokenizer"].encode_with_offsets(text)]) - 1
    states = np.concatenate(states_along(saved, ids), axis=1).astype("float64")  # (tokens, units of all layers)
    names = unit_names(saved)
    return tokens, {name: best_unit(states, names, name, values(text)[ends]) for name, values in PROPERTIES.items()}


def show_neurons(config: Neurons, models: Sequence[SavedModel]) -> Iterator[str]:
    """A row for each property with its best unit, and an excerpt shaded by that unit."""
    (saved,) = models
    text = _read(config.text, config.limit)
    tokens, units = find(saved, text)
    found = [unit for unit in units.values() if unit is not None]
    panels = [(_title(unit), *_excerpt(tokens, unit)) for unit in found]
    if panels:
        figures.draw_text(
            Path(config.plot), [(title, list(shades.rows(part, values))) for title, part, values in panels]
        )
    if config.html:
        colored = [(title, zip(part, values, strict=True)) for title, part, values in panels]
        shades.write_page(config.html, saved.path.name, shades.LEGEND, colored)
    if config.json:
        rows = [
            {"property": u.property, "unit": u.name, "first_half": round(u.chosen_by, 4), "r": round(u.correlation, 4)}
            for u in found
        ]
        missing = [name for name, unit in units.items() if unit is None]
        yield json.dumps({"tokens": len(tokens), "units": rows, "not_in_text": missing, "figure": config.plot})
        return
    yield f"Units chosen on the first half of {len(tokens):,} tokens; r is their correlation on the second half."
    yield from tables.table(
        ["property", "r", "first half", "unit"],
        [[u.property, f"{u.correlation:.2f}", f"{u.chosen_by:.2f}", u.name] for u in found],
    )
    yield from (f"{name}: not in both halves of this text" for name, unit in units.items() if unit is None)
    for title, part, values in panels:
        yield ""
        yield title
        yield from shades.explained(part, values)
    yield config.plot


def _title(unit: Unit) -> str:
    return f"{unit.property}: {unit.name}, r = {unit.correlation:.2f}"


def _excerpt(tokens: Sequence[str], unit: Unit) -> tuple[list[str], np.ndarray]:
    """A part of the second half with the activation of a unit, from 0, its 2nd percentile, to 1, its 98th.

    It is the part in which the unit varies most.
    """
    half, length = len(tokens) // 2, min(EXCERPT, len(tokens) - len(tokens) // 2)
    least, most = np.percentile(unit.activation, [2, 98])
    values = np.clip((unit.activation - least) / max(most - least, 1e-9), 0, 1)
    starts = range(half, len(tokens) - length + 1, max(length // 4, 1))
    start = max(starts, key=lambda place: float(values[place : place + length].std()))
    return list(tokens[start : start + length]), values[start : start + length]


def _read(file: str, limit: int) -> str:
    """The first characters of a text file.

    Raises:
        UserError: If there is none, or it is not UTF-8.
    """
    try:
        with Path(file).open(encoding="utf-8", newline="") as stream:
            return stream.read(limit).replace("\r\n", "\n")
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}. Give the path of a text file.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
