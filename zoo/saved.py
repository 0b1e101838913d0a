"""Write, verify and load one folder of `saved_models`.

<name>/  README.md (card)  recipe.json  metrics.json  files.json (sizes and SHA-256)  model.keras
         assets/  golden.json (inputs with the answers they must get)  history.csv  curves.png
"""

import contextlib
import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from zoo import __version__, cards
from zoo import task as tasks
from zoo.errors import UserError
from zoo.layers.embedding import TokenEmbedding
from zoo.runtime.choice import EXPORT
from zoo.storage import archive, hub, model_card, schema, stored
from zoo.storage.saved_model import SavedModel

OLDEST_KERAS = (3, 15)
"""Older ones load some of our models with weights that were never set, and do not say so."""


def list_models(task: str | None = None, models_dir: str | Path | None = None) -> list[str]:
    """Names of the saved models that `load` finds, your own first.

    Args:
        task: Only those of this task.
        models_dir: Where to look first.

    Raises:
        UserError: If there is no such task; names the nearest.
    """
    if task is not None:
        tasks.find(task)
    return [item.name for item in cards.models(models_dir) if task in (None, item.task)]


def load(model: str | Path, models_dir: str | Path | None = None) -> SavedModel:
    """Loads a saved model by name, folder, or address on the Hugging Face Hub. Nothing in it is ever run as code.

    Args:
        model: A name, a folder, or `hf://user/model`, which `zoo.storage.hub.fetch` brings into the user's cache.
        models_dir: Where to look for a name first.

    Raises:
        UserError: If it is missing, damaged, foreign, or written by a newer version; says which file and why.
    """
    _check_keras()
    path = cards.locate(model, models_dir)
    if (path / EXPORT).exists():
        raise UserError(f"{path} is an export, which has no Keras model in it: name the model that was exported.")
    summary = cards.summarize(path)
    named = stored.verify(path)
    installed = tasks.find(summary.task)
    recipe = installed.recipe.configure(summary.recipe["train"])
    installed.task  # noqa: B018  registers what classes the task itself may define
    archive.check(path / cards.MODEL)
    assets = dict(stored.read_asset(path, name) for name in named if name.startswith("assets/"))
    try:
        net = keras.saving.load_model(path / cards.MODEL, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{path} cannot be loaded by zoo {__version__}: {reason}") from error
    schema.check_agreement(assets, _shape(net), _classes(net), _vocabularies(net), str(path))
    return SavedModel(path, installed, recipe, summary.metrics, assets, net)


def push(model: SavedModel | str | Path, address: str, *, private: bool = False) -> str:
    """Uploads a saved model with its card to the Hugging Face Hub.

    Args:
        model: What `load` returned, or a name or folder.
        address: `hf://user/model`; made if it does not exist.
        private: Whether it is private, if it is made.

    Returns:
        The address with the commit, which `load` takes.

    Raises:
        UserError: If the model is damaged, or the Hub cannot be reached or does not allow it.
    """
    path = model.path if isinstance(model, SavedModel) else cards.locate(model)
    return hub.push(path, address, private=private)


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
    if (size := getattr(arguments, "character_vocabulary_size", None)) is not None:
        found["character_tokenizer"] = size
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
        _write_model(model, new / cards.MODEL, weights_dtype)
        for name, value in assets.items():
            stored.write_asset(new / "assets" / f"{name}.json", value)
        stored.write_json(new / cards.RECIPE, recipe)
        stored.write_json(new / cards.METRICS, metrics)
        if extra:
            extra(new)
        stored.write_manifest(new)
        asked = list(examples)
        with contextlib.redirect_stderr(io.StringIO()):  # notes on inputs that are not the user's
            answers = load(new).predict(asked)
        stored.write_json(new / "golden.json", {"inputs": asked, "outputs": answers})
        stored.write_manifest(new)
        text = model_card.render(replace(cards.summarize(new), path=path), new)
        (new / cards.CARD).write_text(text, encoding="utf-8")
        stored.sync(new)
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


def update_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
    """Replaces what `metrics.json` of a saved model says, and renews its manifest and card.

    Args:
        path: The folder.
        metrics: All that the file shall hold.
    """
    stored.write_json(path / cards.METRICS, metrics)
    stored.write_manifest(path)
    (path / cards.CARD).write_text(model_card.render(cards.summarize(path)), encoding="utf-8")


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
