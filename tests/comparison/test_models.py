"""Two published models on one split."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from zoo import cards, saved
from zoo.cli import cli
from zoo.comparison import models
from zoo.errors import UserError
from zoo.report.values import Classified, Shown
from zoo.settings import TrainConfig
from zoo.task import Task

PUBLISHED = cards.published()


def test_a_model_does_not_differ_from_itself():
    path = str(PUBLISHED / "classify-perceptron-digits")
    result = CliRunner().invoke(cli, ["compare", path, path, "--json"], catch_exceptions=False)
    found = json.loads(result.stdout)
    assert found["scores"][0] == found["scores"][1] == pytest.approx(0.9916, abs=1e-4)
    assert (found["examples"], found["first_better"], found["second_better"]) == (359, 0, 0)
    assert (found["difference"]["difference"], found["difference"]["p"]) == (0, 1)


def test_models_of_two_tasks_are_refused():
    first, other = (saved.load(PUBLISHED / name) for name in ("classify-perceptron-digits", "sentiment-gru-reviews"))
    with pytest.raises(UserError, match="sentiment-gru-reviews is for sentiment"):
        models.compare(first, other)


def test_models_of_two_data_sets_need_a_word_on_which():
    first, other = (saved.load(PUBLISHED / name) for name in ("sentiment-gru-imdb", "sentiment-gru-reviews"))
    with pytest.raises(UserError, match="say with --dataset"):
        models.compare(first, other)


@dataclasses.dataclass(frozen=True)
class Settings(TrainConfig):
    dataset: str = "made up"
    text_column: str | None = None


def load(recipe, assets):
    """Six questions in the order that the assets name, the last batch filled up; the right answer is 0 or 1."""
    assert recipe.text_column is None, f"{recipe.dataset} has no such column"
    truth = np.array([0, 1, 1, 1, 0, 1])[assets["order"]]
    batches = [(None, truth[:4], np.ones(4)), (None, np.append(truth[4:], 9), np.array([1.0, 1.0, 0.0]))]
    return SimpleNamespace(split=lambda name, limit: batches)


def example_statistics(net, batches, assets):
    truth = np.concatenate([targets[weights > 0] for _, targets, weights in batches])
    return np.stack([truth == np.array(net)[assets["order"]], np.ones(len(truth))], axis=1)


QUIZ = SimpleNamespace(
    name="quiz", task=Task(load, None, None, None, "accuracy", example_statistics=example_statistics)
)


def answering(answers, order):
    """A saved model that gives these answers to questions that it reads in this order."""
    return saved.SavedModel(Path("model"), QUIZ, Settings(), {}, {"order": order}, answers)


def test_each_example_is_counted_for_the_better_one():
    order = np.arange(6)
    found = models.compare(answering([1, 1, 1, 1, 1, 1], order), answering([0, 1, 1, 0, 1, 1], order))
    assert (found["examples"], found["first_better"], found["second_better"]) == (6, 1, 1)
    assert found["scores"] == pytest.approx([4 / 6, 4 / 6])
    assert found["difference"]["p_examples"] == 1


def report(saved, data, split, limit):
    truth = np.array([0, 1, 1, 1, 0, 1])
    probabilities = np.where(np.array(saved.net)[:, None] == np.arange(2), 0.9, 0.1)
    return Classified(("no", "yes"), truth, probabilities, lambda i: Shown(f"question {i}"))


def test_the_examples_on_which_two_differ_are_shown():
    quiz = SimpleNamespace(name="quiz", task=dataclasses.replace(QUIZ.task, report=report))
    order = np.arange(6)
    sides = [
        saved.SavedModel(Path(name), quiz, Settings(), {}, {"order": order}, answers)
        for name, answers in (("one", [1, 1, 1, 1, 1, 1]), ("two", [0, 1, 1, 0, 1, 1]))
    ]
    found = models.compare(*sides, examples=5)["different"]
    assert [(row["example"], row["better"]) for row in found] == [(3, "one"), (0, "two")]
    assert found[0]["answers"] == ["yes (0.900)", "no (0.900)"]
    assert found[0]["truth"] == "yes"
    assert "different" not in models.compare(*sides)
    text = "\n".join(models.lines(models.compare(*sides, examples=1)))
    assert "example 3, better by one\n  input: question 3\n  truth: yes\n  one: yes (0.900)\n  two: no (0.900)" in text


def test_answers_in_another_order_cannot_be_paired():
    with pytest.raises(UserError, match="cannot be paired"):
        models.compare(answering([1] * 6, np.arange(6)), answering([1] * 6, np.arange(6)[::-1]))


def test_columns_of_the_training_are_not_those_of_other_data():
    model = answering([1] * 6, np.arange(6))
    mine = Settings(dataset="mine.csv", text_column="body")
    own = saved.SavedModel(model.path, QUIZ, mine, {}, model.assets, model.net)
    assert models.compare(own, own, "made up")["difference"]["difference"] == 0


def test_what_is_printed():
    difference = {"difference": -0.02, "low": -0.03, "high": -0.01, "p": 0.004, "p_holm": 0.004, "p_examples": 0.003}
    lines = list(
        models.lines({
            "monitor": "accuracy", "higher_is_better": True, "dataset": "digits", "split": "test", "examples": 1_000,
            "models": ["a/one", "b/two"], "scores": [0.97, 0.95], "first_better": 25, "second_better": 5,
            "difference": difference,
        })
    )  # fmt: skip
    assert lines[1].split() == ["model", "accuracy", "better", "on"]
    assert [line.split() for line in lines[2:4]] == [["one", "0.9700", "25"], ["two", "0.9500", "5"]]
    assert "difference -0.0200, 95 % interval -0.0300 to -0.0100, p 0.004; permutation test p 0.003" in lines[4]
