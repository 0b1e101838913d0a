"""Saved models as their JSON files tell them: found by name, ranked, and rendered."""

import copy
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo import cards
from zoo.errors import UserError

Make = Callable[..., Path]


@pytest.fixture
def make(metrics: dict[str, Any]) -> Make:
    """`make(folder, score=..., synthetic=..., task=..., higher=...)` writes the JSON of one saved model."""

    def write(path: Path, score: float = 0.7654, synthetic: bool = False, task: str = "sentiment", higher: bool = True):
        path.mkdir(parents=True)
        values = copy.deepcopy(metrics)
        values["scores"]["test"]["accuracy"] = score
        values["data"] |= {"builtin": synthetic, "synthetic": synthetic}
        values["higher_is_better"] = higher
        train = {"cell": "lstm", "units": 77, "dataset": "imdb_reviews", "limit": None}
        recipe = {"task": task, "train": train, "command": "zoo train sentiment --cell lstm --units 77"}
        files = {
            "format": 1,
            "files": {
                "model.keras": {"bytes": 3_000_000, "sha256": "0" * 64},
                "golden.json": {"bytes": 456_789, "sha256": "0" * 64},
            },
        }
        for name, value in ((cards.RECIPE, recipe), (cards.METRICS, values), (cards.FILES, files)):
            (path / name).write_text(json.dumps(value), encoding="utf-8")
        return path

    return write


@pytest.fixture
def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the published models."""
    folder = tmp_path / "public"
    folder.mkdir()
    monkeypatch.setattr(cards, "published", lambda: folder)
    return folder


def test_the_published_models_of_a_clone_lie_beside_the_package() -> None:
    assert (cards.published() / "README.md").is_file()


def test_summary(make: Make, tmp_path: Path) -> None:
    summary = cards.summarize(make(tmp_path / "a"))
    told = (summary.name, summary.task, summary.cell, summary.dataset, summary.monitored, summary.bytes)
    assert told == ("a", "sentiment", "lstm", "imdb_reviews", 0.7654, 3_456_789)


def test_own_folder_is_the_option_then_the_variable_then_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cards.own() == Path("saved_models")
    monkeypatch.setenv("ZOO_MODELS", "elsewhere")
    assert cards.own() == Path("elsewhere")
    assert cards.own("typed") == Path("typed")


def test_names_are_looked_for_in_the_own_folder_first(make: Make, public: Path, tmp_path: Path) -> None:
    own, theirs = make(tmp_path / "mine" / "a"), make(public / "a")
    other = make(public / "b")
    assert cards.locate("a", tmp_path / "mine") == own
    assert cards.locate("a") == theirs
    assert cards.locate("b", tmp_path / "mine") == other
    assert [item.path for item in cards.models(tmp_path / "mine")] == [own, other]


def test_the_variable_is_honoured(make: Make, public: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "mine" / "a")
    monkeypatch.setenv("ZOO_MODELS", str(tmp_path / "mine"))
    assert cards.locate("a") == path
    assert [item.path for item in cards.models()] == [path]


@pytest.mark.parametrize("spelled", ["{}", "{}/", "models/../models/a", "./models/a"])
def test_a_folder_may_be_given(make: Make, public: Path, tmp_path: Path, spelled: str) -> None:
    path = make(tmp_path / "models" / "a")
    found = cards.locate(spelled.format(path))
    assert found.resolve() == path
    assert cards.summarize(found).name == "a"


@pytest.mark.parametrize("spelled", [".", "./", "../a"])
def test_the_folder_one_stands_in_may_be_given(
    make: Make, public: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str
) -> None:
    monkeypatch.chdir(make(tmp_path / "models" / "a"))
    found = cards.locate(spelled)
    assert found.resolve() == tmp_path / "models" / "a"
    assert cards.summarize(found).name == "a"


@pytest.mark.parametrize("path", ["/", "..", "nowhere/at/all", "a\0b"])
def test_a_path_without_a_model_is_a_user_error(public: Path, path: str) -> None:
    with pytest.raises(UserError):
        cards.summarize(cards.locate(path))


def test_an_unknown_name_is_told_with_the_nearest(make: Make, public: Path) -> None:
    make(public / "sentiment-gru-imdb")
    with pytest.raises(UserError, match=r"'sentiment-gru-imbd'; did you mean 'sentiment-gru-imdb'\?.*give a folder"):
        cards.locate("sentiment-gru-imbd")


def test_an_empty_name_and_a_file_are_told(public: Path, tmp_path: Path) -> None:
    (tmp_path / "model.keras").touch()
    with pytest.raises(UserError, match="`zoo list models`"):
        cards.locate("")
    with pytest.raises(UserError, match=r"model\.keras is a file; a saved model is a folder"):
        cards.locate("model.keras")


@pytest.mark.parametrize(
    "find", [lambda p: cards.locate("a", p.parent), cards.locate, lambda p: cards.best("sentiment", p.parent)]
)
def test_a_kill_between_the_two_renames_is_recovered(
    make: Make, public: Path, tmp_path: Path, find: Callable[[Path], Path]
) -> None:
    path = make(tmp_path / "models" / "a")
    path.rename(cards.backup(path))
    assert find(path) == path
    assert cards.summarize(path).monitored == 0.7654
    assert not cards.backup(path).exists()


def test_a_backup_never_replaces_a_model(make: Make, public: Path, tmp_path: Path) -> None:
    path = make(tmp_path / "models" / "a", score=0.9)
    make(cards.backup(path), score=0.1)
    assert cards.summarize(cards.locate(path)).monitored == 0.9


def test_best_takes_only_what_can_answer(make: Make, public: Path) -> None:
    make(public / "synthetic", 0.99, synthetic=True)
    make(public / "real", 0.71)
    assert cards.best("sentiment", can_answer=lambda data: data["builtin"]).name == "synthetic"
    with pytest.raises(UserError, match=r"None of the saved models for sentiment does what you ask; there are real"):
        cards.best("sentiment", can_answer=lambda data: False)


def test_best_prefers_real_data_then_the_score(make: Make, public: Path) -> None:
    make(public / "synthetic", 0.99, synthetic=True)
    assert cards.best("sentiment").name == "synthetic"
    make(public / "real", 0.71)
    assert cards.best("sentiment").name == "real"
    make(public / "better", 0.72)
    make(public / "other", 0.99, task="tag")
    assert cards.best("sentiment").name == "better"
    assert cards.best("tag").name == "other"


def test_best_takes_the_lowest_where_lower_is_better(make: Make, public: Path) -> None:
    make(public / "high", 0.9, higher=False)
    make(public / "low", 0.1, higher=False)
    assert cards.best("sentiment").name == "low"


def test_best_prefers_published_to_own_and_own_to_none(make: Make, public: Path, tmp_path: Path) -> None:
    make(tmp_path / "saved_models" / "mine", 0.99)
    assert cards.best("sentiment").name == "mine"
    make(public / "theirs", 0.5)
    assert cards.best("sentiment").name == "theirs"
    assert cards.best("sentiment", prefer_latest=True).name == "mine"
    copy = make(tmp_path / "saved_models" / "theirs", 0.5)  # a clone holds the published ones where one's own go
    newer = make(tmp_path / "saved_models" / "newer", 0.1)
    make(public / "others", 0.1)
    assert cards.best("sentiment").resolve() == copy, "a model of one's own in the place of a published one"
    for path, seconds in ((copy, 3e9), (newer, 2e9)):
        os.utime(path / cards.METRICS, (seconds, seconds))
    assert cards.best("sentiment", prefer_latest=True).name == "newer"
    # A clone that runs in place has all in one folder; its README lists the published ones.
    make(public / "own", 0.1)
    (public / "README.md").write_text("| [theirs](theirs/README.md) | sentiment |")
    os.utime(public / "own" / cards.METRICS, (4e9, 4e9))
    assert cards.best("sentiment", prefer_latest=True).name == "own"
    with pytest.raises(UserError, match=r"no saved model for tag yet\. `zoo train tag`"):
        cards.best("tag")


@pytest.mark.parametrize("name", [cards.RECIPE, cards.METRICS, cards.FILES])
def test_a_missing_or_damaged_file_is_told_by_name(make: Make, public: Path, tmp_path: Path, name: str) -> None:
    for content, told in (
        (None, "has no"),
        ("{", "is damaged"),
        ("[1]", "not as zoo writes it|lacks"),
        ("{}", "not as zoo writes it|lacks"),
        (b"\xff", "damaged"),
    ):
        path = make(tmp_path / "models" / "a")
        (path / name).unlink()
        if content is not None:
            (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(UserError, match=f"{path}.*{told}"):
            cards.summarize(path)
        assert list(cards.models(tmp_path / "models")) == []
        shutil.rmtree(path)


def test_the_table_has_a_line_for_each_model(make: Make, tmp_path: Path) -> None:
    made = [make(tmp_path / "a"), make(tmp_path / "b", 0.5, synthetic=True)]
    lines = cards.table(map(cards.summarize, made)).splitlines()
    assert len(lines) == 4
    assert lines[2] == (
        "| [a](a/README.md) | sentiment | lstm | imdb_reviews | accuracy 0.7654 | 1,234,567 | 3.5 MB | "
        "12 min on 3 cores |"
    )
    assert "imdb_reviews (synthetic) | accuracy 0.5000" in lines[3]


def test_the_line_of_a_list(make: Make, tmp_path: Path) -> None:
    words = re.split(r" {2,}", cards.line(cards.summarize(make(tmp_path / "a"))))
    assert words == ["a", "sentiment", "lstm", "imdb_reviews", "3.5 MB", "accuracy 0.7654"]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.5, "0.5000"), (1234567, "1,234,567"), (True, "True"), ("", ""), (1234.5678, "1234.5678")]
)
def test_numbers_for_reading(value: Any, shown: str) -> None:
    assert cards.number(value) == shown


def test_the_machine_of_a_training(make: Make, tmp_path: Path) -> None:
    plain = cards.summarize(make(tmp_path / "plain"))
    count = plain.metrics["machine"]["cores"]
    assert "gpu" not in plain.metrics["machine"]
    assert cards.cores(plain.metrics) == f"{count} cores"
    metrics = json.loads((tmp_path / "plain" / cards.METRICS).read_text("utf-8"))
    metrics["machine"]["gpu"] = "NVIDIA H200"
    (tmp_path / "plain" / cards.METRICS).write_text(json.dumps(metrics), encoding="utf-8")
    assert cards.cores(cards.summarize(tmp_path / "plain").metrics) == f"{count} cores and one NVIDIA H200"
