"""The loss over tokens: a mean over what is real, whatever stands around it."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo.losses import LabeledCrossentropy, PolicyGradient, TokenCrossentropy

VOCABULARY = 7
TARGETS = np.array([[3, 4, 5, 6, 1], [2, 0, 0, 0, 0], [4, 4, 0, 0, 0]])  # 8 real tokens, 5 + 1 + 2


def logits(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 2, (*shape, VOCABULARY)).astype("float32")


def nats(target, row, label_smoothing=0.0):
    """-sum_k q_k log p_k of one token, q_k = (1 - label_smoothing) [k = target] + label_smoothing / vocabulary."""
    probabilities = np.exp(row.astype("float64")) / np.exp(row.astype("float64")).sum()
    wanted = np.full(VOCABULARY, label_smoothing / VOCABULARY)
    wanted[target] += 1 - label_smoothing
    return -sum(q * np.log(p) for q, p in zip(wanted, probabilities, strict=True))


def expected(targets, predicted, label_smoothing=0.0, weights=None):
    weights = np.ones(len(targets)) if weights is None else weights
    found = [
        (weight, nats(token, at, label_smoothing))
        for weight, tokens, rows in zip(weights, targets, predicted, strict=True)
        for token, at in zip(tokens, rows, strict=True)
        if token
    ]
    return sum(weight * value for weight, value in found) / sum(weight for weight, _ in found)


def loss(targets, predicted, *weights, label_smoothing=0.0):
    return float(TokenCrossentropy(label_smoothing)(np.asarray(targets), predicted, *weights))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.6])
def test_equals_numpy(label_smoothing):
    predicted = logits(3, 5)
    value = loss(TARGETS, predicted, label_smoothing=label_smoothing)
    assert value == pytest.approx(expected(TARGETS, predicted, label_smoothing), abs=1e-5)
    if label_smoothing:
        assert abs(value - expected(TARGETS, predicted)) > 1e-2, "label_smoothing must make a difference here"


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_neither_the_logits_of_padding_nor_how_much_there_is_count(label_smoothing):
    predicted = logits(3, 5)
    value = loss(TARGETS, predicted, label_smoothing=label_smoothing)
    changed = np.where((TARGETS == 0)[..., None], 9 * logits(3, 5, seed=1), predicted)
    assert loss(TARGETS, changed, label_smoothing=label_smoothing) == pytest.approx(value, abs=1e-6)
    longer = np.pad(TARGETS, ((0, 0), (0, 4)))
    beyond = np.concatenate([predicted, logits(3, 4, seed=2)], axis=1)
    assert loss(longer, beyond, label_smoothing=label_smoothing) == pytest.approx(value, abs=1e-6)
    more = np.concatenate([TARGETS, np.zeros((2, 5), int)])
    below = np.concatenate([predicted, logits(2, 5, seed=3)])
    assert loss(more, below, label_smoothing=label_smoothing) == pytest.approx(value, abs=1e-6)


def test_rows_of_weight_zero_do_not_count_and_others_by_their_weight():
    predicted = logits(3, 5)
    assert loss(TARGETS, predicted, np.array([1.0, 0.0, 1.0])) == pytest.approx(
        expected(TARGETS[[0, 2]], predicted[[0, 2]]), abs=1e-5
    )
    weights = np.array([0.5, 2.0, 1.0])
    assert loss(TARGETS, predicted, weights) == pytest.approx(expected(TARGETS, predicted, weights=weights), abs=1e-5)
    assert loss(TARGETS, predicted, np.ones(3)) == pytest.approx(loss(TARGETS, predicted), abs=1e-6)


def test_the_mean_is_over_tokens_of_the_whole_batch():
    predicted = logits(3, 5)
    rows = [expected(TARGETS[[row]], predicted[[row]]) for row in range(3)]
    by_tokens = (5 * rows[0] + 1 * rows[1] + 2 * rows[2]) / 8
    assert abs(by_tokens - np.mean(rows)) > 1e-2, "a mean over rows must be another number here"
    assert loss(TARGETS, predicted) == pytest.approx(by_tokens, abs=1e-5)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_a_batch_without_any_real_token_has_loss_zero(label_smoothing):
    assert loss(np.zeros((2, 3), int), logits(2, 3), label_smoothing=label_smoothing) == 0
    assert loss(TARGETS, logits(3, 5), np.zeros(3), label_smoothing=label_smoothing) == 0


def test_a_certain_and_right_model_loses_nothing_and_an_even_one_the_logarithm():
    certain = 50 * np.eye(VOCABULARY, dtype="float32")[TARGETS]
    assert loss(TARGETS, certain) == pytest.approx(0, abs=1e-6)
    assert loss(TARGETS, np.zeros((3, 5, VOCABULARY), "float32")) == pytest.approx(np.log(VOCABULARY), abs=1e-6)


def test_logits_in_half_precision_are_added_up_in_full():
    rng = np.random.default_rng(0)
    targets = rng.integers(1, VOCABULARY, (64, 64))
    half = logits(64, 64).astype("float16")
    value = TokenCrossentropy()(targets, half)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    assert float(value) == pytest.approx(expected(targets, half), abs=1e-4)


class Batches(keras.utils.PyDataset):
    """One batch, with a weight a row."""

    def __init__(self, *batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_fit_reports_it_with_the_weights_of_a_data_set(label_smoothing):
    model = keras.Sequential([keras.layers.Dense(VOCABULARY)])
    model.compile(keras.optimizers.SGD(0.0), TokenCrossentropy(label_smoothing), jit_compile=False)
    inputs, weights = logits(3, 5, seed=3), np.array([1.0, 0.0, 1.0], "float32")
    history = model.fit(Batches(inputs, TARGETS.astype("int32"), weights), verbose=0).history
    predicted = ops.convert_to_numpy(model(inputs))
    value = expected(TARGETS[[0, 2]], predicted[[0, 2]], label_smoothing)
    assert history["loss"] == [pytest.approx(value, abs=1e-5)]
    evaluated = model.evaluate(Batches(inputs, TARGETS.astype("int32"), weights), verbose=0)
    assert evaluated == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("wrong", [-0.1, 1.0, 1.5])
def test_smoothing_out_of_range_is_told(wrong):
    with pytest.raises(ValueError, match=f"got {wrong}"):
        TokenCrossentropy(wrong)


def test_config_round_trip():
    one = TokenCrossentropy(0.2)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(one))
    assert copy.label_smoothing == 0.2
    assert copy.get_config() == one.get_config()


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_several_targets_of_an_input_count_like_rows_of_their_own(label_smoothing):
    """`(batch, captions, time)` equals the same captions one below the other; a weight is that of all its captions."""
    targets = np.stack([TARGETS, TARGETS[::-1], np.zeros_like(TARGETS), TARGETS])[:, :2]  # (4, 2, 5), one all padding
    predicted = logits(4, 2, 5)
    flat, rows = targets.reshape(8, 5), predicted.reshape(8, 5, VOCABULARY)
    value = loss(targets, predicted, label_smoothing=label_smoothing)
    assert value == pytest.approx(loss(flat, rows, label_smoothing=label_smoothing), abs=1e-6)
    assert value == pytest.approx(expected(flat, rows, label_smoothing), abs=1e-5)
    for weights in ([1.0, 0.0, 1.0, 1.0], [0.5, 2.0, 1.0, 0.0]):
        by_picture = loss(targets, predicted, np.array(weights), label_smoothing=label_smoothing)
        by_caption = expected(flat, rows, label_smoothing, np.repeat(weights, 2))
        assert by_picture == pytest.approx(by_caption, abs=1e-5)
        assert abs(by_picture - value) > 1e-3, "weights must make a difference here"


def gradient_step(weights, temperature=1.0):
    """Probabilities of a picture's two samples before and after one step along the gradient; logits start even."""
    ids = np.array([[[4, 3, 0], [5, 6, 3]]])
    model = keras.Sequential([keras.layers.Dense(6 * VOCABULARY, kernel_initializer="zeros", use_bias=False)])
    model.add(keras.layers.Reshape((2, 3, VOCABULARY)))
    model.compile(keras.optimizers.SGD(1.0), PolicyGradient(temperature), jit_compile=False)
    inputs = np.ones((1, 1), "float32")

    def probabilities():
        steps = ops.convert_to_numpy(ops.softmax(model(inputs)))[0]
        return [steps[0, 0, 4] * steps[0, 1, 3], steps[1, 0, 5] * steps[1, 1, 6] * steps[1, 2, 3]]

    before = probabilities()
    value = model.train_on_batch(inputs, ids, sample_weight=np.array([weights], "float32"))
    return before, probabilities(), float(value)


def test_the_better_sample_becomes_more_probable_and_the_worse_one_less():
    before, after, value = gradient_step([0.5, -0.5])
    assert after[0] > before[0]
    assert after[1] < before[1]
    assert value == pytest.approx((0.5 * 2 - 0.5 * 3) * np.log(VOCABULARY) / 5, abs=1e-5), "a mean over 5 real tokens"
    assert gradient_step([0.0, 0.0])[1] == pytest.approx(before), "equally good ones teach nothing"


def test_a_policy_learns_at_the_temperature_it_was_drawn_at():
    logits_, ids = logits(1, 2, 3), np.array([[[4, 3, 0], [5, 6, 3]]])
    weights = np.array([[1.0, -0.4]], "float32")
    sharp = PolicyGradient(0.5)(ids, logits_, weights)
    assert float(sharp) == pytest.approx(float(PolicyGradient()(ids, 2 * logits_, weights)), abs=1e-5)
    with pytest.raises(ValueError, match="above 0"):
        PolicyGradient(0.0)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(PolicyGradient(0.5)))
    assert copy.temperature == 0.5


def test_only_labeled_rows_count():
    targets = np.array([[1, 0], [0, 0], [0.25, 0.75]], "float32")
    predicted = np.array([[0.8, 0.2], [0.5, 0.5], [0.4, 0.6]], "float32")
    nats = [-np.log(0.8), -(0.25 * np.log(0.4) + 0.75 * np.log(0.6))]
    loss = LabeledCrossentropy()
    assert float(loss(targets, predicted)) == pytest.approx(np.mean(nats), rel=1e-5)
    weights = np.array([[3.0], [1.0], [1.0]])
    assert float(loss(targets, predicted, weights)) == pytest.approx((3 * nats[0] + nats[1]) / 4, rel=1e-5)
    assert float(loss(np.zeros((2, 2)), predicted[:2])) == 0, "no row has a label"
