"""The generated memory tests: labels by a second reading, delays, builders."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from zoo.tasks.classify.adding import adding_dataset_builder as adding
from zoo.tasks.classify.delayed_xor import delayed_xor_dataset_builder as delayed_xor

SETS = {"adding": (adding, 3), "delayed_xor": (delayed_xor, 1)}


def test_the_label_of_delayed_xor_is_that_of_its_two_marked_bits():
    rng = np.random.default_rng(0)
    labels = []
    for delay in [0, 1, 7] * 40:
        steps, label = delayed_xor.example(delay, rng)
        assert steps.shape == (2 + delay, 2)
        first, second = steps[steps[:, 1] == 1, 0]
        assert {abs(first), abs(second)} == {1}
        assert label == (first != second)
        labels.append(label)
    assert 0.3 < np.mean(labels) < 0.7


def test_the_label_of_adding_is_the_sum_of_its_marked_digits():
    rng = np.random.default_rng(0)
    for length in [2, 3, 10, 41] * 20:
        steps, label = adding.example(length, rng)
        assert steps.shape == (length, 2)
        places = np.flatnonzero(steps[:, 1])
        assert len(places) == 2
        assert places[0] <= length // 10
        assert places[1] < max(2, length / 2)
        assert label == round(float(steps[:, 0] @ steps[:, 1]) * (adding.DIGITS - 1))


@pytest.mark.parametrize("name", SETS)
def test_distances_are_short_and_long(name):
    module, least = SETS[name]
    draw = module.Builder.distances
    rng = np.random.default_rng(0)
    for split in ("train", "validation"):
        found = draw(split, 100, rng, 3000)
        assert (found.min(), found.max()) == (least, 100)
        assert 0.3 < (found <= 12).mean() < 0.7, "as many of each order of size"
    test = draw("test", 100, rng, 700)
    assert {5, 10, 20, 50, 100} <= set(test)
    assert np.ptp(np.unique(test, return_counts=True)[1]) <= 1
    assert draw("test", 30, rng, 700).max() == 30


@pytest.mark.parametrize("name", SETS)
def test_builder(name, tmp_path, monkeypatch):
    module, _ = SETS[name]
    monkeypatch.setattr(module.Builder, "SIZES", {"train": 12, "validation": 4, "test": 8})
    builder = module.Builder(config=module.config("9"), data_dir=tmp_path)
    builder.download_and_prepare()
    assert builder.info.full_name == f"{name}/9/1.0.0"
    assert "synthetic" in builder.info.description.lower()
    assert "@" in builder.info.citation
    assert set(builder.get_metadata().tags) <= set(tfds.core.dataset_metadata.valid_tags())
    for split, count in module.Builder.SIZES.items():
        assert len(list(builder.as_dataset(split=split))) == count
    assert module.config("100") in module.Builder.BUILDER_CONFIGS
