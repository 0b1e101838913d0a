"""What holds for every search; greedy search; ensembles."""

from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras import ops, tree

from zoo import decoding
from zoo.decoding import options
from zoo.errors import UserError

OPTIONS = {"greedy": {}, "beam": {"beam_size": 3, "num_return": 2}, "sample": {"seed": 1, "temperature": 0.05}}
WORDS = ["hello", "a", "", "abracadabra"]


def test_every_decoder_has_its_options_here():
    assert OPTIONS.keys() == decoding.TABLE.keys()


def run(name, step, state, **given):
    """The best sequence of each example."""
    found = getattr(decoding, name)(step, state, **{**OPTIONS[name], **given})
    found = tree.map_structure(ops.convert_to_numpy, found)
    return tree.map_structure(lambda part: part[:, 0], found) if name == "beam" else found


@pytest.mark.parametrize("name", decoding.TABLE)
def test_spells_a_word_of_each_example(name, toys):
    step, state = toys.spell(WORDS, 12)
    found = run(name, step, state, start=1, end=toys.END, max_new_tokens=12)
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
    found = run(name, step, state, start=1, end=toys.END, max_new_tokens=3)
    assert [toys.read(row) for row in found.tokens] == ["hel", "a.", ".", "abr"]
    assert found.lengths.tolist() == [3, 2, 1, 3]


@pytest.mark.parametrize("name", decoding.TABLE)
def test_forced_tokens_come_first_and_count(name, toys):
    step, state = toys.spell(WORDS, 12)
    prefix = np.array([[9, 0, 0], [0, 0, 0], [toys.END, 5, 5], [5, 5, 5]])  # h, nothing, the end, ddd
    found = run(name, step, state, start=1, end=toys.END, max_new_tokens=12, forced_prefix=prefix)
    assert [toys.read(row) for row in found.tokens] == ["hello.", "a.", ".", "ddd" + "acadabra."]
    np.testing.assert_allclose(found.log_probabilities, [-0.6, -0.2, -0.1, -12.9], rtol=1e-5)
    prefix = np.array([[9, 9], [0, 0], [toys.END, 5], [5, 5]])
    cut = run(name, step, state, start=1, end=toys.END, max_new_tokens=2, forced_prefix=prefix)
    assert [toys.read(row) for row in cut.tokens] == ["hh", "a.", ".", "dd"]


@pytest.mark.parametrize("name", decoding.TABLE)
def test_runs_in_a_compiled_model_of_any_batch_size(name, toys):
    tale = toys.Tale(end=-1)
    fixed = {"start": toys.START, "end": toys.END, "max_new_tokens": 6, "record": "seen", **OPTIONS[name]}

    def decode(keys):
        given = {**fixed, "forced_prefix": ops.stack([keys % 2 + 2, keys * 0], axis=1)}
        if name == "beam":
            given.update(coverage_penalty=0.3, consensus=2.0, mask=ops.repeat(keys[:, None] >= 0, toys.SOURCE, axis=1))
        return getattr(decoding, name)(tale.step, tale.state(keys, shared=True), **given)

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
    found = run(name, tale.step, tale.state(keys), start=toys.START, end=toys.END, max_new_tokens=6, record="seen")
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
    rows = 4 * OPTIONS[name].get("beam_size", 1)

    def step(tokens, state):
        (word,), pair, shared, nothing = state
        assert nothing is None
        assert tuple(shared.value["mask"].shape) == (4, 2)
        assert tuple(tokens.shape) == tuple(word.shape) == tuple(pair.one.shape) == (rows,)
        table, new = spelling(tokens, {"word": word, "time": pair.one})
        return table, ([new["word"]], Pair(new["time"], pair.other), decoding.BatchShared({"mask": 0}), None)

    memory = decoding.BatchShared({"mask": np.ones((4, 2), "bool")})
    nest = ([state["word"]], Pair(state["time"], np.zeros((4, 2, 2), "float32")), memory, None)
    found = run(name, step, nest, start=1, end=toys.END, max_new_tokens=12)
    assert [toys.read(row) for row in found.tokens] == ["hello.", "a.", ".", "abracadabra."]


@pytest.mark.parametrize("name", decoding.TABLE)
def test_without_a_state_start_tells_the_size_of_the_batch(name):
    def step(tokens, state):
        return ops.log_softmax(-ops.cast(ops.abs(ops.arange(6) - tokens[:, None] + 1), "float32") * 9), state

    found = run(name, step, {}, start=np.array([5, 3]), end=1, max_new_tokens=5)
    assert found.tokens.tolist() == [[4, 3, 2, 1, 0], [2, 1, 0, 0, 0]]
    with pytest.raises(ValueError, match="size of the batch"):
        run(name, step, {}, start=5, end=1, max_new_tokens=5)


@pytest.mark.parametrize("name", decoding.TABLE)
def test_half_precision_is_added_up_in_full(name):
    def step(tokens, state):
        table = ops.convert_to_tensor(np.array([[-np.inf, -0.0123, -0.0123, -np.inf]], "float16"))
        return ops.repeat(table, ops.shape(tokens)[0], axis=0), {"hidden": ops.cast(state["hidden"], "float16")}

    found = run(name, step, {"hidden": np.zeros((2, 1), "float32")}, start=0, end=3, max_new_tokens=20)
    np.testing.assert_allclose(found.log_probabilities, 20 * np.float32(np.float16(-0.0123)), rtol=1e-5)


@pytest.mark.parametrize("name", decoding.TABLE)
def test_changes_of_the_state_are_refused(name):
    def step(tokens, state):
        return ops.zeros((ops.shape(tokens)[0], 4)), change(state)

    fixed = {"start": 1, "end": 2, "max_new_tokens": 3}
    change = lambda state: {"a": state["a"][:, :2]}  # noqa: E731
    with pytest.raises(ValueError, match="keep the shapes"):
        run(name, step, {"a": np.zeros((2, 3), "float32")}, **fixed)
    change = lambda state: {"b": state["a"]}  # noqa: E731
    with pytest.raises(ValueError, match="structure"):
        run(name, step, {"a": np.zeros((2, 3), "float32")}, **fixed)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        *((name, {"max_new_tokens": 0}, "from 1 on; got max_new_tokens=0") for name in decoding.TABLE),
        ("beam", {"beam_size": 0}, "beam_size=0"),
        ("beam", {"beam_size": 2.0}, "whole number .* beam_size=2.0"),
        ("beam", {"beam_size": 2, "num_return": 3}, "at most beam_size; got num_return=3 with beam_size=2"),
        ("beam", {"num_return": 0}, "num_return=0"),
        ("beam", {"length_penalty": -1.0}, "length_penalty=-1.0"),
        ("beam", {"length_penalty": np.nan}, "finite number from 0 on; got length_penalty=nan"),
        ("beam", {"coverage_penalty": -0.1}, "coverage_penalty=-0.1"),
        ("beam", {"coverage_penalty": np.inf, "record": "time"}, "coverage_penalty=inf"),
        ("beam", {"coverage_penalty": 0.1}, "`record`"),
        ("beam", {"halvings": -1}, "halvings=-1"),
        ("sample", {"temperature": -0.5}, "temperature=-0.5"),
        ("sample", {"temperature": np.inf}, "temperature=inf"),
        ("sample", {"top_p": 0.0}, "top_p=0.0"),
        ("sample", {"top_p": 1.5}, "top_p=1.5"),
        ("sample", {"top_p": np.nan}, "top_p=nan"),
        ("sample", {"top_k": -1}, "top_k=-1"),
        ("sample", {"top_k": True}, "top_k=True"),
        ("beam", {"beam_sise": 2}, r"No option of beam\(\) is called 'beam_sise'; did you mean 'beam_size'"),
        ("beam", {"width": 2}, "width is the old name of beam_size; both were given"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(name, given, message, toys):
    step, state = toys.spell(WORDS, 12)
    with pytest.raises(UserError, match=message):
        run(name, step, state, **{"start": 1, "end": toys.END, "max_new_tokens": 5, **given})


def test_names_of_version_0_1_still_work_and_name_the_new_one(toys):
    step, state = toys.spell(WORDS, 12)
    old = {"length": 12, "width": 2, "nbest": 2, "penalty": 0.7, "coverage": 0.0, "prefix": np.full((4, 1), 5)}
    new = {"max_new_tokens": 12, "beam_size": 2, "num_return": 2, "length_penalty": 0.7, "forced_prefix": old["prefix"]}
    with pytest.warns(FutureWarning) as caught:
        found = decoding.beam(step, state, start=1, end=toys.END, **old)
    messages = [str(warning.message) for warning in caught]
    assert [message.split(";")[0] for message in messages] == [
        f"beam(): {name} is now called {options.OLD_NAMES[name]}" for name in old
    ]
    assert {warning.filename for warning in caught} == {__file__}
    expected = decoding.beam(step, state, start=1, end=toys.END, **new)
    np.testing.assert_array_equal(ops.convert_to_numpy(found.tokens), ops.convert_to_numpy(expected.tokens))


def test_greedy_takes_the_first_of_equals_also_in_a_large_vocabulary():
    table = np.full((2, 1000), -3.0, "float32")
    table[0, [7, 40, 999]] = table[1, [999, 998]] = -1.0

    def step(tokens, state):
        return ops.convert_to_tensor(table), state

    found = run("greedy", step, {"a": np.zeros(2)}, start=0, end=998, max_new_tokens=2)
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
    fixed = {"start": toys.START, "end": toys.END, "max_new_tokens": 6}
    alone = run(name, tale.step, tale.state([1, 2, 3]), **fixed)
    states = [tale.state([1, 2, 3], shared=True), tale.state([1, 2, 3])]
    both = run(name, decoding.ensemble([tale.step, tale.step]), states, **fixed)
    assert both.tokens.tolist() == alone.tokens.tolist()
    np.testing.assert_allclose(both.scores, alone.scores, rtol=1e-5)


def test_an_ensemble_refuses_what_does_not_fit():
    def of(size):
        return lambda tokens, state: (ops.zeros((2, size)), state)

    with pytest.raises(ValueError, match="got 5, 7 tokens"):
        decoding.ensemble([of(5), of(7)])(ops.zeros(2, "int32"), [{}, {}])
    with pytest.raises(ValueError, match="2 steps needs one state for each; got 1"):
        decoding.ensemble([of(5), of(5)])(ops.zeros(2, "int32"), [{}])
    with pytest.raises(ValueError, match="at least one step"):
        decoding.ensemble([])


@pytest.mark.parametrize("prefix", [None, [[3], [0], [4]] * 10])
def test_halving_a_greedy_batch_changes_nothing(prefix, toys):
    tale, keys = toys.Tale(seed=3, end=-1), np.arange(30)
    options = {"start": toys.START, "end": toys.END, "max_new_tokens": 9, "record": "seen", "forced_prefix": prefix}
    whole = decoding.greedy(tale.step, tale.state(keys, shared=True), **options)
    halved = decoding.greedy(tale.step, tale.state(keys, shared=True), halvings=3, **options)
    assert len(set(ops.convert_to_numpy(whole.lengths).tolist())) > 3
    for one, other in zip(tree.flatten(whole), tree.flatten(halved), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(UserError, match="drop halvings or keep_state"):
        decoding.greedy(tale.step, tale.state(keys), halvings=1, keep_state=True, **options)


@pytest.mark.parametrize("search", ["greedy", "beam"])
def test_logits_give_what_their_log_probabilities_give(search, toys):
    tale, shift = toys.Tale(seed=6), np.arange(97, dtype="float32")[:, None] - 40

    def logits(tokens, state):
        table, state = tale.step(tokens, state)
        shifted = table + state["shift"].value[: ops.shape(table)[0]]  # another constant for each row
        return decoding.Logits(shifted), {**state, "seen": decoding.Emitted(state["seen"])}

    def state():
        made = tale.state(np.arange(5))
        return made, {**made, "seen": decoding.Emitted(made["seen"]), "shift": decoding.Constant(shift)}

    options = {"start": toys.START, "end": toys.END, "max_new_tokens": 6, "record": "seen"}
    options |= {"beam_size": 4, "num_return": 2} if search == "beam" else {}
    options["halvings"] = 1
    plain, marked = state()
    for prefix in (None, [[3, 2]] * 5):
        one = decoding.find(search)(tale.step, plain, forced_prefix=prefix, **options)
        other = decoding.find(search)(logits, marked, forced_prefix=prefix, **options)
        np.testing.assert_array_equal(one.tokens, other.tokens)
        np.testing.assert_allclose(one.log_probabilities, other.log_probabilities, rtol=1e-5)
        np.testing.assert_array_equal(one.attention, other.attention)
