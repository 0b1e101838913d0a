"""Digits, TFDS sets, folders and memory tests, down to batches; errors for what cannot be used."""

import hashlib
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image
from sklearn.datasets import load_digits
from zoo.tasks.classify import data, raw
from zoo.tasks.classify.adding import adding_dataset_builder as adding
from zoo.tasks.classify.datasets import DATASETS, PICTURE
from zoo.tasks.classify.delayed_xor import delayed_xor_dataset_builder as delayed_xor
from zoo.tasks.classify.recipe import RECIPE, Train

from zoo.data import tfds as sources
from zoo.data.datasets import DatasetCard
from zoo.data.raw import RawDataset
from zoo.errors import UserError

SPLITS = ("train", "validation", "test")
MEMORY = {"delayed_xor": delayed_xor, "adding": adding}


def arrays(opened, split):
    """Pixels and labels of a split."""
    return tuple(map(np.array, zip(*opened.split(split).as_numpy_iterator(), strict=True)))


def test_the_splits_of_the_digits_are_those_of_the_published_model():
    """Each class ranked by SHA-256 of "1 " and the pixels: a tenth is validation, the next two tenths are test."""
    bunch = load_digits()
    pixels = np.rint(bunch.images * (255 / 16)).astype("uint8")
    digests = [hashlib.sha256(b"1 " + item.tobytes()).hexdigest() for item in pixels]
    assert len(set(digests)) == 1797
    sides = {}
    for label in range(10):
        ranked = sorted(digest for digest, own in zip(digests, bunch.target, strict=True) if own == label)
        tenth, fifth = round(len(ranked) / 10), round(len(ranked) / 5)
        sides |= dict.fromkeys(ranked, "train") | dict.fromkeys(ranked[:tenth], "validation")
        sides |= dict.fromkeys(ranked[tenth : tenth + fifth], "test")
    order = sorted(range(1797), key=lambda i: hashlib.sha256(bytes.fromhex(digests[i])).digest())
    opened = raw.digits()
    for split in SPLITS:
        rows = [i for i in order if sides[digests[i]] == split]
        images, labels = arrays(opened, split)
        np.testing.assert_array_equal(images[..., 0], pixels[rows])
        np.testing.assert_array_equal(labels, bunch.target[rows])
    assert opened.sizes() == {"train": 1259, "validation": 179, "test": 359}
    # Written down: another order of scikit-learn's would make other splits.
    assert labels[:10].tolist() == [0, 4, 8, 8, 9, 4, 5, 0, 7, 0]


def test_equal_pictures_stay_in_one_split():
    rng = np.random.default_rng(0)
    some = rng.integers(0, 255, (30, 2, 2, 1)).astype("uint8")
    twice = np.concatenate([some, some])
    opened = raw.from_arrays(twice, np.arange(60) % 2, DatasetCard("twice", labels=("a", "b")))
    sides = {}
    for split in SPLITS:
        for image in arrays(opened, split)[0]:
            sides.setdefault(image.tobytes(), []).append(split)
    assert len(sides) == 30
    assert all(len(found) == 2 and len(set(found)) == 1 for found in sides.values())
    assert {split for found in sides.values() for split in found} == set(SPLITS)


# Splits and labels as the TFDS catalog has them.
@pytest.mark.parametrize("name", [name for name, row in DATASETS.items() if row.features == PICTURE][1:])
def test_tfds_sets(name, monkeypatch):
    splits = {split: SimpleNamespace(num_examples=40, num_bytes=40) for split in ("train", "test")}
    monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: splits))
    monkeypatch.setattr(sources, "_resolves", lambda host: True)
    with tfds.testing.mock_data(num_examples=40, policy=tfds.testing.MockPolicy.USE_CODE):
        loaded = data.load(Train(dataset=name, batch_size=16))
        sizes = loaded.sizes()
        images, targets, weights = next(iter(loaded.train(0)))
    assert loaded.assets["shape"] == [28, 28, 1]
    assert len(loaded.assets["labels"]) == 10
    assert sizes["train"] + sizes["validation"] == sizes["test"] == 40
    assert images.shape[1:] == (28, 28, 1)
    assert images.numpy().max() <= 1
    assert set(weights.numpy()) <= {0, 1}
    assert targets.shape == weights.shape
    assert not loaded.card.builtin


def test_a_split_is_decoded_once():
    passes = []

    def examples():
        passes.append(1)
        yield from range(5)

    dataset = tf.data.Dataset.from_generator(examples, output_signature=tf.TensorSpec((), tf.int64))
    opened = raw.cached(RawDataset(lambda split: dataset, ("train",), DatasetCard("five")))
    for _ in range(3):
        assert list(opened.split("train").as_numpy_iterator()) == [0, 1, 2, 3, 4]
    assert len(passes) == 1


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for place, name in enumerate(("cat", "dog")):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(0, 100, (9, 7, 3)) + 100 * place
            Image.fromarray(pixels.astype("uint8")).save(tmp_path / "own" / name / f"{i}.png")
    return tmp_path / "own"


def test_a_folder_has_one_subfolder_per_class(folder):
    (folder / "cat" / "notes.txt").write_text("no picture")
    loaded = data.load(Train(dataset=str(folder), image_size=6))
    assert loaded.assets == {"labels": ["cat", "dog"], "shape": [6, 6, 1]}
    assert loaded.sizes() == {"train": 14, "validation": 2, "test": 4}
    again = data.load(Train(dataset=str(folder), image_size=6, seed=5))
    first, second = (next(iter(one.split("test")))[0].numpy() for one in (loaded, again))
    np.testing.assert_array_equal(first, second)
    colored = data.load(Train(dataset=str(folder), image_size=6, color=True))
    assert colored.assets["shape"] == [6, 6, 3]
    assert "validation (10%) and test (20%) held out of train of each class" in loaded.card.splits


def test_hidden_pictures_are_not_read_and_stray_ones_are_named(folder, capsys):
    for name in ("cat/.ipynb_checkpoints/0.png", "cat/._1.png", "__MACOSX/0.png", "stray.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("no picture")
    shutil.move(folder / "cat" / "0.png", folder / "cat" / "0.jfif")
    assert data.load(Train(dataset=str(folder), image_size=6)).sizes() == {"train": 14, "validation": 2, "test": 4}
    assert capsys.readouterr().err == f"{folder}: left out: stray.png (1 .png).\n"


def test_a_folder_may_have_one_folder_for_each_split(folder, tmp_path):
    parts = tmp_path / "parts"
    for split, numbers in {"train": range(7), "val": (7,), "test": (8, 9)}.items():
        for name in ("cat", "dog"):
            (parts / split / name).mkdir(parents=True)
            for i in numbers:
                shutil.copy(folder / name / f"{i}.png", parts / split / name)
    loaded = data.load(Train(dataset=str(parts), image_size=6))
    assert loaded.sizes() == {"train": 14, "validation": 2, "test": 4}
    assert loaded.card.splits == "train: train; validation: val; test: test"
    known = data.load(
        Train(dataset=str(parts / "test"), image_size=6), {"labels": ["cat", "cow", "dog"], "shape": [6, 6, 1]}
    )
    assert set(arrays(known.raw, "all")[1]) == {0, 2}, "labels are those of the model"


def test_folders_that_cannot_be_used(folder, tmp_path):
    def message(path):
        with pytest.raises(UserError) as error:
            data.load(Train(dataset=str(path)))
        return str(error.value)

    (tmp_path / "none").mkdir()
    assert "has no subfolder" in message(tmp_path / "none")
    assert "is no table and no folder" in message(folder / "cat" / "0.png")
    (tmp_path / "halves" / "val").mkdir(parents=True)
    (tmp_path / "halves" / "test").mkdir()
    assert "are splits without train" in message(tmp_path / "halves")
    (folder / "dog" / "3.png").write_bytes(b"nonsense")
    assert "3.png is not a picture" in message(folder)
    for i in range(1, 10):
        (folder / "dog" / f"{i}.png").unlink()
    assert "dog has 1 pictures" in message(folder)
    assert "did you mean 'digits'" in message("digit")
    assert message("digits/pixel").startswith("No variant of 'digits' is called 'pixel'; did you mean 'pixels'?")
    assert "Write 'mnist' for the data set itself" in message("mnist/8")


def test_a_limit_keeps_all_classes():
    loaded = data.load(Train(limit=100))
    labels = np.concatenate([targets for _, targets, _ in loaded.train(0)])
    assert len(labels) == loaded.sizes()["train"] == 100
    assert len(set(labels)) == 10


def test_data_that_do_not_fit_the_model_are_refused(folder):
    assets = data.load(Train()).assets
    with pytest.raises(UserError, match="No label is called 'cat'"):
        data.load(Train(dataset=str(folder)), assets)
    with pytest.raises(UserError, match="inputs of shape"):
        data.load(Train(dataset=str(folder)), {"labels": ["cat", "dog"], "shape": [8, 8, 1]})


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Few sequences of each memory test, in a folder where nobody else finds them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("data")))
        for module in MEMORY.values():
            patch.setattr(module.Builder, "SIZES", {"train": 60, "validation": 20, "test": 35})
        yield


@pytest.mark.parametrize("name", MEMORY)
def test_memory_tests_become_padded_batches_with_masks(name, small):
    loaded = data.load(Train(dataset=f"{name}/20", cell="gru", batch_size=16))
    assert loaded.sizes() == {"train": 60, "validation": 20, "test": 35}
    assert loaded.assets["shape"] == [None, 2]
    assert loaded.assets["distance_offset"] == getattr(MEMORY[name], "BITS", 0)
    longest = 20 + loaded.assets["distance_offset"]
    distances = []
    for (steps, mask), _, _ in loaded.split("test"):
        steps, mask = steps.numpy(), mask.numpy()
        assert steps.shape == (*mask.shape, 2)
        assert (np.diff(mask.astype(int), axis=1) <= 0).all(), "padding is on the right"
        assert not steps[~mask].any()
        assert mask.sum(axis=1).max() <= longest
        distances += (mask.sum(axis=1) - loaded.assets["distance_offset"]).tolist()
    assert max(distances) == 20
    assert len(set(distances)) < 7
    assert len(loaded.examples) == 3
    once, again = ([item[1].numpy().tolist() for item in loaded.train(epoch)] for epoch in (3, 3))
    assert once == again


@pytest.mark.parametrize("name", ["delayed_xor/3", "delayed_xor/x", "adding/2000"])
def test_steps_out_of_bounds(name):
    with pytest.raises(UserError, match=r"^\w+/\w+: the longest .* is a whole number from 5 to 1,000"):
        data.load(Train(dataset=name, cell="gru"))


def test_a_perceptron_cannot_read_sequences():
    with pytest.raises(UserError, match="choose a recurrent --cell"):
        data.load(Train(dataset="adding"))


def test_the_memory_tests_of_the_lens_are_data_sets():
    assert RECIPE.memory.keys() == {name for name in DATASETS if raw.is_memory_test(f"{name}")} == MEMORY.keys()
