"""Fine-tuning to labels that the saved model does not know: a new output layer on its network, in all three tasks."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from zoo import saved
from zoo.cli import cli
from zoo.errors import UserError


def table(labels: dict[str, str]) -> str:
    """Texts in three labels, as CSV."""
    rows = [f"a {word} film {number},{label}\n" for number in range(12) for label, word in labels.items()]
    return "text,label\n" + "".join(rows)


def words(labels: dict[str, str]) -> str:
    """Sentences in columns: word, label."""
    row = "".join(f"{word}\t{label}\n" for label, word in labels.items())
    return "".join(f"he\t{next(iter(labels))}\n" * (1 + number % 5) + row + "\n" for number in range(30))


def series(labels: dict[str, str]) -> str:
    """Series of four steps, as CSV."""
    rows = [
        ",".join(f"{np.sin(number + step + index):.3f}" for step in range(4)) + f",{label}\n"
        for number in range(12)
        for index, label in enumerate(labels)
    ]
    return "t0,t1,t2,t3,label\n" + "".join(rows)


OLD, NEW = {"neg": "bad", "pos": "good"}, {"bad": "bad", "fair": "middling", "good": "good"}
TASKS: dict[str, tuple[Any, str, tuple[str, ...], str]] = {
    "sentiment": (table, "csv", ("--preset", "tiny"), "a good film"),
    "tag": (words, "conll", ("--preset", "tiny"), "he good"),
    "classify": (series, "csv", ("--cell", "gru", "--units", "4"), "[0.1, 0.2, 0.3, 0.4]"),
}


def train(task: str, *arguments: object) -> str:
    given = ["train", task, *map(str, arguments), "--epochs", "1", "--no-plot", "--models-dir", "."]
    result = CliRunner().invoke(cli, given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module", params=TASKS)
def first(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A model that knows the old labels, beside a file that has the new ones."""
    task = request.param
    content, suffix, options, _ = TASKS[task]
    folder = tmp_path_factory.mktemp(task)
    for name, labels in (("old", OLD), ("new", NEW), ("some", dict.fromkeys(("neg", "pos"), "bad"))):
        (folder / f"{name}.{suffix}").write_text(content(labels), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train(task, "--dataset", f"old.{suffix}", "--name", "first", *options)
    return task, folder


@pytest.fixture
def there(first: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    task, folder = first
    monkeypatch.chdir(folder)
    return task, TASKS[task][1]


def weights(name: str) -> dict[str, list[np.ndarray]]:
    net = saved.load(Path(name)).net
    return {layer.name: layer.get_weights() for layer in net.layers if layer.weights}


def test_other_labels_have_a_new_output_layer_on_the_same_network(there: tuple[str, str]) -> None:
    task, suffix = there
    tune = functools.partial(train, task, "--init-from", "first", "--dataset", f"new.{suffix}")
    said = tune("--learning-rate", "0", "--name", "still")
    assert "first has other labels: the output layer 'label' is new." in said
    old, new = weights("first"), weights("still")
    assert [array.shape[-1] for array in (old.pop("label")[-1], new.pop("label")[-1])] == [2, 3]
    for name, arrays in old.items():
        for before, after in zip(arrays, new[name], strict=True):
            np.testing.assert_allclose(before, after, atol=1e-6, err_msg=name)
    tuned = saved.load(Path("still"))
    assert tuned.assets["labels"] == sorted(NEW)
    for name in set(tuned.assets) - {"labels"}:
        assert hasattr(tuned.assets[name], "save") or tuned.assets[name] == saved.load(Path("first")).assets[name]
    (answer,) = tuned.predict([TASKS[task][3]])
    assert {part.rpartition("/")[2] for part in str(answer["answer"]).split()} <= set(NEW)


def test_the_labels_of_the_model_keep_its_output_layer(there: tuple[str, str]) -> None:
    task, suffix = there
    said = train(task, "--init-from", "first", "--dataset", f"some.{suffix}", "--learning-rate", "0", "--name", "same")
    assert "is new" not in said
    for before, after in zip(weights("first")["label"], weights("same")["label"], strict=True):
        np.testing.assert_allclose(before, after, atol=1e-6)


def test_scoring_still_refuses_labels_that_the_model_does_not_know(there: tuple[str, str]) -> None:
    _, suffix = there
    result = CliRunner().invoke(cli, ["evaluate", "first", "--models-dir", ".", "--dataset", f"new.{suffix}"])
    assert isinstance(result.exception, UserError)
    assert "label" in str(result.exception)
