"""Memory tests of state tracking and of selection: every label by brute force, and the data sets as TFDS has them."""

import numpy as np
import pytest
from zoo.tasks.tag.datasets import DATASETS
from zoo.tasks.tag.mod3 import mod3_dataset_builder as mod3
from zoo.tasks.tag.parity import parity_dataset_builder as parity
from zoo.tasks.tag.raw import open_sequences
from zoo.tasks.tag.selective_copy import selective_copy_dataset_builder as selective_copy

from zoo.errors import UserError


@pytest.mark.parametrize("modulus", [2, 3])
@pytest.mark.parametrize("last_only", [False, True])
def test_labels_are_sums_of_the_digits_so_far(modulus, last_only):
    rng = np.random.default_rng(0)
    for length in (1, 2, 40):
        steps, labels = parity.example(length, modulus, last_only, rng)
        assert steps.shape == (1 + length, modulus + 1)
        assert (steps.sum(axis=1) == 1).all()
        digits = [int(step.argmax()) for step in steps]
        assert digits[0] == modulus, "the sign that begins a sequence"
        assert modulus not in digits[1:]
        expected = [-1, *(sum(digits[1 : 1 + place]) % modulus for place in range(1, 1 + length))]
        if last_only:
            expected[:-1] = [-1] * length
        assert labels.tolist() == expected


def test_lengths_of_test_sequences_are_fixed_and_others_short_and_long():
    rng = np.random.default_rng(0)
    assert set(parity.Builder.distances("test", 40, rng, 50)) == {5, 10, 20, 40}
    drawn = parity.Builder.distances("train", 40, rng, 3000)
    assert (drawn.min(), drawn.max()) == (1, 40)
    assert 0.3 < (drawn < 7).mean() < 0.7, "log-uniform: half of them are shorter than the square root"


def test_symbols_of_a_selective_copy_are_repeated_in_their_order():
    rng = np.random.default_rng(0)
    places = set()
    for distance in (4, 30, 30, 30):
        steps, labels = selective_copy.example(distance, rng)
        signs = steps.argmax(axis=1)
        shown = [sign for sign in signs[:distance] if sign < selective_copy.SYMBOLS]
        assert len(shown) == selective_copy.SHOWN
        assert (signs[distance:] == selective_copy.ASK).all()
        assert (signs[:distance] != selective_copy.ASK).all()
        assert labels[distance:].tolist() == shown
        assert (labels[:distance] == -1).all()
        places.add(tuple(np.flatnonzero(signs[:distance] < selective_copy.SYMBOLS)))
    assert len(places) == 4, "not always at the same steps"


@pytest.mark.parametrize(("module", "name"), [(parity, "parity"), (mod3, "mod3"), (selective_copy, "selective_copy")])
def test_the_data_sets_are_those_of_tfds(module, name, monkeypatch, tmp_path):
    sizes = {"train": 12, "validation": 4, "test": 8}
    monkeypatch.setattr(module.Builder, "SIZES", sizes)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert module.config(DATASETS[name].config) in module.Builder.BUILDER_CONFIGS
    raw = open_sequences(f"{name}/9")
    assert raw.sizes() == sizes
    for steps, labels in raw.split("test").as_numpy_iterator():
        assert len(steps) == len(labels)
        assert steps.shape[1] == {"parity": 3, "mod3": 4, "selective_copy": 6}[name]
        assert labels.max() < len(raw.labels) == len(DATASETS[name].labels)
        if module is mod3:
            digits = steps.argmax(axis=1)[1:]
            assert labels[-1] == digits.sum() % 3


@pytest.mark.parametrize("name", ["parity/4", "mod3/x", "selective_copy/2000"])
def test_lengths_out_of_bounds_are_refused(name):
    with pytest.raises(UserError, match="the longest distance is a whole number from 5 to 1,000"):
        open_sequences(name)
