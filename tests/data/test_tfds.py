"""Data sets that TFDS has, has not, or cannot fetch. Nothing here reaches the network."""

import os
import socket
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader
from zoo.tasks.sentiment.datasets import DATASETS
from zoo.tasks.sentiment.reviews import reviews_dataset_builder as reviews

from zoo.data import tfds as sources
from zoo.data.tfds import open_dataset
from zoo.errors import UserError


class Fake:
    """As much of a builder as `prepared` uses; its data lie on a server that nobody reaches."""

    url_infos: ClassVar = {"https://data.invalid/reviews.zip": None}
    data_dir_root = "/data"
    info = SimpleNamespace(name="fake_reviews")
    error: Exception | None = ConnectionError("no route")

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.calls: list[tuple[int, Any]] = []

    def is_prepared(self) -> bool:
        return False

    def download_and_prepare(self, download_config: Any) -> None:
        self.calls.append((downloader.MAX_RETRIES, download_config))
        if self.error:
            raise self.error


class Reachable(Fake):
    error = None


class Prepared(Fake):
    def is_prepared(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(urllib.request, "getproxies", dict)
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UserError, match="No TFDS data set is called 'imdb_review'; did you mean 'imdb_reviews'"):
        sources.prepared("imdb_review", "reviews")


@pytest.mark.parametrize("name", ["glue/sst3", "imdb_reviews:9.9.9"])
def test_an_unknown_config_or_version_is_told(name: str) -> None:
    with pytest.raises(UserError, match=name):
        sources.prepared(name, "reviews")


@pytest.mark.parametrize(
    "error", [ConnectionError("no route"), TimeoutError(), tfds.download.DownloadError("HTTP 503"), OSError(28, "full")]
)
def test_what_cannot_be_fetched_is_told_with_the_ways_out(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(Fake, "error", error)
    with pytest.raises(UserError) as told:
        sources.prepared(Fake, "reviews")
    for part in ("'fake_reviews'", "/data", type(error).__name__, "TFDS_DATA_DIR", "built-in data set 'reviews'"):
        assert part in str(told.value)
    assert told.value.__cause__ is error


def test_a_bug_in_a_builder_is_no_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fake, "error", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        sources.prepared(Fake, "reviews")


def test_a_real_builder_without_network_gives_up_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"imdb_reviews.*could not be fetched.*built-in data set 'reviews'"):
        sources.prepared("imdb_reviews", "reviews")


def test_without_a_name_server_nothing_is_tried_again() -> None:
    before = downloader.MAX_RETRIES
    builder = sources.prepared(Reachable, "reviews")
    assert builder.calls[0][0] == 0
    assert downloader.MAX_RETRIES == before > 0


def test_with_a_name_server_tfds_tries_as_often_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_resolves", lambda host: True)
    builder = sources.prepared(Reachable, "reviews")
    assert builder.calls[0][0] == downloader.MAX_RETRIES > 0
    assert builder.calls[0][1].try_download_gcs is False


def test_retries_are_put_back_after_a_failure() -> None:
    before = downloader.MAX_RETRIES
    with pytest.raises(UserError):
        sources.prepared(Fake, "reviews")
    assert before == downloader.MAX_RETRIES > 0


def test_what_is_prepared_is_left_alone() -> None:
    assert sources.prepared(Prepared, "reviews").calls == []


def test_a_set_of_our_own_goes_where_tfds_keeps_its_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "not" / "yet"))
    assert sources.prepared(Reachable, "reviews").data_dir == tmp_path / "not" / "yet"


@pytest.mark.parametrize("cache", [True, False])
def test_a_read_only_folder_is_replaced_by_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append((Path(path), mode)))  # None: not allowed
    monkeypatch.setenv("TFDS_DATA_DIR", str(locked / "sets"))
    monkeypatch.setenv("HOME", str(tmp_path))
    if cache:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    else:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    folder = sources.prepared(Reachable, "reviews").data_dir
    assert folder == tmp_path / ("cache" if cache else ".cache") / "zoo" / "datasets"
    assert asked[0] == (locked, os.W_OK)


def test_a_built_in_set_is_generated_into_the_users_cache_and_announced_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "downloads"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(reviews, "_SIZES", {"train": 20, "validation": 4, "test": 4})
    assert open_dataset("reviews", DATASETS, "", lambda path: None).sizes()["train"] == 20
    folder = tmp_path / "cache" / "zoo" / "datasets"
    assert list(folder.glob("reviews/*/dataset_info.json"))
    assert not (tmp_path / "downloads").exists()
    out, err = capfd.readouterr()
    assert (out, err) == ("", f"Generating the data set reviews, once, into {folder}.\n")
