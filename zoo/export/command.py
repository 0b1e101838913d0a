"""The command `zoo export`."""

import json
from pathlib import Path
from typing import Any

import click

from zoo import cards, options
from zoo.export import formats
from zoo.settings import LARGEST_INT
from zoo.terminal import console, environment

HELP = """Write MODEL as graphs that run without Keras, and compare their answers with its own.

The folder holds the graphs, tokenizer, labels and settings, a README with a complete program that uses them, and
parity.json. Inside the model's own folder, where it is written by default, an ONNX export also answers the commands
that predict: from cold in about a second.
"""


def command(shared: list[click.Option]) -> click.Command:
    """The command.

    Args:
        shared: The options for the folder of models and for the backend.
    """
    return options.Command(
        "export",
        callback=_run,
        params=[
            click.Argument(["model"]),
            click.Option(["--format"], type=options.Choice(tuple(formats.FORMATS)), required=True, help="The format."),
            click.Option(["--output"], type=options.File(), help="Folder to write.  [default: MODEL/FORMAT]"),
            click.Option(
                ["--quantize"],
                type=options.Choice(
                    tuple(dict.fromkeys(item for row in formats.FORMATS.values() for item in row.quantize))
                ),
                help="Store weights in fewer bits.  [default: float32]",
            ),
            click.Option(
                ["--length"],
                type=options.Integer(1, largest=LARGEST_INT),
                help="Steps that a graph of litert reads.  [default: the model's max_length]",
            ),
            click.Option(
                ["--examples"],
                type=options.Integer(0, largest=LARGEST_INT),
                default=200,
                show_default=True,
                help="Test examples that both sides answer for parity.json; 0 for none.",
            ),
            click.Option(["--overwrite"], is_flag=True, help="Replace an existing export."),
            click.Option(["--json", "as_json"], is_flag=True, help="Print parity.json."),
            *shared,
        ],
        help=HELP,
        short_help="Write a saved model as graphs that run without Keras.",
    )


def _run(
    model: str,
    format: str,
    output: Path | None,
    as_json: bool,
    models_dir: Path | None,
    backend: str | None,
    **given: Any,
) -> None:
    path = cards.locate(model, models_dir)
    formats.find(format, given["quantize"], length=given["length"])
    environment.start_keras(backend)
    from zoo import saved
    from zoo.export import export

    folder = export(saved.load(path), output, format, **given)
    parity = folder / "parity.json"
    facts = json.loads(parity.read_text(encoding="utf-8")) if parity.exists() else {}
    if as_json:
        click.echo(json.dumps(facts))
        return
    console.echo(f"{folder}")
    for line in _lines(facts):
        console.echo(line)


def _lines(facts: dict[str, Any]) -> list[str]:
    """What `parity.json` says, in a few lines."""
    if not facts:
        return []
    size, examples = facts["bytes"], facts["examples"]
    return [
        f"equal answers {100 * facts['equal_answers']:.1f} % of {examples['count']} ({examples['dataset']}), "
        f"largest difference {facts['max_difference']:.1e}",
        f"size {size['export'] / 1e6:.1f} MB, in Keras {size['keras'] / 1e6:.1f} MB",
        *(
            f"{name} {cards.number(value)}, in Keras {cards.number(facts['scores']['keras'][name])}"
            for name, value in facts["scores"]["export"].items()
        ),
    ]
