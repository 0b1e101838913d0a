"""Texts to a SavedModel behind TensorFlow Serving and back: the REST interface, with the tokenizers of the export.

    zoo export translate-gru-multi30k-en-de --format savedmodel --output en-de
    tensorflow_model_server --rest_api_port=8501 --model_name=en-de --model_base_path=$PWD/en-de
    python -m zoo.export.serving.client en-de http://localhost:8501/v1/models/en-de "two dogs run on the grass"

A signature takes and gives its tensors by name: `{"signature_name": "generate", "inputs": {"tokens": [[...]]}}` gets
`{"outputs": {"tokens": [[...]], "scores": [...], "lengths": [...]}}`.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from zoo.errors import UserError
from zoo.ids import END
from zoo.runtime.choice import EXPORT
from zoo.storage import schema, stored

TIMEOUT = 60
"""Seconds that an answer may take."""


def call(url: str, signature: str, **inputs: Any) -> Any:
    """Runs a signature.

    Args:
        url: Of the model, `http://HOST:8501/v1/models/NAME`.
        signature: Its name.
        **inputs: Its inputs, as nested lists.

    Returns:
        Its outputs by name, as nested lists; of a signature with one output, that one, as TensorFlow Serving gives it.

    Raises:
        UserError: If the server cannot be reached, or refuses the request.
    """
    body = json.dumps({"signature_name": signature, "inputs": inputs}).encode()
    request = urllib.request.Request(f"{url}:predict", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return json.load(response)["outputs"]
    except urllib.error.HTTPError as error:
        raise UserError(f"{url} refused the request: {error.read(1000).decode(errors='replace')}") from error
    except OSError as error:
        raise UserError(f"{url} cannot be reached: {error}") from error


def translate(folder: Path, url: str, texts: Sequence[str]) -> list[str]:
    """Translations of texts.

    Args:
        folder: The exported folder, for its tokenizers.
        url: Of the model.
        texts: The texts.

    Raises:
        UserError: If it is no export of a translator, or the server does not answer.
    """
    source, target = _tokenizers(folder)
    rows = [[*ids, END] for ids in source.encode([" ".join(text.split()) for text in texts])]
    longest = max(map(len, rows))
    found = call(url, "generate", tokens=[[*row, *[0] * (longest - len(row))] for row in rows])
    return target.decode([row[:length] for row, length in zip(found["tokens"], found["lengths"], strict=True)])


def _tokenizers(folder: Path) -> tuple[Any, Any]:
    """Those of the source and the target, which may be one."""
    export: Mapping[str, Any] = schema.read(folder, EXPORT, schema.Export)
    if export["kind"] != "encoder_decoder" or "generate" not in export["graphs"]:
        raise UserError(f"{folder} is no SavedModel of a translator: `zoo export MODEL --format savedmodel` makes one.")
    named = [name for name in stored.verify(folder, EXPORT) if name.endswith("tokenizer.json")]
    found = dict(stored.read_asset(folder, name) for name in named)
    both = [found.get(f"{side}_tokenizer", found.get("tokenizer")) for side in ("source", "target")]
    return both[0], both[1]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("url")
@click.argument("texts", nargs=-1, required=True)
def main(folder: Path, url: str, texts: tuple[str, ...]) -> None:
    """Translate TEXTS by the model that is served at URL and was exported to FOLDER."""
    try:
        click.echo("\n".join(translate(folder, url, texts)))
    except UserError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
