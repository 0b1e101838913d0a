"""Pooling, dropout, embedding and sampled softmax against numpy."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import layers
from zoo.errors import UserError

SEQUENCE = np.array([[[1, -2], [3, 4], [-5, 0]], [[7, 8], [0, 0], [0, 0]]], "float32")
MASK = np.array([[True, True, False], [False, False, False]])


@pytest.mark.parametrize(("kind", "expected"), [("last", [3, 4]), ("mean", [2, 1]), ("max", [3, 4])])
def test_pooling_reads_real_steps_only(kind, expected):
    pooled = ops.convert_to_numpy(layers.Pooling(kind)(SEQUENCE, mask=MASK))
    assert pooled[0].tolist() == expected
    assert pooled[1].tolist() == [0, 0], "a row without a real step gives zeros"


def test_max_of_negative_numbers_is_not_the_padding():
    pooled = layers.Pooling("max")(np.array([[[-3.0], [-4.0], [0.0]]], "float32"), mask=np.array([[1, 1, 0]], bool))
    assert float(pooled[0, 0]) == -3


def test_attention_pooling_is_the_equation():
    layer = layers.Pooling("attention")
    layer(SEQUENCE, mask=MASK)
    kernel, bias, context = layer.get_weights()
    scores = np.tanh(SEQUENCE[0, :2] @ kernel + bias) @ context
    weights = np.exp(scores) / np.exp(scores).sum()
    expected = (weights * SEQUENCE[0, :2]).sum(0)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(SEQUENCE, mask=MASK))[0], expected, rtol=1e-5)


def test_kinds_are_concatenated_in_order():
    both = layers.Pooling(["max", "mean"])(SEQUENCE, mask=MASK)
    assert ops.convert_to_numpy(both)[0].tolist() == [3, 4, 2, 1]


def test_mean_counts_beyond_what_half_precision_can():
    layer = layers.Pooling("mean", dtype="mixed_float16")
    pooled = layer(np.ones((1, 5000, 1), "float16"))
    assert float(pooled[0, 0]) == 1.0


def test_unknown_pooling_is_told():
    with pytest.raises(UserError, match="did you mean 'mean'"):
        layers.Pooling("maen")
    with pytest.raises(ValueError, match="at least one"):
        layers.Pooling([])


def test_feature_dropout_is_that_of_version_0_1_number_by_number():
    """Its LockedDropout multiplied by one mask `(batch, 1, features)`; the same seed draws the same numbers."""
    inputs = np.random.default_rng(0).normal(size=(4, 6, 50)).astype("float32")
    ones = ops.ones((4, 1, 50))
    expected = inputs * ops.convert_to_numpy(keras.random.dropout(ones, 0.5, seed=keras.random.SeedGenerator(1)))
    out = ops.convert_to_numpy(keras.layers.SpatialDropout1D(0.5, seed=1)(inputs, training=True))
    np.testing.assert_allclose(out, expected, rtol=1e-6)
    assert ((out == 0) == (out[:, :1] == 0)).all(), "the same at every step"
    assert ((out == 0)[0] != (out == 0)[1]).any(), "another choice for another sequence"


def test_word_dropout_replaces_words_and_never_padding():
    tokens = np.array([[7] * 500 + [0] * 500], "int32")
    layer = layers.WordDropout(0.3, seed=2)
    out = ops.convert_to_numpy(layer(tokens, mask=tokens > 0, training=True))[0]
    assert set(out[:500]) == {1, 7}
    assert 0.2 < (out[:500] == 1).mean() < 0.4
    assert (out[500:] == 0).all()
    assert (ops.convert_to_numpy(layer(tokens, training=False)) == tokens).all()


def test_a_rate_of_one_is_told():
    with pytest.raises(ValueError, match="below 1"):
        layers.WordDropout(1.0)


def test_sampled_softmax_is_what_very_many_samples_must_average_to():
    """By the law of large numbers the sampled negatives sum to those of the whole vocabulary, each counted once."""
    rng = np.random.default_rng(0)
    table, vectors = (rng.normal(size=shape).astype("float32") for shape in ((40, 8), (30, 8)))
    targets, rows, samples = rng.integers(0, 40, 30), np.arange(30), 50_000
    logits = vectors @ table.T
    chance = np.log((np.arange(40) + 2) / (np.arange(40) + 1)) / np.log(41)
    assert chance.sum() == pytest.approx(1)
    right = logits[rows, targets] - np.log(samples * chance[targets])
    others = np.exp(logits).sum(1) - np.exp(logits[rows, targets])
    expected = np.log(np.exp(right) + others) - right
    layer = layers.SampledSoftmax(40, num_samples=samples, seed=3)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(vectors, targets, table)), expected, atol=0.15)


def test_embedding_has_both_dropouts_only_in_training():
    layer = layers.TokenEmbedding(10, 4, word_dropout=0.5, dropout=0.5)
    tokens = np.array([[2, 3, 4, 5, 6, 7, 8, 9]])
    still = ops.convert_to_numpy(layer(tokens))
    np.testing.assert_array_equal(still, layer.get_weights()[0][tokens])
    moved = ops.convert_to_numpy(layer(tokens, training=True))
    assert not np.array_equal(still, moved)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Pooling(["last", "attention"]),
        layers.WordDropout(0.1, unknown_id=2),
        layers.TokenEmbedding(9, 3, 0.1, 0.2),
        layers.SampledSoftmax(9, 4),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_round_trip(layer):
    config = keras.saving.serialize_keras_object(layer)
    assert keras.saving.deserialize_keras_object(config).get_config() == layer.get_config()
