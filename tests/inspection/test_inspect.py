"""What `zoo inspect` says of data that were made for it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from zoo.cli import cli
from zoo.errors import UserError


def inspect(*arguments: str) -> dict:
    result = CliRunner().invoke(cli, ["inspect", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """30 texts to train on, one of them twice, one with two labels; two to test on, one of them known."""
    rows = [f"film number {n} is {('good', 'bad')[n % 2]},{('good', 'bad')[n % 2]}" for n in range(30)]
    rows += ["film number 3 is bad,bad", "film number 4 is good,bad", "caf\u00c3\u00a9 fine,rare"]
    (tmp_path / "train.csv").write_text("\n".join(["text,label", *rows, ""]))
    (tmp_path / "test.csv").write_text("text,label\nfilm number 3 is bad,bad\na new zebra,good\n")
    return tmp_path


def test_counts_labels_duplicates_and_warnings(table: Path) -> None:
    report = inspect(table, "--task", "sentiment", "--min-count", "1")
    parts = report["parts"]
    assert sum(parts[name]["examples"] for name in ("train", "validation")) == 33
    assert parts["test"]["labels"] == {"bad": 1, "good": 1}
    assert parts["test"]["lengths"] == {"words": [3.0, 3.1, 4.0, 4.9, 5.0]}
    assert sum(parts[name]["duplicates"] for name in ("train", "validation")) == 2
    assert sum(report["overlaps"].values()) == 1
    assert 0 < parts["test"]["unknown"] < 0.5
    warnings = " ".join(report["warnings"])
    for text in (
        "1 contents have several labels",
        "in another encoding",
        "are in train as well: its scores are too good",
    ):
        assert text in warnings
    assert report["command"] == f"zoo train sentiment --dataset {table} --min-count 1"
    assert len(report["examples"]) == 10


def test_long_data_say_how_far_they_are(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.training.display.SECONDS_PER_LINE", 0)
    result = CliRunner().invoke(cli, ["inspect", str(table), "--task", "sentiment", "--json"])
    lines = [line for line in result.stderr.splitlines() if line.startswith("reading test: ")]
    assert lines == ["reading test: 1 of 2 examples", "reading test: 2 of 2 examples"]


def test_words_with_labels(tmp_path: Path) -> None:
    (tmp_path / "own.conll").write_text("".join(f"EU{n} B-ORG\nrejects O\n\n" for n in range(20)))
    report = inspect(tmp_path / "own.conll", "--task", "tag")
    assert sum(part["labels"]["O"] for part in report["parts"].values()) == 20
    assert report["parts"]["train"]["lengths"]["words"] == [2.0] * 5
    assert report["examples"][0].endswith("B-ORG O")


def test_captions_are_measured_as_they_are_learned(tmp_path: Path) -> None:
    rows = [f'{n}.png,"A red Box, number {n % 3}."' for n in range(12) for _ in range(2)]
    (tmp_path / "captions.csv").write_text("\n".join(["image,caption", *rows, ""]))
    for n in range(12):
        Image.new("RGB", (8, 8), (20 * n, 0, 0)).save(tmp_path / f"{n}.png")
    part = inspect(tmp_path, "--task", "caption")["parts"]["train"]
    assert part["unknown"] == 0, "case and punctuation are gone before the vocabulary is asked"
    assert part["lengths"] == {"captions": [2.0] * 5, "words of a caption": [5.0] * 5}


def test_a_built_in_set_for_people() -> None:
    result = CliRunner().invoke(cli, ["inspect", "digits", "--task", "classify"])
    assert result.exit_code == 0
    assert "Train on it: zoo train classify --dataset digits" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits"], "Missing option '--task'"),
        (["digits", "--task", "clasify"], "Did you mean 'classify'"),
        (["nowhere.csv", "--task", "sentiment"], "No data set is called 'nowhere.csv'"),
        (["reviews", "--task", "sentiment", "--text-column", "x"], "--text-column is for your own files"),
        (["reviews", "--task", "sentiment", "--units", "3"], "No such option"),
    ],
)
def test_what_cannot_be_inspected_is_said(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["inspect", *arguments])
    assert result.exit_code == (1 if isinstance(result.exception, UserError) else 2)  # `main` makes it 2
    assert message in result.output + str(result.exception)
