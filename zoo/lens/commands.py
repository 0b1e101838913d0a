"""The command group `zoo lens`; Keras is imported only when a command runs."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import click

from zoo import cards, options
from zoo.errors import UserError
from zoo.lens import choices, settings

HELP = "Show what happens inside a recurrent net: gradients through time, Jacobians, gates, memory."

TOOLS: dict[str, tuple[type, str, str]] = {
    "gradients": (settings.Gradients, "through_time", "show_gradients"),
    "jacobian": (settings.Jacobian, "through_time", "show_jacobian"),
    "gates": (settings.Gates, "gates", "show_gates"),
    "memory": (settings.Memory, "memory", "show_memory"),
}
"""Command -> its settings, the module in this package that runs it, and the function there."""


def group(start: Callable[[str | None], None], shared: Sequence[click.Option]) -> click.Group:
    """The group of all tools.

    Args:
        start: Selects a backend and imports Keras.
        shared: The options `--models-dir` and `--backend`, the same as in all commands.
    """
    lens = click.Group("lens", help=HELP)
    for name, tool in TOOLS.items():
        lens.add_command(_command(name, *tool, start, shared))
    return lens


def _command(
    name: str,
    kind: type,
    module: str,
    function: str,
    start: Callable[[str | None], None],
    shared: Sequence[click.Option],
) -> click.Command:
    of_one_model = kind is settings.Gates

    def run(**values: Any) -> None:
        config = kind(**options.given(click.get_current_context(), values, kind))
        choices.check(config)
        model = getattr(config, "model", None)
        if of_one_model and model is None:
            raise UserError("Name a trained model with --model; `zoo list models` shows them.")
        names = choices.models(model) if model is not None else []
        if of_one_model and len(names) > 1:
            raise UserError(f"--model {model}: gates are shown for one model at a time; name one.")
        paths = [cards.locate(name, values["models_dir"]) for name in names]
        start(values["backend"])
        models = [importlib.import_module("zoo.saved").load(path) for path in paths]
        for line in getattr(importlib.import_module(f"zoo.lens.{module}"), function)(config, models):
            click.echo(line)

    arguments: list[click.Parameter] = [click.Argument(["text"])] if of_one_model else []
    return options.Command(
        name, callback=run, params=[*arguments, *options.options(kind), *shared], help=(kind.__doc__ or "").strip()
    )
