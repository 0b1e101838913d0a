"""`zoo lens` as typed: tables, JSON, plots, and messages about input that makes no sense."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from zoo import builders, cli, saved
from zoo.data import text
from zoo.lens import choices, nets, tables


def test_gradients_of_three_cells(run, is_drawn):
    small = ("--steps", 12, "--units", 8)
    lines = run("gradients", *small)
    assert lines[0].split() == ["T", "-", "t", "simple_rnn", "lstm", "gru"]
    assert [line.split()[0] for line in lines[1:7]] == ["0", "1", "2", "5", "10", "11"]
    assert lines[-1] == "gradients.png"
    assert lines[-2].startswith("These cells are untrained. A fresh GRU vanishes too")
    is_drawn("gradients.png")
    (line,) = run("gradients", *small, "--json", "--cells", "gru", "--plot", "other.png")
    found = json.loads(line)
    assert found["distance"] == list(range(12))
    assert found["cells"].keys() == {"gru"}
    assert found["nets"] == "untrained cells"
    assert [f"{found['cells']['gru'][place]:.3g}" for place in (0, 11)] == [
        line.split()[-1] for line in (lines[1], lines[6])
    ]
    is_drawn("other.png")


def test_jacobian_of_two_cells(run, is_drawn):
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


def test_gates_of_a_saved_model(run, is_drawn, trained):
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


def test_gradients_of_a_saved_model(run, trained):
    lines = run("gradients", "--model", trained, "--steps", 6, "--sequences", 2)
    assert lines[0].split() == ["T", "-", "t", "own"]
    assert lines[-2] == "Nets: trained models."
    run("jacobian", "--model", trained, "--steps", 3, "--sequences", 2)


def test_cells_are_trained_before_their_gradients_are_shown(run, monkeypatch, tmp_path):
    from zoo.tasks.tag.parity import parity_dataset_builder as parity

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(parity.Builder, "SIZES", {"train": 64, "validation": 20, "test": 40})
    words = ("--steps", 8, "--sequences", 3, "--cells", "min_gru:signed")
    lines = run("gradients", "--trained-on", "parity", *words)
    assert lines[0].split() == ["T", "-", "t", "min_gru:signed"]
    assert lines[-2] == "Nets: trained on parity/8."
    fresh = run("gradients", *words)
    assert lines[1:6] != fresh[1:6]


def test_gradients_of_several_models_one_of_them_trained_on_a_memory_test(
    run, refused, is_drawn, trained, monkeypatch, tmp_path
):
    from zoo.tasks.classify.adding import adding_dataset_builder as adding

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(adding.Builder, "SIZES", {"train": 64, "validation": 20, "test": 40})
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


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("gradients", "--cells", "lstn"), "did you mean 'lstm'"),
        (("gradients", "--cells", ","), "names no cell"),
        (("jacobian", "--plot", "x.jpg"), "ends in .png"),
        (("jacobian", "--plot", "nowhere/x.png"), "no folder nowhere"),
        (("memory", "--test", "delayed_or"), "did you mean 'delayed_xor'"),
        (("memory", "--seeds", "1,x"), "whole numbers"),
        (("memory", "--cells", "min_gru:signd"), "did you mean 'signed'"),
        (("memory", "--cells", "min_gru:=1"), "NAME:ARGUMENT=VALUE"),
        (("gradients", "--trained-on", "adder"), "did you mean 'adding'"),
        (("gradients", "--trained-on", "adding", "--gain", "2"), "--gain multiplies"),
        (("gradients", "--trained-on", "adding", "--model", "a"), "give one of them"),
        (("equations", "--cell", "grru"), "did you mean 'gru'"),
        (("gates", "a text"), "with --model"),
        (("gates", "a text", "--model", "a", "b"), "takes a model and one text"),
        (("connectivity", "a text"), "before the text, or with --model"),
        (("neurons", "a.txt"), "before the file, or with --model"),
        (("gates", "a text", "--model", "one,other"), "gates are shown for one model at a time"),
        (("gradients", "--model", ","), "names no model"),
        (("gates", "a text", "--model", "nothing"), "nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(refused, words, expected):
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


def test_the_tests_of_state_tracking_have_their_own_lengths():
    for test, steps in (("parity", "40"), ("mod3", "40"), ("selective_copy", "100")):
        task, _ = choices.memory_test(test)
        assert (task.name, task.recipe.datasets[test].config) == ("tag", steps)


def test_a_table_lines_up():
    assert list(tables.table(["x", "yy"], [["aa", 0.12345], ["b", 10]])) == ["x      yy", "aa  0.123", "b      10"]
