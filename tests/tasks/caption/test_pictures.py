"""TFDS sets and folders of pictures, their splits, and what is told of those that cannot be used. No network."""

import importlib.util
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
from zoo.tasks.caption import pictures

from zoo.data import tfds as sources
from zoo.errors import UserError

SPLITS = ("train", "validation", "test")

KEYS = {"image", "captions", "id", "facts"}


def noise(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*rng.integers(5, 30, 2), 3), "uint8")


def rows(count: int, captions: int = 2) -> list[str]:
    """Lines of a table, those of an image not side by side."""
    return [f"photos/{i}.png,A dog number {i}.{number}" for number in range(captions) for i in range(count)]


@pytest.fixture(autouse=True)
def _images(monkeypatch: pytest.MonkeyPatch) -> None:
    """`zoo.data.images`, or as much of it as is needed here."""

    def read(path: Path) -> np.ndarray:
        try:
            return tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False).numpy()
        except tf.errors.InvalidArgumentError as error:
            raise UserError(f"{path} cannot be read as an image. Save it as PNG or JPEG.") from error

    if importlib.util.find_spec("zoo.data.images") is None:
        monkeypatch.setitem(sys.modules, "zoo.data.images", SimpleNamespace(read=read))


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


def read(opened: pictures.Pictures, split: str, images: bool = True) -> list[dict[str, Any]]:
    return list(opened.split(split, images).as_numpy_iterator())


def ids(opened: pictures.Pictures, split: str) -> list[str]:
    return [item["id"].decode() for item in read(opened, split, images=False)]


def test_a_folder_gives_each_image_with_all_its_captions(folder: Callable) -> None:
    opened = pictures.open_pictures(str(folder(rows(20), 20)))
    items = [item for split in SPLITS for item in read(opened, split)]
    assert {item["id"].decode() for item in items} == {f"photos/{i}.png" for i in range(20)}
    assert len(items) == 20
    for item in items:
        assert set(item) == KEYS
        number = int(Path(item["id"].decode()).stem)
        assert item["image"].dtype == np.uint8
        np.testing.assert_array_equal(item["image"], noise(number))
        assert item["captions"].tolist() == [f"A dog number {number}.{i}".encode() for i in range(2)]
        assert item["facts"] == b""


def test_one_image_in_ten_is_held_out_for_each_split(folder: Callable) -> None:
    opened = pictures.from_folder(folder(rows(40), 40))
    assert opened.sizes == {"train": 32, "validation": 4, "test": 4}
    assert tuple(opened.sizes) == SPLITS
    parts = {split: ids(opened, split) for split in SPLITS}
    assert {split: len(part) for split, part in parts.items()} == opened.sizes
    assert len(set().union(*parts.values())) == 40
    assert opened.facts["splits"].startswith("validation: held out of train by a hash of the image's name, one in 10")


def test_what_is_held_out_follows_from_the_name_alone(folder: Callable, tmp_path: Path) -> None:
    one = pictures.from_folder(folder(rows(40), 40))
    expected = {split: sorted(ids(one, split)) for split in SPLITS}
    (tmp_path / "own").rename(tmp_path / "first")
    other = pictures.from_folder(folder(rows(40, captions=1)[::-1], 40))
    assert {split: sorted(ids(other, split)) for split in SPLITS} == expected


def test_no_more_is_held_out_than_gives_a_steady_score(folder: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_HELD_OUT", 3)
    assert pictures.from_folder(folder(rows(40), 40)).sizes == {"train": 34, "validation": 3, "test": 3}


def test_three_images_are_enough(folder: Callable) -> None:
    assert pictures.from_folder(folder(rows(3), 3)).sizes == {"train": 1, "validation": 1, "test": 1}


def test_a_column_says_the_split(folder: Callable) -> None:
    lines = [f"photos/{i}.png,Dog {i},{split}" for i, split in enumerate(["test", "train", "validation", "train"])]
    opened = pictures.from_folder(folder(lines, 4, "Image, caption ,SPLIT"))
    assert {split: ids(opened, split) for split in SPLITS} == {
        "train": ["photos/1.png", "photos/3.png"],
        "validation": ["photos/2.png"],
        "test": ["photos/0.png"],
    }
    assert opened.facts["splits"] == "validation: its own; test: its own"


def test_a_split_that_the_column_never_says_is_held_out(folder: Callable) -> None:
    lines = [f"photos/{i}.png,Dog {i},{'test' if i < 5 else 'train'}" for i in range(25)]
    opened = pictures.from_folder(folder(lines, 25, "image,caption,split"))
    assert opened.sizes == {"train": 18, "validation": 2, "test": 5}
    assert ids(opened, "test") == [f"photos/{i}.png" for i in range(5)]
    assert opened.facts["splits"].startswith("validation: held out of train")
    assert opened.facts["splits"].endswith("test: its own")


def test_captions_may_hold_commas_quotes_and_any_script(folder: Callable) -> None:
    lines = ['photos/0.png,"A dog, a ""big"" one"', "photos/0.png,Ein Hund läuft", "photos/1.png,犬", "photos/2.png,x"]
    opened = pictures.from_folder(folder(lines, 3))
    found = {item["id"]: item["captions"].tolist() for split in SPLITS for item in read(opened, split)}
    assert found[b"photos/0.png"] == [b'A dog, a "big" one', "Ein Hund läuft".encode()]
    assert found[b"photos/1.png"] == ["犬".encode()]


def test_facts_go_into_a_card(folder: Callable) -> None:
    facts = pictures.from_folder(folder(rows(20), 20)).facts
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["name"], facts["embedded"]) == ("own", False)
    assert set(facts["sha256"]) == {"captions.csv"}


def test_the_identity_changes_with_the_data_and_not_with_the_place(folder: Callable, tmp_path: Path) -> None:
    path = folder(rows(20), 20)
    before = pictures.from_folder(path).identity
    assert before.startswith("own-")
    (tmp_path / "elsewhere").mkdir()
    path = path.rename(tmp_path / "elsewhere/own")
    assert pictures.from_folder(path).identity == before
    (path / "photos/7.png").write_bytes(tf.io.encode_png(np.zeros((9, 9, 3), "uint8")).numpy())
    image_changed = pictures.from_folder(path).identity
    with (path / "captions.csv").open("a") as stream:
        stream.write("photos/7.png,Another dog\n")
    assert len({before, image_changed, pictures.from_folder(path).identity}) == 3


def test_images_are_read_when_their_turn_comes(folder: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def note(path: Path) -> np.ndarray:
        asked.append(path)
        return noise(0)

    monkeypatch.setitem(sys.modules, "zoo.data.images", SimpleNamespace(read=note))
    opened = pictures.from_folder(folder(rows(200, captions=1), 200))
    assert len(read(opened, "train", images=False)) == 160
    assert asked == []
    next(iter(opened.split("train")))
    assert 1 <= len(asked) < 10


@pytest.mark.parametrize(
    ("lines", "count", "header", "told"),
    [
        (None, 1, "", r"own has no captions\.csv\. Give a folder with images and captions\.csv"),
        (b"", 1, "", r"captions\.csv is empty\. Its first line has to name the columns: image,caption"),
        ([], 1, "image,caption", r"captions\.csv has no rows below its header"),
        (rows(3), 3, "file,caption", r"captions\.csv has no column 'image', only file, caption\. Its first line"),
        (rows(3), 3, "file,text", r"has no column 'image' and no 'caption', only file, text"),
        (rows(3), 2, "image,caption", r"2\.png is not there\. Put there the image that captions\.csv lists"),
        (rows(9), 2, "image,caption", r"2\.png is not there \(and 6 more\)\."),
        ([*rows(3), ",A dog"], 3, "image,caption", r"captions\.csv, line 8: the image is empty\. Fill it in"),
        ([*rows(3), "photos/0.png, "], 3, "image,caption", r"captions\.csv, line 8: the caption is empty\. Fill it in"),
        ([*rows(3), "photos/0.png"], 3, "image,caption", r"captions\.csv, line 8: the caption is empty\. Fill it in"),
        ([*rows(3), "photos/0.png,A dog, a cat"], 3, "image,caption", r"line 8: more fields than the header.*Quote"),
        (b"image,caption\nphotos/0.png,H\xfcndchen\n", 1, "", r"captions\.csv, line 2: not UTF-8"),
        ([f'photos/0.png,"{"x" * 200_000}'], 1, "image,caption", r"line \d: .* Is a quotation mark never closed"),
        (rows(2), 2, "image,caption", r"train has 2 images, too few to hold test and validation out of"),
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
            r"line 3: photos/0\.png is in test, before it was in train\. Put it into one split",
        ),
        (
            ["photos/0.png,Dog,validation", "photos/1.png,Dog,test"],
            2,
            "image,caption,split",
            r"train has 0 images\. Give more",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_told(folder: Callable, lines: Any, count: int, header: str, told: str) -> None:
    path = folder(lines, count, header)
    with pytest.raises(UserError, match=told) as error:
        pictures.open_pictures(str(path))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_image_is_named_at_once(folder: Callable) -> None:
    path = folder(rows(4), 4)
    (path / "photos/3.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"photos/3\.png is empty\. Put there the image"):
        pictures.from_folder(path)


def test_an_image_that_cannot_be_read_is_named_when_its_turn_comes(folder: Callable) -> None:
    path = folder([f"photos/{i}.png,Dog,{split}" for i, split in enumerate(SPLITS)], 3, "image,caption,split")
    (path / "photos/0.png").write_text("This is no image.")
    opened = pictures.from_folder(path)
    with pytest.raises(UserError, match=r"photos/0\.png") as error, pictures.user_errors():
        read(opened, "train")
    assert "\n" not in str(error.value)
    assert "Traceback" not in str(error.value)
    batches = opened.split("train").map(lambda item: item["image"]).batch(2).prefetch(1)
    with pytest.raises(UserError, match=r"photos/0\.png"), pictures.user_errors():
        next(iter(batches))
    assert len(read(opened, "test")) == 1


def test_other_errors_of_tensorflow_stay_what_they_are() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError), pictures.user_errors():
        raise tf.errors.InvalidArgumentError(None, None, "shapes differ")


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text("image,caption\n")
    with pytest.raises(UserError, match=r"captions\.csv is a file\. Give a folder with images and captions\.csv"):
        pictures.open_pictures(str(tmp_path / "captions.csv"))
    with pytest.raises(UserError, match=r"nowhere does not exist\. Give a folder"):
        pictures.from_folder(tmp_path / "nowhere")


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(
        UserError, match=r"'flicker8k'; did you mean 'flickr8k'.*coco_captions, flickr8k, scenes.*Or give"
    ):
        pictures.open_pictures("flicker8k")


def test_an_unknown_split_is_told(folder: Callable) -> None:
    with pytest.raises(UserError, match=r"No split is called 'tset'; did you mean 'test'"):
        pictures.from_folder(folder(rows(3), 3)).split("tset")


def test_the_table_of_sources() -> None:
    assert set(pictures.SOURCES) == {"scenes", "flickr8k", "coco_captions"}
    assert pictures.EMBEDDED in pictures.SOURCES


@pytest.fixture
def coco(monkeypatch: pytest.MonkeyPatch) -> Iterator[pictures.Pictures]:
    """Karpathy's splits with three random pictures each."""
    counts = {"train": 3, "val": 3, "test": 3, "restval": 3}
    splits = {name: SimpleNamespace(num_examples=count, num_bytes=count) for name, count in counts.items()}
    # Mocked builders know their features but, never having been generated, not their splits.
    monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: splits))
    with tfds.testing.mock_data(num_examples=3, policy=tfds.testing.MockPolicy.USE_CODE):
        yield pictures.open_pictures("coco_captions")


def test_coco_has_the_splits_of_karpathy(coco: pictures.Pictures) -> None:
    assert coco.sizes == {"train": 3, "validation": 3, "test": 3, "restval": 3}
    assert tuple(coco.sizes)[:3] == SPLITS
    assert coco.facts["splits"] == "its own; validation is its val"
    assert (coco.facts["name"], coco.facts["version"], coco.facts["embedded"]) == ("coco_captions", "1.1.0", False)
    assert coco.identity.startswith("coco_captions-1.1.0-")
    with pytest.raises(UserError, match="No split is called 'val'; did you mean"):
        coco.split("val")


@pytest.mark.parametrize("split", [*SPLITS, "restval"])
def test_pictures_of_coco(coco: pictures.Pictures, split: str) -> None:
    items = read(coco, split)
    assert len(items) == 3
    for item in items:
        assert set(item) == KEYS
        assert item["image"].dtype == np.uint8
        assert item["image"].shape[-1] == 3
        assert item["captions"].ndim == 1
        assert all(isinstance(caption, bytes) for caption in item["captions"])
        assert isinstance(item["id"], bytes)
        assert item["facts"] == b""
    assert set(coco.split(split, images=False).element_spec) == KEYS - {"image"}


with tfds.core.registered.skip_registration():

    class Drawn(tfds.core.GeneratorBasedBuilder):
        """As the embedded set is: images, captions and facts, and no names of files."""

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


def drawn(monkeypatch: pytest.MonkeyPatch, folder: Path, side: int = 8) -> pictures.Pictures:
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder))
    monkeypatch.setattr(Drawn, "side", side)
    monkeypatch.setitem(pictures.SOURCES, "scenes", pictures.Source("ours", builder=lambda: Drawn, facts="facts"))
    return pictures.open_pictures("scenes")


def test_a_set_with_facts_and_without_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = drawn(monkeypatch, tmp_path)
    assert opened.sizes == {"train": 4, "validation": 4, "test": 4}
    assert (opened.facts["version"], opened.facts["embedded"], opened.facts["splits"]) == ("1.2.3", True, "its own")
    items = {split: read(opened, split) for split in SPLITS}
    for split, found in items.items():
        for item in found:
            number = json.loads(item["facts"])["number"]
            assert item["image"].tolist() == np.full((8, 8, 3), number).tolist()
            assert item["captions"].tolist() == [f"{split} {number}".encode()] * (1 + number)
    names = [item["id"] for found in items.values() for item in found]
    assert sorted(names) == sorted(f"{split}/{i}".encode() for split in SPLITS for i in range(4))
    assert names == [item["id"] for split in SPLITS for item in read(opened, split, images=False)]


def test_decoded_images_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("TFDS keeps what it has decoded of a small set")

    monkeypatch.setattr(tf.data.Dataset, "cache", fail)
    assert len(read(drawn(monkeypatch, tmp_path), "train")) == 4


def test_the_identity_of_a_set_tells_the_same_version_of_other_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = {"one": 8, "again": 8, "larger": 16}
    one, again, larger = (drawn(monkeypatch, tmp_path / name, side).identity for name, side in sides.items())
    assert one == again != larger
    assert one.startswith("scenes-1.2.3-")


def test_flickr8k_that_is_prepared(users_data: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if users_data is None or not (users_data / "flickr8k").is_dir():
        pytest.skip("TFDS_DATA_DIR holds no prepared flickr8k")
    monkeypatch.setenv("TFDS_DATA_DIR", str(users_data))
    monkeypatch.setattr(sources, "_writable", lambda: users_data)  # it is only read
    opened = pictures.open_pictures("flickr8k")
    assert opened.sizes == {"train": 6_000, "validation": 1_000, "test": 1_000}
    first = next(opened.split("test").as_numpy_iterator())
    assert first["id"] == b"3385593926_d3e9c21170.jpg"
    assert first["image"].ndim == len(first["captions"]) - 2 == 3
    assert len(set(ids(opened, "train"))) == 6_000
