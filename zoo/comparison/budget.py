"""Equal numbers of parameters: how many units each cell may have.

Nothing is assumed of a cell: nets are built and counted. More units are more parameters, so that a few nets around a
guess are enough.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from zoo.errors import UserError
from zoo.task import Data, Installed

TOLERANCE = 0.05
"""Largest distance from the budget, as a fraction of it."""

MOST_UNITS = 65_536
"""No net of this project is that wide: where the budget needs more, the cell's units hardly count."""

STEPS = (1, 2, 4, 8, 16, 32, 64)
"""Cells may ask for even numbers of units, or for multiples of the size of a head: where a search meets a number that
is refused, the next step is tried."""


@dataclass(frozen=True)
class Units:
    """What a search found.

    Attributes:
        units: Units of each layer.
        parameters: Of the whole net.
    """

    units: int
    parameters: int


def choose(installed: Installed, recipe: Any, parameters: int, data: Data | None = None) -> Units:
    """The number of units with which a task's whole net has nearly so many parameters.

    Args:
        installed: The task.
        recipe: The settings of a training; its `units` are the first guess.
        parameters: The budget.
        data: The recipe's data, if they are loaded already.

    Raises:
        UserError: If no number of units comes within `TOLERANCE` of the budget; says what was reached.
    """
    data = installed.task.load(recipe) if data is None else data

    def count(units: int) -> int:
        net = _build(installed, dataclasses.replace(recipe, units=units), data)
        try:
            return net.count_params()
        finally:
            keras.utils.clear_session()

    found = nearest(count, parameters, guess=recipe.units)
    if abs(found.parameters - parameters) > TOLERANCE * parameters:
        raise UserError(
            f"With the cell {recipe.cell!r} the net cannot have {parameters:,} parameters: the nearest is "
            f"{found.parameters:,} with {found.units} units, and more than {TOLERANCE:.0%} away. "
            "Choose another --parameters, or a smaller embedding or vocabulary."
        )
    return found


def _build(installed: Installed, recipe: Any, data: Data) -> keras.Model:
    """The net that a training saves, that of its last stage."""
    stage = installed.task.stages(recipe, data)[-1]
    return stage.build(stage.recipe, stage.data)


def nearest(count: Callable[[int], int], parameters: int, guess: int = 64) -> Units:
    """The units whose count is nearest to a number; of two equally near ones, the smaller.

    Args:
        count: Units -> parameters, not falling; a `UserError` says that a cell cannot have so many units.
        parameters: The number.
        guess: Where to begin.

    Raises:
        UserError: If the cell takes none of the numbers that were tried.
    """
    reason = None
    for step in STEPS:
        try:
            return _search(count, parameters, guess, step)
        except UserError as error:
            reason = error
    raise UserError(f"No number of units was found that this cell takes: {reason}") from reason


def _search(count: Callable[[int], int], parameters: int, guess: int, step: int) -> Units:
    """The same among the multiples of a step."""
    known: dict[int, int] = {}

    def at(place: int) -> int:
        """Parameters with `place * step` units."""
        if place not in known:
            known[place] = count(place * step)
        return known[place]

    low = high = max(1, round(guess / step))
    while at(low) > parameters and low > 1:
        low, high = max(1, low // 2), low
    while at(high) < parameters and high * step * 2 <= MOST_UNITS:
        low, high = high, high * 2
    turn = 0
    while high - low > 1:  # at(low) <= parameters <= at(high), or there is no more to find
        middle = _between(low, high, at(low), at(high), parameters) if turn % 3 < 2 else (low + high) // 2
        low, high = (middle, high) if at(middle) <= parameters else (low, middle)
        turn += 1
    best = min((low, high), key=lambda place: (abs(at(place) - parameters), place))
    return Units(best * step, at(best))


def _between(low: int, high: int, at_low: int, at_high: int, parameters: int) -> int:
    """A guess between two places: parameters grow with units, and about with their square."""
    ends = [math.sqrt(value) for value in (at_low, at_high, max(parameters, 0))]
    share = (ends[2] - ends[0]) / max(ends[1] - ends[0], 1e-9)
    return min(max(round(low + share * (high - low)), low + 1), high - 1)
