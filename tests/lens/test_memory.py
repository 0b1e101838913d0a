"""`zoo lens memory`: trainings, what is kept of them, and what is printed and drawn."""

import functools
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from zoo.tasks.classify.delayed_xor import delayed_xor_dataset_builder as delayed_xor
from zoo.tasks.tag.parity import parity_dataset_builder as parity

from zoo.data.memory_tests import SEEDS
from zoo.errors import UserError
from zoo.lens import choices, memory, results
from zoo.lens.settings import Memory


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "data"))
    for module in (delayed_xor, parity):
        monkeypatch.setattr(module.Builder, "SIZES", {"train": 64, "validation": 20, "test": 40})


@pytest.fixture(scope="session")
def run(run):
    """`run(*words)` is what `zoo lens memory` prints."""
    return functools.partial(run, "memory")


@pytest.mark.parametrize(
    ("test", "cell", "distances"),
    [("delayed_xor", "gru", {"1", "2", "5", "6"}), ("parity", "min_gru:signed", {"5", "6"})],
)
def test_each_cell_is_trained(run, test, cell, distances):
    words = ("--test", test, "--steps", 6, "--epochs", 1, "--cells", cell, "--seeds", 2)
    (line,) = run(*words, "--limit", 32, "--json")
    found = json.loads(line)
    assert [(row["cell"], row["seed"]) for row in found["results"]] == [(cell, 2)]
    assert found["results"][0]["accuracy"].keys() == distances
    assert found["test"] == f"{test}/6"
    assert Path("memory.png").stat().st_size > 5_000


def test_what_is_done_is_not_done_again(run, monkeypatch):
    trained = []

    def fit(task, recipe):
        trained.append(recipe.seed)
        scores = {"accuracy": 0.5, "accuracy_at_5": 1.0, "accuracy_at_6": 0.5}
        return SimpleNamespace(metrics={"scores": {"test": scores}, "training": {"minutes": 0.5}})

    monkeypatch.setattr(memory, "fit", fit)
    words = ("--test", "parity", "--steps", 6, "--epochs", 1, "--cells", "min_gru:signed", "--plot", "p.png")
    first = run(*words, "--seeds", "1")
    assert first[0].startswith("accuracy on parity/6, by distance in steps; always the same answer has 0.")
    assert first[1].split() == ["cell", "5", "6", "remembers", "minutes"]
    assert first[2].startswith("min_gru:signed, seed 1")
    assert "positive cannot do parity" in first[-2]
    second = run(*words, "--seeds", "1,2", "--resume")
    assert trained == [1, 2]
    assert second[2] == first[2]
    run(*words, "--seeds", "2", "--resume")
    assert [result.seed for result in results.read(Path("p.json"))] == [2, 1], "what others have done is kept"
    stored = json.loads(Path("p.json").read_text())
    for row in stored["results"]:
        del row["recipe"]["distillation"]
    Path("p.json").write_text(json.dumps(stored))
    run(*words, "--seeds", "1,2", "--resume")
    assert trained == [1, 2], "a setting that did not exist yet had its default"
    run(*words, "--seeds", "2", "--resume", "--limit", 32)
    assert trained == [1, 2, 2], "another recipe is another result"
    run(*words, "--seeds", "2", "--limit", 32)
    assert trained == [1, 2, 2, 2], "without --resume all is done anew"


def test_a_file_that_holds_no_results_is_refused(run, tmp_path):
    Path("p.json").write_text('{"results": [{}]}')
    with pytest.raises(UserError, match="holds no results"):
        run("--test", "parity", "--steps", 6, "--plot", "p.png", "--resume")
    assert results.read(tmp_path / "nothing.json") == []


def test_results_survive_the_file(tmp_path):
    kept = results.Result("lru", 3, {5: 0.25, 40: 1.0}, 0.5, {"seed": 3, "cell": "lru"})
    results.write(tmp_path / "a.json", {"test": "parity/40"}, [kept])
    assert results.read(tmp_path / "a.json") == [kept]
    assert json.loads((tmp_path / "a.json").read_text())["test"] == "parity/40"


def test_chance_is_the_share_of_the_most_frequent_label(monkeypatch):
    monkeypatch.setattr(parity.Builder, "SIZES", {"train": 64, "validation": 20, "test": 200})
    task, recipes = memory.recipes(Memory(test="parity", steps=9, cells="gru", seeds="1"))
    rows = [labels for _, labels in _examples(9, 200)]
    odd = sum(int(labels[-1]) for labels in rows) / 200
    assert memory.chance(task, recipes[0]) == pytest.approx(max(odd, 1 - odd))


def _examples(steps, count):
    import numpy as np

    rng = np.random.default_rng([SEEDS["test"], steps, 2])
    return [parity.example(int(n), 2, True, rng) for n in parity.Builder.distances("test", steps, rng, count)]


def test_a_cell_remembers_as_far_as_all_distances_are_solved():
    def result(*values):
        return results.Result("gru", 1, dict(zip((1, 5, 10, 50), values, strict=True)), 0.1)

    assert result(1.0, 0.95, 0.9, 0.91).remembers == 50
    assert result(1.0, 0.95, 0.5, 0.99).remembers == 5
    assert result(0.5, 1.0, 1.0, 1.0).remembers == 0
    lines = list(memory._verdicts([result(1, 1, 1, 1), result(1, 1, 0.6, 0.6)]))
    assert lines == ["gru: accuracy of at least 90% up to 5 to 50 steps, 2 seeds"]


def test_all_cells_can_be_named_at_once():
    from zoo import cells

    assert choices.cell_names("all") == tuple(cells.TABLE)
    assert choices.cell_names("lstm, min_gru:signed") == ("lstm", "min_gru:signed")
