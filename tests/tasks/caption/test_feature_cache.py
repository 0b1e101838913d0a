"""Features on disk: computed once, continued after an interruption, never mixed up."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from zoo.tasks.caption import feature_cache
from zoo.tasks.caption.raw import RawImages

from zoo.data.datasets import DatasetCard

SIDE, TOTAL = 4, 11


def raw_images(fingerprint: str = "toy-1") -> RawImages:
    """Image i is of one gray, 20 i, so that scaling changes nothing; larger than what is stored."""
    return RawImages(
        lambda split: tf.data.Dataset.range(TOTAL).map(lambda i: (i, tf.constant([""]), tf.constant(""))),
        ("train", "test"),
        DatasetCard("toy / set"),
        count=lambda split: TOTAL,
        fingerprint=lambda: fingerprint,
        decode=lambda i: tf.fill((6, 5, 3), tf.cast(20 * i, tf.uint8)),
    )


class Encoder:
    """Gives the mean of an image in a grid; counts images, and is interrupted after some of them."""

    def __init__(self, breaks_at: float = np.inf) -> None:
        self.count, self.breaks_at = 0, breaks_at

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        assert pictures.shape[1:] == (SIDE, SIDE, 3)
        assert pictures.dtype == np.uint8
        self.count += len(pictures)
        if self.count > self.breaks_at:
            raise KeyboardInterrupt
        return np.tile(pictures.mean((1, 2, 3), dtype="float32")[:, None, None, None], (1, 2, 2, 5))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files of four images, which are encoded three at a time."""
    monkeypatch.setattr(feature_cache, "PART", 4)
    monkeypatch.setattr(feature_cache, "AT_ONCE", 3)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def files(pattern: str = "*.npy") -> Iterator[str]:
    return (str(path.relative_to(Path("cache"))) for path in sorted(Path("cache").rglob(pattern)))


def cached(encode: Callable | None, **options: Any) -> feature_cache.CachedArrays:
    given = {"raw": raw_images(), "split": "train", "size": SIDE, "encoder": "e", **options}
    return feature_cache.cached(encode=encode, **given)


def test_each_image_is_encoded_once() -> None:
    encoder = Encoder()
    first = cached(encoder)
    assert encoder.count == TOTAL
    assert (len(first), first.shape, first.dtype) == (TOTAL, (2, 2, 5), np.float16)
    again = cached(Encoder(breaks_at=0))
    order = [10, 0, 3, 4, 7, 8, 0]
    for features in (first, again):
        np.testing.assert_array_equal(features.take(order)[:, 0, 0, 0], [20 * i for i in order])
    names = list(files())
    assert [Path(name).name for name in names] == ["00000.npy", "00001.npy", "00002.npy"]
    assert all(name.startswith("zoo/features/toy---set-") for name in names)


def test_images_themselves_are_kept_as_they_are() -> None:
    kept = cached(None)
    assert (kept.shape, kept.dtype) == ((SIDE, SIDE, 3), np.uint8)
    taken = kept.take(np.array([9, 2, 5], "int32"))
    assert (taken == np.array([180, 40, 100])[:, None, None, None]).all()
    assert taken.shape == (3, SIDE, SIDE, 3)


@pytest.mark.parametrize("breaks_at", [2, 4, 10])
def test_an_interrupted_run_loses_one_file_at_most(breaks_at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        cached(Encoder(breaks_at))
    whole = len(list(files()))
    assert whole == breaks_at // 4
    encoder = Encoder()
    features = cached(encoder)
    assert encoder.count == TOTAL - 4 * whole
    np.testing.assert_array_equal(features.take(range(TOTAL))[:, 0, 0, 0], [20 * i for i in range(TOTAL)])


def test_a_file_that_was_being_written_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    save = np.save

    def killed(stream: Any, array: np.ndarray) -> None:
        save(stream, array[:1])
        stream.flush()
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        cached(Encoder())
    monkeypatch.setattr(np, "save", save)
    assert [Path(name).suffix for name in files("0*")] == [".part"]
    encoder = Encoder()
    assert len(cached(encoder)) == encoder.count == TOTAL


def test_another_encoder_size_split_or_set_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    cached(Encoder())
    others: list[dict[str, Any]] = [
        {"encoder": "another"}, {"raw": raw_images("toy-2")}, {"split": "test"},
    ]  # fmt: skip
    for other in others:
        encoder = Encoder()
        cached(encoder, **other)
        assert encoder.count == TOTAL, other
    assert cached(None, size=SIDE + 1).shape == (SIDE + 1, SIDE + 1, 3)
    monkeypatch.setattr(feature_cache, "PART", 5)
    encoder = Encoder()
    assert len(cached(encoder)) == encoder.count == TOTAL
    assert len({Path(name).parent for name in files()}) == 6


def test_no_more_files_are_computed_than_needed() -> None:
    for count, expected, more in ((1, 4, 4), (4, 4, 0), (5, 8, 4), (9, TOTAL, 3), (None, TOTAL, 0), (2, 4, 0)):
        encoder = Encoder()
        assert len(cached(encoder, count=count)) == expected
        assert encoder.count == more


def test_the_cache_lies_in_the_home_folder_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cached(Encoder())
    assert len([*(tmp_path / "home/.cache/zoo/features").rglob("*.npy")]) == 3
    assert capsys.readouterr().err.splitlines()[-1] == "train: 11 of 11 images encoded"
    cached(None, encoder="")
    assert capsys.readouterr().err.splitlines()[-1] == "train: 11 of 11 images resized"
