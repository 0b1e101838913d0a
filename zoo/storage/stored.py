"""The files of a saved model or of its export: written, checked and read without Keras."""

import importlib.metadata
import json
import os
from pathlib import Path
from typing import Any

from zoo import __version__, cards, legacy
from zoo.data.files import digest
from zoo.data.text import Tokenizer
from zoo.errors import UserError
from zoo.storage import schema

FORMAT = 1
"""Raised when a folder of an older zoo can no longer be read."""


def write_json(path: Path, value: Any) -> None:
    """Writes a value as JSON."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_asset(path: Path, value: Any) -> None:
    """Writes a tokenizer, or a value as JSON."""
    if hasattr(value, "save"):
        value.save(path)
    else:
        write_json(path, value)


def read_asset(folder: Path, file: str) -> tuple[str, Any]:
    """Name and value of an asset: a tokenizer if its name ends so, else JSON of the type that its name has.

    Raises:
        UserError: If the file is missing, or not as zoo writes it.
    """
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


def write_manifest(folder: Path) -> None:
    """Writes `files.json`: sizes and hashes of all files but itself, the card, and what was measured later."""
    files = {
        file.relative_to(folder).as_posix(): {"bytes": file.stat().st_size, "sha256": digest(file)}
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in (cards.FILES, cards.CARD, cards.MEASURED)
    }
    versions = {"format": FORMAT, "zoo": __version__, "keras": importlib.metadata.version("keras")}
    write_json(folder / cards.FILES, {**versions, "files": files})


def verify(path: Path, needed: str = "model.keras") -> list[str]:
    """Checks format, presence, size and hash of every file.

    Args:
        path: The folder.
        needed: A file that it must have.

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
    if needed not in manifest["files"]:
        raise UserError(f"{path} is not a saved model of zoo: {cards.FILES} names no {needed}.")
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


def sync(folder: Path) -> None:
    """Makes sure that the files are on the disk before the folder gets its name."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
