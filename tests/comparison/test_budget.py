"""Units under a budget, against trying all numbers of units."""

import dataclasses

import pytest

from zoo.comparison import budget
from zoo.errors import UserError
from zoo.task import find


def best(count, parameters, most=400):
    """Brute force."""
    found = []
    for units in range(1, most):
        try:
            found.append((abs(count(units) - parameters), units))
        except UserError:
            continue
    return min(found)[1]


def gru(units):
    return 3 * units * (units + 64 + 2) + 10 * units + 10 + 5_000


def capped(units):
    """A language model whose embedding grows with the units up to 128."""
    vector = min(units, 128)
    return 65 * vector + 4 * units * (units + vector + 1) + 66 * units


def multiples(of):
    def count(units):
        if units % of:
            raise UserError(f"units must be a multiple of {of}; got {units}.")
        return 2 * units * units + 70 * units

    return count


@pytest.mark.parametrize("count", [gru, capped, multiples(2), multiples(8), lambda units: 1_000 * units])
@pytest.mark.parametrize("parameters", [1, 6_000, 20_011, 50_000, 123_456])
@pytest.mark.parametrize("guess", [1, 7, 64, 399])
def test_the_units_are_the_best_of_all(count, parameters, guess):
    found = budget.nearest(count, parameters, guess)
    assert found.units == best(count, parameters)
    assert found.parameters == count(found.units)


def test_few_nets_are_built():
    tried = []
    budget.nearest(lambda units: tried.append(units) or gru(units), 1_000_000, 64)
    assert len(set(tried)) == len(tried) <= 12


def test_a_cell_that_takes_no_units_says_why():
    with pytest.raises(UserError, match="this cell takes: units must be those of the input"):
        budget.nearest(lambda units: (_ for _ in ()).throw(UserError("units must be those of the input")), 1_000)


@pytest.fixture(scope="module")
def classify():
    task = find("classify")
    recipe = task.recipe.train(**{**task.recipe.presets["tiny"], "cell": "gru"})
    return task, recipe, task.task.load(recipe)


def test_of_whole_nets(classify):
    task, recipe, data = classify
    found = budget.choose(task, recipe, 3_000, data)

    def count(units):
        return task.task.stages(dataclasses.replace(recipe, units=units), data)[-1]

    sizes = {}
    for units in range(found.units - 1, found.units + 2):
        stage = count(units)
        sizes[units] = stage.build(stage.recipe, stage.data).count_params()
    assert found.parameters == sizes[found.units]
    assert min(sizes, key=lambda units: abs(sizes[units] - 3_000)) == found.units


def test_a_budget_that_cannot_be_met_is_refused_with_what_was_reached(classify):
    task, recipe, data = classify
    with pytest.raises(UserError, match=r"cannot have 10 parameters: the nearest is [0-9]+ with 1 units"):
        budget.choose(task, recipe, 10, data)
