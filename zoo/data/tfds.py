"""Data sets of TFDS: from a name to a prepared builder, and from a builder to a `RawDataset`."""

import contextlib
import errno
import functools
import hashlib
import importlib
import io
import json
import operator
import os
import socket
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader

from zoo import silence
from zoo.data import cache
from zoo.data.datasets import SPLITS, DatasetCard, DatasetRow, check_dataset, find_row
from zoo.data.raw import RawDataset
from zoo.errors import UserError
from zoo.names import unknown


def from_tfds(
    name: str,
    table: Mapping[str, DatasetRow],
    own: str,
    *,
    features: Callable[[Any], Sequence[str]] | Sequence[str] = (),
    stratum: Callable[[tuple], int] | None = None,
    decoders: Any = None,
    clean: Callable[[str, tf.data.Dataset], tf.data.Dataset] | None = None,
) -> RawDataset | None:
    """The data set of a name in a task's table; None if the table has no such name.

    Args:
        name: A key of the table, alone or followed by a slash and a config.
        table: The task's data sets; the first is the built-in one.
        own: What else the user may give, for errors.
        features: Features that make an example, or a function of the builder that names them; default the row's.
        stratum: See `RawDataset.hold_out`.
        decoders: TFDS's decoders.
        clean: `(split, its examples) -> those to use`, applied before missing splits are held out.

    Raises:
        UserError: If the data set has no such config, or its data cannot be had.
    """
    found = find_row(name, table, own)
    if found is None:
        return None
    base, row, config = found
    builtin = next(iter(table))
    builder, extra = _open(base, row, config, builtin, own)
    paths = features(builder) if callable(features) else features or row.features
    info = builder.info
    named = {split: row.splits.get(split, split) for split in (*SPLITS, *row.splits)}
    theirs = {ours: split for ours, split in named.items() if split and split.partition("[")[0] in info.splits}
    theirs |= {split: split for split in info.splits if split not in theirs and split not in theirs.values()}
    config_read = tfds.ReadConfig(try_autocache=False)

    def read(split: str) -> tf.data.Dataset:
        holder, own_split = (extra[split](), split) if split in extra else (builder, theirs[split])
        # Splits of another config are named as this data set's test split is.
        own_split = own_split if own_split in holder.info.splits or "[" in own_split else theirs.get("test", "test")
        whole = holder.as_dataset(split=own_split, shuffle_files=False, read_config=config_read, decoders=decoders)
        examples = whole.map(lambda item: tuple(_feature(item, path) for path in paths))
        return clean(split, examples) if clean else examples

    def count(split: str) -> int:
        return info.splits[theirs[split]].num_examples if split in theirs else 0

    def fingerprint() -> str:
        # The same version may have been made of other files, such as images of another size.
        content = [[own, info.splits[own].num_examples, info.splits[own].num_bytes] for own in theirs.values()]
        return f"{card.name}-{info.version}-{hashlib.sha256(json.dumps([content]).encode()).hexdigest()[:16]}"

    label = _class_label(info.features, paths)
    labels = tuple(row.labels or (label.names if label is not None else ()))
    # A builder of our own may choose its config itself, such as the version of Python.
    chosen = {"config": builder.builder_config.name} if row.builder and not config and builder.builder_config else {}
    card = DatasetCard(
        name=f"{base}/{config}" if config else base,
        version=str(info.version),
        license=row.license,
        builtin=row.builtin,
        synthetic=row.synthetic,
        labels=labels,
        splits=_described(theirs),
        details={**row.details, **chosen},
    )
    names = [split for split in SPLITS if split in theirs]
    names += [split for split in (*theirs, *extra) if split not in names]
    return RawDataset(read, tuple(names), card, labels, count, fingerprint).hold_out(stratum=stratum)


def open_dataset(
    name: str,
    table: Mapping[str, DatasetRow],
    own: str,
    from_path: Callable[[Path], RawDataset],
    only_own: Mapping[str, Any] | None = None,
    **options: Any,
) -> RawDataset:
    """A data set by the name of a table's row, or from a user's file or folder.

    Args:
        name: Name or path.
        table: The task's data sets.
        own: What the user may give instead of a name, for errors.
        from_path: Reads a user's file or folder.
        only_own: Options that only a user's own data has, with what was given for them.
        **options: Of `from_tfds`.

    Raises:
        UserError: If there is no such data set, or it cannot be used.
    """
    raw = from_tfds(name, table, own, **options)
    if raw is not None:
        refuse_options(name, only_own or {})
        return raw
    check_dataset(name, table, own)
    return from_path(Path(name))


def refuse_options(name: str, only_own: Mapping[str, Any]) -> None:
    """Raises a `UserError` if an option was given that only a user's own data has."""
    unused = [option for option, value in only_own.items() if value is not None]
    if unused:
        raise UserError(f"{unused[0]} is for your own files; {name!r} is a named data set. Leave the option out.")


def _described(theirs: Mapping[str, str]) -> str:
    renamed = [f"{ours} is its {split}" for ours, split in theirs.items() if ours != split]
    return "; ".join(["its own", *renamed])


def _feature(item: Mapping[str, Any], path: str) -> Any:
    return functools.reduce(operator.getitem, path.split("/"), item)


def _class_label(features: Any, paths: Sequence[str]) -> Any:
    """The first of the features that has names, alone or within a sequence; None if there is none."""
    for path in paths:
        found = _feature(features, path)
        found = getattr(found, "feature", found)
        if isinstance(found, tfds.features.ClassLabel):
            return found
    return None


def _open(base: str, row: DatasetRow, config: str, builtin: str, own: str) -> tuple[Any, dict[str, Callable[[], Any]]]:
    """The prepared builder, and functions that open those of further splits."""
    module: Any = importlib.import_module(row.builder) if row.builder else None
    configs = _configs(base, module)
    if config and module is not None and not configs and not hasattr(module, "config"):
        raise UserError(f"Data set {base!r} has no configs; got {base}/{config}. Write {base!r}.")
    if configs and not config and row.needs_config:
        some = ", ".join(f"{base}/{one}" for one in configs[:20])
        raise UserError(f"Data set {base!r} has several configs. Name one: {some}.")
    known = config.partition(":")[0] if module is None else config  # TFDS's versions follow a colon
    if configs and config and known not in configs:
        raise unknown(f"config of {base}", config, configs, f"Write {base}/ and one of them. {own}".rstrip(" ."))

    def opened(one: str) -> Any:
        return prepared(_builder(base, module, one), builtin, cache.datasets() if row.builtin else None)

    extra = module.extra_splits(config) if hasattr(module, "extra_splits") else {}
    return opened(config), {split: functools.partial(opened, other) for split, other in extra.items()}


def _configs(base: str, module: Any) -> list[str]:
    """Names of all configs, if they can be listed and there are several."""
    if module is not None:
        return list(module.configs()) if hasattr(module, "configs") else []
    if "/" in base:
        return []  # the row itself names the config
    try:
        configs = list(tfds.builder_cls(base).builder_configs)
        return configs if len(configs) > 1 else []
    except tfds.core.registered.DatasetNotFoundError:
        return []  # `prepared` says so, with the nearest name


def _builder(base: str, module: Any, config: str) -> Any:
    if module is None:
        return f"{base}/{config}" if config else base
    if not config:
        return module.Builder
    try:
        made = module.config(config) if hasattr(module, "config") else config
    except ValueError as error:  # modules of data sets need not know our errors
        raise UserError(f"{base}/{config}: {error}") from error
    return functools.partial(module.Builder, config=made)


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)
"""Numbers of errors that say that a folder takes no files."""


def prepared(source: str | Callable[..., Any], builtin: str, folder: Path | None = None) -> Any:
    """A TFDS builder whose data lie on disk; downloads or generates them if necessary.

    Args:
        source: A name that TFDS knows, e.g. `"glue/sst2"`, or a builder class of our own.
        builtin: The name of the task's data set that needs no network, for the error's next step.
        folder: Where a set of our own lies; by default where TFDS keeps its sets.

    Raises:
        UserError: If TFDS does not know the name, has no version of it, or cannot fetch it, or if the user has to put
            its files into a folder first.
    """
    with silence.quiet_log("absl"):
        builder = _named(source, builtin) if isinstance(source, str) else source(data_dir=folder or _writable())
        return (
            builder
            if builder.is_prepared()
            else _prepare(builder, builtin, "Downloading" if folder is None else "Generating")
        )


def _prepare(builder: Any, builtin: str, doing: str) -> Any:
    """Downloads or generates the data of a builder; says so in one line, in place of TFDS's own."""
    tfds.disable_progress_bar()
    print(f"{doing} the data set {builder.info.name}, once, into {builder.data_dir_root}.", file=sys.stderr, flush=True)
    # Files that the user has put there by hand are used even where the folder itself cannot be written to.
    manual = _first() / "downloads" / "manual"
    config = tfds.download.DownloadConfig(try_download_gcs=False, manual_dir=manual if manual.is_dir() else None)
    written = io.StringIO()
    try:
        with _few_retries(builder), contextlib.redirect_stdout(written):
            builder.download_and_prepare(download_config=config)
    except (OSError, tfds.download.DownloadError) as error:
        if getattr(error, "errno", None) in _NO_ROOM:
            raise UserError(
                f"Data set {builder.info.name!r} is not in {builder.data_dir_root!s}, and that folder cannot be "
                f"written ({type(error).__name__}: {error}). Make room, or point TFDS_DATA_DIR at another "
                f"folder, or use the built-in data set {builtin!r}, which is small."
            ) from error
        raise UserError(
            f"Data set {builder.info.name!r} is not in {builder.data_dir_root!s} and could not be fetched "
            f"({type(error).__name__}). Connect to the network, or point TFDS_DATA_DIR at a folder that has it, "
            f"or use the built-in data set {builtin!r}, which needs neither."
        ) from error
    except AssertionError as error:  # what TFDS raises for missing files that it may not download
        how = getattr(builder, "MANUAL_DOWNLOAD_INSTRUCTIONS", None)
        if not how:
            silence.note(error, written.getvalue())
            raise
        folder = config.manual_dir or Path(builder.data_dir_root) / "downloads" / "manual"
        raise UserError(
            f"Data set {builder.info.name!r} is not in {builder.data_dir_root!s} and cannot be fetched: its files "
            f"have to be put into {folder!s} by hand. {' '.join(how.split())} "
            f"The built-in data set {builtin!r} needs no files."
        ) from error
    except Exception as error:
        silence.note(error, written.getvalue())
        raise
    return builder


def _named(name: str, builtin: str) -> Any:
    try:
        return tfds.builder(name, try_gcs=False)
    except tfds.core.registered.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        raise unknown("TFDS data set", name, known) from error
    except (OSError, ValueError, AssertionError) as error:  # the last two: no such config, no such version
        raise UserError(
            f"Data set {name!r} cannot be opened ({error}). Check TFDS_DATA_DIR, "
            f"or use the built-in data set {builtin!r}."
        ) from error


def _writable() -> Path:
    """Where a set of our own is downloaded to: TFDS's folder, else the user's cache, else a temporary folder."""
    first = _first()
    return first if cache.can_be_written(first) else cache.datasets()


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
