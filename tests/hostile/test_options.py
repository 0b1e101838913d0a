"""Values of options that nobody should give: each is refused by the option itself, before Keras is imported."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from zoo import cli, settings
from zoo.errors import UserError
from zoo.settings import TrainConfig
from zoo.task import installed
from zoo.terminal import environment


@pytest.fixture(autouse=True)
def no_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "start_keras", lambda *_: pytest.fail("Keras would have been imported"))


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.cli, list(words), prog_name="zoo")


@pytest.mark.parametrize(
    "words",
    [
        ["caption", "--length-penalty", "nan", "x"],
        ["translate", "--length-penalty", "inf", "x"],
        ["translate", "--coverage-penalty", "-inf", "x"],
        ["translate", "--num-return", "1" + "0" * 30, "x"],
        ["translate", "--num-return", "9" * 5000, "x"],
        ["translate", "--beam-size", "1000000", "x"],
        ["translate", "--attention-plot", "", "x"],
        ["translate", "--forced-prefix", "", "x"],
        ["charlm", "--temperature", "nan", "x"],
        ["charlm", "--top-p", "0", "x"],
        ["charlm", "--seed", str(2**63), "x"],
        ["charlm", "--seed", str(2**32), "x"],
        ["charlm", "--stop", "", "x"],
        ["tag", "--fps", "inf", "x"],
        ["train", "charlm", "--seed", str(2**32)],
        ["train", "charlm", "--learning-rate", "nan"],
        ["train", "charlm", "--units", "10000000"],
        ["train", "charlm", "--max-minutes", "inf"],
        ["train", "sentiment", "--models-dir", "a" * 300],
        ["train", "sentiment", "--models-dir", ""],
        ["train", "charlm", "--dataset", ""],
        ["train", "sentiment", "--text-column", ""],
        ["train", "sentiment", "--text-column", "a" * 20_000],
        ["evaluate", "m", "--dataset", ""],
        ["evaluate", "m", "--split", ""],
        ["sentiment", "--model", "", "x"],
        ["lens", "gates", "--plot", "", "m", "x"],
        ["compare", "classify", "--cells", "gru", "--output", ""],
        ["compare", "classify", "--cells", "gru", "--processes", "1" + "0" * 30],
        ["evaluate", "m", "--limit", "1" + "0" * 30],
    ],
)
def test_the_range_of_an_option_refuses(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert "Error: " in result.output
    assert len(result.output) < 1000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "charlm", "--dataset", "hello/nope"], "Data set 'hello' has no configs"),
        (
            ["train", "charlm", "--dataset", "python_docs/../../x"],
            "'../../x' is no config of the data set 'python_docs'",
        ),
        (["train", "charlm", "--dataset", "a" * 5000], "No data set is called 'aaa"),
        (["train", "sentiment", "--name", "a" * 300], "A model's name has up to 200"),
        (["train", "sentiment", "--name", "../x"], "A model's name has up to 200"),
        (
            ["train", "charlm", "--tie-output", "--embedding-dim", "4"],
            "--tie-output needs vectors as long as the units",
        ),
        (["train", "classify", "--bidirectional"], "needs a recurrent cell"),
        (["train", "tag", "--cell", "none", "--block", "residual"], "needs a recurrent cell"),
        (["train", "caption", "--attention", "none", "--context-gate"], "--context-gate: this needs an attention"),
        (["train", "translate", "--attention", "none", "--conditional-cell"], "this needs an attention"),
        (["caption", "--attention", "x"], "give --json too"),
        (["charlm", "--score", "--temperatures", "1", "x"], "omit one of"),
        (["charlm", "--temperatures", "1,nan", "x"], "give numbers from 0 to 1,000"),
        (["lens", "memory", "--seeds", "9" * 5000], "give whole numbers"),
        (["lens", "memory", "--seeds", str(2**32)], "a seed is at most"),
        (["compare", "classify", "--cells", "gru", "--seeds", str(2**32)], "a seed is at most"),
        (["card", "a" * 5000], "No saved model is called 'aaa"),
        (["card", "a/" * 3000], "No saved model is called 'a/a"),
        (["sentiment", "--model", "a" * 5000, "x"], "No saved model is called 'aaa"),
    ],
)
def test_names_and_options_that_do_not_fit_are_refused(words: list[str], message: str) -> None:
    result = run(*words)
    assert isinstance(result.exception, UserError), result.output
    assert message in str(result.exception)
    assert len(str(result.exception)) < 1200


TRAINS = [task.recipe.train for task in installed().values()]
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just([1]), st.just({"a": 1}))


@given(st.sampled_from(TRAINS), st.data())
def test_a_recipe_takes_a_value_of_its_kind_and_range_or_refuses(train: type[TrainConfig], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(settings.kinds(train))))
    value = data.draw(VALUES)
    try:
        recipe = train(**{name: value})
    except UserError as error:
        sentence = str(error)
    else:
        sentence = ""
    if sentence:
        assert "--" in sentence
        return
    kind, optional = settings.kinds(train)[name]
    kept = getattr(recipe, name)
    assert (kept is None and optional) or type(kept) is kind
    assert kind is not float or kept is None or math.isfinite(kept)


@pytest.mark.parametrize("train", TRAINS)
def test_every_default_is_one_that_is_accepted(train: type[TrainConfig]) -> None:
    for task in installed().values():
        for preset in ({}, *task.recipe.presets.values()) if task.recipe.train is train else ():
            assert dataclasses.is_dataclass(train(**preset))


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"epochs": "9"}, "The setting epochs (--epochs) is a whole number; got '9'"),
        ({"epochs": True}, "got True"),
        ({"epochs": 0}, "The setting epochs (--epochs) is a whole number from 1 to 1,000,000; got 0"),
        ({"learning_rate": float("nan")}, "The setting learning_rate (--learning-rate) is a number from 0.0"),
        ({"dataset": None}, "The setting dataset (--dataset) is a text; got None"),
        ({"schedule": "linaer"}, "did you mean 'linear'?"),
        ({"text_column": ""}, "is a text that is not empty"),
        ({"dataset": "caf\udce9.csv"}, "is a text in UTF-8, and so is the name of a file"),
    ],
)
def test_a_stored_recipe_is_checked_like_options(stored: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        installed()["sentiment"].recipe.configure(stored)
    assert message in str(caught.value)


def test_whole_numbers_and_numbers_of_numpy_become_plain_ones() -> None:
    import numpy as np

    recipe = TrainConfig(learning_rate=1, epochs=np.int64(3), warmup=np.float32(0.5))
    assert (recipe.learning_rate, recipe.epochs, recipe.warmup) == (1.0, 3, 0.5)
    assert [type(value) for value in (recipe.learning_rate, recipe.epochs, recipe.warmup)] == [float, int, float]


def test_an_over_long_environment_variable_is_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZOO_MODELS", "a" * 5000)
    result = run("list", "models")
    assert result.exit_code == 0
    assert "sentiment-gru-reviews" in result.output
