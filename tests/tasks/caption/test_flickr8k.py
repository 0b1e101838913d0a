"""Flickr8k's builder on invented archives and, where they are at hand, the real ones. Nothing reaches the network."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from zoo.tasks.caption.flickr8k import flickr8k_dataset_builder as flickr8k

from zoo.data import tfds as sources
from zoo.errors import UserError

SIZES = {"b_1.jpg": (40, 30), "a_2.jpg": (17, 55), "c_3.jpg": (64, 64), "d_4.jpg": (8, 8), "in_no_list.jpg": (9, 9)}
"""Height and width of each invented image."""

LISTS = {
    "Flickr_8k.trainImages.txt": "b_1.jpg\na_2.jpg\n",
    "Flickr_8k.devImages.txt": "c_3.jpg\n",
    "Flickr_8k.testImages.txt": "d_4.jpg",
}


def jpeg(height: int, width: int) -> bytes:
    noise = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), "uint8")
    return tf.io.encode_jpeg(noise).numpy()


def images() -> dict[str, bytes]:
    found = {f"Flicker8k_Dataset/{name}": jpeg(*size) for name, size in SIZES.items()}
    return {**found, "__MACOSX/Flicker8k_Dataset/b_1.jpg": b"", "__MACOSX/._Flicker8k_Dataset": b"\0"}


def texts() -> dict[str, bytes]:
    names = [*SIZES, "c_3.jpg.1"]
    token = "".join(f"{name}#{number}\tPicture {name} , caption {number} .\n" for name in names for number in range(5))
    return {name: text.encode() for name, text in {**LISTS, "Flickr8k.token.txt": token}.items()}


def packed(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """`offered(**{"name.zip": bytes})` puts archives into TFDS's folder for what is put there by hand."""

    def offer(**files: bytes) -> Path:
        manual = tmp_path / "data" / "downloads" / "manual"
        manual.mkdir(parents=True)
        for name, content in files.items():
            (manual / name).write_bytes(content)
        return manual

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    return offer


def both(pictures: Mapping[str, bytes], words: Mapping[str, bytes]) -> dict[str, bytes]:
    return {"Flickr8k_Dataset.zip": packed(pictures), "Flickr8k_text.zip": packed(words)}


def prepared() -> Any:
    return sources.prepared(flickr8k.Builder, "scenes")


def test_splits_are_the_official_lists_in_their_order(offered: Callable) -> None:
    offered(**both(images(), texts()))
    builder = prepared()
    counts = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert counts == {"train": 2, "validation": 1, "test": 1}
    found = {
        split: [item["filename"].decode() for item in builder.as_dataset(split=split).as_numpy_iterator()]
        for split in counts
    }
    assert found == {"train": ["b_1.jpg", "a_2.jpg"], "validation": ["c_3.jpg"], "test": ["d_4.jpg"]}


def test_images_and_captions_are_those_of_the_archives(offered: Callable) -> None:
    offered(**both(images(), texts()))
    builder = prepared()
    items = list(builder.as_dataset(split="train+validation+test").as_numpy_iterator())
    assert len(items) == 4
    for item in items:
        name = item["filename"].decode()
        assert item["image"].dtype == np.uint8
        assert item["image"].shape == (*SIZES[name], 3)
        np.testing.assert_array_equal(item["image"], tf.io.decode_jpeg(jpeg(*SIZES[name])).numpy())
        captions = [caption.decode() for caption in item["captions"]]
        assert captions == [f"Picture {name} , caption {number} ." for number in range(5)]


def test_nothing_is_downloaded() -> None:
    assert not flickr8k.Builder.url_infos


def test_without_a_manual_folder_the_error_says_where_the_archives_are_and_go(
    offered: Callable, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as error:
        prepared()
    assert isinstance(error.value.__cause__, AssertionError), "TFDS's own"
    message = str(error.value)
    for part in (
        "'flickr8k'",
        f"put into {tmp_path / 'data' / 'downloads' / 'manual'} by hand",
        "Flickr8k_Dataset.zip and Flickr8k_text.zip",
        "illinois.edu/fb/sec/1713398",
        "github.com/jbrownlee/Datasets/releases/tag/Flickr8k",
        "built-in data set 'scenes'",
    ):
        assert part in message
    assert "\n" not in message


def test_an_empty_manual_folder_is_as_good_as_none(offered: Callable) -> None:
    manual = offered()
    with pytest.raises(UserError, match=f"put into {re.escape(str(manual))} by hand"):
        prepared()


def test_an_assertion_that_is_no_such_account_is_a_bug(offered: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    offered()
    monkeypatch.setattr(flickr8k.Builder, "MANUAL_DOWNLOAD_INSTRUCTIONS", None)

    def fail(*_: Any) -> None:
        raise AssertionError("a bug")

    monkeypatch.setattr(flickr8k.Builder, "_split_generators", fail)
    with pytest.raises(AssertionError, match="a bug"):
        prepared()


@pytest.mark.parametrize("there", ["Flickr8k_Dataset.zip", "Flickr8k_text.zip", "train.en.gz"])
def test_the_archive_that_is_missing_is_named(offered: Callable, there: str) -> None:
    manual = offered(**{there: packed({})})
    missing = " and no ".join(name for name in ("Flickr8k_Dataset.zip", "Flickr8k_text.zip") if name != there)
    with pytest.raises(UserError, match=re.escape(f"{manual} has no {missing}. Put Flickr8k_Dataset.zip")):
        prepared()


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        (["a_2.jpg"], r"trainImages\.txt lists images that \S+Flickr8k_Dataset\.zip does not have: a_2\.jpg\. "),
        (["a_2.jpg", "b_1.jpg"], r"Flickr8k_Dataset\.zip does not have: b_1\.jpg and 1 more\. "),
        (["d_4.jpg"], r"testImages\.txt lists .*: d_4\.jpg\. Take both archives"),
    ],
)
def test_an_image_that_a_list_has_and_the_archive_lacks_is_named(offered: Callable, absent: list, message: str) -> None:
    there = {path: content for path, content in images().items() if path.rpartition("/")[2] not in absent}
    offered(**both(there, texts()))
    with pytest.raises(UserError, match=message):
        prepared()


def test_an_image_without_a_caption_is_named(offered: Callable) -> None:
    words = texts()
    lines = words["Flickr8k.token.txt"].splitlines(keepends=True)
    words["Flickr8k.token.txt"] = b"".join(line for line in lines if not line.startswith(b"c_3.jpg#"))
    offered(**both(images(), words))
    with pytest.raises(UserError, match=r"devImages\.txt lists images that have no caption in .*: c_3\.jpg\."):
        prepared()


def test_a_text_file_that_is_missing_is_named(offered: Callable) -> None:
    words = texts()
    del words["Flickr_8k.devImages.txt"]
    offered(**both(images(), words))
    with pytest.raises(UserError, match=r"Flickr8k_text\.zip has no Flickr_8k\.devImages\.txt"):
        prepared()


@pytest.mark.parametrize("broken", ["Flickr8k_Dataset.zip", "Flickr8k_text.zip"])
def test_half_an_archive_is_refused(offered: Callable, broken: str) -> None:
    files = both(images(), texts())
    offered(**{**files, broken: files[broken][: len(files[broken]) // 2]})
    with pytest.raises(UserError, match=rf"{re.escape(broken)} is no zip archive, or only a part of one"):
        prepared()


def test_a_damaged_image_is_refused(offered: Callable) -> None:
    files = both(images(), texts())
    whole = bytearray(files["Flickr8k_Dataset.zip"])
    whole[whole.index(b"a_2.jpg") + 400] ^= 0xFF
    offered(**{**files, "Flickr8k_Dataset.zip": bytes(whole)})
    with pytest.raises(UserError, match=r"Flickr8k_Dataset\.zip .*Bad CRC-32 for file .*a_2\.jpg"):
        prepared()


def test_the_real_archives(users_data: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manual = users_data / "downloads" / "manual" if users_data else tmp_path
    if not all((manual / name).is_file() for name in ("Flickr8k_Dataset.zip", "Flickr8k_text.zip")):
        pytest.skip("TFDS_DATA_DIR does not hold Flickr8k's archives")
    data = tmp_path / "data" / "downloads"
    data.mkdir(parents=True)
    (data / "manual").symlink_to(manual)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    builder = prepared()
    counts = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert counts == {"train": 6_000, "validation": 1_000, "test": 1_000}
    only = tfds.decode.PartialDecoding({"captions", "filename"})
    names = set()
    for split, count in counts.items():
        items = list(builder.as_dataset(split=split, decoders=only).as_numpy_iterator())
        assert len(items) == count
        assert {len(item["captions"]) for item in items} == {5}
        names |= {item["filename"] for item in items}
    assert len(names) == 8_000
    first = next(builder.as_dataset(split="train[:1]").as_numpy_iterator())
    assert first["filename"] == b"2513260012_03d33305cf.jpg"
    assert first["captions"][0] == b"A black dog is running after a white dog in the snow ."
    assert first["image"].ndim == 3
