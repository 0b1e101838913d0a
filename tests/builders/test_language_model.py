"""The language model: step equals sequence, carried equals one long pass, and what is carried is never saved."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells, decoding
from zoo.losses import TokenCrossentropy

VOCABULARY = 12
TOKENS = np.random.default_rng(0).integers(4, VOCABULARY, (3, 8)).astype("int32")


def model_of(cell="gru", **settings):
    keras.utils.set_random_seed(5)
    return builders.language_model(VOCABULARY, cell, 6, **{"embedding_dim": 5, **settings})


@pytest.mark.parametrize(
    ("cell", "settings"),
    [
        ("gru", {}),
        ("lstm", {"num_layers": 3, "residual": True, "layer_norm": True, "embedding_dim": 6}),
        ("simple_rnn", {"tie_output": True, "embedding_dim": None}),
    ],
    ids=["plain", "deep", "tied"],
)
def test_step_by_step_is_one_pass_and_so_is_chunk_by_chunk(cell, settings):
    model = model_of(cell, **settings)
    whole = ops.convert_to_numpy(ops.log_softmax(model(TOKENS)))
    state = model.begin(3)
    for time in range(TOKENS.shape[1]):
        logs, state = model.step(TOKENS[:, time], state)
        np.testing.assert_allclose(logs, whole[:, time], atol=1e-5)
    first, middle = model.read(TOKENS[:, :5], model.begin(3))
    second, last = model.read(TOKENS[:, 5:], middle)
    parts = ops.convert_to_numpy(ops.log_softmax(ops.concatenate([first, second], axis=1)))
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    for layer, by_steps in zip(last, state, strict=True):
        for one, other in zip(layer, by_steps, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("cell", cells.TABLE)
def test_padding_on_either_side_and_batch_mates_change_nothing(cell):
    model = model_of(cell, num_layers=2)
    padded = np.where(np.arange(8) < np.array([[8], [5], [2]]), TOKENS, 0)
    together = ops.convert_to_numpy(model(padded))
    states = model.encode(padded)
    left = np.stack([np.roll(row, shift) for row, shift in zip(padded, (0, 3, 6), strict=True)])
    for layer, after_padding in zip(states, model.encode(left), strict=True):
        for one, other in zip(layer, after_padding, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
    shifted = model.predict_on_batch(left)
    for row, length in enumerate((8, 5, 2)):
        alone = TOKENS[row : row + 1, :length]
        np.testing.assert_allclose(together[row, :length], ops.convert_to_numpy(model(alone))[0], atol=1e-5)
        np.testing.assert_allclose(shifted[row, 8 - length :], together[row, :length], atol=1e-5)
        for layer, only in zip(states, model.encode(alone), strict=True):
            for one, other in zip(layer, only, strict=True):
                np.testing.assert_allclose(one[row], other[0], atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "simple_rnn"])
def test_a_training_carries_states_and_resets_rows_that_begin(cell):
    model = model_of(cell, num_layers=2, streams=3)
    _, middle = model.read(TOKENS[:, :5], None)
    expected, _ = model.read(TOKENS[:, 5:], middle)
    anew, _ = model.read(TOKENS[:, 5:], None)
    model((TOKENS[:, :5], np.array([True, True, True])), training=True)
    found = model((TOKENS[:, 5:], np.array([False, True, False])), training=True)
    for row, wanted in enumerate((expected, anew, expected)):
        np.testing.assert_allclose(found[row], wanted[row], atol=1e-6)


def test_what_is_carried_reaches_the_next_step_of_fit_and_no_file(tmp_path):
    model = model_of("lstm", streams=3)
    model.compile(keras.optimizers.SGD(0.0), TokenCrossentropy())
    targets = np.roll(TOKENS, -1, axis=1)
    losses = [
        model.fit((TOKENS, np.array([begins] * 3)), targets, batch_size=3, verbose=0).history["loss"][0]
        for begins in (True, False, True)
    ]
    assert losses[0] == pytest.approx(losses[2], abs=1e-6)  # weights stand still, so only the state can differ
    assert abs(losses[0] - losses[1]) > 2e-5  # fresh weights: the past matters little
    bare = model_of("lstm")
    assert model.count_params() == bare.count_params()
    assert [w.shape for w in model.get_weights()] == [w.shape for w in bare.get_weights()]
    carried = [np.array(state) for layer in model.carry.states for state in layer]
    assert all(np.abs(state).max() > 0 for state in carried)
    model.evaluate((TOKENS, np.zeros(3, bool)), targets, batch_size=3, verbose=0)
    assert all(np.array_equal(old, new) for old, new in zip(carried, model.carry.states[0], strict=True))
    model.save(tmp_path / "x.keras")
    loaded = keras.saving.load_model(tmp_path / "x.keras")
    assert loaded.carry is None
    np.testing.assert_allclose(loaded(TOKENS), model(TOKENS), atol=1e-6)


def test_the_reader_tells_the_nats_of_each_token():
    model = model_of()
    logs = ops.convert_to_numpy(ops.log_softmax(model(TOKENS[:, :-1])))
    reader = builders.reader(model)
    assert reader is builders.reader(model)
    states, nats = model.begin(3), []
    for part in (slice(0, 4), slice(4, 7)):
        chunk = {"tokens": TOKENS[:, :-1][:, part], "targets": TOKENS[:, 1:][:, part], "states": states}
        found = reader.predict_on_batch({**chunk, "begins": np.array([part.start == 0] * 3)})
        states = found["states"]
        nats.append(found["nats"])
    wanted = -np.take_along_axis(logs, TOKENS[:, 1:, None], axis=2)[..., 0]
    np.testing.assert_allclose(np.concatenate(nats, axis=1), wanted, atol=1e-5)


@pytest.mark.parametrize("search", ["greedy", "sample"])
def test_a_search_goes_on_from_its_kept_state(search):
    """Eight tokens at once, and five and three: greedy search gives the same; so does a sample of temperature 0."""
    model = model_of(suppress_tokens=(0, 1, 2))
    options = {"end": 3, "keep_state": True, **({"seed": 1, "temperature": 0.0} if search == "sample" else {})}
    run = decoding.find(search)
    whole = run(model.step, model.begin(2), start=ops.array([4, 5]), max_new_tokens=8, **options)
    first = run(model.step, model.begin(2), start=ops.array([4, 5]), max_new_tokens=5, **options)
    second = run(model.step, first.state, start=first.tokens[:, -1], max_new_tokens=3, **options)
    joined = np.concatenate([first.tokens, second.tokens], axis=1)
    assert not (np.asarray(whole.tokens) == 3).any(), "choose other weights: an end would hide what follows"
    np.testing.assert_array_equal(joined, whole.tokens)
    assert not np.isin(joined, (0, 1, 2)).any()


def test_what_makes_no_sense_is_told():
    with pytest.raises(ValueError, match="as long as the units"):
        builders.language_model(10, units=6, embedding_dim=5, tie_output=True)
    with pytest.raises(ValueError, match="two ids"):
        builders.language_model(1)
