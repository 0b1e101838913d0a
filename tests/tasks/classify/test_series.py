"""Series of users' tables: steps in columns or lists, what is refused, and a training on each kind."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from zoo.tasks.classify import data
from zoo.tasks.classify.recipe import Train

from zoo.cli import cli
from zoo.errors import UserError

ROWS = 24


def values(row: int, steps: int) -> list[float]:
    """A rising series for even rows, a falling one for odd rows."""
    return [round((1 - 2 * (row % 2)) * step / steps + row / 1000, 4) for step in range(steps)]


def label(row: int) -> str:
    return ("up", "down")[row % 2]


def columns(path: Path, mark: str = ",", steps: int = 5) -> Path:
    header = mark.join(["class", *(f"t{i}" for i in range(steps))])
    lines = [mark.join([label(row), *map(str, values(row, steps))]) for row in range(ROWS)]
    path.write_text("\n".join([header, *lines, ""]))
    return path


def lists(path: Path, lengths: tuple[int, ...] = (3, 5, 8, 4), features: int = 1) -> Path:
    with path.open("w") as stream:
        for row in range(ROWS):
            series = values(row, lengths[row % len(lengths)])
            steps = series if features == 1 else [[value] * features for value in series]
            stream.write(json.dumps({"id": row, "label": label(row), "series": steps}) + "\n")
    return path


def examples(loaded) -> dict[bytes, str]:
    """Every series, whatever its split, with its label."""
    found = {}
    for split in ("train", "validation", "test"):
        for steps, target in loaded.raw.split(split).as_numpy_iterator():
            found[steps.tobytes()] = loaded.assets["labels"][target]
    return found


@pytest.mark.parametrize(("name", "mark"), [("own.csv", ","), ("own.csv", ";"), ("own.tsv", "\t")])
def test_a_column_is_a_step(name: str, mark: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = data.load(Train(dataset=str(columns(tmp_path / name, mark))))
    assert loaded.assets == {"labels": ["down", "up"], "shape": [5, 1], "steps": [f"t{i}" for i in range(5)]}
    assert sum(loaded.sizes().values()) == ROWS
    assert examples(loaded) == {np.array(values(row, 5), "float32").tobytes(): label(row) for row in range(ROWS)}
    assert "label = 'class', 5 steps = 't0' to 't4'." in capsys.readouterr().err


def test_a_list_is_a_series_of_any_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = data.load(Train(dataset=str(lists(tmp_path / "own.jsonl")), cell="gru", batch_size=16))
    assert loaded.assets["shape"] == [None, 1]
    assert len(examples(loaded)) == ROWS
    (steps, mask), _, weights = next(iter(loaded.train(0)))
    assert steps.shape[:2] == mask.shape
    longest = {3, 4, 5, 8}
    assert set(mask.numpy().sum(axis=1)[weights.numpy() > 0]) <= longest
    assert "series = 'series'; left out: 'id'." in capsys.readouterr().err
    with pytest.raises(UserError, match="sequences of several lengths, which 'perceptron' cannot read"):
        data.load(Train(dataset=str(tmp_path / "own.jsonl")))


def test_lists_of_one_length_and_several_features(tmp_path: Path) -> None:
    table = lists(tmp_path / "own.jsonl", (4,), features=3)
    assert data.load(Train(dataset=str(table))).assets["shape"] == [4, 3]
    saved = {"labels": ["down", "flat", "up"], "shape": [None, 3]}
    known = data.load(Train(dataset=str(table), cell="gru"), saved)
    assert {int(label) for _, label in known.raw.split("all").as_numpy_iterator()} == {0, 2}


def test_parquet_has_columns_or_lists(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    names = [label(row) for row in range(ROWS)]
    parquet.write_table(
        pyarrow.table({"label": names, "x": [values(row, 3 + row % 2) for row in range(ROWS)]}), tmp_path / "a.parquet"
    )
    assert data.load(Train(dataset=str(tmp_path / "a.parquet"), cell="gru")).assets["shape"] == [None, 1]
    columns = {f"t{i}": [values(row, 3)[i] for row in range(ROWS)] for i in range(3)}
    parquet.write_table(pyarrow.table({"label": names, **columns}), tmp_path / "b.parquet")
    assert data.load(Train(dataset=str(tmp_path / "b.parquet"))).assets["shape"] == [3, 1]


def test_splits_in_files_of_their_own_and_lengths_over_all(tmp_path: Path) -> None:
    lists(tmp_path / "train.jsonl", (4,))
    lists(tmp_path / "test.jsonl", (6,))
    loaded = data.load(Train(dataset=str(tmp_path), cell="gru"))
    assert loaded.assets["shape"] == [None, 1]
    assert loaded.sizes()["test"] == ROWS


GOOD = "label,a,b\nup,1,2\ndown,2,1\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("own.csv", GOOD + "up,1,\n", "line 4: column 'b' is empty"),
        ("own.csv", GOOD + "up,1\n", "line 4: column 'b' is empty"),
        ("own.csv", GOOD + "up,nan,1\n", "line 4: column 'a' is empty"),
        ("own.csv", GOOD + "up,inf,1\n", "line 4: column 'a' has 'inf', no finite number"),
        ("own.csv", GOOD + "up,1e39,1\n", "column 'a' has '1e39', no finite number"),
        ("own.csv", GOOD + ",1,1\n", "line 4: the label is empty"),
        ("own.csv", "label,name,b\nup,Ann,1\n", "line 2: column 'name' has 'Ann', no finite number"),
        ("own.csv", "label;a;b\nup;1,5;2\n", "column 'a' has '1,5', no finite number. Write decimals with a point"),
        ("own.csv", "label,a,a\nup,1,2\n", "two columns 'a'"),
        ("own.csv", "1.0,2.0,3.0\n0.5,1,1\n", "looks like a row"),
        ("own.csv", "kind,a,b\nup,1,2\n", "Name the columns: --label-column NAME"),
        ("own.csv", "id,label,a\n7,up,2\n", "column 'id' numbers the rows"),
        ("own.csv", "__index_level_0__,label,a\n7,up,2\n", "column '__index_level_0__' numbers the rows"),
        ("own.csv", "label,class,a,b\nup,1,1,2\n", "both 'label' and 'class' may be the labels. Name the right one"),
        ("own.csv", GOOD + "up,1_0,2\n", "line 4: column 'a' has '1_0', no finite number"),
        ("own.csv", GOOD + "up,1,\u0663\n", "line 4: column 'b' has '\u0663', no finite number"),
        ("own.jsonl", '{"label": "a", "x": [1]}\n{"label": "b", "x": [["1_0"]]}\n', "line 2: 'x' has to be a list"),
        ("own.jsonl", '{"label": "a", "x": 1, "u": 1}\n{"label": "b", "x": 1, "z": 2}\n', "line 1: column 'z' is"),
        ("own.jsonl", '{"label": NaN, "x": [1]}\n', "line 1: the label is empty"),
        ("own.csv", GOOD + "nan,1,2\n", "line 4: the label is 'nan', a missing value"),
        ("own.csv", GOOD + "Up,1,2\n", "'Up' (1) and 'up' (1). Make them one"),
        ("own.csv", GOOD + "label,a,b\n", "line 4: the row repeats the header"),
        ("own.csv", "label,split,a,b\nup,1,1,2\n", "line 2: No split is called '1'. Known: test, train, validation"),
        ("own.csv", "n,label,a\n" + "".join(f"{i},up,{i}\n" for i in range(12)), "column 'n' numbers the rows"),
        ("own.csv", "label,a\nup,2\n", "has no series"),
        ("own.csv", "label,a,b\n", "has no rows"),
        ("own.csv", GOOD.replace("down", "up"), "every example has the label 'up'"),
        (
            "own.jsonl",
            '{"label": "a", "x": [1, 2]}\n{"label": "b", "x": []}\n',
            "line 2: 'x' has to be a list of finite",
        ),
        ("own.jsonl", '{"label": "a", "x": [1, null]}\n', "line 1: 'x' has to be a list of finite"),
        ("own.jsonl", '{"label": "a", "x": [[1, 2], [1]]}\n', "line 1: 'x' has to be a list of finite"),
        ("own.jsonl", '{"label": "a", "x": [1]}\n{"label": "b", "x": [[1, 2]]}\n', "line 2: steps of 2 numbers"),
        ("own.jsonl", '{"label": "a", "x": [1]}\n{"label": "b"}\n', "line 2: 'x' has to be a list"),
        ("own.jsonl", '{"label": "a", "x": [1], "y": [2]}\n', "'x' and 'y' are lists"),
    ],
)
def test_what_cannot_be_a_series_is_said(name: str, content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError) as error:
        data.load(Train(dataset=str(tmp_path / name), cell="gru"))
    assert message in str(error.value)


def test_large_numbers_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{label(row)},{1000 + row},{2000 - row}" for row in range(ROWS)]
    (tmp_path / "own.csv").write_text("\n".join(["label,a,b", *rows, ""]))
    data.load(Train(dataset=str(tmp_path / "own.csv")))
    assert "Warning: the numbers of own.csv have the mean 1.5e+03" in capsys.readouterr().err


def test_the_example_of_the_readme(tmp_path: Path) -> None:
    """`zoo train classify --dataset moves.jsonl --cell gru`, and a series is answered."""
    lists(tmp_path / "moves.jsonl")
    run = CliRunner()
    words = [
        "--dataset",
        "moves.jsonl",
        "--cell",
        "gru",
        "--units",
        "4",
        "--epochs",
        "1",
        "--no-plot",
        "--name",
        "moves",
    ]
    trained = run.invoke(cli, ["train", "classify", *words, "--models-dir", str(tmp_path)], catch_exceptions=False)
    assert trained.exit_code == 0, trained.output
    model = ["--model", str(tmp_path / "moves")]
    answer = run.invoke(cli, ["classify", *model, "[0.1, 0.2, 0.4]", "[0.1, null]"], catch_exceptions=False)
    lines = answer.output.splitlines()
    assert lines[0].split("\t")[1] in ("up", "down")
    assert "is not a JSON list" in lines[1]
    scored = run.invoke(cli, ["evaluate", str(tmp_path / "moves"), "--dataset", "moves.jsonl"], catch_exceptions=False)
    assert scored.exit_code == 0, scored.output


def turned(path: Path, order: list[int], names: list[str] | None = None) -> Path:
    """The table of `columns`, its steps in another order."""
    header = ["class", *(names or [f" t{i} " for i in order])]
    lines = [",".join([label(row), *(str(values(row, 5)[i]) for i in order)]) for row in range(ROWS)]
    path.write_text("\n".join([",".join(header), *lines, ""]))
    return path


def test_columns_of_other_splits_and_of_a_saved_model_are_found_by_name(tmp_path: Path) -> None:
    columns(tmp_path / "train.csv")
    turned(tmp_path / "test.csv", [1, 4, 2, 3, 0])
    loaded = data.load(Train(dataset=str(tmp_path)))
    expected = {np.array(values(row, 5), "float32").tobytes(): label(row) for row in range(ROWS)}
    found = {steps.tobytes(): loaded.raw.labels[int(i)] for steps, i in loaded.raw.split("test").as_numpy_iterator()}
    assert found == expected
    alone = turned(tmp_path / "alone.csv", [1, 4, 2, 3, 0])
    saved = data.load(Train(dataset=str(alone)), loaded.assets)
    assert saved.assets["steps"] == loaded.assets["steps"]
    assert {steps.tobytes() for steps, _ in saved.raw.split("all").as_numpy_iterator()} == set(expected)
    older = {name: value for name, value in loaded.assets.items() if name != "steps"}
    assert data.load(Train(dataset=str(alone)), older).assets["shape"] == [5, 1]


def test_a_test_split_without_labels_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns(tmp_path / "train.csv")
    (tmp_path / "test.csv").write_text("t0,t1,t2,t3,t4\n1,2,3,4,5\n")
    loaded = data.load(Train(dataset=str(tmp_path)))
    assert sum(loaded.sizes().values()) == ROWS
    assert "test.csv has no column for the label, so nothing can be scored on it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("order", "names", "differ"),
    [
        ([0, 1, 2, 3, 4], ["t0", "t1", "t2", "t3", "t9"], "it lacks 't4'; it has 't9'"),
        ([0, 1, 2, 3], ["t0", "t1", "t2", "t3"], "it lacks 't4'."),
        ([0, 1, 2, 3, 4, 0], ["t0", "t1", "t2", "t3", "t4", "t5"], "it has 't5'."),
    ],
)
def test_other_columns_than_those_of_train_are_refused(
    order: list[int], names: list[str], differ: str, tmp_path: Path
) -> None:
    columns(tmp_path / "train.csv")
    turned(tmp_path / "test.csv", order, names)
    with pytest.raises(UserError, match=r"test\.csv: its steps are not the columns of the training data") as error:
        data.load(Train(dataset=str(tmp_path)))
    assert differ in str(error.value)


def test_with_an_option_other_columns_of_labels_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{label(row)},{row % 2},{row / 9},{-row}" for row in range(ROWS)]
    (tmp_path / "own.csv").write_text("\n".join(["label,class,a,b", *lines, ""]))
    loaded = data.load(Train(dataset=str(tmp_path / "own.csv"), label_column="label"))
    assert loaded.assets["steps"] == ["a", "b"]
    assert "2 steps = 'a' to 'b'; left out: 'class'." in capsys.readouterr().err


def test_a_column_says_the_split(tmp_path: Path) -> None:
    side = ["test" if row < 6 else "dev" if row < 10 else "Train" for row in range(ROWS)]
    lines = [",".join([label(row), side[row], *map(str, values(row, 3))]) for row in range(ROWS)]
    (tmp_path / "own.csv").write_text("\n".join(["label,split,a,b,c", *lines, ""]))
    loaded = data.load(Train(dataset=str(tmp_path / "own.csv")))
    assert loaded.sizes() == {"train": 14, "validation": 4, "test": 6}
    assert loaded.assets["steps"] == ["a", "b", "c"]
    found = {steps.tobytes() for steps, _ in loaded.raw.split("test").as_numpy_iterator()}
    assert found == {np.array(values(row, 3), "float32").tobytes() for row in range(6)}
