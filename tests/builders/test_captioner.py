"""The captioner: every cell and attention, every option, one pass and single steps, groups, features, saving."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

import zoo.saved  # noqa: F401  registers the classes that saved models name
from zoo import builders, cells, decoding
from zoo.builders.captioner import Captioner, uneven
from zoo.decoding.request import LARGE
from zoo.errors import UserError
from zoo.layers.attention import TABLE as KINDS
from zoo.losses import TokenCrossentropy
from zoo.serialization import parameters

VOCABULARY, START, END = 12, 2, 3
COLOURS = np.array([[255, 40, 0], [0, 60, 255], [255, 255, 255]])[:, None, None]
PICTURES = (COLOURS * np.random.default_rng(0).random((3, 16, 16, 3))).astype("uint8")
INPUTS = np.array([[2, 6, 5, 9], [2, 7, 8, 0], [2, 10, 0, 0]], "int32")
TARGETS = np.array([[6, 5, 9, 3], [7, 8, 3, 0], [10, 3, 0, 0]], "int32")
GROUPS = np.array([[[2, 6, 5], [2, 4, 0]], [[2, 7, 8], [2, 9, 4]], [[2, 10, 0], [0, 0, 0]]], "int32")
FEATURES = np.random.default_rng(1).normal(0, 1, (3, 2, 3, 5)).astype("float32")


@pytest.fixture(autouse=True)
def _same_first_weights():
    """With others, all four units behind the pictures may be silent, and nothing would move."""
    keras.utils.set_random_seed(1)


def model_of(cell="gru", **settings):
    return builders.captioner(VOCABULARY, cell, **{"units": 4, "embedding_dim": 3, **settings})


def from_features(cell="gru", **settings):
    """A model without an encoder, which is quick: its pictures are `FEATURES`."""
    return model_of(cell, feature_shape=(6, 5), **settings)


def shaken(model, seed=0):
    """Random weights, so large that no two answers are close; padding is never the answer, as after training."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = rng.normal(0, 0.8, weight.shape)
        if "encoder" in weight.path or "convolution" in weight.path or weight.shape[0] > 100:
            values *= 2 / np.sqrt(np.prod(weight.shape[:-1]))  # else the first state would be all -1 and 1
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    bias = model.output_bias if model.output_layer is None else model.output_layer.bias
    bias.assign(np.where(np.arange(VOCABULARY) == 0, -30, bias))
    return model


def array(tensor):
    return ops.convert_to_numpy(tensor)


def logits(model, pictures=PICTURES, target=INPUTS, training=False):
    return array(model((pictures, target), training=training))


def log_softmax(scores):
    scores = scores.astype("float64")
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


def train_once(model, pictures=PICTURES, inputs=INPUTS, targets=TARGETS):
    model.compile(keras.optimizers.Adam(1e-2), TokenCrossentropy(), run_eagerly=True)
    return model.train_on_batch((pictures, inputs), targets)


def check_training_moves_every_weight(model, pictures=PICTURES):
    """The statistics of batch normalisation as well."""
    weights = [weight for weight in model.weights if "seed_generator" not in weight.path]
    before = [array(weight) for weight in weights]
    assert np.isfinite(train_once(model, pictures))
    for weight, old in zip(weights, before, strict=True):
        assert not np.array_equal(array(weight), old), f"{weight.path} did not move in a training step"


def check_steps_equal_the_pass(model, pictures=PICTURES):
    """Single steps' log-probabilities are the pass's logits, normalised here in numpy."""
    expected = log_softmax(logits(model, pictures))
    state = model.encode(pictures)
    for time in range(INPUTS.shape[1]):
        table, state = model.step(ops.convert_to_tensor(INPUTS[:, time]), state)
        np.testing.assert_allclose(array(table), expected[:, time], atol=2e-5)
        if model.attention:
            np.testing.assert_allclose(array(state["attention"].value).sum(-1), 1, atol=1e-5)


def check_saves_and_loads(model, folder, pictures=PICTURES):
    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras")
    assert len(loaded.trainable_weights) == len(model.trainable_weights)
    np.testing.assert_array_equal(logits(loaded, pictures), logits(model, pictures))
    np.testing.assert_array_equal(decoded(loaded, "greedy", pictures)[0], decoded(model, "greedy", pictures)[0])
    return loaded


def decoded(model, search, pictures, **options):
    """A search step by step, nothing compiled: tokens and scores."""
    options = {"start": START, "end": END, "max_new_tokens": 5, **options}
    found = decoding.find(search)(model.step, model.encode(ops.convert_to_tensor(pictures)), **options)
    return array(found.tokens), array(found.scores)


@pytest.mark.parametrize(
    ("cell", "attention"),
    list(zip(cells.TABLE, itertools.cycle([*KINDS, None]), strict=False)),  # every cell, every attention
)
def test_every_cell_and_attention_trains_steps_saves_and_loads(cell, attention, tmp_path):
    model = model_of(cell, attention=attention)
    check_training_moves_every_weight(model)
    assert any("convolution" in weight.path for weight in model.trainable_weights)
    check_steps_equal_the_pass(shaken(model))
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(keras.saving.load_model(tmp_path / "model.keras")), logits(model))


CASES = {
    "no attention": {"cell": "lstm", "attention": None, "num_layers": 2, "tie_output": False, "projection": 7},
    "gated": {"cell": "gru", "context_gate": True, "doubly_stochastic": 0.7, "suppress_tokens": (1,)},
    "conditional": {"conditional_cell": True, "layer_norm": True, "num_layers": 2, "context_gate": True},
    "fed back": {"cell": "lstm", "attention": "dot", "input_feeding": True, "tie_output": False, "layer_norm": True},
    "places": {
        "position_embeddings": True, "image_size": 16, "attention": "general", "projection": 6,
        "pooling": ("mean", "max"),
    },
    "features": {
        "feature_shape": (6, 5), "position_embeddings": True, "doubly_stochastic": 1.0, "conditional_cell": True,
    },
    "dropout": {
        "word_dropout": 0.1, "embedding_dropout": 0.1, "dropout": 0.1, "output_dropout": 0.1,
        "scheduled_sampling": 0.3, "num_layers": 2, "conditional_cell": True, "input_feeding": True,
    },
    "instance": {"cell": cells.LSTMCell(5), "attention": "additive"},
    "keras": {"cell": keras.layers.GRUCell(4), "input_feeding": True},
    "frozen": {"encoder": "convolutional", "frozen": True},
}  # fmt: skip


def test_the_cases_cover_every_option():
    options = set(parameters(Captioner)) - {"units", "embedding_dim", "vocabulary_size"}
    options -= {"block"}  # which is refused
    assert {name for case in CASES.values() for name in case} == options


def seen_by(case):
    return FEATURES if case == "features" else PICTURES


@pytest.mark.parametrize("case", CASES)
def test_every_option_trains_steps_saves_and_loads(case, tmp_path):
    model, pictures = model_of(**CASES[case]), seen_by(case)
    if case in ("dropout", "frozen"):
        # What is dropped at random has no gradient; that all is used is what the other cases show.
        assert np.isfinite(train_once(model, pictures))
    else:
        check_training_moves_every_weight(model, pictures)
    if not CASES[case].get("suppress_tokens"):
        check_steps_equal_the_pass(shaken(model), pictures)
    assert check_saves_and_loads(shaken(model), tmp_path, pictures).get_config() == model.get_config()


@pytest.mark.parametrize("case", ["no attention", "conditional", "fed back", "places", "features"])
def test_padding_and_batch_mates_never_change_logits_or_captions(case):
    model, pictures = shaken(model_of(**CASES[case]), 7), seen_by(case)
    together = logits(model, pictures, np.pad(INPUTS, ((0, 0), (0, 2))))
    assert together.shape == (3, INPUTS.shape[1] + 2, VOCABULARY)
    for row, target in enumerate(INPUTS):
        alone = logits(model, pictures[row : row + 1], target[target > 0][None])[0]
        np.testing.assert_allclose(together[row, : len(alone)], alone, atol=1e-5)
    for search, more in (("greedy", {}), ("beam", {"beam_size": 3, "num_return": 2})):
        tokens, scores = decoded(model, search, pictures, **more)
        assert np.ptp(scores.reshape(3, -1)[:, 0]) > 1e-2, "the pictures must matter here"
        for row in range(3):
            alone = decoded(model, search, pictures[row : row + 1], **more)
            np.testing.assert_array_equal(tokens[row], alone[0][0])
            np.testing.assert_allclose(scores[row], alone[1][0], atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_several_captions_of_a_picture_at_once_are_those_one_at_a_time(case):
    model, pictures = shaken(model_of(**CASES[case])), seen_by(case)
    together = logits(model, pictures, GROUPS)
    assert together.shape == (*GROUPS.shape, VOCABULARY)
    assert np.isfinite(together).all(), "a row of zeros that fills a group up as well"
    for number in range(GROUPS.shape[1]):
        alone = logits(model, pictures, GROUPS[:, number])
        real = GROUPS[:, number] > 0
        np.testing.assert_allclose(together[:, number][real], alone[real], atol=1e-5)


def test_a_group_teaches_what_its_captions_teach_one_at_a_time():
    """One step on a group moves the weights as one step on the picture repeated does."""
    inputs = np.concatenate([GROUPS, GROUPS[:, :1]], axis=1)
    targets = np.where(inputs > 0, np.roll(inputs, -1, axis=-1) % 8 + 1, 0)
    one, other = (from_features(position_embeddings=True, context_gate=True, doubly_stochastic=0.5) for _ in range(2))
    other.set_weights(shaken(one).get_weights())
    losses = []
    for model, batch in (
        (one, (FEATURES, inputs, targets)),
        (other, (np.repeat(FEATURES, 3, 0), inputs.reshape(-1, 3), targets.reshape(-1, 3))),
    ):
        model.compile(keras.optimizers.SGD(1.0), TokenCrossentropy(), run_eagerly=True)
        losses.append(model.train_on_batch((batch[0], batch[1]), batch[2]))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    for left, right in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(array(left), array(right), atol=1e-4)


def test_feature_maps_equal_the_path_of_the_pictures():
    model = shaken(model_of(position_embeddings=True, image_size=16))
    maps = array(model.encoder(PICTURES.astype("float32"), training=False))
    assert maps.shape == (3, 2, 2, 128)
    places = array(model.features(PICTURES))
    np.testing.assert_allclose(places, maps.reshape(3, 4, 128), atol=1e-5)
    expected = logits(model)
    assert np.abs(expected[0] - expected[1]).max() > 1e-2, "pictures must matter here"
    for given in (maps, places):
        np.testing.assert_allclose(logits(model, given), expected, atol=1e-5)
    np.testing.assert_allclose(logits(model, places.astype("float16")), expected, atol=2e-2)  # as they are stored
    alone = model_of(feature_shape=(4, 128), position_embeddings=True)
    seen = {id(weight) for weight in model.encoder.weights}
    alone.set_weights([array(weight) for weight in model.weights if id(weight) not in seen])
    for given in (maps, places):
        np.testing.assert_allclose(logits(alone, given), expected, atol=1e-5)


def test_the_bridge_starts_from_the_mean_of_all_places_and_places_have_vectors():
    model = shaken(from_features(position_embeddings=True))
    [[state]] = model.encode(FEATURES)["cells"]
    kernel, bias = (array(weight) for weight in model.project.weights)
    values = np.maximum(FEATURES.reshape(3, 6, 5) @ kernel + bias, 0) + array(model.position_vectors)
    np.testing.assert_allclose(array(model.encode(FEATURES)["memory"].value.values), values, atol=1e-5)
    kernel, bias = model.bridge.get_weights()
    np.testing.assert_allclose(array(state), np.tanh(values.mean(1) @ kernel + bias), atol=1e-5)
    moved = np.roll(FEATURES, 1, axis=1)
    assert np.abs(logits(model, moved) - logits(model, FEATURES)).max() > 1e-2, "where a thing is matters with places"
    bare = shaken(from_features())
    np.testing.assert_allclose(logits(bare, moved), logits(bare, FEATURES), atol=1e-5)


def test_pictures_of_any_size_pass_where_none_was_given():
    model = shaken(model_of())
    assert model.grid == (None, 128)
    wide = np.random.default_rng(2).integers(0, 256, (3, 24, 32, 3), dtype="uint8")
    assert array(model.features(wide)).shape == (3, 3 * 4, 128)
    assert np.isfinite(logits(model, wide)).all()


def own_encoder():
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
    x = keras.layers.Conv2D(5, 3, 8, "same")(x)
    return keras.Model(inputs, keras.layers.BatchNormalization()(x), name="own")


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_encoder_does_not_move_and_another_one_does(frozen, tmp_path):
    model = model_of(encoder=own_encoder(), frozen=frozen, position_embeddings=True)
    encoder = {weight.path: array(weight) for weight in model.encoder.weights}
    rest = {weight.path: array(weight) for weight in model.trainable_weights if weight.path not in encoder}
    assert len(encoder) == 6, "kernel and bias, and of batch normalisation two that learn and two that count"
    for _ in range(2):
        train_once(model)
    now = {weight.path: array(weight) for weight in model.weights}
    kept = [np.array_equal(now[path], old) for path, old in encoder.items()]
    assert kept == [frozen] * 4 + [True] * 2, "a given encoder's batch normalization keeps its statistics"
    assert not any(np.array_equal(now[path], old) for path, old in rest.items())
    loaded = check_saves_and_loads(shaken(model), tmp_path)
    assert loaded.encoder.trainable is not frozen
    if frozen:
        still = [array(weight) for weight in loaded.encoder.weights]
        train_once(loaded)
        assert all(np.array_equal(array(w), old) for w, old in zip(loaded.encoder.weights, still, strict=True))


def test_an_encoder_from_a_file_travels_with_the_model(tmp_path):
    own_encoder().save(tmp_path / "own.keras")
    model = shaken(model_of(encoder=str(tmp_path / "own.keras"), frozen=True))
    (tmp_path / "own.keras").unlink()
    check_saves_and_loads(model, tmp_path)


def test_a_frozen_encoder_learns_neither_from_features_nor_from_pictures():
    """In training it sees as in inference, so stored features are what it would have seen."""
    model = shaken(model_of(encoder=own_encoder(), frozen=True))
    learning, still = (logits(model, training=training)[INPUTS != 0] for training in (True, False))  # at words alone
    np.testing.assert_allclose(learning, still, rtol=0, atol=1e-5)
    free = shaken(model_of(encoder=own_encoder()))
    assert np.abs(logits(free, training=True) - logits(free)).max() > 1e-3


@pytest.mark.parametrize(("search", "more"), [("greedy", {}), ("beam", {"beam_size": 4, "num_return": 3})])
def test_forbidden_ids_never_come(search, more):
    free, bound = (shaken(from_features(suppress_tokens=ids), 5) for ids in ((), (1, 7)))
    for model in (free, bound):
        model.output_bias.assign(np.where(np.isin(np.arange(VOCABULARY), [1, 7]), 20, model.output_bias))
    assert np.isin(decoded(free, search, FEATURES, **more)[0], [1, 7]).any()
    assert not np.isin(decoded(bound, search, FEATURES, **more)[0], [1, 7]).any()
    np.testing.assert_allclose(
        logits(bound, FEATURES), logits(free, FEATURES), err_msg="what is learned from does not change"
    )


def test_forbidden_ids_leave_their_probability_to_the_others():
    bound = shaken(from_features(suppress_tokens=(1, 7)))
    table, _ = bound.step(ops.convert_to_tensor(INPUTS[:, 0]), bound.encode(FEATURES))
    scores = logits(bound, FEATURES)[:, 0].astype("float64")
    scores[:, [1, 7]] = -np.inf
    kept = np.delete(np.arange(VOCABULARY), [1, 7])
    expected = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    np.testing.assert_allclose(array(table)[:, kept], expected[:, kept], atol=2e-5)
    assert (array(table)[:, [1, 7]] < -1e8).all()


def test_uneven_equals_numpy():
    rng = np.random.default_rng(3)
    attention = rng.random((4, 5, 6)).astype("float32")
    lengths = [5, 2, 0, 1]  # the third row only fills up
    mask = np.arange(5) < np.array(lengths)[:, None]
    rows = [((1 - attention[row, :length].sum(0)) ** 2).sum() for row, length in enumerate(lengths) if length]
    assert float(uneven(attention, mask)) == pytest.approx(np.mean(rows), rel=1e-5)
    assert float(uneven(attention, np.zeros((4, 5), bool))) == 0
    even = np.full((2, 6, 6), 1 / 6, "float32")
    assert float(uneven(even, np.ones((2, 6), bool))) == pytest.approx(0, abs=1e-10)


def test_the_loss_that_wants_all_places_looked_at_counts_in_training_only():
    model = shaken(from_features(doubly_stochastic=0.7))
    state, looked = model.encode(FEATURES), []
    for time in range(INPUTS.shape[1]):
        _, state = model.step(ops.convert_to_tensor(INPUTS[:, time]), state)
        looked.append(array(state["attention"].value))
    expected = 0.7 * float(uneven(np.stack(looked, 1), INPUTS != 0))
    logits(model, FEATURES, training=True)
    assert [float(loss) for loss in model.losses] == [pytest.approx(expected, rel=1e-4)]
    model.compile(keras.optimizers.SGD(0.0), TokenCrossentropy(), run_eagerly=True)
    bare = float(TokenCrossentropy()(TARGETS, logits(model, FEATURES)))
    assert model.train_on_batch((FEATURES, INPUTS), TARGETS) == pytest.approx(bare + expected, rel=1e-4)
    logits(model, FEATURES)
    assert not model.losses


@pytest.mark.parametrize("name", ["word_dropout", "embedding_dropout", "dropout", "output_dropout"])
def test_dropout_is_on_in_training_and_off_in_inference(name):
    model, bare = from_features(**{name: 0.5}), shaken(from_features())
    for weight, other in zip(model.weights, bare.weights, strict=True):
        weight.assign(other)
    np.testing.assert_array_equal(logits(model, FEATURES), logits(bare, FEATURES))
    keras.utils.set_random_seed(0)
    one, other = (logits(model, FEATURES, training=True) for _ in range(2))
    assert np.abs(one - logits(bare, FEATURES)).max() > 1e-2
    assert np.abs(one - other).max() > 1e-2


def test_what_describes_is_compiled_and_says_the_same():
    model = shaken(from_features(), 5)
    greedy = builders.search(model, FEATURES, beam_size=1, max_new_tokens=5)
    np.testing.assert_array_equal(greedy["tokens"][:, 0], decoded(model, "greedy", FEATURES)[0])
    options = {"beam_size": 3, "num_return": 3, "length_penalty": 0.4, "max_new_tokens": 5, "attention": True}
    found = builders.search(model, FEATURES, **options)
    tokens, scores = decoded(model, "beam", FEATURES, beam_size=3, num_return=3, length_penalty=0.4)
    np.testing.assert_array_equal(found["tokens"], tokens)
    np.testing.assert_allclose(found["scores"], scores, atol=1e-4)
    assert found["attention"].shape == (3, 3, 5, 6)
    for length, row in zip(found["lengths"].ravel(), found["attention"].reshape(-1, 5, 6), strict=True):
        np.testing.assert_allclose(row[:length].sum(-1), 1, atol=1e-4)


def test_a_large_batch_is_halved_and_says_the_same():
    many = np.random.default_rng(4).normal(0, 1, (LARGE + 1, 6, 5)).astype("float32")
    model = shaken(from_features(), 5)
    found = builders.search(model, many, beam_size=2, length_penalty=0.4, max_new_tokens=5)
    tokens, scores = decoded(model, "beam", many, beam_size=2, num_return=1, length_penalty=0.4)
    np.testing.assert_array_equal(found["tokens"], tokens)
    np.testing.assert_allclose(found["scores"], scores, atol=1e-4)


def test_learns_to_tell_colours():
    """A colour in each half of a picture, and the caption says the left one first."""
    keras.utils.set_random_seed(0)
    colours = np.array([[230, 30, 30], [30, 230, 30], [30, 30, 230], [230, 230, 30]])
    pairs = [(left, right) for left in range(4) for right in range(4)] * 8
    pictures = np.empty((len(pairs), 16, 16, 3), "uint8")
    noise = np.random.default_rng(0).integers(-20, 21, pictures.shape)
    for picture, (left, right) in zip(pictures, pairs, strict=True):
        picture[:, :8], picture[:, 8:] = colours[left], colours[right]
    pictures = np.clip(pictures + noise, 0, 255).astype("uint8")
    ids = np.array([[START, 4 + left, 4 + right, END] for left, right in pairs], "int32")
    model = model_of(units=16, embedding_dim=8, position_embeddings=True, image_size=16, tie_output=False)
    model.compile(keras.optimizers.Adam(1e-2), TokenCrossentropy(), jit_compile=False)
    known, new = slice(0, 112), slice(112, None)
    model.fit((pictures[known], ids[known, :-1]), ids[known, 1:], epochs=20, batch_size=16, verbose=0)
    said = builders.search(model, pictures[new], beam_size=1, max_new_tokens=3)["tokens"][:, 0]
    assert (said == ids[new, 1:]).all(1).mean() > 0.9


def test_what_does_not_go_together_is_told():
    with pytest.raises(ValueError, match="Doubly stochastic attention needs an attention"):
        from_features(attention=None, doubly_stochastic=1.0)
    with pytest.raises(ValueError, match="give image_size"):
        model_of(position_embeddings=True)
    with pytest.raises(ValueError, match="context gate needs an attention"):
        from_features(attention=None, context_gate=True)
    with pytest.raises(UserError, match="did you mean 'convolutional'"):
        model_of(encoder="convolutionel")
    with pytest.raises(UserError, match="did you mean 'EfficientNetB0'"):
        model_of(encoder="EfficentNetB0")
    with pytest.raises(UserError, match="did you mean 'lstm'"):
        from_features("lsmt")


def test_tells_its_layers():
    lines = []
    builders.captioner(9, "gru", 4, embedding_dim=4).summary(print_fn=lines.append)
    assert "RecurrentDecoder" in "\n".join(lines)
