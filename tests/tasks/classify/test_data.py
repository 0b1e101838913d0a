"""Digits, TFDS sets, folders and memory tests, down to batches; what cannot be used is told."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image
from zoo.tasks.classify import data, pictures, sequences
from zoo.tasks.classify.recipe import DATASETS, Train

from zoo.errors import UserError

SPLITS = ("train", "validation", "test")


def test_digits_are_divided_class_by_class_once_and_for_all():
    found = pictures.digits()
    sizes = {split: len(labels) for split, (_, labels) in found.parts.items()}
    assert sum(sizes.values()) == 1797
    assert sizes == {"train": 1259, "validation": 179, "test": 359}
    whole = np.bincount(np.concatenate([labels for _, labels in found.parts.values()]))
    for split, part in (("validation", 0.1), ("test", 0.2)):
        images, labels = found.parts[split]
        assert np.abs(np.bincount(labels) - part * whole).max() <= 1
        assert images.shape[1:] == (8, 8, 1)
        assert (images.min(), images.max()) == (0, 255)
    # Written down: another order of scikit-learn's, or another hash, would make other splits.
    assert found.parts["test"][1][:10].tolist() == FIRST


FIRST = [0, 4, 8, 8, 9, 4, 5, 0, 7, 0]


def test_equal_pictures_stay_on_one_side():
    rng = np.random.default_rng(0)
    some = rng.integers(0, 255, (30, 2, 2, 1)).astype("uint8")
    twice = np.concatenate([some, some])
    known = pictures._divided(twice, np.arange(60) % 2, ["a", "b"], {})
    sides = {}
    for split, (images, _) in known.parts.items():
        for image in images:
            sides.setdefault(image.tobytes(), set()).add(split)
    assert len(sides) == 30
    assert {len(found) for found in sides.values()} == {1}
    assert {split for found in sides.values() for split in found} == set(SPLITS)


@pytest.mark.parametrize("name", pictures.TFDS)
def test_tfds_sets(name, monkeypatch):
    splits = {split: SimpleNamespace(num_examples=40, num_bytes=40) for split in ("train", "test")}
    monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: splits))
    with tfds.testing.mock_data(num_examples=40, policy=tfds.testing.MockPolicy.USE_CODE):
        found = data.load(Train(dataset=name, batch_size=16))
    assert found.assets["shape"] == [28, 28, 1]
    assert len(found.assets["labels"]) == 10
    assert found.sizes["train"] + found.sizes["validation"] == found.sizes["test"] == 40
    images, targets, weights = next(iter(found.train(0)))
    assert images.shape[1:] == (28, 28, 1)
    assert images.numpy().max() <= 1
    assert set(weights.numpy()) <= {0, 1}
    assert targets.shape == weights.shape
    assert not found.facts["embedded"]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for place, name in enumerate(("cat", "dog")):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(0, 100, (9, 7, 3)) + 100 * place
            Image.fromarray(pixels.astype("uint8")).save(tmp_path / "own" / name / f"{i}.png")
    return tmp_path / "own"


def test_a_folder_has_a_sub_folder_a_class(folder):
    (folder / "cat" / "notes.txt").write_text("no picture")
    found = data.load(Train(dataset=str(folder), image_size=6))
    assert found.assets == {"labels": ["cat", "dog"], "shape": [6, 6, 1]}
    assert found.sizes == {"train": 14, "validation": 2, "test": 4}
    again = data.load(Train(dataset=str(folder), image_size=6, seed=5))
    first, second = (next(iter(one.split("test")))[0].numpy() for one in (found, again))
    np.testing.assert_array_equal(first, second)
    coloured = data.load(Train(dataset=str(folder), image_size=6, colour=True))
    assert coloured.assets["shape"] == [6, 6, 3]


def test_folders_that_cannot_be_used_are_told(folder, tmp_path):
    def told(path):
        with pytest.raises(UserError) as error:
            data.load(Train(dataset=str(path)))
        return str(error.value)

    (tmp_path / "none").mkdir()
    assert "has no sub-folder" in told(tmp_path / "none")
    assert "is a file" in told(folder / "cat" / "0.png")
    (tmp_path / "halves" / "train").mkdir(parents=True)
    (tmp_path / "halves" / "test").mkdir()
    assert "are splits" in told(tmp_path / "halves")
    (folder / "dog" / "3.png").write_bytes(b"nonsense")
    assert "3.png is not a picture" in told(folder)
    for i in range(1, 10):
        (folder / "dog" / f"{i}.png").unlink()
    assert "dog has 1 pictures" in told(folder)
    assert "did you mean 'digits'" in told("digit")


def test_a_limit_keeps_all_classes():
    found = data.load(Train(limit=100))
    labels = np.concatenate([targets for _, targets, _ in found.train(0)])
    assert len(labels) == 100
    assert len(set(labels)) == 10


def test_other_data_than_the_model_knows_are_refused(folder):
    with pytest.raises(UserError, match="has the labels"):
        data.load(Train(dataset=str(folder)), data.load(Train()).assets)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Few sequences of each memory test, in a folder where nobody else finds them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        for module in sequences.BUILDERS.values():
            patch.setattr(module, "SIZES", {"train": 60, "validation": 20, "test": 35})
        yield


@pytest.mark.parametrize("name", sequences.BUILDERS)
def test_memory_tests_become_padded_batches_with_masks(name, small):
    found = data.load(Train(dataset=f"{name}/20", cell="gru", batch_size=16))
    assert found.sizes == {"train": 60, "validation": 20, "test": 35}
    longest = 20 + found.assets["beside"]
    distances = []
    for (steps, mask), _, _ in found.split("test"):
        steps, mask = steps.numpy(), mask.numpy()
        assert steps.shape == (*mask.shape, 2)
        assert (np.diff(mask.astype(int), axis=1) <= 0).all(), "padding is on the right"
        assert not steps[~mask].any()
        assert mask.sum(axis=1).max() <= longest
        distances += (mask.sum(axis=1) - found.assets["beside"]).tolist()
    assert max(distances) == 20
    assert len(set(distances)) < 7
    assert len(found.examples) == 3
    once, again = ([item[1].numpy().tolist() for item in found.train(epoch)] for epoch in (3, 3))
    assert once == again


@pytest.mark.parametrize("name", ["delayed_xor/3", "delayed_xor/x", "adding/2000"])
def test_steps_out_of_reach_are_told(name):
    with pytest.raises(UserError, match="whole number from 5 to"):
        data.load(Train(dataset=name, cell="gru"))


def test_a_perceptron_cannot_read_sequences():
    with pytest.raises(UserError, match="choose a recurrent --cell"):
        data.load(Train(dataset="adding"))


def test_every_data_set_is_told_in_the_recipe():
    assert {pictures.EMBEDDED, *pictures.TFDS, *sequences.BUILDERS} == DATASETS.keys()
