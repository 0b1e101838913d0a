"""What zoo 0.1 wrote is read under present names."""

import json
import shutil
from pathlib import Path

import pytest

from zoo import cards, legacy, saved
from zoo.storage import stored
from zoo.task import installed

PUBLISHED = Path(__file__).parent.parent / "saved_models"


def test_old_scores_and_facts_are_renamed() -> None:
    old = {
        "monitor": "nll",
        "scores": {"test": {"nll": 0.5, "calibration_error": 0.1, "accuracy": 0.9}},
        "data": {"name": "reviews", "embedded": True, "licence": "free"},
        "training": {"examples_a_second": 7.0, "chosen_by": "nll"},
    }
    new = legacy.metrics(old)
    assert new["monitor"] == "log_loss"
    assert new["scores"] == {"test": {"log_loss": 0.5, "ece": 0.1, "accuracy": 0.9}}
    assert new["data"] == {"name": "reviews", "builtin": True, "license": "free", "synthetic": True}
    assert new["training"] == {"examples_per_second": 7.0, "chosen_by": "log_loss"}
    assert legacy.metrics(new) == new


@pytest.mark.parametrize("name", ["digits", "python_docs"])
def test_built_in_real_data_is_not_called_synthetic(name: str) -> None:
    old = {"monitor": "accuracy", "scores": {}, "data": {"name": name, "embedded": True}, "training": {}}
    assert legacy.metrics(old)["data"]["synthetic"] is False


def test_a_stored_recipe_of_0_1_configures_a_training() -> None:
    recipe = installed()["sentiment"].recipe
    old = {"vocabulary": 99, "longest": 7, "least": 3, "head": 0.5, "teacher": True, "storage": "float16", "depth": 2}
    new = recipe.configure(old)
    assert (new.vocabulary_size, new.max_length, new.min_count, new.head_fraction) == (99, 7, 3, 0.5)
    assert (new.pseudo_labels, new.weights_dtype, new.num_layers) == (True, "float16", 2)


def test_every_old_name_of_a_setting_leads_to_a_present_one() -> None:
    from zoo.options import options

    present = {
        option.name for task in installed().values() for kind in (task.recipe.train, task.recipe.predict)
        for option in options(kind)
    }  # fmt: skip
    assert set(legacy.SETTINGS.values()) - present <= {"plot"}, "`zoo lens` alone has --plot"


def test_a_folder_with_old_names_loads(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PUBLISHED / "sentiment-gru-reviews", tmp_path / "old"))
    recipe = json.loads((folder / "recipe.json").read_text())
    back = {new: old for old, new in legacy.SETTINGS.items()}
    recipe["train"] = {back.get(name, name): value for name, value in recipe["train"].items()}
    (folder / "recipe.json").write_text(json.dumps(recipe))
    stored.write_manifest(folder)
    golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    loaded = saved.load(folder)
    assert [answer["label"] for answer in loaded.predict(golden["inputs"])] == [
        answer["label"] for answer in golden["outputs"]
    ]
    assert cards.summarize(folder).monitored > 0.9
