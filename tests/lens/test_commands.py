"""`zoo lens` as typed: tables, JSON, plots, and messages about input that makes no sense."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from zoo import builders, cli, saved
from zoo.data import text
from zoo.errors import UserError
from zoo.lens import choices, memory, nets, tables


def run(*words):
    result = CliRunner().invoke(cli.cli, ["lens", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def refused(*words):
    with pytest.raises(UserError) as error:
        CliRunner().invoke(cli.cli, ["lens", *map(str, words)], catch_exceptions=False)
    return str(error.value)


def is_drawn(name):
    pixels = np.asarray(Image.open(name).convert("L"))
    assert pixels.std() > 5, "a blank picture"
    return pixels.shape


def test_gradients_of_three_cells():
    small = ("--steps", 12, "--units", 8)
    lines = run("gradients", *small)
    assert lines[0].split() == ["T", "-", "t", "simple_rnn", "lstm", "gru"]
    assert [line.split()[0] for line in lines[1:7]] == ["0", "1", "2", "5", "10", "11"]
    assert lines[-1] == "gradients.png"
    is_drawn("gradients.png")
    (line,) = run("gradients", *small, "--json", "--cells", "gru", "--plot", "other.png")
    found = json.loads(line)
    assert found["distance"] == list(range(12))
    assert found["cells"].keys() == {"gru"}
    assert [f"{found['cells']['gru'][place]:.3g}" for place in (0, 11)] == [
        line.split()[-1] for line in (lines[1], lines[6])
    ]
    is_drawn("other.png")


def test_jacobian_of_two_cells():
    lines = run("jacobian", "--steps", 6, "--units", 5, "--cells", "simple_rnn,lstm")
    assert [line.split()[0] for line in lines[1:5]] == ["1", "2", "3", "6"]
    assert 0 < float(lines[1].split()[1]) <= 1 + 1e-5, "an orthogonal kernel behind a tanh cannot stretch"
    assert lines[-1] == "jacobian.png"
    is_drawn("jacobian.png")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny model of the sentiment task, on disk, which was not trained."""
    import dataclasses

    from zoo import task

    tokenizer = text.Tokenizer.train(["a fine film", "a bad film"], lowercase=True)
    sentiment = task.find("sentiment")
    recipe = sentiment.recipe.train(cell="lstm")
    metrics = {"monitor": "accuracy", "higher_is_better": True, "scores": {"validation": {}, "test": {"accuracy": 0.5}}}
    metrics |= {"data": {"name": "own", "builtin": False}, "training": {}, "machine": {}, "versions": {}}
    metrics["training"] = {"epochs": 1, "best_epoch": 1, "minutes": 0.1, "examples_a_second": 1.0, "parameters": 1}
    metrics["machine"] = {"cores": 1, "processor": "x", "system": "x"}
    metrics["versions"] = {"keras": "3", "backend": "tensorflow", "python": "3"}
    path = tmp_path_factory.mktemp("models") / "own"
    net = builders.classifier(tokenizer.size, 2, "lstm", 4, embedding_dim=3)
    assets = {"tokenizer": tokenizer, "labels": ["negative", "positive"]}
    stored = {"task": "sentiment", "train": dataclasses.asdict(recipe), "command": ""}
    saved.write(path, net, assets, stored, metrics)
    return path


def test_gates_of_a_saved_model(trained):
    lines = run("gates", "--model", trained, "A fine film")
    assert lines[0].split() == ["token", "forget", "input", "output"]
    assert [line.split()[0] for line in lines[1:4]] == ["A", "fine", "film"]
    assert lines[4].startswith("forget gate: most open at ")
    assert lines[-1] == "gates.png"
    is_drawn("gates.png")
    (line,) = run("gates", "--model", trained, "A fine film", "--json")
    found = json.loads(line)
    assert found["tokens"] == ["A", "fine", "film"]
    assert f"{found['gates']['forget'][2]:.2f}" == lines[3].split()[1]


def test_gradients_of_a_saved_model(trained):
    lines = run("gradients", "--model", trained, "--steps", 6, "--sequences", 2)
    assert lines[0].split() == ["T", "-", "t", "own"]
    run("jacobian", "--model", trained, "--steps", 3, "--sequences", 2)


def test_gradients_of_several_models_one_of_them_trained_on_a_memory_test(trained, monkeypatch, tmp_path):
    from zoo.tasks.classify.adding import adding_dataset_builder as adding

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(adding, "SIZES", {"train": 64, "validation": 20, "test": 40})
    words = ["train", "classify", "--dataset", "adding/20", "--cell", "lstm", "--epochs", "1", "--units", "4"]
    assert CliRunner().invoke(cli.cli, [*words, "--no-plot", "--name", "lstm"]).exit_code == 0
    lines = run("gradients", "--model", f"{trained},lstm", "--steps", 20, "--sequences", 3)
    assert lines[0].split() == ["T", "-", "t", "own", "lstm"]
    is_drawn("gradients.png")
    net = nets.trained(saved.load(Path("saved_models/lstm")), 12, 4, seed=1)
    assert net.inputs.shape == (4, 12, 2)
    assert set(np.unique(net.inputs[:, :, 0])) <= {0, 0.5, 1}, "digits of the test split, no noise"
    assert (net.inputs[:, :, 1].sum(axis=1) <= 2).all()
    assert "on sequences of at most 20 steps: give --steps 20 or less, not 21" in refused(
        "gradients", "--model", "lstm", "--steps", 21
    )


def test_memory_trains_each_cell(monkeypatch, tmp_path):
    from zoo.tasks.classify.delayed_xor import delayed_xor_dataset_builder as delayed_xor

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(delayed_xor, "SIZES", {"train": 64, "validation": 20, "test": 40})
    words = ("memory", "--test", "delayed_xor", "--steps", 6, "--epochs", 1)
    (line,) = run(*words, "--cells", "simple_rnn,gru", "--seeds", "2", "--limit", 32, "--json")
    found = json.loads(line)
    assert [(row["cell"], row["seed"]) for row in found["results"]] == [("simple_rnn", 2), ("gru", 2)]
    assert all(row["accuracy"].keys() == {"1", "2", "5", "6"} for row in found["results"])
    is_drawn("memory.png")


def test_a_cell_remembers_as_far_as_all_distances_are_solved():
    def result(*values):
        return memory.Result("gru", 1, dict(zip((1, 5, 10, 50), values, strict=True)), 0.1)

    assert result(1.0, 0.95, 0.9, 0.91).remembers == 50
    assert result(1.0, 0.95, 0.5, 0.99).remembers == 5
    assert result(0.5, 1.0, 1.0, 1.0).remembers == 0
    lines = list(memory._verdicts([result(1, 1, 1, 1), result(1, 1, 0.6, 0.6)]))
    assert lines == ["gru: accuracy of at least 90% up to 5 to 50 steps, 2 seeds"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("gradients", "--cells", "lstn"), "did you mean 'lstm'"),
        (("gradients", "--cells", ","), "names no cell"),
        (("jacobian", "--plot", "x.jpg"), "ends in .png"),
        (("jacobian", "--plot", "nowhere/x.png"), "no folder nowhere"),
        (("memory", "--test", "delayed_or"), "did you mean 'delayed_xor'"),
        (("memory", "--seeds", "1,x"), "whole numbers"),
        (("gates", "a text"), "with --model"),
        (("gates", "a text", "--model", "one,other"), "gates are shown for one model at a time"),
        (("gradients", "--model", ","), "names no model"),
        (("gates", "a text", "--model", "nothing"), "nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(words, expected):
    assert expected in refused(*words)


@pytest.mark.parametrize("words", [("gradients", "--steps", "1"), ("memory", "--steps", "4"), ("gates",)])
def test_too_few_steps_are_refused(words):
    result = CliRunner().invoke(cli.cli, ["lens", *words])
    assert result.exit_code == 2
    assert "Invalid value" in result.output or "Missing argument" in result.output


def test_memory_tests_are_found_through_the_installed_tasks():
    task, settings = choices.memory_test("adding")
    assert task.name == "classify"
    assert task.recipe.train(**settings, dataset="adding/50").units == settings["units"]


def test_a_table_lines_up():
    assert list(tables.table(["x", "yy"], [["aa", 0.12345], ["b", 10]])) == ["x      yy", "aa  0.123", "b      10"]
