"""Pictures pixel by pixel: the two orders, from the data set's name to the answer."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from zoo.tasks.classify import data, pixels, task
from zoo.tasks.classify.predict import predict
from zoo.tasks.classify.recipe import Predict, Train

from zoo import builders
from zoo.data import tfds as sources
from zoo.errors import UserError
from zoo.saved import SavedModel
from zoo.task import find


def test_the_permutation_is_fixed():
    places = pixels.permutation(64)
    assert sorted(places) == list(range(64))
    assert places[:8].tolist() == [24, 39, 52, 27, 44, 2, 21, 62], "saved models were trained on this order"
    assert (np.abs(np.diff(places)) > 1).mean() > 0.9


@pytest.mark.parametrize("make", [np.asarray, tf.constant])
def test_orders(make):
    pictures = np.arange(2 * 3 * 2 * 1, dtype="float32").reshape(2, 3, 2, 1)
    np.testing.assert_array_equal(pixels.in_order(make(pictures), None), pictures)
    rows = np.asarray(pixels.in_order(make(pictures), "pixels"))
    np.testing.assert_array_equal(rows[:, :, 0], np.arange(12).reshape(2, 6))
    permuted = np.asarray(pixels.in_order(make(pictures), "permuted"))
    assert permuted.shape == (2, 6, 1)
    for step, place in enumerate(pixels.permutation(6)):
        np.testing.assert_array_equal(permuted[:, step], rows[:, place])


@pytest.mark.parametrize("order", ["pixels", "permuted"])
def test_digits_have_the_same_splits_in_either_order(order):
    plain, variant = data.load(Train()), data.load(Train(dataset=f"digits/{order}"))
    assert variant.sizes() == plain.sizes()
    assert variant.card.name == f"digits/{order}"
    assert variant.card.license == plain.card.license
    assert variant.assets == {
        "labels": plain.assets["labels"], "shape": [64, 1], "picture": [8, 8, 1], "order": order
    }  # fmt: skip
    for load in (lambda found: found.split("test"), lambda found: found.train(2)):
        (pictures, labels, _), (series, same, _) = (next(iter(load(found))) for found in (plain, variant))
        np.testing.assert_array_equal(labels, same)
        np.testing.assert_array_equal(series, pixels.in_order(pictures, order))


def test_sets_of_tfds_have_these_orders_too(monkeypatch):
    splits = {split: SimpleNamespace(num_examples=40, num_bytes=40) for split in ("train", "test")}
    monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: splits))
    monkeypatch.setattr(sources, "_resolves", lambda host: True)
    with tfds.testing.mock_data(num_examples=40, policy=tfds.testing.MockPolicy.USE_CODE):
        loaded = data.load(Train(dataset="fashion_mnist/permuted", batch_size=16))
        series, _, _ = next(iter(loaded.train(0)))
    assert series.shape[1:] == (784, 1)
    assert loaded.card.name == "fashion_mnist/permuted"


def test_another_order_does_not_fit_a_saved_model():
    assets = data.load(Train(dataset="digits/pixels")).assets
    data.load(Train(dataset="digits/pixels"), assets)
    with pytest.raises(UserError, match="are permuted pixels; the model was trained on pixels row by row"):
        data.load(Train(dataset="digits/permuted"), assets)
    with pytest.raises(UserError, match="inputs of shape"):
        data.load(Train(), assets)


@pytest.mark.parametrize("order", ["pixels", "permuted"])
def test_a_picture_is_answered_as_in_training(order):
    keras.utils.set_random_seed(2)
    loaded = data.load(Train(dataset=f"digits/{order}"))
    net = builders.perceptron((64, 1), 10, "gru", 6, block="residual")
    model = SavedModel(None, find("classify"), Train(cell="gru"), {}, loaded.assets, net)
    lines = predict(model, Predict(inputs=task.TASK.examples(), json=True))
    answers = [[*json.loads(line)["probabilities"].values()] for line in lines]
    series = next(iter(loaded.split("test", len(answers))))[0]
    np.testing.assert_allclose(answers, net.predict_on_batch(series), atol=2e-6)
