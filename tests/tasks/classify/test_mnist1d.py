"""MNIST-1D: the published numbers, its splits, random changes of training series, answers for series."""

import hashlib
import json
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from zoo.tasks.classify import augmentation, data
from zoo.tasks.classify.mnist1d import mnist1d_dataset_builder as mnist1d
from zoo.tasks.classify.predict import predict
from zoo.tasks.classify.recipe import Predict, Train

from zoo import builders
from zoo.errors import UserError
from zoo.saved import SavedModel
from zoo.task import ErrorLine, find


@pytest.fixture(scope="module")
def made():
    return mnist1d.generate()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The prepared set, in a folder where nobody else finds it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("data")))
        yield data.load(Train(dataset="mnist1d", cell="gru"))


# Of the authors' file mnist1d_data.pkl, rounded: what is generated differs from it by 1e-15.
PUBLISHED = {
    "x": ((4000, 40), "f91cbef436fe6389"),
    "x_test": ((1000, 40), "7db7276cf24e17b5"),
    "y": ((4000,), "d97dc7aecec8ad6b"),
    "y_test": ((1000,), "8de99be3ff9dab15"),
}


@pytest.mark.parametrize("part", PUBLISHED)
def test_the_generated_set_is_the_published_one(made, part):
    shape, digest = PUBLISHED[part]
    values = np.ascontiguousarray(made[part].round(4))
    assert values.shape == shape
    assert hashlib.sha256(values).hexdigest()[:16] == digest


def test_generating_leaves_the_global_generators_alone():
    random.seed(7)
    np.random.seed(7)
    before = random.getstate(), np.random.get_state()[1].copy()
    mnist1d.generate()
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])


def test_splits_are_the_published_ones_with_a_tenth_of_each_class_held_out(loaded, made):
    rows = {
        split: [(series[:, 0], label) for series, label in loaded.raw.split(split).as_numpy_iterator()]
        for split in ("train", "validation", "test")
    }
    assert {split: len(found) for split, found in rows.items()} == loaded.sizes()
    keys = {split: {series.tobytes() for series, _ in found} for split, found in rows.items()}
    assert {split: len(found) for split, found in keys.items()} == loaded.sizes(), "no series is there twice"
    assert keys["train"] | keys["validation"] == {row.tobytes() for row in made["x"].astype("float32")}
    assert keys["test"] == {row.tobytes() for row in made["x_test"].astype("float32")}
    assert not keys["train"] & keys["validation"]
    held = np.bincount([label for _, label in rows["validation"]])
    whole = np.bincount(made["y"])
    assert (np.abs(held - whole / 10) <= 1).all()
    truth = {row.tobytes(): label for row, label in zip(made["x_test"].astype("float32"), made["y_test"], strict=True)}
    assert all(truth[series.tobytes()] == label for series, label in rows["test"])


def test_batches_are_series_of_one_feature(loaded):
    assert loaded.assets["shape"] == [40, 1]
    assert loaded.assets["labels"] == [str(digit) for digit in range(10)]
    assert (loaded.card.builtin, loaded.card.synthetic) == (True, True)
    series, labels, weights = next(iter(loaded.train(0)))
    assert series.shape == (64, 40, 1)
    assert series.dtype == tf.float32
    assert labels.shape == weights.shape == (64,)


def test_builder_metadata(tmp_path):
    info = mnist1d.Builder(data_dir=tmp_path).info
    assert "synthetic" in info.description.lower()
    assert "greydanus" in info.citation
    assert set(mnist1d.Builder.get_metadata().tags) <= set(tfds.core.dataset_metadata.valid_tags())


def test_only_training_series_are_changed_and_the_same_way_each_time(loaded):
    def rows(found, epoch):
        return [np.concatenate([item[place] for item in found.train(epoch)]) for place in (0, 1)]

    changing = data.load(Train(dataset="mnist1d", cell="gru", augment=True))
    (plain, labels), (one, same), (again, _), (other, _) = (
        rows(found, epoch) for found, epoch in ((loaded, 3), (changing, 3), (changing, 3), (changing, 4))
    )
    np.testing.assert_array_equal(labels, same)
    np.testing.assert_array_equal(one, again)
    assert one.shape == plain.shape == other.shape
    moved = np.abs(one - plain).mean(axis=(1, 2))
    assert moved.min() > 0.05
    assert moved.mean() < plain.std()
    for split in ("validation", "test"):
        first, second = (next(iter(found.split(split)))[0] for found in (loaded, changing))
        np.testing.assert_array_equal(first, second)


def test_a_change_is_a_shift_a_dilation_a_scale_a_ramp_and_noise(monkeypatch):
    bump = np.exp(-(((np.arange(40) - 20) / 3.0) ** 2)).astype("float32")[:, None]
    for name in ("SHIFT", "DILATION", "SCALE", "SHEAR", "NOISE"):
        monkeypatch.setattr(augmentation, name, 0.0)
    changed = augmentation.changed
    seeds = [np.array([1, i], "int64") for i in range(50)]
    np.testing.assert_allclose(changed(tf.constant(bump), seeds[0]), bump, atol=1e-6)
    monkeypatch.setattr(augmentation, "SHIFT", 0.2)
    peaks = [int(np.argmax(changed(tf.constant(bump), seed))) for seed in seeds]
    assert min(peaks) >= 12
    assert max(peaks) <= 28
    assert len(set(peaks)) > 8
    monkeypatch.setattr(augmentation, "SHIFT", 0.0)
    monkeypatch.setattr(augmentation, "SCALE", 0.3)
    heights = [float(np.max(changed(tf.constant(bump), seed))) for seed in seeds]
    assert 0.7 <= min(heights) < 0.8
    assert 1.2 < max(heights) <= 1.3
    monkeypatch.setattr(augmentation, "SCALE", 0.0)
    monkeypatch.setattr(augmentation, "SHEAR", 0.5)
    ramp = changed(tf.constant(bump), seeds[1]) - bump
    np.testing.assert_allclose(np.diff(ramp[:, 0], 2), 0, atol=1e-5)
    assert 0 < abs(float(ramp[-1, 0])) <= 0.5


def test_changes_are_refused_where_there_are_none():
    with pytest.raises(UserError, match="--augment is for series"):
        data.load(Train(augment=True))


@pytest.fixture(scope="module")
def reader():
    keras.utils.set_random_seed(3)
    net = builders.perceptron((5, 1), 3, "gru", 6, bidirectional=True, pooling=("mean", "max"))
    return SavedModel(None, find("classify"), Train(cell="gru"), {}, {"labels": ["a", "b", "c"], "shape": [5, 1]}, net)


def test_series_are_answered(reader):
    series = [0.5, -1, 2, 0, 1]
    (line,) = predict(reader, Predict(inputs=[json.dumps(series)], json=True))
    expected = reader.net.predict_on_batch(np.array(series, "float32")[None, :, None])[0]
    np.testing.assert_allclose([*json.loads(line)["probabilities"].values()], expected, atol=2e-6)
    (same,) = predict(reader, Predict(inputs=[json.dumps([[x] for x in series])], json=True))
    assert json.loads(same)["probabilities"] == json.loads(line)["probabilities"]


@pytest.mark.parametrize(
    ("text", "told"),
    [("[1, 2]", "it has 2 steps"), ("x", "as in"), ("[[1, 2]]", "shape"), ("[[1, 2],[3, 4]]", "shape")],
)
def test_what_is_no_such_series_is_refused(reader, text, told):
    (line,) = predict(reader, Predict(inputs=[text]))
    assert isinstance(line, ErrorLine)
    assert "a JSON list of 5 steps, each a number" in line
    assert told in line
