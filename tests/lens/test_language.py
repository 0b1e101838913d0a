"""What language models read: gradients against differences, states against single steps, units that are known."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, engine
from zoo.data import text
from zoo.errors import UserError
from zoo.lens import connectivity, language, neurons, properties
from zoo.lens.settings import Connectivity, Neurons
from zoo.saved import SavedModel
from zoo.settings import TrainConfig
from zoo.task import find
from zoo.terminal import shades

LETTERS = text.Tokenizer.train(['ab c(d)e"\n'], "char")


def saved(net, cell="gru", task="charlm", **assets):
    return SavedModel(Path("some-model"), find(task), TrainConfig(cell=cell), {}, {"tokenizer": LETTERS, **assets}, net)


def model(cell, **options):
    keras.utils.set_random_seed(3)
    return builders.language_model(LETTERS.size, cell, 6, embedding_dim=4, suppress_tokens=(0, 1), **options)


@pytest.mark.parametrize(
    ("cell", "options"),
    [("lstm", {"num_layers": 2, "layer_norm": True}), ("min_gru:signed", {}), ("gru", {"tie_output": True})],
)
def test_connectivity_is_the_gradient_by_differences(cell, options):
    keras.utils.set_random_seed(3)
    units = 2 if options.get("tie_output") else 5
    net = builders.language_model(LETTERS.size, cell, units, embedding_dim=2, **options)
    found = connectivity.connect(saved(net), "ab c", new_tokens=3)
    assert found.tokens == ["a", "b", " ", "c"]
    ids = np.array([[2, *LETTERS.encode(["ab c"])[0]]])
    assert language.START == 2
    logits = ops.convert_to_numpy(net(ids))[0, -1].astype("float64")
    best = int(logits.argmax())
    probability = np.exp(logits[best]) / np.exp(logits).sum()
    assert found.candidates[0][1] == pytest.approx(probability, rel=1e-4)
    embedded = ops.convert_to_numpy(net.embedding(ids))
    function = connectivity.log_probability(net, best)
    slopes = np.zeros(embedded.shape)
    with engine.plain_only():
        for place in np.ndindex(embedded.shape):
            moved = np.zeros_like(embedded)
            moved[place] = 1e-2
            slopes[place] = (float(function(embedded + moved)) - float(function(embedded - moved))) / 2e-2
    np.testing.assert_allclose(found.norms, np.linalg.norm(slopes[0, 1:], axis=-1), rtol=2e-2, atol=1e-4)


def test_the_continuation_is_what_the_model_generates():
    net = model("lstm")
    found = connectivity.connect(saved(net), "abc", new_tokens=5)
    new = net.generate([[2, *LETTERS.encode(["abc"])[0]]], max_new_tokens=5, temperature=0.0, seed=1)
    assert found.continuation == LETTERS.decode([np.asarray(new)[0].tolist()])[0]


def test_what_is_printed_of_connectivity():
    config = Connectivity(text="ab c(d", model="x", plot="c.png", max_new_tokens=4)
    lines = list(connectivity.show_connectivity(config, [saved(model("gru"))]))
    assert lines[0] == "ab c(d"
    assert len(lines[1]) == 6
    assert set(lines[1]) <= set("0123456789")
    assert "9" in lines[1], "the strongest one"
    assert lines[2] == shades.LEGEND_PLAIN
    assert lines[3].startswith("next: ")
    assert Path("c.png").stat().st_size > 2_000
    (line,) = connectivity.show_connectivity(Connectivity("ab", plot="c.png", json=True), [saved(model("gru"))])
    found = json.loads(line)
    assert len(found["norms"]) == 2
    assert sum(item["probability"] for item in found["next"]) <= 1.0001


def test_models_of_other_tasks_and_empty_texts_are_refused():
    other = saved(builders.classifier(9, 2, "gru", 4), task="sentiment")
    with pytest.raises(UserError, match=r"is a model for sentiment; this needs a language model"):
        connectivity.connect(other, "ab")
    with pytest.raises(UserError, match="is a model for sentiment"):
        neurons.find(other, "ab" * 500)
    with pytest.raises(UserError, match="text is empty"):
        connectivity.connect(saved(model("gru")), "")
    with pytest.raises(UserError, match="at most 1,000"):
        connectivity.connect(saved(model("gru")), "a" * 1_001)
    with pytest.raises(UserError, match="at least 200"):
        neurons.find(saved(model("gru")), "ab")


@pytest.mark.parametrize("cell", ["lstm", "gru", "min_gru"])
def test_states_along_a_text_are_those_of_single_steps(cell):
    net = model(cell, num_layers=2)
    ids = LETTERS.encode(["ab c(d)e" * 3])[0]
    found = language.states_along(saved(net, cell), ids)
    state = net.begin(1)
    # All the context there is: the parts begin with as many start tokens as the text is long.
    for _ in ids:
        _, state = net.step(ops.convert_to_tensor([2]), state)
    for place, token in enumerate(ids):
        _, state = net.step(ops.convert_to_tensor([token]), state)
        if place in (0, 1):  # the first part: later ones have less context before them
            for layer, states in enumerate(found):
                expected = np.concatenate([ops.convert_to_numpy(part) for part in state[layer]], axis=-1)[0]
                np.testing.assert_allclose(states[place], expected, atol=1e-5)
    assert [states.shape[0] for states in found] == [len(ids), len(ids)]


PROSE = 'ab (c d) "e ab" c\n  ab "c" (d\n\n' * 40


def test_the_unit_that_was_made_to_follow_brackets_is_found():
    """Unit 2 of a plain linear recurrence adds 1 at an opening bracket and takes 1 at a closing one."""
    net = model("simple_rnn")
    cell = net.recurrent.runs[0][0]
    table = np.zeros(net.embedding.table.embeddings.shape, "float32")
    for letter, step in (("(", 1.0), (")", -1.0)):
        table[LETTERS.encode([letter])[0][0], 0] = step
    net.embedding.table.embeddings.assign(table)
    kernel, recurrent, bias = (np.zeros_like(weight) for weight in cell.get_weights())
    kernel[0, 2] = 0.3
    recurrent[2, 2] = 1.0
    kernel[0, 4] = 1.0  # another unit sees brackets and forgets them
    cell.set_weights([kernel, recurrent, bias])
    tokens, units = neurons.find(saved(net, "simple_rnn"), PROSE.replace("(d\n", "d\n"))
    unit = units["inside brackets"]
    assert unit.name == "layer 1, h, unit 3"
    assert unit.correlation > 0.95
    assert len(tokens) == len(unit.activation)


def test_a_unit_is_chosen_on_one_half_and_scored_on_the_other():
    values = np.tile([0.0, 1.0], 50)
    rng = np.random.default_rng(0)
    lucky = np.concatenate([values[:50], rng.normal(size=50)])  # follows the property in the first half only
    honest = values + rng.normal(0, 0.3, 100)
    unit = neurons.best_unit(np.stack([honest, -lucky], axis=1), ["honest", "lucky"], "p", values)
    assert unit.name == "lucky"
    assert unit.chosen_by == pytest.approx(1)
    assert abs(unit.correlation) < 0.4
    assert unit.activation[1] > unit.activation[0], "turned, so that it rises with the property"
    assert neurons.best_unit(np.ones((100, 1)), ["x"], "p", np.zeros(100)) is None


def test_correlations_are_those_of_numpy():
    rng = np.random.default_rng(0)
    states, values = rng.normal(size=(50, 3)), rng.normal(size=50)
    states[:, 1] = 7.0  # never changes
    found = neurons.correlations(states, values)
    expected = [np.corrcoef(states[:, unit], values)[0, 1] for unit in (0, 2)]
    np.testing.assert_allclose(found[[0, 2]], expected)
    assert found[1] == 0


def test_what_is_printed_of_neurons(tmp_path):
    file = tmp_path / "prose.txt"
    file.write_text(PROSE.replace('"', "a"))
    net = saved(model("lstm"), "lstm")
    lines = list(neurons.show_neurons(Neurons(str(file), plot="n.png"), [net]))
    assert lines[1].split() == ["property", "r", "first", "half", "unit"]
    assert "inside quotes: not in both halves of this text" in lines
    assert lines[-1] == "n.png"
    assert Path("n.png").stat().st_size > 10_000
    (line,) = neurons.show_neurons(Neurons(str(file), plot="n.png", json=True), [net])
    found = json.loads(line)
    assert set(found["not_in_text"]) == {"inside quotes", "in capitals"}
    assert {row["property"] for row in found["units"]} | set(found["not_in_text"]) == set(properties.PROPERTIES)
    for bad, message in ((tmp_path / "none", "cannot be read"), (tmp_path / "bad", "is not UTF-8")):
        (tmp_path / "bad").write_bytes(b"\xff\xfe" * 300)
        with pytest.raises(UserError, match=message):
            list(neurons.show_neurons(Neurons(str(bad), plot="n.png"), [net]))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("inside quotes", 'a"b"c"\n\nd', [0, 1, 1, 0, 0, 1, 1, 0, 0]),
        ("inside brackets", "a([b])c)(\n\nd", [0, 1, 2, 2, 1, 0, 0, 0, 1, 1, 0, 0]),
        ("position in line", "ab\nc\n", [1, 2, 0, 1, 0]),
        ("indentation", "  a b\n c", [1, 2, 2, 2, 2, 0, 1, 1]),
        ("position in word", "ab, c1", [1, 2, 0, 0, 1, 2]),
        ("in capitals", "aB C.d", [0, 1, 1, 1, 1, 0]),
    ],
)
def test_properties_of_characters(name, text, expected):
    assert properties.PROPERTIES[name](text).tolist() == expected


def test_text_is_shaded_by_digits_where_there_is_no_color():
    lines = list(shades.shaded(list("ab\nc"), [0.0, 0.55, 0.2, 1.0], color=False))
    assert lines == ["ab↵", "052", "c", "9"]
    colored = list(shades.shaded(list("ab"), [0.0, 1.0], color=True))
    assert colored == ["\x1b[38;5;16m\x1b[48;5;231ma\x1b[0m\x1b[38;5;231m\x1b[48;5;18mb\x1b[0m"]


def test_long_lines_are_broken():
    rows = list(shades.rows(list("abcdef\n"), [0.0] * 7, width=3))
    assert ["".join(text for text, _ in row) for row in rows] == ["abc", "def↵"]


def test_colors_need_a_terminal_and_can_be_turned_off(monkeypatch):
    assert not shades.has_color()
    monkeypatch.setattr(shades.sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert shades.has_color()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not shades.has_color()
