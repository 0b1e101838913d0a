"""scripts/transformer.py: nets that mask and search right, and a training of each task within zoo's own loop."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from keras import ops

from zoo.decoding import Logits
from zoo.errors import UserError
from zoo.ids import END, START

SIZES = {"num_layers": 2, "hidden_dim": 16, "num_heads": 2, "intermediate_dim": 24}


@pytest.fixture
def script(import_script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The script, with a table of its own."""
    module = import_script("transformer")
    monkeypatch.setattr(module, "FILE", tmp_path / "transformer.json")
    return module


@pytest.fixture
def nets(script: Any) -> Any:
    return importlib.import_module("transformer_nets")


@pytest.fixture
def translator(nets: Any) -> Any:
    net = nets.TransformerTranslator(20, 30, share_embeddings=False, max_length=6, **SIZES)
    net.build()
    return net


SOURCE = np.array([[5, 6, 7, END], [8, END, 0, 0]], "int32")
TARGET = np.array([[START, 9, 4, 11], [START, 7, 7, 12]], "int32")


def logits(net: Any, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return np.array(net((source, target)))


def test_attention_is_the_formula(nets: Any) -> None:
    layer = nets.Attention(4, 2)
    layer.build()
    random = np.random.default_rng(1)
    values, read = random.normal(size=(1, 3, 4)), random.normal(size=(1, 5, 4))
    mask = random.random((3, 5)) < 0.7
    mask[:, 0] = True

    def dense(part: Any, x: np.ndarray) -> np.ndarray:
        return x @ np.array(part.kernel) + np.array(part.bias)

    queries, pairs = dense(layer.query, values[0]), dense(layer.key_value, read[0])
    result = np.zeros((3, 4))
    for head in range(2):
        some = slice(2 * head, 2 * head + 2)
        scores = queries[:, some] @ pairs[:, :4][:, some].T / np.sqrt(2)
        weights = np.where(mask, np.exp(scores), 0)
        result[:, some] = weights / weights.sum(axis=1, keepdims=True) @ pairs[:, 4:][:, some]
    found = layer(values.astype("f4"), layer.key_value(read.astype("f4")), mask[None, None])
    np.testing.assert_allclose(np.array(found)[0], dense(layer.result, result), atol=1e-5)


def test_a_search_computes_what_teacher_forcing_does(translator: Any) -> None:
    whole, state = logits(translator, SOURCE, TARGET), translator.encode(SOURCE)
    for time in range(TARGET.shape[1]):
        found, state = translator.step(TARGET[:, time], state)
        assert isinstance(found, Logits)
        np.testing.assert_allclose(np.array(found.values), whole[:, time], atol=1e-5)


def test_neighboring_rows_of_a_beam_read_the_source_of_their_example(translator: Any) -> None:
    alone, twice = translator.encode(SOURCE), translator.encode(SOURCE)
    for name in ("time", "own"):
        rows = twice[name] if name == "own" else [twice[name]]
        repeated = [ops.repeat(tensor, 2, axis=0) for tensor in rows]
        twice[name] = repeated if name == "own" else repeated[0]
    one = np.array(translator.step(TARGET[:, 1], alone)[0].values)
    two = np.array(translator.step(np.repeat(TARGET[:, 1], 2), twice)[0].values)
    np.testing.assert_allclose(two, np.repeat(one, 2, axis=0), atol=1e-5)


def test_neither_padding_nor_later_tokens_change_anything(translator: Any, nets: Any) -> None:
    wider = np.pad(SOURCE, ((0, 0), (0, 3)))
    before = logits(translator, SOURCE, TARGET)
    np.testing.assert_allclose(logits(translator, wider, TARGET), before, atol=1e-5)
    changed = TARGET.copy()
    changed[:, 2:] = 13
    after = logits(translator, SOURCE, changed)
    np.testing.assert_allclose(after[:, :2], before[:, :2], atol=1e-5)
    assert np.abs(after[:, 2:] - before[:, 2:]).max() > 1e-3
    classifier = nets.TransformerClassifier(20, 3, **SIZES)
    classifier.build()
    np.testing.assert_allclose(np.array(classifier(wider)), np.array(classifier(SOURCE)), atol=1e-5)
    np.testing.assert_allclose(np.array(classifier(SOURCE)).sum(axis=1), 1, atol=1e-5)


def test_positions_matter_and_sizes_must_fit(translator: Any, nets: Any) -> None:
    swapped = np.array([[6, 5, 7, END], [8, END, 0, 0]], "int32")
    difference = np.abs(logits(translator, swapped, TARGET) - logits(translator, SOURCE, TARGET)).max(axis=(1, 2))
    assert difference[0] > 1e-4
    assert difference[1] < 1e-5
    with pytest.raises(UserError, match="an even multiple of --num-heads; got 10 and 4"):
        nets.TransformerClassifier(20, 2, hidden_dim=10, num_heads=4)
    with pytest.raises(UserError, match="writes 6 tokens at most; got 7"):
        translator.search(SOURCE, max_new_tokens=7, beam_size=1)


@pytest.mark.parametrize("size", [1, 3])
def test_greedy_and_beam_search_run(translator: Any, size: int) -> None:
    found = translator.search(SOURCE, beam_size=size, max_new_tokens=6)
    assert found["tokens"].shape == (2, 1, 6)
    if size == 1:
        target = np.zeros((2, 7), "int32")
        target[:, 0] = START
        for time in range(6):
            target[:, time + 1] = logits(translator, SOURCE, target)[:, time].argmax(axis=-1)
        for row, tokens in zip(target[:, 1:], found["tokens"][:, 0], strict=True):
            ends = np.flatnonzero(row == END)
            length = ends[0] + 1 if len(ends) else len(row)
            assert tokens[:length].tolist() == row[:length].tolist()


TINY = ["--preset", "tiny", "--num-layers", "1", "--hidden-dim", "16", "--num-heads", "2", "--intermediate-dim", "16"]


def run(script: Any, *arguments: str) -> Any:
    result = CliRunner().invoke(script.commands, [*arguments, "--models-dir", str(script.FILE.parent)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def losses(script: Any, name: str) -> list[float]:
    state = script.FILE.parent / f".transformer-{name}.training" / "train" / "state.json"
    return [row["loss"] for row in json.loads(state.read_text())["history"]]


def test_a_translator_learns_and_its_test_split_is_scored_only_on_demand(script: Any) -> None:
    assert run(script, "translate", *TINY, "--epochs", "3", "--learning-rate", "0.01").exit_code == 0
    found = losses(script, "translate-tiny")
    assert found[2] < found[1] < found[0]
    row = script.read()["translate-tiny"]
    assert row["test"] == {}
    assert set(row["validation"]) == {"bleu", "exact_match", "loss"}
    assert (row["dataset"], row["epochs"], row["monitor"]) == ("phrases/en-de", 3, "bleu")
    assert row["settings"]["hidden_dim"] == 16
    assert "units" not in row["settings"]
    again = ["translate", *TINY, "--epochs", "3", "--learning-rate", "0.01", "--resume", "--score-test"]
    assert run(script, *again).exit_code == 0
    after = script.read()["translate-tiny"]
    assert after["validation"] == row["validation"]
    assert 0 <= after["test"]["bleu"] <= 100
    with pytest.raises(UserError, match="with a test score, which stays"):
        run(script, *again)
    assert "| translate-tiny | phrases/en-de |" in script.table("translate")
    assert script.table("sentiment") == "Not measured yet."


def test_a_classifier_learns_from_what_the_recipe_names(script: Any) -> None:
    options = ["--epochs", "3", "--learning-rate", "0.01", "--name", "mine"]
    assert run(script, "sentiment", *TINY, *options).exit_code == 0
    found = losses(script, "mine")
    assert found[2] < found[0]
    assert script.read()["mine"]["validation"]["accuracy"] >= 0.5


def test_settings_of_recurrent_nets_are_refused(script: Any) -> None:
    result = run(script, "translate", *TINY, "--units", "8")
    assert result.exit_code == 2
    assert "No such option" in result.output
    assert not script.FILE.exists()
