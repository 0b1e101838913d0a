"""The classifier: padding, batch mates, training by plain Keras, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders


def model_of(**settings):
    return builders.classifier(30, 3, units=6, embedding_dim=5, **settings)


TEXTS = [[5, 6, 7, 8], [9, 10], [11]]


def padded(rows, length):
    return np.array([row + [0] * (length - len(row)) for row in rows], "int32")


@pytest.mark.parametrize(
    ("cell", "settings"),
    [
        ("simple_rnn", {"pooling": ("last", "mean", "max", "attention")}),
        ("lstm", {"bidirectional": False, "num_layers": 2, "residual": True, "layer_norm": True, "pooling": "last"}),
        ("gru", {"pool_embeddings": True, "num_layers": 2}),
    ],
    ids=["pooling", "deep", "embeddings"],
)
def test_padding_anywhere_and_batch_mates_never_change_an_answer(cell, settings):
    model = model_of(cell=cell, **settings)
    right = padded(TEXTS, 9)
    together = ops.convert_to_numpy(model(right))
    # On the left, as keras.utils.pad_sequences does, and with gaps.
    left = keras.utils.pad_sequences(TEXTS, 9)
    np.testing.assert_allclose(ops.convert_to_numpy(model(left)), together, atol=1e-6)
    gaps = np.zeros((3, 9), "int32")
    gaps[:, [1, 2, 5, 8]] = right[:, :4]
    np.testing.assert_allclose(model.predict_on_batch(gaps), together, atol=1e-6)
    for text, answer in zip(TEXTS, together, strict=True):
        alone = ops.convert_to_numpy(model(padded([text], max(len(text), 2))))[0]
        np.testing.assert_allclose(answer, alone, atol=1e-6)
        assert answer.sum() == pytest.approx(1, abs=1e-5)


def test_an_empty_text_gets_an_answer():
    assert np.isfinite(model_of().predict(np.zeros((2, 4), "int32"), verbose=0)).all()


def test_order_decides_for_a_recurrent_net():
    model = model_of()
    answers = model.predict(np.array([[5, 6, 7], [7, 6, 5]], "int32"), verbose=0)
    assert np.abs(answers[0] - answers[1]).max() > 1e-4


def test_learns_what_a_bag_of_words_cannot():
    """The label is whether 5 comes before 6: same words, other order."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(7, 30, (512, 8))
    places = np.array([rng.choice(8, 2, replace=False) for _ in tokens])
    tokens[np.arange(512), places[:, 0]] = 5
    tokens[np.arange(512), places[:, 1]] = 6
    labels = (places[:, 0] < places[:, 1]).astype("int32")
    keras.utils.set_random_seed(1)
    model = builders.classifier(30, 2, "gru", 16, embedding_dim=8)
    model.compile(keras.optimizers.Adam(2e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(tokens, labels, epochs=12, batch_size=64, verbose=0)
    fresh = np.concatenate([tokens[:, ::-1][:200]])
    assert model.evaluate(tokens, labels, verbose=0)[1] > 0.97
    assert model.evaluate(fresh, 1 - labels[:200], verbose=0)[1] > 0.85, "reversed texts have the other label"


def test_trains_as_it_is_saves_and_is_compiled_anew(tmp_path):
    model = model_of(word_dropout=0.1, embedding_dropout=0.1, dropout=0.1, pool_embeddings=True)
    tokens = padded(TEXTS, 6)
    history = model.fit(tokens, np.array([0, 1, 2]), epochs=2, verbose=0).history
    assert history.keys() == {"loss", "accuracy"}, "compiled by its builder"
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(ops.convert_to_numpy(loaded(tokens)), ops.convert_to_numpy(model(tokens)), atol=1e-6)
    loaded.compile(
        "adam", "categorical_crossentropy", run_eagerly=True
    )  # without metrics: Keras alone would keep the old ones
    assert loaded.fit(tokens, np.eye(3), verbose=0).history.keys() == {"loss"}


def test_one_class_is_told():
    with pytest.raises(ValueError, match="two classes"):
        builders.classifier(10, 1)
