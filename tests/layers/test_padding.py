"""Packing: real steps to the front and back again, only where a batch needs it."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo.layers import Recurrent
from zoo.layers.padding import pack, unpack

MASK = np.array([[1, 1, 1, 1], [0, 0, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]], bool)
TOKENS = np.array([[1, 2, 3, 4], [0, 0, 5, 6], [7, 0, 8, 0], [0, 0, 0, 0]], "int32")


def test_the_docstring_s_toy():
    packed, mask = pack(TOKENS, MASK)
    assert ops.convert_to_numpy(packed).tolist() == [[1, 2, 3, 4], [5, 6, 0, 0], [7, 8, 0, 0], [0, 0, 0, 0]]
    assert ops.convert_to_numpy(mask).tolist() == (ops.convert_to_numpy(packed) > 0).tolist()
    back = ops.convert_to_numpy(unpack(packed, MASK))
    assert (back[MASK] == TOKENS[MASK]).all()


def test_unpack_inverts_pack_for_vectors_and_any_mask():
    rng = np.random.default_rng(0)
    mask, vectors = rng.random((20, 9)) < 0.5, rng.normal(size=(20, 9, 3)).astype("float32")
    packed, right = pack(vectors, mask)
    for row, real in enumerate(mask):
        np.testing.assert_array_equal(ops.convert_to_numpy(packed)[row, : real.sum()], vectors[row, real])
    assert (np.diff(ops.convert_to_numpy(right).astype(int), axis=1) <= 0).all(), "padding is on the right"
    back = ops.convert_to_numpy(unpack(packed, mask))
    np.testing.assert_array_equal(back[mask], vectors[mask])


def test_a_batch_that_is_padded_on_the_right_is_not_gathered(monkeypatch):
    def gathered(*_):
        raise AssertionError("steps were moved")

    monkeypatch.setattr("zoo.layers.padding.take_steps", gathered)
    right = np.array([[1, 1, 1], [1, 0, 0], [0, 0, 0]], bool)
    vectors = np.random.default_rng(0).normal(size=(3, 3, 2)).astype("float32")
    packed, _ = pack(vectors, right)
    np.testing.assert_array_equal(ops.convert_to_numpy(packed), vectors)
    with pytest.raises(AssertionError, match="moved"):
        pack(vectors, right[:, ::-1])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_stack_answers_where_the_steps_were_and_teaches_the_same(bidirectional):
    """Outputs, final states and gradients of rows with gaps are those of the rows without them."""
    layer = Recurrent("gru", 3, num_layers=2, bidirectional=bidirectional, return_state=True)
    vectors = np.random.default_rng(0).normal(size=(4, 4, 2)).astype("float32")
    out, states = layer(vectors, mask=MASK)
    out = ops.convert_to_numpy(out)
    for row, real in enumerate(MASK[:3]):
        alone, ends = layer(vectors[row, real][None])
        np.testing.assert_allclose(out[row, real], ops.convert_to_numpy(alone)[0], atol=1e-6)
        for level, end in zip(states, ends, strict=True):
            np.testing.assert_allclose(ops.convert_to_numpy(level[0])[row], ops.convert_to_numpy(end[0])[0], atol=1e-6)
    inputs, mask = keras.Input((None, 2)), keras.Input((None,), dtype="bool")
    summed = ops.sum(layer(inputs, mask=mask)[0] * ops.cast(mask, "float32")[:, :, None], axis=(1, 2))
    model = keras.Model([inputs, mask], summed)
    packed, right = (ops.convert_to_numpy(part) for part in pack(vectors, MASK))
    moved = []
    for batch in ([vectors, MASK], [packed, right]):
        start = model.get_weights()
        model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
        model.train_on_batch(batch, np.ones(4))
        moved.append(model.get_weights())
        model.set_weights(start)
    for one, other in zip(*moved, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
