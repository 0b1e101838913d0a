"""The searcher: one compiled object around one model or several, whose answers are those of a plain loop."""

import copy
import gc
import weakref

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders
from zoo.builders import searcher
from zoo.builders.searcher import MOST_KEPT
from zoo.errors import UserError

START, END, LENGTH = 2, 3, 6
OPTIONS = {"start": START, "end": END, "max_new_tokens": LENGTH}
SOURCE_IDS = np.array([[5, 6, 7, 3], [4, 3, 0, 0], [8, 9, 3, 0]], "int32")


def model_of(seed, **settings):
    """A model with large random weights, so that no two answers are close; padding is never one, as after training."""
    model = builders.translator(12, 12, "gru", 4, embedding_dim=3, **settings)
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 1.2, weight.shape) for weight in model.weights])
    model.output_bias.assign(np.where(np.arange(12) == 0, -30, model.output_bias))
    return model


@pytest.fixture(scope="module")
def model():
    return model_of(1)


@pytest.fixture(scope="module")
def other():
    return model_of(2, attention="dot", input_feeding=True)


def probabilities(models, sources, tokens):
    """Of the token after each of these, `(rows, time, vocabulary)`: the mean of passes over whole targets."""
    found = []
    for model in models:
        logits = ops.convert_to_numpy(model((sources, np.array(tokens, "int32")))).astype("float64")
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        found.append(powers / powers.sum(-1, keepdims=True))
    return np.mean(found, axis=0)


def followed(models, sources, prefixes=None, starts=None):
    """Greedy search with lists: of each example the tokens and the sum of their log-probabilities."""
    rows = [[start] for start in starts or [START] * len(sources)]
    prefixes = prefixes or [[]] * len(sources)
    scores, ended = [0.0] * len(sources), [False] * len(sources)
    for time in range(LENGTH):
        for number, table in enumerate(probabilities(models, sources, rows)[:, -1]):
            forced = prefixes[number][time] if time < len(prefixes[number]) else 0
            token = 0 if ended[number] else forced or int(table.argmax())
            scores[number] += 0.0 if ended[number] else np.log(table[token])
            ended[number] |= token == END
            rows[number].append(token)
    return [row[1:] for row in rows], scores


def check(found, models, sources, **given):
    tokens, scores = followed(models, sources, **given)
    assert found["tokens"].tolist() == tokens
    assert found["lengths"].tolist() == [len(row) - row.count(0) for row in tokens]
    np.testing.assert_allclose(found["scores"], scores, atol=1e-4)


def test_same_arguments_give_the_same_object(model, other):
    one = searcher(model, "greedy", **OPTIONS)
    assert searcher(model, "greedy", **OPTIONS) is one
    assert searcher(model, "greedy", **{**OPTIONS, "max_new_tokens": 7}) is not one
    assert searcher(model, "beam", **OPTIONS, beam_size=2) is not one
    assert searcher(other, "greedy", **OPTIONS) is not one
    assert searcher((model, other), "greedy", **OPTIONS) is searcher((model, other), "greedy", **OPTIONS)


@pytest.mark.parametrize(
    ("search", "given", "message"),
    [
        ("beem", {}, "No search is called 'beem'; did you mean 'beam'"),
        ("beam", {"beam_sise": 3}, "No option of the search 'beam' is called 'beam_sise'; did you mean 'beam_size'"),
        ("greedy", {"temperature": 1.0}, "No option of the search 'greedy' is called 'temperature'"),
        ("beam", {}, "The search 'beam' needs beam_size"),
        ("beam", {"beam_size": 2, "num_return": 3}, "num_return is at most beam_size"),
        ("beam", {"beam_size": 2, "length_penalty": float("nan")}, "length_penalty=nan"),
        ("greedy", {"forced_prefix": [[1]]}, "forced_prefix .* is an array or a list: give it with the inputs"),
    ],
)
def test_a_search_that_cannot_run_is_refused_before_anything_is_compiled(search, given, message, model):
    with pytest.raises(UserError, match=message):
        searcher(model, search, **OPTIONS, **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"beam_sise": 2}, r"No option of search\(\) is called 'beam_sise'; did you mean 'beam_size'"),
        ({"beam_size": 0}, "beam_size=0"),
        ({"beam_size": 1, "length_penalty": float("inf")}, "length_penalty=inf"),
        ({"beam_size": 1, "num_return": 2}, "num_return is at most beam_size; got num_return=2 with beam_size=1"),
        ({"max_new_tokens": 0}, "max_new_tokens=0"),
    ],
)
def test_search_refuses_what_makes_no_sense(given, message, model):
    with pytest.raises(UserError, match=message):
        builders.search(model, SOURCE_IDS, **given)


def test_search_takes_the_names_of_version_0_1_for_one_version(model):
    with pytest.warns(FutureWarning) as caught:
        old = builders.search(model, SOURCE_IDS, beam=2, nbest=2, penalty=0.7, length=LENGTH)
    assert str(caught[0].message).startswith("search(): beam is now called beam_size;")
    assert {warning.filename for warning in caught} == {__file__}
    new = builders.search(model, SOURCE_IDS, beam_size=2, num_return=2, length_penalty=0.7, max_new_tokens=LENGTH)
    np.testing.assert_array_equal(old["tokens"], new["tokens"])
    with pytest.warns(FutureWarning, match="length is now called max_new_tokens"):
        assert searcher(model, "greedy", start=START, end=END, length=LENGTH) is searcher(model, "greedy", **OPTIONS)


def test_inputs_that_no_search_reads_are_refused(model):
    with pytest.raises(UserError, match="No option of a searcher's inputs is called 'temperatur'"):
        searcher(model, "greedy", **OPTIONS).predict_on_batch({"inputs": SOURCE_IDS, "temperatur": np.array(2.0)})
    with pytest.raises(UserError, match="The search needs seed: give it as an option or with the inputs"):
        searcher(model, "sample", **OPTIONS).predict_on_batch({"inputs": SOURCE_IDS})


def test_a_model_that_is_dropped_is_freed_with_its_searchers():
    model = model_of(5)
    search = searcher(model, "greedy", **OPTIONS)
    search.predict_on_batch({"inputs": SOURCE_IDS[:1]})
    watched = [weakref.ref(one) for one in (model, search, model.weights[0])]
    del model, search
    gc.collect()
    assert [one() for one in watched] == [None] * 3


def test_searchers_are_no_part_of_the_model_that_keeps_them(tmp_path):
    model = model_of(6)
    names, count = {layer.name for layer in model.layers}, len(model.weights)
    model.save(tmp_path / "before.keras")
    for length in range(2, 30):
        searcher(model, "greedy", **{**OPTIONS, "max_new_tokens": length})
    assert len(model._kept.made) == MOST_KEPT
    assert {layer.name for layer in model.layers} == names
    assert len(model.weights) == count
    assert "_kept" not in vars(copy.deepcopy(model)), "a copy has searchers of its own"
    model.save(tmp_path / "after.keras")
    again = keras.saving.load_model(tmp_path / "after.keras")
    for one, other in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert abs((tmp_path / "after.keras").stat().st_size - (tmp_path / "before.keras").stat().st_size) < 100


def test_a_model_quantized_in_place_is_compiled_anew():
    model = model_of(7)
    model((SOURCE_IDS, SOURCE_IDS))  # Keras quantizes only layers that are built, dropout too
    before = searcher(model, "greedy", **OPTIONS)
    with pytest.warns(UserWarning, match="does not have a `quantize` method"):
        model.quantize("int8")
    after = searcher(model, "greedy", **OPTIONS)
    assert after is not before
    check(after.predict_on_batch({"inputs": SOURCE_IDS}), [model], SOURCE_IDS)


def test_greedy_is_a_plain_loop_for_batches_of_any_size_and_traces_each_shape_once(monkeypatch):
    model = model_of(3, attention="general", conditional_cell=True)
    traces, encode = [], model.encode
    monkeypatch.setattr(model, "encode", lambda source: traces.append(source.shape) or encode(source))
    search = searcher(model, "greedy", **OPTIONS)
    for batch in (SOURCE_IDS, SOURCE_IDS[::-1].copy()):
        check(search.predict_on_batch({"inputs": batch}), [model], batch)
    assert len(traces) == 1, "the second batch of a shape runs what was compiled for the first"
    for batch in (SOURCE_IDS[:1], np.pad(SOURCE_IDS, ((0, 0), (0, 3)))):
        check(search.predict_on_batch({"inputs": batch}), [model], batch)


def test_an_answer_changes_no_weight_and_follows_when_weights_change():
    model = model_of(4)
    before = [weight.copy() for weight in model.get_weights()]
    search = searcher(model, "greedy", **OPTIONS)
    first = search.predict_on_batch({"inputs": SOURCE_IDS})
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 1.2, weight.shape) for weight in before])
    second = search.predict_on_batch({"inputs": SOURCE_IDS})
    assert np.abs(first["scores"] - second["scores"]).max() > 1e-2
    check(second, [model], SOURCE_IDS)


def test_several_models_answer_by_the_mean_of_their_probabilities(model, other):
    found = searcher((model, other), "greedy", **OPTIONS).predict_on_batch({"inputs": SOURCE_IDS})
    check(found, [model, other], SOURCE_IDS)
    alone = [followed([one], SOURCE_IDS[:1])[1][0] for one in (model, other)]
    assert min(abs(found["scores"][0] - score) for score in alone) > 1e-2, "neither model decides alone"


def test_a_prefix_is_forced_and_counts(model):
    search = searcher(model, "greedy", **OPTIONS)
    prefix = np.array([[7, 8], [9, 0], [0, 0]], "int32")
    found = search.predict_on_batch({"inputs": SOURCE_IDS, "forced_prefix": prefix})
    assert found["tokens"][0, :2].tolist() == [7, 8]
    assert found["tokens"][1, 0] == 9
    check(found, [model], SOURCE_IDS, prefixes=prefix.tolist())
    check(search.predict_on_batch({"inputs": SOURCE_IDS}), [model], SOURCE_IDS)


def test_each_example_may_have_its_own_start(model):
    search = searcher(model, "greedy", **OPTIONS)
    found = search.predict_on_batch({"inputs": SOURCE_IDS, "start": np.array([START, 5, 6], "int32")})
    check(found, [model], SOURCE_IDS, starts=[START, 5, 6])


def test_a_beam_s_hypotheses_have_the_score_that_the_model_gives_their_tokens(model, other):
    options = {**OPTIONS, "beam_size": 4, "num_return": 2, "length_penalty": 0.7}
    found = searcher(model, "beam", **options, record="attention").predict_on_batch({"inputs": SOURCE_IDS})
    both = searcher((model, other), "beam", **options).predict_on_batch({"inputs": SOURCE_IDS})
    assert found["attention"].shape == (3, 2, LENGTH, 4)
    for result, models in ((found, [model]), (both, [model, other])):
        for place in range(2):
            tokens, lengths = result["tokens"][:, place], result["lengths"][:, place]
            tables = probabilities(models, SOURCE_IDS, np.pad(tokens, ((0, 0), (1, 0)), constant_values=START)[:, :-1])
            gains = np.log(np.take_along_axis(tables, tokens[..., None], axis=-1)[..., 0])
            totals = np.array([row[:length].sum() for row, length in zip(gains, lengths, strict=True)])
            np.testing.assert_allclose(result["log_probabilities"][:, place], totals, atol=1e-4)
            np.testing.assert_allclose(result["scores"][:, place], totals / ((5 + lengths) / 6) ** 0.7, atol=1e-4)
        assert (result["tokens"][:, 0] != result["tokens"][:, 1]).any(-1).all()
    for row, length in np.ndenumerate(found["lengths"]):
        weights = found["attention"][row]
        np.testing.assert_allclose(weights[:length].sum(-1), 1, atol=1e-5)
        assert (weights[length:] == 0).all()
        assert (weights[:, SOURCE_IDS[row[0]] == 0] == 0).all(), "no weight is on padding"


def test_a_searcher_is_an_ordinary_model_around_the_others(model, other):
    search = searcher((model, other), "greedy", **OPTIONS)
    assert isinstance(search, keras.Model)
    assert search.models == [model, other]
    assert len(search.weights) == len(model.weights) + len(other.weights)
