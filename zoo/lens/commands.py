"""The command group `zoo lens`. Nothing here imports Keras before a command needs it."""

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
"""Command -> its settings, the module beside this one that does it, and the function there."""


def group(start: Callable[[str | None], None], shared: Sequence[click.Option]) -> click.Group:
    """The group of all tools.

    Args:
        start: Chooses a backend, and imports Keras.
        shared: The options `--models-dir` and `--backend`, as all commands have them.
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
    reads = kind is settings.Gates

    def run(**values: Any) -> None:
        ask = kind(**options.given(click.get_current_context(), values, kind))
        choices.check(ask)
        model = getattr(ask, "model", None)
        if reads and model is None:
            raise UserError("Name a trained model with --model; `zoo list models` shows those that there are.")
        names = choices.models(model) if model is not None else []
        if reads and len(names) > 1:
            raise UserError(f"--model {model}: gates are those of one model; ask for each by itself.")
        paths = [cards.locate(name, values["models_dir"]) for name in names]
        start(values["backend"])
        models = [importlib.import_module("zoo.saved").load(path) for path in paths]
        for line in getattr(importlib.import_module(f"zoo.lens.{module}"), function)(ask, models):
            click.echo(line)

    arguments: list[click.Parameter] = [click.Argument(["text"])] if reads else []
    return click.Command(
        name, callback=run, params=[*arguments, *options.options(kind), *shared], help=(kind.__doc__ or "").strip()
    )
