"""The perceptron, and the recurrent classifier of its input: shapes, rows, padding, training by plain Keras, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("cell", [None, *cells.TABLE])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2)])
def test_answers_are_probabilities(cell, shape):
    model = builders.perceptron(shape, 5, cell, 6, num_layers=2, dropout=0.5)
    answers = model(noise(2, *shape))
    assert answers.shape == (2, 5)
    assert keras.backend.standardize_dtype(answers.dtype) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(answers).sum(axis=1), 1, atol=1e-6)
    has = any(layer.name == "recurrent" for layer in model.layers)
    assert has == (cell is not None), "no recurrence without a cell"


def test_without_a_cell_it_is_the_equations():
    model = builders.perceptron((2, 3), 2, units=4)
    x = noise(3, 2, 3)
    w, b, v, c = (ops.convert_to_numpy(weight) for weight in model.weights)
    logits = np.maximum(x.reshape(3, 6) @ w + b, 0) @ v + c
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), expected, atol=1e-6)


def test_a_cell_reads_rows_from_top_to_bottom():
    model = builders.perceptron((3, 2, 2), 2, "gru", 4)
    run = model.get_layer("recurrent").runs[0][0]
    x = noise(2, 3, 2, 2)
    state = [ops.zeros((2, 4))]
    for row in range(3):
        _, state = run.cell(x[:, row].reshape(2, 4), state)
    last = model.get_layer("label")(state[0])
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), ops.convert_to_numpy(last), atol=1e-6)


@pytest.mark.parametrize("cell", cells.TABLE)
def test_padding_and_batch_mates_never_change_an_answer(cell):
    model = builders.perceptron((None, 2), 3, cell, 5, num_layers=2)
    long = noise(2, 6, 2)
    mask = np.array([[True] * 6, [True] * 4 + [False] * 2])
    other = long.copy()
    other[1, 4:] = 99
    together, padded = (ops.convert_to_numpy(model([x, mask])) for x in (long, other))
    alone = ops.convert_to_numpy(model([long[1:, :4], mask[1:, :4]]))
    np.testing.assert_allclose(together, padded, atol=1e-6)
    np.testing.assert_allclose(together[1:], alone, atol=1e-6)


def test_trains_with_plain_compile_and_fit_and_saves(tmp_path):
    keras.utils.set_random_seed(1)
    model = builders.perceptron((None, 2), 2, "gru", 6)
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    x, mask = noise(64, 5, 2), np.ones((64, 5), bool)
    y = (x[:, 0, 0] > 0).astype(int)
    model.fit([x, mask], y, epochs=25, batch_size=32, verbose=0)
    answers = model.predict([x, mask], verbose=0)
    assert (answers.argmax(axis=1) == y).mean() > 0.9
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.predict([x, mask], verbose=0), answers, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (((4, 4), 1), "two classes"),
        (((4, 4), 2, "gru", 8, {"num_layers": 0}), "one hidden layer"),
        (((None, 4), 2), "with a cell"),
        (((4, None), 2), "shape"),
        (((None, 4, 1), 2, "gru"), "shape"),
    ],
)
def test_what_makes_no_sense_is_told(arguments, told):
    *plain, options = arguments if isinstance(arguments[-1], dict) else (*arguments, {})
    with pytest.raises(ValueError, match=told):
        builders.perceptron(*plain, **options)
