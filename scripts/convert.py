"""Rewrites the configs of models that version 0.1 saved to the names of today, without touching a weight.

    python scripts/convert.py saved_models/* my_model.keras

A folder of `saved_models` also gets the new size and SHA-256 of `model.keras` in its `files.json`. Files that have
today's names already stay as they are. Version 0.1's own files load without this; it only renames.
"""

import argparse
import hashlib
import json
import os
import sys
import zipfile
from pathlib import Path

CONFIG = "config.json"


def new_config(text: str) -> str:
    """The config of a model as it would be saved today: what the old one loads as, serialized again."""
    import keras

    import zoo  # noqa: F401  registers the classes

    keras.config.set_dtype_policy("float32")  # old configs of translators and captioners name no policy
    model = keras.saving.deserialize_keras_object(json.loads(text), safe_mode=True)
    return json.dumps(keras.saving.serialize_keras_object(model))


def convert(file: Path) -> bool:
    """Rewrites the config inside a `.keras` file; every other entry is copied byte by byte.

    Returns:
        Whether anything changed.
    """
    new = file.with_name(f".{file.name}.new")
    with zipfile.ZipFile(file) as source:
        old_text = source.read(CONFIG).decode()
        text = new_config(old_text)
        if json.loads(text) == json.loads(old_text):
            return False
        with zipfile.ZipFile(new, "w") as target:
            for item in source.infolist():
                content = text.encode() if item.filename == CONFIG else source.read(item)
                target.writestr(item, content)  # with the old entry's name, date and compression
    os.replace(new, file)
    return True


def update_manifest(folder: Path) -> None:
    """Writes the size and SHA-256 of a folder's `model.keras` into its `files.json`."""
    manifest = folder / "files.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    data = (folder / "model.keras").read_bytes()
    content["files"]["model.keras"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Converts every path that is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, help="Folders of saved models, or .keras files.")
    for path in parser.parse_args(arguments).paths:
        file = path / "model.keras" if path.is_dir() else path
        changed = convert(file)
        if changed and (path / "files.json").is_file():
            update_manifest(path)
        print(f"{path}: {'converted' if changed else 'has the names of today already'}")


if __name__ == "__main__":
    main(sys.argv[1:])
