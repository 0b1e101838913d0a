"""Fields of recipes, and how two recipes differ."""

import dataclasses
from dataclasses import dataclass

import pytest

from zoo.settings import PredictConfig, TrainConfig, differences, setting


@dataclass(frozen=True)
class Recipe(TrainConfig):
    epochs: int = setting(9, "Passes.", minimum=1)
    color: str = setting("red", "Color.", choices=("red", "blue"))


def test_a_setting_keeps_its_facts_and_its_default() -> None:
    field = {item.name: item for item in dataclasses.fields(Recipe)}["color"]
    assert field.default == "red"
    facts = {"help": "Color.", "choices": ("red", "blue"), "minimum": None, "maximum": None}
    assert dict(field.metadata) == {**facts, "group": ""}


def test_a_recipe_overrides_a_default_and_keeps_the_others() -> None:
    assert (Recipe().epochs, Recipe().batch_size) == (9, TrainConfig().batch_size)


@pytest.mark.parametrize("settings", [TrainConfig, PredictConfig])
def test_every_setting_has_a_default_and_a_help_text(settings: type) -> None:
    told = [item for item in dataclasses.fields(settings) if item.name != "inputs"]
    assert told
    for item in told:
        assert item.default is not dataclasses.MISSING
        assert item.metadata["help"].endswith(".")


def test_differences_are_told_with_both_values() -> None:
    before, after = Recipe(), Recipe(epochs=3, color="blue", seed=4)
    assert differences(before, after, ignore=["seed"]) == ["epochs (9 -> 3)", "color (red -> blue)"]
    assert differences(before, before) == []
