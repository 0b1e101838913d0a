"""Write, verify and load one folder of `saved_models`.

<name>/  README.md (card)  recipe.json  metrics.json  files.json (sizes and SHA-256)  model.keras
         assets/  golden.json (inputs with the answers they must get)  history.csv  curves.png
"""

import contextlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from zoo import __version__, archive, cards, legacy, schema
from zoo import task as tasks
from zoo.data.files import digest
from zoo.data.text import Tokenizer
from zoo.errors import UserError
from zoo.layers.embedding import TokenEmbedding
from zoo.names import unknown

OLDEST_KERAS = (3, 15)
"""Older ones load some of our models with weights that were never set, and do not say so."""

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

        Raises:
            UserError: If an option is unknown, or has a value that it does not take.
        """
        known = [item.name for item in fields(self.installed.recipe.predict) if item.name not in ("inputs", "json")]
        for name in options:
            if name not in known:
                raise unknown(f"option of {self.installed.name}", name, known)
        several = [inputs] if isinstance(inputs, str) else list(inputs)  # a string is one input, not its letters
        config = self.installed.recipe.predict(inputs=several, json=True, **options)
        answers = [json.loads(line) for line in self.installed.task.predict(self, config)]
        return answers[0] if isinstance(inputs, str) else answers


def load(model: str | Path, models_dir: str | Path | None = None) -> SavedModel:
    """Loads a saved model by name or folder. Nothing in the folder is ever run as code.

    Raises:
        UserError: If it is missing, damaged, foreign, or written by a newer version; says which file and why.
    """
    _check_keras()
    path = cards.locate(model, models_dir)
    summary = cards.summarize(path)
    named = _verify(path)
    installed = tasks.find(summary.task)
    recipe = installed.recipe.configure(summary.recipe["train"])
    installed.task  # noqa: B018  registers what classes the task itself may define
    archive.check(path / "model.keras")
    assets = dict(_read_asset(path, name) for name in named if name.startswith("assets/"))
    try:
        net = keras.saving.load_model(path / "model.keras", compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{path} cannot be loaded by zoo {__version__}: {reason}") from error
    schema.check_agreement(assets, _shape(net), _classes(net), _vocabularies(net), str(path))
    return SavedModel(path, installed, recipe, summary.metrics, assets, net)


def _check_keras() -> None:
    """Raises a `UserError` if this Keras is too old."""
    if tuple(map(int, keras.version().split(".")[:2])) < OLDEST_KERAS:
        oldest = ".".join(map(str, OLDEST_KERAS))
        raise UserError(
            f"Keras {keras.version()} is installed; saved models need {oldest} or later: "
            f"pip install --upgrade 'keras>={oldest}'"
        )


def _shape(net: keras.Model) -> list[int | None] | None:
    """Shape of the first input of a functional net, without the batch, or of one step of a tagger's input."""
    if inputs := getattr(net, "inputs", None):
        return list(inputs[0].shape[1:])
    arguments = getattr(net, "arguments", None)
    if (frame := getattr(arguments, "frame_shape", None)) is not None:
        return list(frame)
    features = getattr(arguments, "feature_dim", None)
    return None if features is None else [features]


def _classes(net: keras.Model) -> int | None:
    """Classes of a net that has labels."""
    given = getattr(getattr(net, "arguments", None), "num_classes", None)
    output = getattr(net, "output", None)  # of a functional model
    return output.shape[-1] if given is None and isinstance(output, keras.KerasTensor) else given


def _vocabularies(net: keras.Model) -> dict[str, int]:
    """Name of a tokenizer -> entries that the net has vectors for."""
    arguments, found = getattr(net, "arguments", None), {}
    for side in ("source", "target"):
        if (size := getattr(arguments, f"{side}_vocabulary_size", None)) is not None:
            found[f"{side}_tokenizer"] = found["tokenizer"] = size
    embeddings = [layer for layer in net.layers if isinstance(layer, TokenEmbedding)]
    size = getattr(arguments, "vocabulary_size", embeddings[0].vocabulary_size if embeddings else None)
    return found if size is None else {**found, "tokenizer": size}


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
    if os.path.lexists(path):
        if not overwrite:
            raise UserError(f"{path} exists. Choose another --name, or replace it with --overwrite.")
        cards.check_replaceable(path)
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
        with contextlib.redirect_stderr(io.StringIO()):  # notes on inputs that are not the user's
            answers = load(new).predict(asked)
        _write_json(new / "golden.json", {"inputs": asked, "outputs": answers})
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


def _read_asset(folder: Path, file: str) -> tuple[str, Any]:
    """Name and value of an asset: a tokenizer if its name ends so, else JSON of the type that its name has."""
    name = Path(file).stem
    path, what = schema.regular(folder, file), f"{folder}: {file}"
    if name.endswith("tokenizer"):
        try:
            return name, Tokenizer.load(path)
        except ValueError as error:
            raise UserError(f"{what} is not as zoo writes it: {error}") from error
    value = schema.decode(path, what)
    name = legacy.ASSETS.get(name, name)
    value = legacy.search(value) if name == "search" and isinstance(value, dict) else value
    return name, schema.check(value, schema.ASSETS.get(name, Any), what)


def _write_manifest(folder: Path) -> None:
    files = {
        file.relative_to(folder).as_posix(): {"bytes": file.stat().st_size, "sha256": digest(file)}
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in (cards.FILES, cards.CARD)
    }
    versions = {"format": FORMAT, "zoo": __version__, "keras": keras.version()}
    _write_json(folder / cards.FILES, {**versions, "files": files})


def _verify(path: Path) -> list[str]:
    """Checks format, presence, size and hash of every file.

    Returns:
        The names of all files, as paths within the folder.

    Raises:
        UserError: With the first thing that is wrong.
    """
    stored = schema.read(path, cards.FILES)
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        found = stored.get("format") if isinstance(stored, dict) else None
        by = stored.get("zoo") if isinstance(stored, dict) else None
        raise UserError(
            f"{path} has format {found!r}; zoo {__version__} reads format {FORMAT}. "
            f"It was written by zoo {by}: install that version, or train the model again."
        )
    manifest = schema.check(stored, schema.Manifest, f"{path}: {cards.FILES}")
    if "model.keras" not in manifest["files"]:
        raise UserError(f"{path} is not a saved model of zoo: {cards.FILES} names no model.keras.")
    for name, facts in manifest["files"].items():
        file = schema.regular(path, name, "is incomplete")
        size = file.stat().st_size
        if size != facts["bytes"]:
            raise UserError(
                f"{path} is damaged: {name} has {size:,} bytes instead of {facts['bytes']:,}. "
                "Fetch or train the model again."
            )
        if digest(file) != facts["sha256"]:
            raise UserError(
                f"{path} is damaged: {name} is not the file that was saved (its SHA-256 differs). "
                "Fetch or train the model again."
            )
    return sorted(manifest["files"])


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
