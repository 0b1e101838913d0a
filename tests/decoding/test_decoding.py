"""What holds of every decoder; greedy search; ensembles; the package."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras import ops, tree

from zoo import decoding

OPTIONS = {"greedy": {}, "beam": {"width": 3, "nbest": 2}, "sample": {"seed": 1, "temperature": 0.05}}
WORDS = ["hello", "a", "", "abracadabra"]


def test_every_decoder_has_its_options_here():
    assert OPTIONS.keys() == decoding.TABLE.keys()


def run(name, step, state, **options):
    """The best sequence of each example."""
    found = getattr(decoding, name)(step, state, **{**OPTIONS[name], **options})
    found = tree.map_structure(ops.convert_to_numpy, found)
    return tree.map_structure(lambda part: part[:, 0], found) if name == "beam" else found


@pytest.mark.parametrize("name", decoding.TABLE)
def test_spells_a_word_of_each_example(name, toys):
    step, state = toys.spell(WORDS, 12)
    found = run(name, step, state, start=1, end=toys.END, length=12)
    assert [toys.read(row) for row in found.tokens] == ["hello.", "a.", ".", "abracadabra."]
    assert found.lengths.tolist() == [6, 2, 1, 12]
    np.testing.assert_allclose(found.log_probabilities, -0.1 * found.lengths, rtol=1e-5)
    assert found.tokens.dtype == found.lengths.dtype == "int32"
    assert found.scores.dtype == found.log_probabilities.dtype == found.attention.dtype == "float32"
    assert found.tokens.shape == (4, 12)
    assert found.attention.shape == (4, 12, 0)


@pytest.mark.parametrize("name", decoding.TABLE)
def test_stops_at_length(name, toys):
    step, state = toys.spell(WORDS, 12, other=-np.inf)
    found = run(name, step, state, start=1, end=toys.END, length=3)
    assert [toys.read(row) for row in found.tokens] == ["hel", "a.", ".", "abr"]
    assert found.lengths.tolist() == [3, 2, 1, 3]


@pytest.mark.parametrize("name", decoding.TABLE)
def test_forced_tokens_come_first_and_count(name, toys):
    step, state = toys.spell(WORDS, 12)
    prefix = np.array([[9, 0, 0], [0, 0, 0], [toys.END, 5, 5], [5, 5, 5]])  # h, nothing, the end, ddd
    found = run(name, step, state, start=1, end=toys.END, length=12, prefix=prefix)
    assert [toys.read(row) for row in found.tokens] == ["hello.", "a.", ".", "ddd" + "acadabra."]
    np.testing.assert_allclose(found.log_probabilities, [-0.6, -0.2, -0.1, -12.9], rtol=1e-5)
    cut = run(
        name, step, state, start=1, end=toys.END, length=2, prefix=prefix[:, :2] + [[0, 9], [0, 0], [0, 0], [0, 0]]
    )
    assert [toys.read(row) for row in cut.tokens] == ["hh", "a.", ".", "dd"]


@pytest.mark.parametrize("name", decoding.TABLE)
def test_runs_in_a_compiled_model_of_any_batch_size(name, toys):
    tale = toys.Tale(end=-1)
    fixed = {"start": toys.START, "end": toys.END, "length": 6, "record": "seen", **OPTIONS[name]}

    def decode(keys):
        options = {**fixed, "prefix": ops.stack([keys % 2 + 2, keys * 0], axis=1)}
        if name == "beam":
            options.update(coverage=0.3, mask=ops.repeat(keys[:, None] >= 0, toys.SOURCE, axis=1))
        return getattr(decoding, name)(tale.step, tale.state(keys, shared=True), **options)

    model = toys.Compiled(decode)
    for size in (3,) if keras.backend.backend() == "jax" else (3, 5):
        keys = np.arange(size, dtype="int32")
        found = model.predict_on_batch(keys)
        assert isinstance(found, decoding.Decoded)
        for one, other in zip(found, decode(ops.convert_to_tensor(keys)), strict=True):
            np.testing.assert_allclose(one, ops.convert_to_numpy(other), rtol=1e-5)
    assert keras.backend.backend() != "tensorflow" or None in model.sizes


@pytest.mark.parametrize("name", decoding.TABLE)
def test_attention_is_what_each_token_saw(name, toys):
    tale = toys.Tale(seed=3, end=-1)
    keys = [5, 50, 77]
    found = run(name, tale.step, tale.state(keys), start=toys.START, end=toys.END, length=6, record="seen")
    assert found.attention.shape == (3, 6, toys.SOURCE)
    for key, tokens, length, seen in zip(keys, found.tokens.tolist(), found.lengths, found.attention, strict=True):
        np.testing.assert_allclose(seen[:length], tale.score(key, tokens[:length])[1])
        assert not seen[length:].any()


class Pair(NamedTuple):
    one: object
    other: object


@pytest.mark.parametrize("name", decoding.TABLE)
def test_the_state_is_any_nest_and_its_shared_parts_stay(name, toys):
    spelling, state = toys.spell(WORDS, 12)
    rows = 4 * OPTIONS[name].get("width", 1)

    def step(tokens, state):
        (word,), pair, shared, nothing = state
        assert nothing is None
        assert tuple(shared.value["mask"].shape) == (4, 2)
        assert tuple(tokens.shape) == tuple(word.shape) == tuple(pair.one.shape) == (rows,)
        table, new = spelling(tokens, {"word": word, "time": pair.one})
        return table, ([new["word"]], Pair(new["time"], pair.other), decoding.Shared({"mask": 0}), None)

    memory = decoding.Shared({"mask": np.ones((4, 2), "bool")})
    nest = ([state["word"]], Pair(state["time"], np.zeros((4, 2, 2), "float32")), memory, None)
    found = run(name, step, nest, start=1, end=toys.END, length=12)
    assert [toys.read(row) for row in found.tokens] == ["hello.", "a.", ".", "abracadabra."]


@pytest.mark.parametrize("name", decoding.TABLE)
def test_without_a_state_start_tells_the_size_of_the_batch(name):
    def step(tokens, state):
        return ops.log_softmax(-ops.cast(ops.abs(ops.arange(6) - tokens[:, None] + 1), "float32") * 9), state

    found = run(name, step, {}, start=np.array([5, 3]), end=1, length=5)
    assert found.tokens.tolist() == [[4, 3, 2, 1, 0], [2, 1, 0, 0, 0]]
    with pytest.raises(ValueError, match="size of the batch"):
        run(name, step, {}, start=5, end=1, length=5)


@pytest.mark.parametrize("name", decoding.TABLE)
def test_half_precision_is_added_up_in_full(name):
    def step(tokens, state):
        table = ops.convert_to_tensor(np.array([[-np.inf, -0.0123, -0.0123, -np.inf]], "float16"))
        return ops.repeat(table, ops.shape(tokens)[0], axis=0), {"hidden": ops.cast(state["hidden"], "float16")}

    found = run(name, step, {"hidden": np.zeros((2, 1), "float32")}, start=0, end=3, length=20)
    np.testing.assert_allclose(found.log_probabilities, 20 * np.float32(np.float16(-0.0123)), rtol=1e-5)


@pytest.mark.parametrize("name", decoding.TABLE)
def test_changes_of_the_state_are_told(name):
    def step(tokens, state):
        return ops.zeros((ops.shape(tokens)[0], 4)), change(state)

    options = {"start": 1, "end": 2, "length": 3}
    change = lambda state: {"a": state["a"][:, :2]}  # noqa: E731
    with pytest.raises(ValueError, match="keep the shapes"):
        run(name, step, {"a": np.zeros((2, 3), "float32")}, **options)
    change = lambda state: {"b": state["a"]}  # noqa: E731
    with pytest.raises(ValueError, match="structure"):
        run(name, step, {"a": np.zeros((2, 3), "float32")}, **options)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("greedy", {"length": 0}, "length=0"),
        ("beam", {"length": 0}, "length=0"),
        ("sample", {"length": 0}, "length=0"),
        ("beam", {"width": 0}, "width=0"),
        ("beam", {"width": 2, "nbest": 3}, "between 1 and 2 .* nbest=3"),
        ("beam", {"nbest": 0}, "nbest=0"),
        ("beam", {"penalty": -1.0}, "penalty=-1.0"),
        ("beam", {"coverage": -0.1}, "coverage=-0.1"),
        ("beam", {"coverage": 0.1}, "`record`"),
        ("sample", {"temperature": -0.5}, "temperature=-0.5"),
        ("sample", {"top_p": 0.0}, "top_p=0.0"),
        ("sample", {"top_p": 1.5}, "top_p=1.5"),
        ("sample", {"top_k": -1}, "top_k=-1"),
    ],
)
def test_bad_arguments_are_told(name, options, told, toys):
    step, state = toys.spell(WORDS, 12)
    with pytest.raises(ValueError, match=told):
        run(name, step, state, **{"start": 1, "end": toys.END, "length": 5, **options})


def test_greedy_takes_the_first_of_equals_also_in_a_large_vocabulary():
    table = np.full((2, 1000), -3.0, "float32")
    table[0, [7, 40, 999]] = table[1, [999, 998]] = -1.0

    def step(tokens, state):
        return ops.convert_to_tensor(table), state

    found = run("greedy", step, {"a": np.zeros(2)}, start=0, end=998, length=2)
    assert found.tokens.tolist() == [[7, 7], [998, 0]]


@pytest.mark.parametrize("size", [999, 1000, 1001, 1039])
def test_the_best_of_a_large_vocabulary_are_the_best(size):
    from zoo.decoding.vocabulary import best_tokens

    random = np.random.default_rng(size)
    for table in (random.normal(size=(20, size)), random.normal(size=(20, size)).round()):
        table = table.astype("float32")
        table[random.random(table.shape) < 0.3] = -np.inf
        table[0] = -np.inf
        table[1, : size - 2] = -np.inf
        values, tokens = (ops.convert_to_numpy(part) for part in best_tokens(ops.convert_to_tensor(table), 6))
        order = np.argsort(-table, axis=1, kind="stable")[:, :6]
        np.testing.assert_array_equal(values, np.take_along_axis(table, order, axis=1))
        assert ((tokens == order) | (values == -np.inf)).all()
        assert (tokens < size).all()


def test_an_ensemble_is_the_mean_of_its_models(toys):
    tales = [toys.Tale(seed) for seed in (0, 1, 2)]
    keys = np.array([3, 4], "int32")
    step = decoding.ensemble([tale.step for tale in tales])
    tokens = np.array([2, 3], "int32")
    mean, states = step(ops.convert_to_tensor(tokens), [tale.state(keys) for tale in tales])
    each = [ops.convert_to_numpy(tale.step(ops.convert_to_tensor(tokens), tale.state(keys))[0]) for tale in tales]
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(ops.convert_to_numpy(mean), np.log(np.mean(np.exp(each), axis=0)), rtol=1e-5)
    assert [int(state["history"][0, -1]) for state in states] == [2, 2, 2]


@pytest.mark.parametrize("name", decoding.TABLE)
def test_an_ensemble_of_one_model_twice_is_the_model(name, toys):
    tale = toys.Tale(end=-1)
    fixed = {"start": toys.START, "end": toys.END, "length": 6}
    alone = run(name, tale.step, tale.state([1, 2, 3]), **fixed)
    states = [tale.state([1, 2, 3], shared=True), tale.state([1, 2, 3])]
    both = run(name, decoding.ensemble([tale.step, tale.step]), states, **fixed)
    assert both.tokens.tolist() == alone.tokens.tolist()
    np.testing.assert_allclose(both.scores, alone.scores, rtol=1e-5)


def test_an_ensemble_tells_what_does_not_fit():
    def of(size):
        return lambda tokens, state: (ops.zeros((2, size)), state)

    with pytest.raises(ValueError, match="sizes 5, 7"):
        decoding.ensemble([of(5), of(7)])(ops.zeros(2, "int32"), [{}, {}])
    with pytest.raises(ValueError, match="2 steps needs as many states; got 1"):
        decoding.ensemble([of(5), of(5)])(ops.zeros(2, "int32"), [{}])
    with pytest.raises(ValueError, match="at least one step"):
        decoding.ensemble([])


def test_the_package_is_light_and_its_names_are_functions():
    code = "import sys, zoo.decoding; assert not {'keras', 'numpy', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert all(callable(getattr(decoding, name)) for name in decoding.__all__ if name != "TABLE")
    with pytest.raises(AttributeError, match="nothing"):
        decoding.nothing  # noqa: B018


ON_JAX = "spells or compiled or counts"
"""Enough to run nearly every line; the rest would take two minutes of compilation, and passes as well."""


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the run on JAX")
def test_decoding_on_jax():
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", "-k", ON_JAX, Path(__file__).parent],
        cwd=Path(__file__).parents[2], env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
