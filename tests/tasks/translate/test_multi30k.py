"""Multi30k's builder on invented files and, where they are at hand, on the real ones. Nothing reaches the network."""

import gzip
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader
from zoo.tasks.translate.multi30k import multi30k_dataset_builder as multi30k

# As the public repository has them: the second source for the builder's table.
URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
LANGUAGES = {
    "train": "en de fr cs",
    "val": "en de fr cs",
    "test_2016_flickr": "en de fr cs",
    "test_2017_flickr": "en de fr",
    "test_2017_mscoco": "en de fr",
    "test_2018_flickr": "en de fr cs",
}
FILES = {f"{stem}.{language}.gz" for stem, languages in LANGUAGES.items() for language in languages.split()}
PAIRS = {"en-de", "de-en", "en-fr", "fr-en", "en-cs", "cs-en"}

# A sentence may hold what Python's `splitlines` takes for the end of a line.
ENGLISH = ["A man.", "Two\u2028dogs\x85run.", " A\tcat \r", "", "Ça, c'est \x0b tout.\x1e"]
GERMAN = ["Ein Mann.", "Zwei Hunde laufen.", "Eine Katze", "", "Das ist  alles. "]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any, url: str, *__: Any, **___: Any) -> None:
        raise ConnectionError(url)

    monkeypatch.setattr(downloader._Downloader, "download", fail)


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, list[str]]], Path]:
    """Puts invented files into the folder where TFDS looks first, and registers their sums."""

    def offer(files: dict[str, list[str]]) -> Path:
        manual, known = tmp_path / "data/downloads/manual", {}
        manual.mkdir(parents=True)
        for name, lines in files.items():
            packed = gzip.compress("".join(f"{line}\n" for line in lines).encode())
            (manual / name).write_bytes(packed)
            known[URL + name] = tfds.download.checksums.UrlInfo(len(packed), hashlib.sha256(packed).hexdigest(), name)
        monkeypatch.setattr(multi30k.Builder, "url_infos", known)
        return tmp_path / "data"

    return offer


def prepared(config: str, data: Path) -> Any:
    builder = multi30k.Builder(config=config, data_dir=data)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(try_download_gcs=False))
    return builder


def read(builder: Any, split: str) -> list[tuple[str, str]]:
    first, second = builder.info.supervised_keys
    items = builder.as_dataset(split=split).as_numpy_iterator()
    return [(item[first].decode(), item[second].decode()) for item in items]


def whole(english: list[str], german: list[str]) -> dict[str, list[str]]:
    stems = ("train", "val", "test_2016_flickr")
    return {f"{stem}.{key}.gz": lines for stem in stems for key, lines in (("en", english), ("de", german))}


def test_configs_are_the_pairs_and_each_later_test_set_alone() -> None:
    later = {
        f"{pair}-{stem.removeprefix('test_')}"
        for stem in ("test_2017_flickr", "test_2017_mscoco", "test_2018_flickr")
        for pair in PAIRS
        if set(pair.split("-")) <= set(LANGUAGES[stem].split())
    }
    assert len(later) == 14
    assert set(multi30k.Builder.builder_configs) == PAIRS | later
    assert set(multi30k.configs()) == PAIRS
    assert multi30k.extra_splits("de-en") == {
        "test_2017_flickr": "de-en-2017_flickr",
        "test_2017_mscoco": "de-en-2017_mscoco",
        "test_2018_flickr": "de-en-2018_flickr",
    }
    assert multi30k.extra_splits("en-cs") == {"test_2018_flickr": "en-cs-2018_flickr"}
    assert multi30k.extra_splits("en-xx") == {}


def test_texts_and_their_order_are_those_of_the_files(offered: Callable) -> None:
    data = offered({**whole(ENGLISH, GERMAN), "val.en.gz": ENGLISH[:2], "val.de.gz": GERMAN[:2]})
    builder = prepared("en-de", data)
    assert builder.info.supervised_keys == ("en", "de")
    counts = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert counts == {"train": 5, "validation": 2, "test_2016_flickr": 5}
    assert read(builder, "train") == read(builder, "test_2016_flickr") == list(zip(ENGLISH, GERMAN, strict=True))
    assert read(builder, "validation") == list(zip(ENGLISH[:2], GERMAN[:2], strict=True))


def test_the_other_direction_has_the_same_texts_turned(offered: Callable) -> None:
    builder = prepared("de-en", offered(whole(ENGLISH, GERMAN)))
    assert builder.info.supervised_keys == ("de", "en")
    assert read(builder, "train") == list(zip(GERMAN, ENGLISH, strict=True))


def test_order_holds_for_many_lines(offered: Callable) -> None:
    numbers = [f"number {i}" for i in range(300)]
    builder = prepared("en-de", offered(whole(numbers, numbers)))
    assert [text for text, _ in read(builder, "train")] == numbers


def test_a_later_test_set_needs_nothing_but_its_own_files(offered: Callable) -> None:
    data = offered({"test_2018_flickr.en.gz": ENGLISH, "test_2018_flickr.cs.gz": GERMAN})
    builder = prepared("cs-en-2018_flickr", data)
    assert set(builder.info.splits) == {"test_2018_flickr"}
    assert read(builder, "test_2018_flickr") == list(zip(GERMAN, ENGLISH, strict=True))


def test_a_file_that_is_nowhere_is_asked_for_by_its_public_address(offered: Callable) -> None:
    files = whole(ENGLISH, GERMAN)
    del files["val.de.gz"]
    with pytest.raises(ConnectionError, match=re.escape(f"{URL}val.de.gz")):
        prepared("en-de", offered(files))


@pytest.mark.parametrize(("english", "german"), [(5, 3), (3, 5)])
def test_unequal_files_are_refused(offered: Callable, english: int, german: int) -> None:
    data = offered(whole(ENGLISH[:english], GERMAN[:german]))
    message = rf"\.en\.gz has {english} lines and .*\.de\.gz {german}: line 4 has no translation"
    with pytest.raises(ValueError, match=message):
        prepared("en-de", data)
    assert not multi30k.Builder(config="en-de", data_dir=data).is_prepared()


def test_sums_are_registered_for_every_file_and_no_other() -> None:
    known = multi30k.Builder.url_infos
    assert {url.removeprefix(URL) for url in known} == FILES
    assert len(FILES) == 22
    assert all(url.endswith(f"/{info.filename}") for url, info in known.items())
    assert len({info.checksum for info in known.values()}) == 22
    assert all(re.fullmatch("[0-9a-f]{64}", info.checksum) for info in known.values())


def test_every_config_asks_for_registered_files_alone() -> None:
    asked: set[str] = set()
    for name in multi30k.Builder.builder_configs:
        builder = multi30k.Builder(config=name)
        urls: list[str] = []

        def download(tree: dict[str, list[str]], urls: list[str] = urls) -> dict:
            urls += [url for both in tree.values() for url in both]
            return {}

        assert builder._split_generators(SimpleNamespace(download=download)) == {}
        assert {url.split(".")[-2] for url in urls} == set(name.split("-")[:2])
        asked |= set(urls)
    assert asked == set(multi30k.Builder.url_infos)


def test_a_wrong_file_is_refused(tmp_path: Path) -> None:
    manual = tmp_path / "downloads/manual"
    manual.mkdir(parents=True)
    for name in whole([], []):
        (manual / name).write_bytes(gzip.compress(b"not it\n"))
    with pytest.raises(tfds.download.download_manager.NonMatchingChecksumError, match="wrong checksum"):
        prepared("en-de", tmp_path)


@pytest.mark.parametrize(
    ("config", "first"),
    [
        (
            "en-de",
            (
                "Two young, White males are outside near many bushes.",
                "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche.",
            ),
        ),
        (
            "cs-en",
            (
                "Dva mladí bílí muži jsou venku poblíž mnoha keřů.",
                "Two young, White males are outside near many bushes.",
            ),
        ),
    ],
)
def test_the_real_files(users_data: Path | None, tmp_path: Path, config: str, first: tuple) -> None:
    manual = users_data / "downloads/manual" if users_data else None
    names = [f"{stem}.{key}.gz" for stem in ("train", "val", "test_2016_flickr") for key in config.split("-")]
    if manual is None or not all((manual / name).is_file() for name in names):
        pytest.skip("TFDS_DATA_DIR does not hold Multi30k's files")
    (tmp_path / "downloads/manual").mkdir(parents=True)
    for name in names:
        (tmp_path / "downloads/manual" / name).symlink_to(manual / name)
    builder = prepared(config, tmp_path)
    counts = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert counts == {"train": 29_000, "validation": 1_014, "test_2016_flickr": 1_000}
    assert read(builder, "train[:1]") == [first]
    for stem, split in (("val", "validation"), ("test_2016_flickr", "test_2016_flickr")):
        sides = [
            gzip.decompress((manual / f"{stem}.{key}.gz").read_bytes()).decode().split("\n")[:-1]
            for key in config.split("-")
        ]
        assert read(builder, split) == list(zip(*sides, strict=True))
