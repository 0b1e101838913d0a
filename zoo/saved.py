"""Write, verify and load one folder of `saved_models`.

<name>/  README.md (card)  recipe.json  metrics.json  files.json (sizes and SHA-256)  model.keras
         assets/  golden.json (inputs with the answers they must get)  history.csv  curves.png
"""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from zoo import __version__, cards, legacy
from zoo import task as tasks
from zoo.data.text import Tokenizer
from zoo.errors import UserError

FORMAT = 1
"""Raised when a folder of an older zoo can no longer be read."""


@dataclass(frozen=True)
class SavedModel:
    """A saved model, ready to use.

    Attributes:
        path: Its folder.
        installed: Its task.
        recipe: The settings it was trained with.
        metrics: What `metrics.json` says.
        assets: Tokenizers and JSON values, by name.
        net: The `keras.Model`.
    """

    path: Path
    installed: tasks.Installed
    recipe: Any
    metrics: Mapping[str, Any]
    assets: Mapping[str, Any]
    net: keras.Model

    def predict(self, inputs: str | Iterable[str], **options: Any) -> Any:
        """Answers as Python objects: what the command prints with `--json`.

        Args:
            inputs: As the task's command takes them: texts, or file names; one of them, or several.
            **options: Fields of the task's prediction settings.
        """
        several = [inputs] if isinstance(inputs, str) else list(inputs)  # a string is one input, not its letters
        config = self.installed.recipe.predict(inputs=several, json=True, **options)
        answers = [json.loads(line) for line in self.installed.task.predict(self, config)]
        return answers[0] if isinstance(inputs, str) else answers


def load(model: str | Path, models_dir: str | Path | None = None) -> SavedModel:
    """Loads a saved model by name or folder. Nothing in the folder is ever run as code.

    Raises:
        UserError: If it is missing, damaged, foreign, or written by a newer version; says which file and why.
    """
    path = cards.locate(model, models_dir)
    summary = cards.summarize(path)
    _verify(path)
    installed = tasks.find(summary.task)
    recipe = installed.recipe.configure(summary.recipe["train"])
    installed.task  # noqa: B018  registers what classes the task itself may define
    try:
        net = keras.saving.load_model(path / "model.keras", compile=False, safe_mode=True)
        assets = dict(_read_asset(file) for file in sorted((path / "assets").iterdir()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{path} cannot be loaded by zoo {__version__}: {reason}") from error
    return SavedModel(path, installed, recipe, summary.metrics, assets, net)


def write(
    path: Path,
    model: keras.Model,
    assets: Mapping[str, Any],
    recipe: Mapping[str, Any],
    metrics: Mapping[str, Any],
    *,
    weights_dtype: str = "float32",
    examples: Iterable[str] = (),
    extra: Callable[[Path], None] | None = None,
    overwrite: bool = False,
) -> SavedModel:
    """Writes a folder beside its place, tries it out, and only then moves it there by a rename.

    Whatever happens before the rename (disk full, kill), an older model of this name stays whole.

    Args:
        path: Where the folder shall be.
        model: The trained model; its optimizer is not saved.
        assets: Tokenizers and JSON values.
        recipe: For `recipe.json`: `task`, `train` and `command`.
        metrics: For `metrics.json`.
        weights_dtype: `"float16"` halves the size of the weights; they are float32 again after loading.
        examples: Inputs for `golden.json`.
        extra: Writes more files into the folder it is given.
        overwrite: Whether an existing folder may be replaced.

    Raises:
        UserError: If the folder exists and must not be replaced, or cannot be written.
    """
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists. Choose another --name, or replace it with --overwrite.")
    new = path.with_name(f".{path.name}.new")
    try:
        shutil.rmtree(new, ignore_errors=True)
        (new / "assets").mkdir(parents=True)
        _write_model(model, new / "model.keras", weights_dtype)
        for name, value in assets.items():
            _write_asset(new / "assets" / f"{name}.json", value)
        _write_json(new / cards.RECIPE, recipe)
        _write_json(new / cards.METRICS, metrics)
        if extra:
            extra(new)
        _write_manifest(new)
        asked = list(examples)
        _write_json(new / "golden.json", {"inputs": asked, "outputs": load(new).predict(asked)})
        _write_manifest(new)
        (new / cards.CARD).write_text(cards.card(replace(cards.summarize(new), path=path)), encoding="utf-8")
        _sync(new)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        kept = " The old one is untouched." if path.exists() else ""
        raise UserError(f"{path} could not be written: {error}.{kept}") from error
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    old = cards.backup(path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)
    return load(path)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_asset(path: Path, value: Any) -> None:
    if hasattr(value, "save"):
        value.save(path)
    else:
        _write_json(path, value)


def _read_asset(path: Path) -> tuple[str, Any]:
    """Name and value of an asset: a tokenizer if its name ends so, else plain JSON."""
    if path.stem.endswith("tokenizer"):
        return path.stem, Tokenizer.load(path)
    value = json.loads(path.read_text(encoding="utf-8"))
    return legacy.ASSETS.get(path.stem, path.stem), legacy.search(value) if path.stem == "search" else value


def _write_manifest(folder: Path) -> None:
    files = {
        file.relative_to(folder).as_posix(): {"bytes": file.stat().st_size, "sha256": _digest(file)}
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in (cards.FILES, cards.CARD)
    }
    versions = {"format": FORMAT, "zoo": __version__, "keras": keras.version()}
    _write_json(folder / cards.FILES, {**versions, "files": files})


def _digest(file: Path) -> str:
    state = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def _verify(path: Path) -> None:
    """Checks format, presence, size and hash of every file.

    Raises:
        UserError: With the first thing that is wrong.
    """
    manifest = json.loads((path / cards.FILES).read_text(encoding="utf-8"))
    if manifest.get("format") != FORMAT:
        raise UserError(
            f"{path} has format {manifest.get('format')!r}; zoo {__version__} reads format {FORMAT}. "
            f"It was written by zoo {manifest.get('zoo')}: install that version, or train the model again."
        )
    if "model.keras" not in manifest["files"]:
        raise UserError(f"{path} is not a saved model of zoo: {cards.FILES} names no model.keras.")
    for name, facts in manifest["files"].items():
        file = path / name
        if not file.is_file():
            raise UserError(f"{path} is incomplete: {name} is missing. Fetch or train the model again.")
        size = file.stat().st_size
        if size != facts["bytes"]:
            raise UserError(
                f"{path} is damaged: {name} has {size:,} bytes instead of {facts['bytes']:,}. "
                "Fetch or train the model again."
            )
        if _digest(file) != facts["sha256"]:
            raise UserError(
                f"{path} is damaged: {name} is not the file that was saved (its SHA-256 differs). "
                "Fetch or train the model again."
            )


def _write_model(model: keras.Model, file: Path, weights_dtype: str) -> None:
    """Writes `model.keras` without optimizer, its weights in half precision if asked for."""
    config = keras.saving.serialize_keras_object(model)
    config.pop("compile_config", None)
    bare = keras.saving.deserialize_keras_object(config)
    bare.set_weights(model.get_weights())
    bare.save(file)
    if weights_dtype == "float16":
        _halve(file)


def _halve(file: Path) -> None:
    """Rewrites the weights inside a `.keras` file as float16; Keras casts them back when it loads them.

    Raises:
        UserError: If a weight does not fit into float16.
    """
    half = file.with_suffix(".half")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.namelist():
            if not item.endswith(".weights.h5"):
                target.writestr(item, source.read(item))
                continue
            full, small = file.with_suffix(".full.h5"), file.with_suffix(".small.h5")
            full.write_bytes(source.read(item))
            with h5py.File(full) as old, h5py.File(small, "w") as new:
                _copy_halved(old, new)
            target.write(small, item)
            full.unlink()
            small.unlink()
    os.replace(half, file)


def _copy_halved(old: h5py.Group, new: h5py.Group) -> None:
    for key, value in old.attrs.items():
        new.attrs[key] = value
    for key, item in old.items():
        if isinstance(item, h5py.Group):
            _copy_halved(item, new.create_group(key))
            continue
        array = item[()]
        if array.dtype == np.float32:
            if not np.isfinite(array).all() or np.abs(array).max(initial=0) > np.finfo(np.float16).max:
                raise UserError(f"Weight {item.name} does not fit into float16; save with --weights-dtype float32.")
            array = array.astype(np.float16)
        new.create_dataset(key, data=array)


def _sync(folder: Path) -> None:
    """Makes sure that the files are on the disk before the folder gets its name."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
