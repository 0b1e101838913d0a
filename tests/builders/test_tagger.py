"""The tagger: padding, batch mates, causality, training by plain Keras, saving."""

import keras
import numpy as np
import pytest

from zoo import builders, cells, losses

CLASSES = 4
TOKENS = [[5, 6, 7, 8, 9], [9, 10], [11]]


def clips(shape, lengths=(5, 2, 1)):
    """Sequences of random steps of this shape."""
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 255, (length, *shape)).astype("uint8" if len(shape) == 3 else "float32") for length in lengths
    ]


def padded(rows, length, filler=0):
    """Rows of `length` steps; behind each stands something else than zeros, but for tokens."""
    first = np.asarray(rows[0])
    batch = np.full((len(rows), length, *first.shape[1:]), filler, first.dtype)
    for place, row in enumerate(rows):
        batch[place, : len(row)] = row
    return batch


def tagger(kind, cell="gru", **settings):
    if kind == "tokens":
        return builders.tagger(CLASSES, cell, 6, vocabulary_size=30, embedding_dim=5, **settings)
    if kind == "frames":
        return builders.tagger(CLASSES, cell, 6, frame_shape=(8, 8, 1), embedding_dim=5, **settings)
    return builders.tagger(CLASSES, cell, 6, **settings)


def answers(model, kind, rows, length):
    """Probabilities of each row's own steps."""
    lengths = np.array([len(row) for row in rows], "int32")
    inputs = padded(rows, length, 0 if kind == "tokens" else 77)
    found = model(inputs if kind == "tokens" else (inputs, lengths))
    return [np.asarray(found)[place, :n] for place, n in enumerate(lengths)]


ROWS = {"tokens": [np.array(row, "int32") for row in TOKENS], "frames": clips((8, 8, 1)), "features": clips((3,))}
EVERY = [(kind, "gru") for kind in ROWS] + [("features", cell) for cell in cells.TABLE if cell != "gru"]


@pytest.mark.parametrize(("kind", "cell"), EVERY)
@pytest.mark.parametrize(
    "settings",
    [{}, {"bidirectional": False, "num_layers": 2, "layer_norm": True, "differences": True}],
    ids=["both", "deep"],
)
def test_padding_and_batch_mates_never_change_a_label(kind, cell, settings):
    model, rows = tagger(kind, cell, **settings), ROWS[kind]
    together = answers(model, kind, rows, 7)
    for row, found in zip(rows, together, strict=True):
        (alone,) = answers(model, kind, [row], len(row))
        np.testing.assert_allclose(found, alone, atol=5e-6)
        np.testing.assert_allclose(alone.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["causal", "both ways"])
def test_a_causal_tagger_labels_a_beginning_as_it_labels_the_whole(kind, bidirectional):
    model, row = tagger(kind, bidirectional=bidirectional), ROWS[kind][0]
    (whole,) = answers(model, kind, [row], 5)
    gaps = [np.abs(answers(model, kind, [row[:steps]], steps)[0] - whole[:steps]).max() for steps in (1, 2, 4)]
    assert (max(gaps) < 2e-6) is not bidirectional


@pytest.mark.parametrize("kind", ROWS)
def test_without_recurrence_each_step_stands_alone(kind):
    model, row = tagger(kind, num_layers=0), ROWS[kind][0]
    (whole,) = answers(model, kind, [row], 5)
    (turned,) = answers(model, kind, [row[::-1]], 5)
    np.testing.assert_allclose(turned[::-1], whole, atol=5e-6)


@pytest.mark.parametrize("kind", ROWS)
def test_trains_with_plain_compile_and_fit_saves_and_loads(kind, tmp_path):
    model, rows = tagger(kind, embedding_dropout=0.1, dropout=0.1), ROWS[kind]
    model.compile(keras.optimizers.Adam(1e-2), losses.StepCrossentropy(), run_eagerly=kind != "features")
    lengths = np.array([len(row) for row in rows], "int32")
    inputs = padded(rows, 5)
    inputs = inputs if kind == "tokens" else (inputs, lengths)
    labels = np.where(np.arange(5) < lengths[:, None], 1, -1)
    model.fit(inputs, labels, verbose=0)
    before = [np.array(weight) for weight in model.trainable_weights]
    model.fit(inputs, labels, verbose=0)
    moved = [not np.array_equal(old, np.array(new)) for old, new in zip(before, model.trainable_weights, strict=True)]
    assert all(moved)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for one, other in zip(answers(loaded, kind, rows, 5), answers(model, kind, rows, 5), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert loaded.get_config() == model.get_config()


def test_features_of_any_size_and_a_loss_of_keras(tmp_path):
    """The call of the contract: nothing is told of the input, and all steps are real."""
    model = builders.tagger(num_classes=10, cell="lstm", units=8)
    assert not model.built
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((2, 3, 7), "float32"), np.zeros((2, 3), int), verbose=0)
    assert model.predict_on_batch(np.zeros((1, 4, 7), "float32")).shape == (1, 4, 10)


def test_a_cell_may_be_a_class_or_an_instance():
    for cell in (cells.GRUCell, cells.GRUCell(6)):
        model = builders.tagger(CLASSES, cell, 6, vocabulary_size=30)
        again = type(model).from_config(model.get_config())
        assert again.get_config() == model.get_config()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"num_classes": 1}, "two labels"),
        ({"vocabulary_size": 1}, "two ids"),
        ({"vocabulary_size": 9, "frame_shape": (8, 8, 1)}, "not both"),
        ({"num_layers": -1}, "0 or more"),
    ],
)
def test_settings_that_make_no_sense_are_told(settings, told):
    with pytest.raises(ValueError, match=told):
        builders.tagger(**{"num_classes": 3, **settings})


@pytest.mark.parametrize(
    ("model", "shape"),
    [({"frame_shape": (8, 8, None)}, None), ({"vocabulary_size": 9}, (1, 2, 3)), ({}, (1, 2))],
    ids=["frames", "tokens", "features"],
)
def test_inputs_of_another_shape_are_told(model, shape):
    with pytest.raises(ValueError, match="shape"):
        builders.tagger(3, **model).build(shape)


def test_the_loss_is_a_mean_over_steps_that_are_asked_for():
    loss = losses.StepCrossentropy()
    probabilities = np.array([[[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]], [[0.1, 0.9], [0.3, 0.7], [0.5, 0.5]]], "float32")
    labels = np.array([[0, 1, -1], [1, -1, -1]])
    expected = -np.log([0.5, 0.75, 0.9])
    assert float(loss(labels, probabilities)) == pytest.approx(expected.mean(), abs=1e-5)
    assert float(loss(labels, probabilities, np.array([1.0, 0.0]))) == pytest.approx(expected[:2].mean(), abs=1e-5)
    weights = np.array([[1.0, 0.0, 1.0], [2.0, 1.0, 1.0]])
    assert float(loss(labels, probabilities, weights)) == pytest.approx((expected[0] + 2 * expected[2]) / 3, abs=1e-5)
    assert float(loss(-np.ones((2, 3)), probabilities)) == 0


def spelled(rows, length, width=6):
    """Ids and characters of sentences, whose words are `(id, characters)`."""
    tokens, characters = np.zeros((len(rows), length), "int32"), np.zeros((len(rows), length, width), "int32")
    for place, row in enumerate(rows):
        for step, (token, word) in enumerate(row):
            tokens[place, step] = token
            characters[place, step, : len(word)] = word
    return tokens, characters


SPELLED = [[(5, [4, 5, 6]), (1, [7]), (9, [8, 4])], [(1, [5, 5, 5, 5])]]


@pytest.mark.parametrize("cell", ["gru", "lstm", "min_gru"])
def test_with_characters_neither_padding_nor_batch_mates_change_a_label(cell):
    model = builders.tagger(
        CLASSES, cell, 6, vocabulary_size=30, embedding_dim=5, character_vocabulary_size=12, character_units=4
    )
    together = np.asarray(model(spelled(SPELLED, 5, 9)))
    for row, found in zip(SPELLED, together, strict=True):
        alone = np.asarray(model(spelled([row], len(row))))[0]
        np.testing.assert_allclose(found[: len(row)], alone, atol=5e-6)
    left = [np.roll(part, 2, axis=1) for part in spelled(SPELLED[:1], 5)]
    np.testing.assert_allclose(np.asarray(model(tuple(left)))[0, 2:], together[0, :3], atol=5e-6)


def test_unknown_words_differ_by_their_characters_and_the_model_is_saved(tmp_path):
    model = builders.tagger(CLASSES, "gru", 6, vocabulary_size=30, character_vocabulary_size=12, dropout=0.1)
    inputs = spelled([[(1, [4, 5]), (1, [6, 7])]], 2)
    first, second = np.asarray(model(inputs))[0]
    assert np.abs(first - second).max() > 1e-4
    model.fit(inputs, np.array([[0, 1]]), verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(np.asarray(loaded(inputs)), np.asarray(model(inputs)), atol=1e-6)
    with pytest.raises(ValueError, match="a pair of tokens"):
        model(inputs[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"character_vocabulary_size": 9}, "vocabulary_size as well"),
        ({"vocabulary_size": 9, "character_vocabulary_size": 1}, "two ids"),
        ({"vocabulary_size": 9, "character_vocabulary_size": 9, "character_units": 0}, "sizes above 0"),
    ],
)
def test_characters_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        builders.tagger(3, **settings)
