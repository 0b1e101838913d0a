"""The generated memory test of the tagging task: labels by a second reading, distances, builder, scores."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from zoo.tasks.tag import task
from zoo.tasks.tag.copy_memory import copy_memory_dataset_builder as copy_memory
from zoo.tasks.tag.raw import open_sequences

from zoo.errors import UserError


def test_the_labels_are_the_symbols_that_were_shown():
    rng = np.random.default_rng(0)
    for distance in (3, 4, 17):
        steps, labels = copy_memory.example(distance, rng)
        assert steps.shape == (distance + copy_memory.SHOWN, copy_memory.SYMBOLS + 2)
        assert (steps.sum(axis=1) == 1).all()
        signs = steps.argmax(axis=1)
        asked = signs == copy_memory.ASK
        assert asked.sum() == copy_memory.SHOWN
        np.testing.assert_array_equal(labels[asked], signs[: copy_memory.SHOWN])
        assert (labels[~asked] == -1).all()
        assert (signs[copy_memory.SHOWN : distance] == copy_memory.BLANK).all()
        assert labels.argmax() >= distance


def test_distances_are_short_and_long():
    rng = np.random.default_rng(0)
    found = copy_memory.Builder.distances("train", 100, rng, 3000)
    assert (found.min(), found.max()) == (4, 100)
    assert 0.3 < (found <= 20).mean() < 0.7
    assert set(copy_memory.Builder.distances("test", 40, rng, 50)) == {5, 10, 20, 40}


def test_a_config_is_the_same_object_each_time():
    assert copy_memory.config("030") is copy_memory.config("30")
    assert copy_memory.config("100") in copy_memory.Builder.BUILDER_CONFIGS


def test_builder(tmp_path, monkeypatch):
    monkeypatch.setattr(copy_memory.Builder, "SIZES", {"train": 12, "validation": 4, "test": 8})
    builder = copy_memory.Builder(config=copy_memory.config("9"), data_dir=tmp_path)
    builder.download_and_prepare()
    assert builder.info.full_name == "copy_memory/9/1.0.0"
    assert "synthetic" in builder.info.description.lower()
    assert "@" in builder.info.citation
    assert set(builder.get_metadata().tags) <= set(tfds.core.dataset_metadata.valid_tags())
    for split, count in copy_memory.Builder.SIZES.items():
        assert len(list(builder.as_dataset(split=split))) == count


@pytest.mark.parametrize("config", ["x", "3", "100000"])
def test_a_distance_out_of_range_is_refused(config):
    with pytest.raises(UserError, match="whole number from 5 to"):
        open_sequences(f"copy_memory/{config}")


def test_a_tagger_is_scored_by_distance():
    class Certain:
        """Predicts the second symbol everywhere."""

        def predict_on_batch(self, inputs):
            return np.eye(4)[np.ones(inputs[0].shape[:2], int)]

    labels = np.array([[-1, -1, -1, -1, 1, 1, 2], [-1, -1, -1, -1, -1, 1, 0], [-1] * 7])
    batch = (np.zeros((3, 7, 6)), np.array([7, 7, 7])), labels, np.array([1, 1, 0])
    assets = {"labels": list("abcd"), "input": {"kind": "features", "shape": [6]}}
    scores = task.score(Certain(), [batch], assets)
    assert (scores["accuracy_at_4"], scores["accuracy_at_5"]) == (pytest.approx(2 / 3), 0.5)
    assert "accuracy_at_4" not in task.validate(Certain(), [batch], assets)
