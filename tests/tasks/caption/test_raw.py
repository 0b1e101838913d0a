"""TFDS data sets and folders of images, their splits, and errors of those that cannot be used. No network."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from zoo.tasks.caption import datasets, raw

from zoo.data import images
from zoo.data import tfds as sources
from zoo.data.datasets import DatasetRow
from zoo.errors import UserError

SPLITS = ("train", "validation", "test")


def noise(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*rng.integers(5, 30, 2), 3), "uint8")


def rows(count: int, captions: int = 2) -> list[str]:
    """Lines of a table, those of an image not side by side."""
    return [f"photos/{i}.png,A dog number {i}.{number}" for number in range(captions) for i in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """`folder(lines, count)` writes a table with a header of its own and noise as images 0 to `count` - 1."""

    def write(lines: Sequence[str] | bytes | None, count: int, header: str = "image,caption") -> Path:
        path = tmp_path / "own"
        (path / "photos").mkdir(parents=True)
        if isinstance(lines, bytes):
            (path / "captions.csv").write_bytes(lines)
        elif lines is not None:
            (path / "captions.csv").write_text("".join(f"{line}\n" for line in [header, *lines]), encoding="utf-8")
        for i in range(count):
            (path / f"photos/{i}.png").write_bytes(tf.io.encode_png(noise(i)).numpy())
        return path

    return write


def read(opened: raw.RawImages, split: str) -> list[tuple[Any, list[bytes], bytes]]:
    """Pixels, captions and facts."""
    rows = opened.split(split).map(lambda image, captions, facts: (opened.decode(image), captions, facts))
    return [(image, captions.tolist(), facts) for image, captions, facts in rows.as_numpy_iterator()]


def names(opened: raw.RawImages, split: str) -> list[str]:
    return [image.decode() for image, *_ in opened.split(split).as_numpy_iterator()]


def test_a_folder_gives_each_image_with_all_its_captions(folder: Callable) -> None:
    opened = raw.open_images(str(folder(rows(20), 20)))
    items = [
        (name, *item) for split in SPLITS for name, item in zip(names(opened, split), read(opened, split), strict=True)
    ]
    assert sorted(name for name, *_ in items) == sorted(f"photos/{i}.png" for i in range(20))
    for name, image, captions, facts in items:
        number = int(Path(name).stem)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, noise(number))
        assert captions == [f"A dog number {number}.{i}".encode() for i in range(2)]
        assert facts == b""


def test_one_image_in_ten_is_held_out_for_each_split(folder: Callable) -> None:
    opened = raw.from_folder(folder(rows(40), 40))
    assert opened.sizes() == {"train": 32, "validation": 4, "test": 4}
    parts = {split: names(opened, split) for split in SPLITS}
    assert {split: len(part) for split, part in parts.items()} == opened.sizes()
    assert len(set().union(*parts.values())) == 40
    assert opened.card.splits.startswith("validation (10%) and test (10%) held out of train by a hash")


def test_what_is_held_out_follows_from_the_name_alone(folder: Callable, tmp_path: Path) -> None:
    one = raw.from_folder(folder(rows(40), 40))
    expected = {split: sorted(names(one, split)) for split in SPLITS}
    (tmp_path / "own").rename(tmp_path / "first")
    other = raw.from_folder(folder(rows(40, captions=1)[::-1], 40))
    assert {split: sorted(names(other, split)) for split in SPLITS} == expected


def test_three_images_are_enough(folder: Callable) -> None:
    assert raw.from_folder(folder(rows(3), 3)).sizes() == {"train": 1, "validation": 1, "test": 1}


def test_a_column_says_the_split(folder: Callable) -> None:
    lines = [f"photos/{i}.png,Dog {i},{split}" for i, split in enumerate(["test", "train", "validation", "train"])]
    opened = raw.from_folder(folder(lines, 4, "Image, caption ,SPLIT"))
    assert {split: names(opened, split) for split in SPLITS} == {
        "train": ["photos/1.png", "photos/3.png"],
        "validation": ["photos/2.png"],
        "test": ["photos/0.png"],
    }
    assert opened.card.splits == "its own"


def test_a_split_that_the_column_never_says_is_held_out(folder: Callable) -> None:
    lines = [f"photos/{i}.png,Dog {i},{'test' if i < 5 else 'train'}" for i in range(25)]
    opened = raw.from_folder(folder(lines, 25, "image,caption,split"))
    assert opened.sizes() == {"train": 18, "validation": 2, "test": 5}
    assert names(opened, "test") == [f"photos/{i}.png" for i in range(5)]
    assert opened.card.splits.startswith("validation (10%) held out of train")


def test_captions_may_hold_commas_quotes_and_any_script(folder: Callable) -> None:
    lines = ['photos/0.png,"A dog, a ""big"" one"', "photos/0.png,Ein Hund läuft", "photos/1.png,犬", "photos/2.png,x"]
    opened = raw.from_folder(folder(lines, 3))
    found = {
        image: captions.tolist() for split in SPLITS for image, captions, _ in opened.split(split).as_numpy_iterator()
    }
    assert found[b"photos/0.png"] == [b'A dog, a "big" one', "Ein Hund läuft".encode()]
    assert found[b"photos/1.png"] == ["犬".encode()]


def test_the_card_has_the_name_and_the_digest_of_the_table(folder: Callable) -> None:
    card = raw.from_folder(folder(rows(20), 20)).card.to_json()
    assert json.loads(json.dumps(card)) == card
    assert (card["name"], card["builtin"], set(card["sha256"])) == ("own", False, {"captions.csv"})


def test_one_image_under_two_spellings_is_one_image(folder: Callable) -> None:
    lines = [*rows(3), "./photos/0.png,A dog", "photos//0.png,The dog", "photos/../photos/0.png,That dog"]
    opened = raw.from_folder(folder(lines, 3))
    assert sorted(name for split in SPLITS for name in names(opened, split)) == [f"photos/{i}.png" for i in range(3)]


def test_the_fingerprint_changes_with_the_data_and_not_with_the_place(folder: Callable, tmp_path: Path) -> None:
    path = folder(rows(20), 20)
    before = raw.from_folder(path).fingerprint()
    assert before.startswith("own-")
    (tmp_path / "elsewhere").mkdir()
    path = path.rename(tmp_path / "elsewhere/own")
    assert raw.from_folder(path).fingerprint() == before
    (path / "photos/7.png").write_bytes(tf.io.encode_png(np.zeros((9, 9, 3), "uint8")).numpy())
    image_changed = raw.from_folder(path).fingerprint()
    with (path / "captions.csv").open("a") as stream:
        stream.write("photos/7.png,Another dog\n")
    assert len({before, image_changed, raw.from_folder(path).fingerprint()}) == 3


def test_images_are_read_when_they_are_used(folder: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    monkeypatch.setattr(images, "read", lambda path: paths.append(path) or noise(0))
    path = folder(rows(60, captions=1), 60)
    opened = raw.from_folder(path)
    assert len(names(opened, "train")) == 48
    assert paths == []
    assert len(read(opened, "test")) == 6
    assert paths == [path / name for name in names(opened, "test")]


@pytest.mark.parametrize(
    ("lines", "count", "header", "message"),
    [
        (None, 1, "", r"own has no captions\.csv\. Give a folder with images and captions\.csv"),
        (b"", 1, "", r"captions\.csv is empty\. Its first line has to name the columns: image, caption"),
        ([], 1, "image,caption", r"captions\.csv has no rows below its header"),
        (
            rows(3),
            3,
            "x,caption",
            r"captions\.csv has no column for the image \(looked for image, .*it has 'x', 'caption'",
        ),
        (rows(3), 3, "file,y", r"has no column for the caption"),
        (rows(3), 2, "image,caption", r"2\.png does not exist\. Put there the image that captions\.csv lists"),
        (rows(9), 2, "image,caption", r"2\.png does not exist \(and 6 more\)\."),
        (
            [*rows(3), "../x.png,Dog"],
            3,
            "image,caption",
            r"line 8: \.\./x\.png is not inside the folder\. Put the file",
        ),
        ([*rows(3), "photos/../../x.png,Dog"], 3, "image,caption", r"line 8: photos/\.\./\.\./x\.png is not inside"),
        ([*rows(3), "/etc/x.png,Dog"], 3, "image,caption", r"line 8: /etc/x\.png is not inside the folder"),
        ([*rows(3), ",A dog"], 3, "image,caption", r"captions\.csv, line 8: the image is empty\. Fill it in"),
        ([*rows(3), "photos/0.png, "], 3, "image,caption", r"captions\.csv, line 8: the caption is empty\. Fill it in"),
        ([*rows(3), "photos/0.png"], 3, "image,caption", r"captions\.csv, line 8: the caption is empty\. Fill it in"),
        ([*rows(3), "photos/0.png,A dog, a cat"], 3, "image,caption", r"line 8: 3 fields; the header has 2.*Quote"),
        (b"image,caption\nphotos/0.png,H\xfcndchen\n", 1, "", r"captions\.csv, line 2: not UTF-8"),
        ([f'photos/0.png,"{"x" * 200_000}'], 1, "image,caption", r"line \d: .* Is a quotation mark never closed"),
        (
            ["photos/0.png,Dog,tset"],
            1,
            "image,caption,split",
            r"line 2: No split is called 'tset'; did you mean 'test'",
        ),
        (["photos/0.png,Dog"], 1, "image,caption,split", r"line 2: No split is called ''.*Known: test, train, valid"),
        (
            ["photos/0.png,Dog,train", "photos/0.png,Dog,test"],
            1,
            "image,caption,split",
            r"line 3: photos/0\.png is in test, but above in train\. Put it into one split",
        ),
        (
            ["photos/0.png,Dog,validation", "photos/1.png,Dog,test"],
            2,
            "image,caption,split",
            r"captions\.csv has no images to train on",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(
    folder: Callable, lines: Any, count: int, header: str, message: str
) -> None:
    path = folder(lines, count, header)
    with pytest.raises(UserError, match=message) as error:
        raw.open_images(str(path))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_too_few_images_to_hold_any_out_are_refused(folder: Callable) -> None:
    with pytest.raises(UserError, match=r"own has 2 images to train on.* too few to hold validation and test out"):
        raw.from_folder(folder(rows(2), 2)).sizes()


def test_an_empty_image_is_named_at_once(folder: Callable) -> None:
    path = folder(rows(4), 4)
    (path / "photos/3.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"photos/3\.png is empty\. Put there the image"):
        raw.from_folder(path)


def test_an_image_that_cannot_be_read_is_named_when_it_is_used(folder: Callable) -> None:
    path = folder([f"photos/{i}.png,Dog,{split}" for i, split in enumerate(SPLITS)], 3, "image,caption,split")
    (path / "photos/0.png").write_text("This is no image.")
    opened = raw.from_folder(path)
    with pytest.raises(UserError, match=r"photos/0\.png") as error, raw.user_errors():
        read(opened, "train")
    assert "\n" not in str(error.value)
    assert "Traceback" not in str(error.value)
    batches = opened.split("train").map(lambda image, *_: opened.decode(image)).batch(2).prefetch(1)
    with pytest.raises(UserError, match=r"photos/0\.png"), raw.user_errors():
        next(iter(batches))
    assert len(read(opened, "test")) == 1


def test_other_errors_of_tensorflow_stay_what_they_are() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError), raw.user_errors():
        raise tf.errors.InvalidArgumentError(None, None, "shapes differ")


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text("image,caption\n")
    with pytest.raises(UserError, match=r"captions\.csv is a file\. Give a folder with images and captions\.csv"):
        raw.open_images(str(tmp_path / "captions.csv"))
    with pytest.raises(UserError, match=r"nowhere does not exist\. Give a folder"):
        raw.from_folder(tmp_path / "nowhere")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"'flicker8k'; did you mean 'flickr8k'.*coco_captions, flickr8k, scenes.*Or give"
    ):
        raw.open_images("flicker8k")


def test_an_unknown_split_is_refused(folder: Callable) -> None:
    with pytest.raises(UserError, match=r"No split is called 'tset'; did you mean 'test'"):
        raw.from_folder(folder(rows(3), 3)).split("tset")


@pytest.mark.parametrize("name", ["scenes/nope", "flickr8k/nope"])
def test_a_config_of_a_set_that_has_none_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"has no configs; got '?{name}"):
        raw.open_images(name)


@pytest.fixture
def coco(monkeypatch: pytest.MonkeyPatch) -> Iterator[raw.RawImages]:
    """Karpathy's splits with three random images each."""
    counts = {"train": 3, "val": 3, "test": 3, "restval": 3}
    splits = {name: SimpleNamespace(num_examples=count, num_bytes=count) for name, count in counts.items()}
    # Mocked builders know their features but, never having been generated, not their splits.
    monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: splits))

    def as_dataset(builder: Any, split: str, decoders: Any, **_: Any) -> tf.data.Dataset:
        # TFDS's own mock cannot encode random images again, which is what is read where decoding is skipped.
        assert set(decoders) == {"image"}
        pictures = [tf.io.encode_jpeg(noise(i)) for i in range(3)]
        texts = [[f"{split} {i}".encode()] * 2 for i in range(3)]
        return tf.data.Dataset.from_tensor_slices(
            {"image": pictures, "captions": {"text": texts}, "objects": [1, 2, 3]}
        )

    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        yield raw.open_images("coco_captions")


def test_coco_has_the_splits_of_karpathy(coco: raw.RawImages) -> None:
    assert {split: coco.size(split) for split in coco.names} == {"train": 3, "validation": 3, "test": 3, "restval": 3}
    assert coco.card.splits == "its own; validation is its val"
    assert (coco.card.name, coco.card.version, coco.card.builtin) == ("coco_captions", "1.1.0", False)
    assert coco.fingerprint().startswith("coco_captions-1.1.0-")
    with pytest.raises(UserError, match="No split is called 'val'; did you mean"):
        coco.split("val")


def test_images_of_coco(coco: raw.RawImages) -> None:
    for split, own in (("validation", "val"), ("restval", "restval")):
        for number, (image, captions, facts) in enumerate(read(coco, split)):
            assert image.dtype == np.uint8
            assert image.shape == noise(number).shape
            assert captions == [f"{own} {number}".encode()] * 2
            assert facts == b""
        assert number == 2


with tfds.core.registered.skip_registration():

    class Drawn(tfds.core.GeneratorBasedBuilder):
        """Like the built-in data set: images, captions and facts."""

        VERSION = tfds.core.Version("1.2.3")
        side = 8
        pkg_dir_path = Path(__file__).parent

        def _info(self) -> tfds.core.DatasetInfo:
            features = {
                "image": tfds.features.Image(shape=(self.side, self.side, 3)),
                "captions": tfds.features.Sequence(tfds.features.Text()),
                "facts": tfds.features.Text(),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager: Any) -> dict[str, Iterator]:
            return {split: self._generate_examples(split) for split in SPLITS}

        def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
            for i in range(4):
                image = np.full((self.side, self.side, 3), i, "uint8")
                yield i, {"image": image, "captions": [f"{split} {i}"] * (1 + i), "facts": json.dumps({"number": i})}


def drawn(monkeypatch: pytest.MonkeyPatch, folder: Path, side: int = 8) -> raw.RawImages:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(Drawn, "side", side)
    monkeypatch.setitem(sys.modules, "drawn_builder", SimpleNamespace(Builder=Drawn))
    row = DatasetRow("drawn", ("image", "captions", "facts"), builder="drawn_builder", builtin=True)
    monkeypatch.setitem(datasets.DATASETS, "scenes", row)
    return raw.open_images("scenes")


def test_a_set_with_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = drawn(monkeypatch, tmp_path)
    assert opened.sizes() == {"train": 4, "validation": 4, "test": 4}
    assert (opened.card.version, opened.card.builtin, opened.card.splits) == ("1.2.3", True, "its own")
    for split in SPLITS:
        numbers = []
        for image, captions, facts in read(opened, split):
            numbers.append(json.loads(facts)["number"])
            assert image.tolist() == np.full((8, 8, 3), numbers[-1]).tolist()
            assert captions == [f"{split} {numbers[-1]}".encode()] * (1 + numbers[-1])
        assert sorted(numbers) == [0, 1, 2, 3]


def test_decoded_images_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("TFDS caches what it has decoded of a small set")

    monkeypatch.setattr(tf.data.Dataset, "cache", fail)
    assert len(read(drawn(monkeypatch, tmp_path), "train")) == 4


def test_the_fingerprint_differs_for_the_same_version_of_other_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = {"one": 8, "again": 8, "larger": 16}
    one, again, larger = (drawn(monkeypatch, tmp_path / name, side).fingerprint() for name, side in sides.items())
    assert one == again != larger
    assert one.startswith("scenes-1.2.3-")


def test_flickr8k_that_is_prepared(users_data: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if users_data is None or not (users_data / "flickr8k").is_dir():
        pytest.skip("TFDS_DATA_DIR holds no prepared flickr8k")
    monkeypatch.setenv("TFDS_DATA_DIR", str(users_data))
    monkeypatch.setattr(sources, "_writable", lambda: users_data)  # it is only read
    opened = raw.open_images("flickr8k")
    assert opened.sizes() == {"train": 6_000, "validation": 1_000, "test": 1_000}
    image, captions, _ = next(opened.split("test").as_numpy_iterator())
    assert captions[0] == b"The dogs are in the snow in front of a fence ."
    assert opened.decode(image).numpy().ndim == len(captions) - 2 == 3


def picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tf.io.encode_png(noise(seed)).numpy())


def test_kaggles_folder(tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("image,caption\n" + "".join(f"{i}.png,A dog {i}\n" for i in range(20)))
    for i in range(20):
        picture(tmp_path / f"Images/{i}.png", i)
    opened = raw.from_folder(tmp_path)
    assert sum(opened.sizes().values()) == 20
    assert all(name.startswith("Images/") for name in names(opened, "train"))


def test_flickrs_tokens_with_lists_of_the_splits(tmp_path: Path) -> None:
    lines = [f"{i}.png#{n}\tA dog {i} {n} ." for i in range(12) for n in range(2)]
    (tmp_path / "Flickr8k.token.txt").write_text("\n".join([*lines, "22.jpg.1#0\tNobody has this .", ""]))
    parts = {"train": range(6), "dev": range(6, 9), "test": range(9, 11)}  # number 11 is in none
    for split, numbers in parts.items():
        (tmp_path / f"Flickr_8k.{split}Images.txt").write_text("".join(f"{i}.png\n" for i in numbers))
    for i in range(12):
        picture(tmp_path / f"Flicker8k_Dataset/{i}.png", i)
    opened = raw.from_folder(tmp_path)
    assert opened.sizes() == {"train": 6, "validation": 3, "test": 2}
    ((_, captions, _), *_) = read(opened, "test")
    assert captions == [b"A dog 9 0 .", b"A dog 9 1 ."]


def test_hidden_files_have_no_captions(tmp_path: Path) -> None:
    for name in ("._Flickr8k.token.txt", "._dataset.json", "__MACOSX/a.token.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("neither captions nor JSON")
    with pytest.raises(UserError, match=r"has no captions\.csv"):
        raw.from_folder(tmp_path)


def test_karpathys_json(tmp_path: Path) -> None:
    splits = ["train", "restval", "val", "test"]
    listed = [
        {"filepath": "val2014", "filename": f"{i}.png", "split": splits[i % 4], "sentences": [{"raw": f"Dog {i}"}]}
        for i in range(12)
    ]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": listed, "dataset": "coco"}))
    for i in range(12):
        picture(tmp_path / f"val2014/{i}.png", i)
    assert raw.from_folder(tmp_path).sizes() == {"train": 6, "validation": 3, "test": 3}


def test_cocos_json(tmp_path: Path) -> None:
    for split, numbers in (("train", range(10)), ("val", range(10, 14))):
        value = {
            "images": [{"id": i + 100, "file_name": f"{i}.png"} for i in numbers],
            "annotations": [{"image_id": i + 100, "caption": f"Dog {i} {n}"} for i in numbers for n in range(2)],
        }
        (tmp_path / "annotations").mkdir(exist_ok=True)
        (tmp_path / f"annotations/captions_{split}2017.json").write_text(json.dumps(value))
        for i in numbers:
            picture(tmp_path / f"{split}2017/{i}.png", i)
    opened = raw.from_folder(tmp_path)
    assert opened.size("validation") == 4
    assert opened.size("train") + opened.size("test") == 10


def test_a_name_that_exists_twice(tmp_path: Path) -> None:
    """The folder itself comes first; then two are one too many."""
    for i in range(3):
        picture(tmp_path / f"{i}.png", i)
        picture(tmp_path / f"thumbs/{i}.png", 9)
    picture(tmp_path / "thumbs/only.png", 9)
    table = "image,caption\nonly.png,A dog\n" + "".join(f"{i}.png,A dog\n" for i in range(3))
    (tmp_path / "captions.csv").write_text(table)
    assert sorted(names(raw.from_folder(tmp_path), "all")) == ["0.png", "1.png", "2.png", "thumbs/only.png"]
    (tmp_path / "zlink").symlink_to(tmp_path / "thumbs")
    assert raw.from_folder(tmp_path).count("all") == 4
    picture(tmp_path / "zoom/only.png", 9)
    with pytest.raises(UserError, match=r"line 2: only\.png is both thumbs/only\.png and zoom/only\.png\. Write"):
        raw.from_folder(tmp_path)


def test_images_of_one_name_in_the_folders_of_two_splits(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    for split in ("train", "val"):
        value = {
            "images": [{"id": i, "file_name": f"{i}.png"} for i in range(4)],
            "annotations": [{"image_id": i, "caption": f"A dog of {split}"} for i in range(4)],
        }
        (tmp_path / f"annotations/captions_{split}2017.json").write_text(json.dumps(value))
        for i in range(4):
            picture(tmp_path / f"{split}2017/{i}.png", i)
    assert names(raw.from_folder(tmp_path), "validation") == [f"val2017/{i}.png" for i in range(4)]


def test_captions_without_a_word(folder: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"photos/{i}.png,{text},{split}" for i, text, split in (
        (0, "A dog", "train"), (0, "...", "train"), (1, "\U0001f600", "train"), (2, "A dog", "validation"),
        (2, "!", "validation"), (3, "?", "test"), (3, "A cat", "test"),
    )]  # fmt: skip
    path = folder(lines, 4, "image,caption,split")
    assert raw.from_folder(path).sizes() == {"train": 1, "validation": 1, "test": 1}
    assert "captions.csv: 3 captions of 3 images, 4 captions without a word dropped." in capsys.readouterr().err
    with (path / "captions.csv").open("a") as stream:
        stream.write("photos/1.png,...,train\nphotos/4.png,...,validation\nphotos/4.png,!,validation\n")
    picture(path / "photos/4.png")
    with pytest.raises(UserError, match=r"line 10: photos/4\.png of validation has no caption with a word"):
        raw.from_folder(path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    picture(tmp_path / "secret.png")
    own = tmp_path / "own"
    own.mkdir()
    (own / "captions.csv").write_text("image,caption\nlink.png,A dog\n")
    (own / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(UserError, match=r"line 2: link\.png is not inside the folder"):
        raw.from_folder(own)
