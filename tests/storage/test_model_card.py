"""Cards: every section, numbers from the files alone, terms of the data, and nothing of the data read as markup."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from zoo import cards
from zoo.errors import UserError
from zoo.storage import model_card
from zoo.task import installed

SECTIONS = [
    "Intended use", "Limits", "License", "How to use", "Examples", "Data", "Training procedure", "Scores", "Baselines",
    "How often the test split was scored", "Size and speed", "Environment", "How to cite",
]  # fmt: skip

MEASURED = {
    "scores": {"accuracy": 0.7611},
    "examples": 250,
    "interval": {"score": "accuracy", "low": 0.7, "high": 0.82, "draws": 2000},
    "baselines": {"most frequent label": {"accuracy": 0.5}},
    "shown": [{"input": "a fine film", "answer": "positive (0.987)"}],
    "limits": [{"what": "another language", "input": "ein *Film*", "answer": "negative (0.612)"}],
    "latency": {"one input, milliseconds": 3.21},
    "test_split": {"scored": 4, "note": "The recipe had seen it."},
    "machine": {"cores": 2, "processor": "x86_64"},
}


@pytest.fixture
def make(tmp_path: Path, metrics: dict[str, Any]):
    """`make(dataset, measured=None, golden=None, **facts of the data)` writes the JSON of one saved model."""

    def write(dataset: str, measured: Any = None, golden: Any = None, **facts: Any) -> cards.Summary:
        path = tmp_path / "a"
        path.mkdir(exist_ok=True)
        values = copy.deepcopy(metrics)
        values["data"] |= {"name": dataset, **facts}
        train = {"cell": "lstm", "units": 77, "dataset": dataset, "limit": None}
        recipe = {"task": "sentiment", "train": train, "command": "zoo train sentiment --cell lstm --units 77"}
        files = {"format": 1, "files": {"model.keras": {"bytes": 3_456_789, "sha256": "0" * 64}}}
        contents = {cards.RECIPE: recipe, cards.METRICS: values, cards.FILES: files}
        contents |= {name: value for name, value in ((cards.MEASURED, measured), ("golden.json", golden)) if value}
        for name, value in contents.items():
            (path / name).write_text(json.dumps(value), encoding="utf-8")
        return cards.summarize(path)

    return write


def sections(text: str) -> list[str]:
    return re.findall(r"^## (.*)$", text, re.MULTILINE)


def test_every_section_is_there_with_and_without_measurements(make):
    assert sections(model_card.render(make("imdb_reviews"))) == SECTIONS
    assert sections(model_card.render(make("imdb_reviews", MEASURED))) == SECTIONS


def test_the_numbers_are_those_of_the_files(make):
    text = model_card.render(make("imdb_reviews"))
    for part in (
        "# a\n", "1,234,567 parameters, 3.5 MB", "| accuracy | 0.8125 | 0.7654 | fraction of right answers",
        "| log_loss | 0.4321 | 0.5432 |", "epoch 7 of 9", "12.34 minutes, 345.6 examples per second",
        "3 cores (x86_64)", "Keras 3.15.1 on tensorflow", "    zoo train sentiment --cell lstm --units 77",
        "| units | 77 |", "zoo sentiment --model a", 'saved.load("a")', "@software{a,",
    ):  # fmt: skip
        assert part in text


def test_what_was_measured_later_replaces_what_the_training_said_and_the_difference_is_told(make):
    summary = make("imdb_reviews", MEASURED)
    assert summary.monitored == 0.7611
    text = model_card.render(summary)
    for part in (
        "| accuracy | 0.8125 | 0.7611 |", "95 % interval 0.7000 to 0.8200: 2,000 bootstrap draws",
        "measured on 250 examples. The training had reported accuracy 0.7654", "| most frequent label | 0.5000 |",
        "| a fine film | positive (0.987) |", r"| another language | ein \*Film\* | negative (0.612) |",
        "one input, milliseconds: 3.21", "4 times that are written down, this model included. The recipe had seen it.",
    ):  # fmt: skip
        assert part in text


SCORINGS = [
    {
        "dataset": "imdb_reviews", "split": "test", "date": "2026-11-25", "commit": "b70f2048c368",
        "scores": {"accuracy": 0.7611, "macro_f1": 0.76}, "monitor": "accuracy",
        "candidates": {"mean": 0.8042, "deviation": 0.0053, "seeds": {"1": 0.7989, "2": 0.8095}},
    },
    {
        "dataset": "imdb_reviews", "split": "test", "date": "2026-11-26", "commit": "0123456789ab",
        "scores": {"accuracy": 0.7611}, "monitor": "accuracy", "again": "for <b>the</b> interval",
    },
]  # fmt: skip


def test_every_scoring_in_the_ledger_is_a_row_of_the_card(make):
    text = model_card.render(make("imdb_reviews", {"scorings": SCORINGS}))
    part = text.partition("## How often the test split was scored")[2].partition("## ")[0]
    assert [line for line in part.splitlines() if line.startswith("| 2026")] == [
        "| 2026-11-25 | b70f2048c368 | test | accuracy 0.7611 | 2 seeds, validation 0.8042 ± 0.0053 |  |",
        "| 2026-11-26 | 0123456789ab | test | accuracy 0.7611 |  | for &lt;b&gt;the&lt;/b&gt; interval |",
    ]
    assert "the training scored the test split once" not in text
    assert sections(text) == SECTIONS
    one = {**SCORINGS[0], "candidates": {"mean": 0.8, "deviation": 0.0, "seeds": {"1": 0.8}}}
    both = model_card.render(make("imdb_reviews", {**MEASURED, "scorings": [one]}))
    assert "| 1 seed, validation 0.8000 |" in both
    assert "4 times that are written down, this model included. The recipe had seen it." in both


def test_a_card_says_that_the_test_split_was_left_unscored(make):
    summary = make("imdb_reviews")
    values = json.loads((summary.path / cards.METRICS).read_text())
    values["scores"]["test"] = {}
    (summary.path / cards.METRICS).write_text(json.dumps(values))
    summary = cards.summarize(summary.path)
    text = model_card.render(summary)
    for part in (
        "MB on disk. Validation accuracy 0.8125.", "chosen by validation `accuracy`; the test split was not scored.",
        "Not by this one. What was scored before",
    ):  # fmt: skip
        assert part in text
    assert "nan" not in text
    assert (summary.split, summary.shown, summary.score) == ("validation", 0.8125, "validation accuracy 0.8125")
    assert cards.line(summary).endswith("validation accuracy 0.8125")
    assert "| validation accuracy 0.8125 |" in cards.table([summary])


@pytest.mark.parametrize("damage", [{"date": 3}, {"scores": {"accuracy": "high"}}, {"candidates": []}])
def test_a_damaged_ledger_of_a_folder_is_refused(make, damage):
    with pytest.raises(UserError, match=r"measured\.json"):
        make("imdb_reviews", {"scorings": [{**SCORINGS[0], **damage}]})


@pytest.mark.parametrize(
    ("dataset", "terms"), [("imdb_reviews", "research"), ("reviews", "open"), ("a.csv", "unknown")]
)
def test_data_for_research_only_is_seen_before_anything_else(make, dataset, terms):
    summary = make(dataset)
    assert model_card.terms(summary) == terms
    top = model_card.render(summary).partition("\n## ")[0]
    assert ("For research only" in top) == (terms == "research")
    assert ("research only" in model_card.about(summary)) == (terms == "research")


def test_files_of_a_published_model_have_the_terms_that_it_states(make):
    assert model_card.terms(make("a.csv", terms="research")) == "research"
    assert model_card.terms(make("imdb_reviews", terms="open")) == "research", "the list of data sets says so"


def test_synthetic_data_are_called_so(make):
    summary = make("reviews", synthetic=True)
    assert "`reviews` (synthetic)" in model_card.render(summary)
    assert "synthetic data" in model_card.about(summary)
    assert "synthetic data" not in model_card.about(make("imdb_reviews"))


def test_nothing_of_the_data_is_read_as_markup(make):
    golden = {"inputs": ["<script>x|y</script>\nz", "data:image/png;base64,AA"], "outputs": [{"label": "<b>"}, {}]}
    text = model_card.render(make("a.csv", golden=golden, labels=["<i>\n## no", "b"]))
    assert "<script>" not in text.replace(json.dumps(golden["inputs"][0]), "")
    assert r"&lt;script&gt;x\|y&lt;/script&gt;<br>z | &lt;b&gt;" in text
    assert sections(text) == SECTIONS
    assert "base64" not in text


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ({"label": "positive", "probability": 0.98765}, "positive (0.988)"),
        ({"translation": "ein Hund", "score": -0.1}, "ein Hund"),
        ({"prompt": "a", "text": "a b"}, "a b"),
        ({"frames": 3, "spans": [{"start": 0, "end": 3, "label": "left"}]}, "0-3 left"),
        ({"words": [{"word": "Anna", "label": "B-PER"}]}, "Anna/B-PER"),
        ({"other": 1}, '{"other": 1}'),
        ("plain", "plain"),
    ],
)
def test_the_answer_of_each_kind_of_task(answer, shown):
    assert model_card.answer_text(answer) == shown


@pytest.mark.parametrize("name", installed())
def test_each_task_says_what_it_is_for_without_numbers(name):
    recipe = installed()[name].recipe
    assert len(recipe.purpose) > 40
    assert len(recipe.not_for) > 40
    assert not re.search(r"\d", recipe.purpose + recipe.not_for), "numbers come from measured files"
    assert all(row.terms in ("open", "research", "unknown") for row in recipe.datasets.values())


def test_real_data_that_are_built_in_are_not_called_synthetic():
    rows = {name: row for task in installed().values() for name, row in task.recipe.datasets.items()}
    assert not rows["digits"].synthetic
    assert not rows["python_docs"].synthetic
    assert all(rows[name].synthetic for name in ("reviews", "scenes", "clips", "mnist1d", "adding"))
