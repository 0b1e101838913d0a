"""The command `zoo inspect`."""

import itertools
import json
import shlex
from collections.abc import Sequence
from typing import Any

import click

from zoo import options
from zoo.data.datasets import check_dataset
from zoo.task import find, installed
from zoo.terminal import console, environment

DATA_SETTINGS = {
    "validation_dataset", "test_dataset", "limit", "text_column", "label_column", "word_column", "source_column",
    "target_column", "tags", "source", "reverse", "tokenizer", "vocabulary_size", "min_count", "lowercase",
    "image_size", "color", "fps", "cell",
}  # fmt: skip
"""Settings of trainings that say what is read, and how."""

HELP = """Show what a training would see of DATA: counts, labels, lengths, duplicates, unknown words, ten examples.

DATA is a name from `zoo list datasets`, or a path. Nothing is trained and nothing is written. With --task, the options
of that task's training that concern the data may follow: zoo inspect --task tag --help.
"""


class _Inspect(options.Command):
    """A command that has, besides its own options, those of the task's training that concern the data."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = [word for arg in args for word in arg.split("=", 1)]
        name = next((after for word, after in itertools.pairwise(words) if word == "--task"), None)
        if name in installed():
            own = {param.name for param in self.params}
            settings = options.options(find(name).recipe.train)
            self.params += [item for item in settings if item.name in DATA_SETTINGS and item.name not in own]
        return super().parse_args(ctx, args)


def command(shared: Sequence[click.Option]) -> click.Command:
    """The command.

    Args:
        shared: The options `--json` and `--backend`, the same as in all commands.
    """

    def run(dataset: str, task: str, as_json: bool, backend: str | None, **values: Any) -> None:
        found = find(task)
        check_dataset(dataset, found.recipe.datasets)
        given = options.given(click.get_current_context(), values, found.recipe.train)
        environment.start_keras(backend)
        from zoo.inspection import report

        facts = report.inspect(found, found.recipe.train(dataset=dataset, **given))
        train = " ".join(["zoo train", task, "--dataset", shlex.quote(dataset), *_typed(given)])
        if as_json:
            click.echo(json.dumps({**facts, "command": train}))
        else:
            for text in report.lines(facts, train):
                console.echo(text)

    return _Inspect(
        "inspect",
        callback=run,
        params=[
            click.Argument(["dataset"], metavar="DATA"),
            options.Option(
                ["--task"], type=options.Choice(tuple(installed())), group="Data", required=True, help="Its task."
            ),
            *shared,
        ],
        examples=["zoo inspect reviews.csv --task sentiment", "zoo inspect --task tag --help"],
        help=HELP,
        short_help="Show what a training would see of a data set.",
    )


def _typed(given: dict[str, Any]) -> list[str]:
    """Settings as they are typed."""
    words = []
    for name, value in given.items():
        dashed = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{dashed}" if value else f"--no-{dashed}")
        else:
            words += [f"--{dashed}", shlex.quote(str(value))]
    return words
