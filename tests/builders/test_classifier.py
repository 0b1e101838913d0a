"""The classifier: padding, batch mates, training by plain Keras, saving."""

import keras
import numpy as np
import pytest

from zoo import builders, cells


def model_of(**settings):
    return builders.classifier(30, 3, units=6, embedding=5, **settings)


TEXTS = [[5, 6, 7, 8], [9, 10], [11]]


def padded(rows, length):
    return np.array([row + [0] * (length - len(row)) for row in rows], "int32")


@pytest.mark.parametrize("cell", cells.TABLE)
@pytest.mark.parametrize(
    "settings",
    [
        {"pooling": ("last", "mean", "max", "attention")},
        {"bidirectional": False, "depth": 2, "residual": True, "layer_norm": True, "pooling": "last"},
        {"pool_embeddings": True, "depth": 2},
    ],
    ids=["pooling", "deep", "embeddings"],
)
def test_padding_and_batch_mates_never_change_an_answer(cell, settings):
    model = model_of(cell=cell, **settings)
    together = model.predict(padded(TEXTS, 9), verbose=0)
    for text, answer in zip(TEXTS, together, strict=True):
        alone = model.predict(padded([text], len(text)), verbose=0)[0]
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
    model = builders.classifier(30, 2, "gru", 16, embedding=8)
    model.compile(keras.optimizers.Adam(2e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(tokens, labels, epochs=12, batch_size=64, verbose=0)
    fresh = np.concatenate([tokens[:, ::-1][:200]])
    assert model.evaluate(tokens, labels, verbose=0)[1] > 0.97
    assert model.evaluate(fresh, 1 - labels[:200], verbose=0)[1] > 0.85, "reversed texts have the other label"


def test_trains_with_plain_compile_and_fit_and_saves(tmp_path):
    model = model_of(word_dropout=0.1, embedding_dropout=0.1, dropout=0.1, pool_embeddings=True)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    tokens = padded(TEXTS, 6)
    model.fit(tokens, np.array([0, 1, 2]), epochs=2, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.predict(tokens, verbose=0), model.predict(tokens, verbose=0), atol=1e-6)


def test_one_class_is_told():
    with pytest.raises(ValueError, match="two classes"):
        builders.classifier(10, 1)
