"""Rewrites what version 0.1 saved to the names of today, without touching a weight.

    python scripts/convert.py saved_models/* my_model.keras

Of a `.keras` file it rewrites the config; of a folder of `saved_models` also settings, scores, assets, history, card
and the list of files. What has today's names already stays as it is. Files of 0.1 load without this; it only renames.
"""

import argparse
import csv
import json
import os
import shlex
import sys
import zipfile
from pathlib import Path
from typing import Any

from zoo import cards, figures, legacy, options, task
from zoo.storage import model_card, stored

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


def convert_folder(folder: Path) -> None:
    """Renames what stands beside the weights in a folder of `saved_models`, and writes its card and list of files."""
    rewrite(folder / cards.RECIPE, new_recipe)
    rewrite(folder / cards.METRICS, legacy.metrics)
    assets = folder / "assets"
    for old, new in legacy.ASSETS.items():
        if (assets / f"{old}.json").is_file():
            (assets / f"{old}.json").rename(assets / f"{new}.json")
    if (assets / "search.json").is_file():
        rewrite(assets / "search.json", legacy.search)
    rename_columns(folder / "history.csv")
    stored.write_manifest(folder)
    (folder / cards.CARD).write_text(model_card.render(cards.summarize(folder)), encoding="utf-8")


def rewrite(file: Path, change: Any) -> None:
    """Replaces the content of a JSON file by what `change` makes of it."""
    stored.write_json(file, change(json.loads(file.read_text(encoding="utf-8"))))


def new_recipe(stored: dict[str, Any]) -> dict[str, Any]:
    """The content of a `recipe.json` with today's names, in the command that was typed as well."""
    recipe = task.find(stored["task"]).recipe
    train = recipe.configure(stored["train"])
    words = [options.present_name(word) for word in shlex.split(stored["command"])]
    return {**stored, "train": {name: getattr(train, name) for name in vars(train)}, "command": shlex.join(words)}


def rename_columns(file: Path) -> None:
    """Renames the columns of a history and draws its curves anew."""
    with file.open(encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    names = [legacy.score_name(name) for name in head]
    if names == head:
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([names, *rows])
    history = [{n: float(x) for n, x in zip(names, row, strict=True) if x} for row in rows]
    if (file.parent / "curves.png").is_file():
        metrics = json.loads((file.parent / cards.METRICS).read_text(encoding="utf-8"))
        subject = f"{file.parent.name}, trained on {metrics['data']['name']}"
        best = metrics["training"]["best_epoch"]
        figures.draw_curves(file.parent / "curves.png", history, metrics["monitor"], best_epoch=best, title=subject)


def main(arguments: list[str]) -> None:
    """Converts every path that is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, help="Folders of saved models, or .keras files.")
    for path in parser.parse_args(arguments).paths:
        changed = convert(path / "model.keras" if path.is_dir() else path)
        if path.is_dir():
            convert_folder(path)
        print(f"{path}: {'converted' if changed else 'its model has the names of today already'}")


if __name__ == "__main__":
    main(sys.argv[1:])
