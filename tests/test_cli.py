"""The command line: help, errors of the user, bugs, pipes. Nothing here imports Keras."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

import zoo
from zoo import cards, cells, cli
from zoo.errors import UserError
from zoo.task import ErrorLine, installed
from zoo.terminal import answers, environment, listing

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`run(words) -> (exit code, standard output, standard error)` of `zoo` in this process."""

    def typed(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["zoo", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        return code, *capfd.readouterr()

    return typed


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    ctx = click.Context(group)
    yield words
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        inner = (*words, name)
        yield from commands(command, inner) if isinstance(command, click.Group) else [inner]


COMMANDS = list(commands(cli.cli))


def test_the_walk_finds_every_command() -> None:
    assert len(COMMANDS) >= 6
    assert {("card",), ("evaluate",), ("list",), ("sentiment",), ("train", "sentiment")} <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(words: tuple[str, ...], flag: str) -> None:
    result = CliRunner().invoke(cli.cli, [*words, flag], prog_name="zoo")
    assert result.exit_code == 0
    assert result.output.startswith(" ".join(["Usage: zoo", *words]))
    assert "--help" in result.output


def test_every_training_has_the_options_that_the_contract_names() -> None:
    wanted = "epochs batch-size learning-rate seed name models-dir resume overwrite max-minutes limit backend plot"
    for name in installed():
        text = CliRunner().invoke(cli.cli, ["train", name, "--help"]).output
        assert [word for word in [*wanted.split(), "preset", "cell", "dataset"] if f"--{word}" not in text] == []


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"zoo, version {zoo.__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("trian sentiment", "No such command 'trian'. Did you mean 'train'?"),
        ("sentimant text", "No such command 'sentimant'. Did you mean 'sentiment'?"),
        ("train sentimant", "No such command 'sentimant'. Did you mean 'sentiment'?"),
        ("train sentiment --cell gur", "No cell is called 'gur'; did you mean 'gru'?"),
        ("train sentiment --dataset imdb_review", "did you mean 'imdb_reviews'?"),
        ("train sentiment --dataset glue/sst", "did you mean 'glue/sst2'?"),
        ("train sentiment --preset tinny", "Did you mean 'tiny'?"),
        ("train sentiment --epoch 3", "--epochs"),
        ("train sentiment --schedule cosin", "Did you mean 'cosine'?"),
        ("train sentiment --backend jaxx", "Did you mean 'jax'?"),
        ("train sentiment --epochs 0", "0 is not in the range x>=1"),
        ("train sentiment --epochs many", "'many' is not a valid integer"),
        ("train sentiment --name a/b", "letters, digits"),
        ("list modles", "Did you mean 'models'?"),
        ("list --model-dir x", "--models-dir"),
        ("card nowhere", "No saved model is called 'nowhere'"),
        ("card no/where", "No saved model is called 'no/where'"),
        ("evaluate nowhere", "No saved model is called 'nowhere'"),
        ("evaluate", "Missing argument 'MODEL'"),
        ("sentiment --model nowhere text", "No saved model is called 'nowhere'"),
    ],
)
def test_an_error_of_the_user_is_one_sentence_and_exit_code_2(run: Run, words: str, told: str) -> None:
    code, out, err = run(*words.split())
    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err
    assert err.count("Error: ") == 1


def test_an_unknown_data_set_lists_what_there_is(run: Run) -> None:
    _, _, err = run("train", "sentiment", "--dataset", "nonsense.csv")
    for name in installed()["sentiment"].recipe.datasets:
        assert name in err
    assert "path of your own data" in err


def test_a_model_of_another_task_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    summary = cards.Summary(tmp_path / "m", {"task": "tag", "train": {"cell": "gru"}}, {}, 0)
    monkeypatch.setattr(cards, "locate", lambda *_: summary.path)
    monkeypatch.setattr(cards, "summarize", lambda _: summary)
    code, _, err = run("sentiment", "--model", "m", "text")
    assert (code, err) == (2, "Error: m is a model for tag: use `zoo tag --model m`.\n")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("tasks", list(installed())),
        ("cells", [*cells.TABLE, *(str(row.year) for row in cells.TABLE.values())]),
        ("datasets", [name for task in installed().values() for name in task.recipe.datasets]),
    ],
)
def test_list(run: Run, word: str, told: list[str]) -> None:
    code, out, err = run("list", word)
    assert (code, err) == (0, "")
    assert told
    assert [item for item in told if item not in out] == []


def test_list_of_cells_fits_the_terminal_and_shows_every_fact(run: Run) -> None:
    _, out, _ = run("list", "cells")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 100
    shown = {line.split()[0]: line for line in lines if line and line.split()[0] in cells.TABLE}
    assert shown.keys() == cells.TABLE.keys()
    measured, words = listing.speed()["cells"], " ".join(out.split())
    for name, row in cells.TABLE.items():
        assert row.states in shown[name]
        assert (f"{measured[name]:.2g} x" if name in measured else "not measured") in shown[name]
        assert row.source in words
        assert row.reason in words


def test_list_as_json(run: Run) -> None:
    _, out, _ = run("list", "cells", "--json")
    found = {item["name"]: item for item in json.loads(out)}
    assert found.keys() == cells.TABLE.keys()
    gru = {key: found["gru"][key] for key in ("paper", "year", "states", "parameters_per_unit_squared")}
    assert gru == {"paper": "Cho et al.", "year": 2014, "states": ["h"], "parameters_per_unit_squared": 6}
    _, out, _ = run("list", "--json")
    assert set(json.loads(out)) == {"tasks", "cells", "datasets", "models"}


def test_list_models_tells_name_and_score(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = {
        "monitor": "accuracy", "higher_is_better": True,
        "scores": {"test": {"accuracy": 0.87654}}, "data": {"name": "reviews"},
    }  # fmt: skip
    found = cards.Summary(tmp_path / "mine", {"task": "sentiment", "train": {"cell": "lstm"}}, metrics, 2_500_000)
    asked = []
    monkeypatch.setattr(cards, "models", lambda folder: asked.append(folder) or [found])
    code, out, _ = run("list", "models", "--models-dir", "there")
    assert (code, asked) == (0, [Path("there")])
    assert out.split() == ["mine", "sentiment", "lstm", "reviews", "2.5", "MB", "accuracy", "0.8765"]


def test_list_without_a_word_shows_all(run: Run) -> None:
    code, out, _ = run("list")
    assert code == 0
    assert [line for line in out.splitlines() if not line.startswith(" ")] == ["tasks", "cells", "datasets", "models"]
    assert "imdb_reviews" in out
    assert "gru" in out


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["one", "two"], 0),
        (["one", ErrorLine("Error: not this"), "three"], 1),
        ([ErrorLine("Error: not this")], 1),
        ([], 0),
    ],
)
def test_an_input_without_an_answer_is_a_line_and_exit_code_1(
    lines: list[str], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The lines after it come all the same."""
    summary = cards.Summary(tmp_path / "m", {"task": "toy", "train": {}}, {}, 0)
    monkeypatch.setattr(cards, "locate", lambda *_: summary.path)
    monkeypatch.setattr(cards, "summarize", lambda _: summary)
    monkeypatch.setattr(environment, "start_keras", lambda *_: None)
    monkeypatch.setattr(zoo, "saved", SimpleNamespace(load=lambda path: path), raising=False)
    asked = []
    toy = SimpleNamespace(
        name="toy",
        summary="A toy.",
        recipe=installed()["sentiment"].recipe,
        predict=lambda saved, ask: asked.append((saved, *ask.inputs)) or iter(lines),
    )
    done = CliRunner().invoke(answers.command(toy, [cli.MODELS_DIR, cli.BACKEND]), ["--model", "m", "a", "b"])
    assert (done.exit_code, done.stdout.splitlines()) == (code, lines)
    assert asked == [(summary.path, "a", "b")]


def test_an_interrupt_is_told_in_a_word(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cards, "models", interrupt)
    code, _, err = run("list", "models")
    assert (code, err.strip()) == (130, "Interrupted.")


def test_a_bug_shows_its_traceback() -> None:
    code = """
import sys
from zoo import cards, cli
def bug(*_):
    raise RuntimeError("a bug")
cards.models = bug
sys.argv = ["zoo", "list", "models"]
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("RuntimeError: a bug\n")


@pytest.mark.parametrize("words", [["list"], ["--help"]])
def test_a_reader_that_has_gone_is_no_reason_to_complain(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as gone:
        done = subprocess.run([sys.executable, "-m", "zoo", *words], stdout=gone, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b""
    assert done.returncode != 0


@pytest.mark.parametrize(
    ("taken", "values", "name"),
    [
        ([], {}, "sentiment-gru-reviews"),
        (["sentiment-gru-reviews"], {}, "sentiment-gru-reviews-2"),
        (["sentiment-gru-reviews", "sentiment-gru-reviews-2"], {}, "sentiment-gru-reviews-3"),
        (["sentiment-gru-reviews"], {"overwrite": True}, "sentiment-gru-reviews"),
        (["sentiment-gru-reviews", ".sentiment-gru-reviews-2.training"], {"resume": True}, "sentiment-gru-reviews-2"),
        (["sentiment-gru-reviews"], {"resume": True}, "sentiment-gru-reviews"),
        (["x"], {"name": "x"}, "x"),
    ],
)
def test_a_default_name_that_is_taken_gets_a_number(tmp_path: Path, taken: list, values: dict, name: str) -> None:
    for item in taken:
        (tmp_path / item).mkdir()
    train = installed()["sentiment"].recipe.train(dataset="reviews")
    options = {"models_dir": tmp_path, "name": None, "overwrite": False, "resume": False, **values}
    assert cli._training_path("sentiment", train, None, options) == tmp_path / name


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("glue/sst2", "sentiment-gru-glue-sst2"),
        ("../own data/my films.csv", "sentiment-gru-my-films"),
        ("own/films/", "sentiment-gru-films"),
        ("own/v1.2/films", "sentiment-gru-films"),
        ("films.tsv.gz", "sentiment-gru-films"),
    ],
)
def test_a_default_name_has_no_odd_signs(tmp_path: Path, dataset: str, name: str) -> None:
    train = installed()["sentiment"].recipe.train(dataset=dataset)
    options = {"models_dir": tmp_path, "name": None, "overwrite": False, "resume": False}
    assert cli._training_path("sentiment", train, None, options).name == name


def test_models_to_learn_from_lie_in_the_folder_of_models_too(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(cards.published() / "classify-perceptron-digits", tmp_path / name)
    given = {"init_from": "one", "teachers": "one, two", "epochs": 1}
    one, two = (str(tmp_path / name) for name in ("one", "two"))
    assert cli._located(given, tmp_path) == {"init_from": one, "teachers": f"{one},{two}", "epochs": 1}
    assert cli._located(given, None) is given
    with pytest.raises(UserError, match="No saved model is called 'three'"):
        cli._located({"teachers": "three"}, tmp_path)
