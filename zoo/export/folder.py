"""The folder of an export: written beside its place, then moved there whole.

<model>/<format>/  README.md (how to use it, with a program)  export.json (graphs, their inputs and outputs)
                   model.onnx, or encoder.onnx and step.onnx (.tflite; 1/saved_model.pb)  assets/
                   recipe.json  metrics.json
                   parity.json (its answers beside those of Keras)  files.json (sizes and SHA-256)
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import filelock

from zoo import cards
from zoo.data import cache
from zoo.errors import UserError
from zoo.export import graphs
from zoo.export.formats import Format
from zoo.export.readme import readme
from zoo.runtime.choice import EXPORT, model_hash
from zoo.storage import schema, stored

PARITY = "parity.json"


def check_free(path: Path, overwrite: bool) -> None:
    """Checks that a folder may be written here.

    Raises:
        UserError: If something is there that may not be replaced.
    """
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not (path / EXPORT).is_file():
        raise UserError(f"{path} exists and is no export of zoo; nothing is deleted. Choose another --output.")
    if not overwrite:
        raise UserError(f"{path} exists. Choose another --output, or replace it with --overwrite.")


@contextmanager
def locked(path: Path, wait: bool = False) -> Iterator[None]:
    """Keeps other processes from writing an export to the same place.

    Args:
        path: Where the export will be.
        wait: Whether to wait for another process; otherwise it is an error.

    Raises:
        UserError: If another process writes there, or the user's cache, where locks are, cannot be written.
    """
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    lock = filelock.FileLock(cache.folder() / "exports" / f".{name}.lock", timeout=-1 if wait else 0)
    try:
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise UserError(f"Another process writes {path}. Wait for it, or choose another --output.") from error
    except (OSError, NotImplementedError) as error:
        raise UserError(
            f"{cache.folder()} cannot be written: {error}. Set XDG_CACHE_HOME to another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A new folder, which takes its place when all in it is written. Before that, an older one stays whole.

    Raises:
        UserError: If it cannot be written.
    """
    new, old = path.with_name(f".{path.name}.new"), cards.backup(path)
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        yield new
        stored.write_manifest(new)
        stored.sync(new)
        shutil.rmtree(old, ignore_errors=True)
        if path.exists():
            path.rename(old)
        new.rename(path)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise UserError(f"{path} could not be written: {error}. Give a folder as --output.") from error
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def fill(
    folder: Path,
    model: Any,
    specs: Sequence[graphs.GraphSpec],
    files: Mapping[str, bytes],
    found: Format,
    format: str,
    quantize: str | None,
) -> None:
    """Writes all but `parity.json`.

    Args:
        folder: An empty folder.
        model: The saved model.
        specs: Its graphs.
        files: What the format has made of them: content by name.
        found: The format.
        format: Its name.
        quantize: What the weights were made.
    """
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "assets").mkdir()
    for name, value in model.assets.items():
        stored.write_asset(folder / "assets" / f"{name}.json", value)
    for name in (cards.RECIPE, cards.METRICS):
        shutil.copyfile(model.path / name, folder / name)
    facts = {
        "format": format,
        "model": model.path.name,
        "quantize": quantize,
        "graphs": {spec.name: _described(spec, found) for spec in specs},
        **graphs.settings(model.net),
        "model_sha256": model_hash(model.path),
    }
    stored.write_json(folder / EXPORT, facts)
    (folder / cards.CARD).write_text(readme(folder, model, facts, None), encoding="utf-8")
    stored.write_manifest(folder)


def _described(spec: graphs.GraphSpec, found: Format) -> dict[str, Any]:
    """A graph as `export.json` has it."""
    ports = {"inputs": [asdict(port) for port in spec.inputs], "outputs": [asdict(port) for port in spec.outputs]}
    return {"file": found.file.format(spec.name), **ports}


def add_parity(folder: Path, model: Any, facts: Mapping[str, Any]) -> None:
    """Writes `parity.json`, and the README again, with what it says."""
    stored.write_json(folder / PARITY, facts)
    export = schema.read(folder, EXPORT, schema.Export)
    (folder / cards.CARD).write_text(readme(folder, model, export, facts), encoding="utf-8")
