"""Which of a user's files are which split."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from zoo.data import own, tables
from zoo.errors import UserError


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("en_ewt-ud-dev.conllu", "validation"),
        ("Valid", "validation"),
        ("my_test_2.tsv", "test"),
        ("latest.csv", None),
        ("trainers.csv", None),
        ("train_test.csv", None),
    ],
)
def test_split_of_a_name(name: str, split: str | None) -> None:
    assert own.split_of(name) == split


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def test_a_folder_with_one_file_per_split(tmp_path: Path) -> None:
    touch(tmp_path, "train.csv", "dev.csv", "notes.md", "test.csv")
    found = own.parts(tmp_path, tables.is_table)
    assert {split: path.name for split, path in found.items()} == {
        "train": "train.csv",
        "validation": "dev.csv",
        "test": "test.csv",
    }


def test_a_folder_without_train_is_one_part(tmp_path: Path) -> None:
    touch(tmp_path, "pos/1.txt", "neg/1.txt")
    assert own.parts(tmp_path, tables.is_table) == {"train": tmp_path}


def test_a_train_file_brings_its_neighbors_and_they_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    touch(tmp_path, "a-train.csv", "a-dev.csv", "b-test.csv")
    assert own.parts(tmp_path / "a-train.csv", tables.is_table) == {
        "train": tmp_path / "a-train.csv",
        "validation": tmp_path / "a-dev.csv",
    }
    assert capsys.readouterr().err == "Splits: train = a-train.csv, validation = a-dev.csv.\n"
    touch(tmp_path, "all.csv", "test.csv")
    assert own.parts(tmp_path / "all.csv", tables.is_table) == {"train": tmp_path / "all.csv"}


def test_one_part_and_what_is_left_out_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    touch(tmp_path, "train.csv", "._train.csv", "a.csv", "b.csv", "c.csv", "d.csv", ".cache/e.csv", "__MACOSX/e.csv")
    assert own.parts(tmp_path, tables.is_table) == {"train": tmp_path / "train.csv"}
    assert capsys.readouterr().err == "Splits: train = train.csv; left out: a.csv, b.csv, c.csv and 1 more.\n"


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["The Train.txt", "Emma.txt", "Moby Dick.txt"], None),
        (["The Train.txt", "The Test.txt", "dev notes.txt"], None),
        (["test.txt", "Emma.txt"], None),
        (["Train.txt.gz", "val.txt", "The Test.txt"], {"train": "Train.txt.gz", "validation": "val.txt"}),
        (["ptb.train.txt", "ptb.test.txt", "Emma.txt"], {"train": "ptb.train.txt", "test": "ptb.test.txt"}),
    ],
)
def test_titles_are_no_splits(names: list[str], splits: dict[str, str] | None, tmp_path: Path) -> None:
    touch(tmp_path, *names)
    expected = {"train": tmp_path} if splits is None else {split: tmp_path / name for split, name in splits.items()}
    assert own.parts(tmp_path, Path.is_file, free_names=True) == expected


def test_two_files_for_a_split_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train.csv", "train.tsv")
    with pytest.raises(UserError, match="both for train"):
        own.parts(tmp_path, tables.is_table)


def test_options_name_further_parts(tmp_path: Path) -> None:
    touch(tmp_path, "a.csv", "b.csv")
    found = own.parts(tmp_path / "a.csv", tables.is_table, validation=str(tmp_path / "b.csv"))
    assert found["validation"] == tmp_path / "b.csv"
    with pytest.raises(UserError, match=r"--test-dataset: .* does not exist"):
        own.parts(tmp_path / "a.csv", tables.is_table, test=str(tmp_path / "c.csv"))


def test_only_paths_inside_a_folder_are_given(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    touch(folder, "a/1.png")
    touch(tmp_path, "secret.png")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "out").symlink_to(tmp_path)
    assert own.inside(folder, "./a//1.png", "line 2") == "a/1.png"
    for name in ("../secret.png", "a/../../secret.png", str(tmp_path / "secret.png"), "link.png", "out/secret.png"):
        with pytest.raises(UserError, match=r"line 2: .* is not inside the folder"):
            own.inside(folder, name, "line 2")


def test_a_row_names_its_split() -> None:
    names = {"Train": "train", " dev ": "validation", "valid": "validation", "testing": "test"}
    assert {name: own.named_split(name, "line 2") for name in names} == names
    for name in ("", "1", "train set"):
        with pytest.raises(UserError, match=f"line 2: No split is called '{name}'.*Known: test, train, validation"):
            own.named_split(name, "line 2")


@pytest.mark.parametrize("name", ["test.csv", "test.tsv", "test.jsonl", "test.parquet"])
def test_a_test_split_without_labels_is_found_in_every_kind_of_table(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = [tables.Column("text", ("review",)), tables.Column("label", ("label",)), tables.SPLIT]
    train, test = tmp_path / "train.csv", tmp_path / name
    rows = {"id": [1, 2], "review": ["good, really", "bad"]}
    _write_table(train, rows | {"label": ["a", "b"]})
    assert own.parts(tmp_path, tables.is_table, columns=columns) == {"train": train}
    _write_table(test, rows)
    assert own.parts(tmp_path, tables.is_table, columns=columns) == {"train": train}
    assert f"{test} has no column for the label" in capsys.readouterr().err
    _write_table(test, rows | {"label": ["a", "b"]})
    assert own.parts(tmp_path, tables.is_table, columns=columns) == {"train": train, "test": test}


def _write_table(path: Path, columns: dict[str, list[Any]]) -> None:
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pytest.importorskip("pyarrow").table(columns), path)
        return
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    with path.open("w", newline="") as stream:
        if path.suffix == ".jsonl":
            stream.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(stream, list(columns), delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
