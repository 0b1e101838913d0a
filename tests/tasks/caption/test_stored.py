"""What pictures have become on disk: computed once, continued after a kill, never mixed up."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from zoo.tasks.caption import stored
from zoo.tasks.caption.pictures import Pictures

SIDE, TOTAL = 4, 11


def image(number: int) -> np.ndarray:
    """Of one grey, so that scaling changes nothing; larger than what is stored."""
    return np.full((6, 5, 3), 20 * number, "uint8")


def pictures_of(identity: str = "toy-1", total: int = TOTAL) -> Pictures:
    def read(split: str, images: bool) -> tf.data.Dataset:
        signature = {"image": tf.TensorSpec((None, None, 3), tf.uint8)}
        return tf.data.Dataset.from_generator(
            lambda: ({"image": image(i)} for i in range(total)), output_signature=signature
        )

    return Pictures({"train": total, "test": total}, {"name": "toy / set"}, identity, read)


class Encoder:
    """Says the mean of a picture in a grid; counts what it sees, and breaks where it is told to."""

    def __init__(self, breaks_at: float = np.inf) -> None:
        self.seen, self.breaks_at = 0, breaks_at

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        assert pictures.shape[1:] == (SIDE, SIDE, 3)
        assert pictures.dtype == np.uint8
        self.seen += len(pictures)
        if self.seen > self.breaks_at:
            raise KeyboardInterrupt
        return np.tile(pictures.mean((1, 2, 3), dtype="float32")[:, None, None, None], (1, 2, 2, 5))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Parts of four pictures, which an encoder sees three by three."""
    monkeypatch.setattr(stored, "PART", 4)
    monkeypatch.setattr(stored, "AT_ONCE", 3)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def files(pattern: str = "*.npy") -> Iterator[str]:
    return (str(path.relative_to(Path("cache"))) for path in sorted(Path("cache").rglob(pattern)))


def see(what: Callable | None, **options: Any) -> stored.Stored:
    given = {"pictures": pictures_of(), "split": "train", "size": SIDE, "encoder": "e", **options}
    return stored.stored(see=what, **given)


def test_an_encoder_sees_each_picture_once() -> None:
    encoder = Encoder()
    first = see(encoder)
    assert encoder.seen == TOTAL
    assert (len(first), first.shape, first.dtype) == (TOTAL, (2, 2, 5), np.float16)
    again = see(Encoder(breaks_at=0))
    order = [10, 0, 3, 4, 7, 8, 0]
    for features in (first, again):
        np.testing.assert_array_equal(features.take(order)[:, 0, 0, 0], [20 * i for i in order])
    names = list(files())
    assert [Path(name).name for name in names] == ["00000.npy", "00001.npy", "00002.npy"]
    assert all(name.startswith("zoo/features/toy---set-") for name in names)


def test_pictures_themselves_are_kept_as_they_are() -> None:
    kept = see(None)
    assert (kept.shape, kept.dtype) == ((SIDE, SIDE, 3), np.uint8)
    taken = kept.take(np.array([9, 2, 5], "int32"))
    assert (taken == np.array([180, 40, 100])[:, None, None, None]).all()
    assert taken.shape == (3, SIDE, SIDE, 3)


@pytest.mark.parametrize("breaks_at", [2, 4, 6, 10])
def test_a_killed_run_loses_one_part_at_most(breaks_at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        see(Encoder(breaks_at))
    whole = len(list(files()))
    assert whole == breaks_at // 4
    encoder = Encoder()
    features = see(encoder)
    assert encoder.seen == TOTAL - 4 * whole
    np.testing.assert_array_equal(features.take(range(TOTAL))[:, 0, 0, 0], [20 * i for i in range(TOTAL)])


def test_a_part_that_was_being_written_is_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    save = np.save

    def killed(stream: Any, array: np.ndarray) -> None:
        save(stream, array[:1])
        stream.flush()
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        see(Encoder())
    monkeypatch.setattr(np, "save", save)
    assert [Path(name).suffix for name in files("0*")] == [".part"]
    encoder = Encoder()
    assert len(see(encoder)) == encoder.seen == TOTAL


def test_another_encoder_size_split_or_set_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    see(Encoder())
    others: list[dict[str, Any]] = [
        {"encoder": "another"}, {"pictures": pictures_of("toy-2")}, {"split": "test"},
    ]  # fmt: skip
    for other in others:
        encoder = Encoder()
        see(encoder, **other)
        assert encoder.seen == TOTAL, other
    assert see(None, size=SIDE + 1).shape == (SIDE + 1, SIDE + 1, 3)
    monkeypatch.setattr(stored, "PART", 5)
    encoder = Encoder()
    assert len(see(encoder)) == encoder.seen == TOTAL
    assert len({Path(name).parent for name in files()}) == 6


def test_no_more_parts_are_computed_than_are_wanted() -> None:
    for count, expected, more in ((1, 4, 4), (4, 4, 0), (5, 8, 4), (9, TOTAL, 3), (None, TOTAL, 0), (2, 4, 0)):
        encoder = Encoder()
        assert len(see(encoder, count=count)) == expected
        assert encoder.seen == more


def test_the_cache_lies_in_the_home_folder_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    see(Encoder())
    assert len([*(tmp_path / "home/.cache/zoo/features").rglob("*.npy")]) == 3
    assert capsys.readouterr().err.splitlines()[-1] == "train: 11 of 11 pictures seen"
