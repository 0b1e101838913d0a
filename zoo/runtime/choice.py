"""Which runtime answers: the export of a model if there is one that can run here, else Keras. No numpy here."""

import importlib.util
from pathlib import Path

from zoo import __version__, cards
from zoo.data import cache
from zoo.errors import UserError
from zoo.storage import schema

RUNTIMES = ("onnx", "keras")

EXPORT = "export.json"
"""What an exported folder holds; only such a folder has this file."""

INSTALL = "pip install 'zoo[onnx]'"


def place(path: Path, format: str = "onnx") -> Path:
    """Where the export of a model belongs: inside its folder, or in the user's cache where that cannot be written."""
    return path / format if cache.can_be_written(path) else kept(path, format)


def kept(path: Path, format: str = "onnx") -> Path:
    """Where the export of a model belongs in the user's cache.

    Other weights have another place, since two models may have one name; so have the exports of another version.
    """
    return cache.folder() / "exports" / __version__ / f"{path.name}-{model_hash(path)[:12]}" / format


def model_hash(path: Path) -> str:
    """The SHA-256 of the weights of a saved model, as its `files.json` says; empty if it has none."""
    if not (path / cards.FILES).is_file():
        return ""
    return schema.read(path, cards.FILES, schema.Manifest)["files"].get(cards.MODEL, {}).get("sha256", "")


def exported(path: Path) -> Path:
    """The folder of the ONNX export of a model: the given one if it is an export itself."""
    if (path / EXPORT).exists():
        return path
    beside = path / "onnx"
    if (beside / EXPORT).exists() and _outdated(path, beside) is None:
        return beside
    cached = kept(path)
    return cached if (cached / EXPORT).exists() and _outdated(path, cached) is None else beside


def lacks_export(path: Path) -> bool:
    """Whether a saved model has no ONNX export of its weights yet, and one can be written and run here."""
    if (path / EXPORT).exists():
        return False
    installed = all(importlib.util.find_spec(module) for module in ("onnx", "onnxruntime"))
    return installed and _missing(path, exported(path)) is not None


def is_published(path: Path) -> bool:
    """Whether a model is one of those that come with this package."""
    return path.resolve().parent == cards.published().resolve()


def choose(path: Path, requested: str | None = None, backend: str | None = None) -> str:
    """The runtime that answers.

    Args:
        path: Folder of a saved model, or of an export.
        requested: `"onnx"` or `"keras"`; None leaves the choice to this function.
        backend: A backend of Keras, if one was asked for.

    Raises:
        UserError: If the one that was asked for cannot run this model.
    """
    folder, alone = exported(path), (path / EXPORT).exists()
    if requested == "onnx" and backend:
        raise UserError("--backend chooses a backend of Keras: it goes with --runtime keras.")
    runtime = requested or ("keras" if backend and not alone else "onnx")
    if runtime == "keras":
        if alone:
            raise UserError(f"{path} is an export, which has no Keras model in it: leave out --runtime keras.")
        return "keras"
    reason = _missing(path, folder)
    if reason is None:
        return "onnx"
    if requested is None and not alone:
        return "keras"
    raise UserError(reason)


def _missing(path: Path, folder: Path) -> str | None:
    """Why the export cannot run: one sentence."""
    if not (folder / EXPORT).exists():
        return f"{path.name} has no ONNX export: make one with `zoo export {path.name} --format onnx`."
    if folder != path and (outdated := _outdated(path, folder)):
        return outdated
    if importlib.util.find_spec("onnxruntime") is None:
        return f"ONNX Runtime is not installed: {INSTALL}"
    return None


def _outdated(path: Path, folder: Path) -> str | None:
    """Why the export is not that of the model beside it."""
    export = schema.read(folder, EXPORT, schema.Export)
    if model_hash(path) == export["model_sha256"]:
        return None
    return (
        f"{folder} is the export of another model than that in {path}: make it anew with "
        f"`zoo export {path.name} --format onnx --overwrite`."
    )
