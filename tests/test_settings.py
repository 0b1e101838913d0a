"""Fields of recipes, and how two recipes differ."""

import dataclasses
from dataclasses import dataclass

import pytest

from zoo.errors import UserError
from zoo.settings import PredictConfig, TrainConfig, changes, differences, fine_tuning, setting
from zoo.task import find, installed


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


def test_fine_tuning_keeps_how_a_model_reads_its_network_and_what_is_not_given() -> None:
    task = installed()["translate"].recipe
    before = task.train(dataset="multi30k/en-de", units=7, vocabulary_size=99, beam_size=2, epochs=9, limit=5)
    found = fine_tuning(before, {"init_from": "m", "r_drop": 1.0})
    assert (found["dataset"], found["limit"], found["units"], found["beam_size"]) == ("multi30k/en-de", 5, 7, 2)
    assert (found["vocabulary_size"], found["r_drop"], "epochs" in found) == (99, 1.0, False)
    found = fine_tuning(before, {"init_from": "m", "dataset": "pairs.tsv", "beam_size": 2})
    assert (found["dataset"], "limit" in found, found["units"]) == ("pairs.tsv", False, 7)
    assert fine_tuning(before, {"init_from": "m", "beam_size": 5})["beam_size"] == 5
    for wrong in ({"vocabulary_size": 100}, {"tokenizer": "char"}):
        with pytest.raises(UserError, match="keeps its vocabulary"):
            fine_tuning(before, {"init_from": "m", **wrong})


def test_differences_are_told_with_both_values() -> None:
    before, after = Recipe(), Recipe(epochs=3, color="blue", seed=4)
    assert differences(before, after, ignore=["seed"]) == ["epochs (9 -> 3)", "color (red -> blue)"]
    assert differences(before, before) == []


def test_what_a_file_does_not_know_had_its_default() -> None:
    assert changes({"seed": 4, "gone": 1}, Recipe(seed=4)) == []
    assert changes({"seed": 4}, Recipe(seed=4, color="blue")) == ["color (red -> blue)"]
    assert changes({"seed": 4}, Recipe(color="blue"), ignore=["color", "seed"]) == []
    with pytest.raises(UserError, match="'green'"):
        changes({"color": "green"}, Recipe())


def test_splits_and_columns_stay_with_the_data_for_which_they_were_named() -> None:
    train = find("sentiment").recipe.train
    mine = train(dataset="mine.csv", test_dataset="held_out.csv", text_column="body", limit=5)
    assert mine.of_data("mine.csv") == dataclasses.replace(mine, limit=None)
    other = mine.of_data("reviews")
    assert (other.dataset, other.test_dataset, other.text_column, other.limit) == ("reviews", None, None, None)
