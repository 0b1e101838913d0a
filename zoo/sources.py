"""From a data set's name to a prepared TFDS builder, with a sentence for whatever stands in the way."""

import contextlib
import os
import socket
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader

from zoo.errors import UserError
from zoo.names import unknown


def prepared(source: str | Callable[..., Any], embedded: str) -> Any:
    """A TFDS builder whose data lie on disk; downloads or generates them if need be.

    Args:
        source: A name that TFDS knows, e.g. `"glue/sst2"`, or a builder class of our own.
        embedded: The name of the task's data set that needs no network, for the error's next step.

    Raises:
        UserError: If TFDS does not know the name, has no version of it, or cannot fetch it, or if the user has to put
            its files into a folder first.
    """
    builder = _named(source, embedded) if isinstance(source, str) else source(data_dir=_writable())
    if builder.is_prepared():
        return builder
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()  # a log file would get a line for each of its movements
    # Files that the user has put there by hand serve even where the folder itself cannot be written to.
    manual = _first() / "downloads" / "manual"
    config = tfds.download.DownloadConfig(try_download_gcs=False, manual_dir=manual if manual.is_dir() else None)
    try:
        # TFDS tells of its work on standard output, where our answers go.
        with _few_retries(builder), contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare(download_config=config)
    except (OSError, tfds.download.DownloadError) as error:
        raise UserError(
            f"Data set {builder.info.name!r} is not in {builder.data_dir_root!s} and could not be fetched "
            f"({type(error).__name__}). Connect to the network, or point TFDS_DATA_DIR at a folder that has it, "
            f"or use the embedded data set {embedded!r}, which needs neither."
        ) from error
    except AssertionError as error:  # so TFDS tells that files which it may not fetch are not there
        how = getattr(builder, "MANUAL_DOWNLOAD_INSTRUCTIONS", None)
        if not how:
            raise
        folder = config.manual_dir or Path(builder.data_dir_root) / "downloads" / "manual"
        raise UserError(
            f"Data set {builder.info.name!r} is not in {builder.data_dir_root!s} and cannot be fetched: its files "
            f"have to be put into {folder!s} by hand. {' '.join(how.split())} "
            f"The embedded data set {embedded!r} needs no files."
        ) from error
    return builder


def _named(name: str, embedded: str) -> Any:
    try:
        return tfds.builder(name, try_gcs=False)
    except tfds.core.registered.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        raise unknown("TFDS data set", name, known) from error
    except (OSError, ValueError, AssertionError) as error:  # the last two: no such config, no such version
        raise UserError(
            f"Data set {name!r} cannot be opened ({error}). Check TFDS_DATA_DIR, "
            f"or use the embedded data set {embedded!r}."
        ) from error


def _writable() -> Path:
    """Where a set of our own is generated: TFDS's folder, or the user's cache if that one is read-only."""
    first = _first()
    parent = next(folder for folder in (first, *first.parents) if folder.exists())
    if os.access(parent, os.W_OK):
        return first
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "zoo" / "tensorflow_datasets"


def _first() -> Path:
    return Path(os.environ.get("TFDS_DATA_DIR") or tfds.core.constants.DATA_DIR).expanduser()


@contextlib.contextmanager
def _few_retries(builder: Any) -> Iterator[None]:
    """Without a network, TFDS tries each file for more than three minutes. Ask the name server first.

    Files that lie in TFDS's manual or cache folder are still found: only the number of retries changes.
    """
    hosts = {urllib.parse.urlparse(url).hostname for url in builder.url_infos or {}}
    before = downloader.MAX_RETRIES
    if hosts and not urllib.request.getproxies() and not any(_resolves(host) for host in hosts if host):
        downloader.MAX_RETRIES = 0
    try:
        yield
    finally:
        downloader.MAX_RETRIES = before


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True
