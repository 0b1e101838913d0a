"""The command group `zoo lens`; Keras is imported only when a command runs."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from zoo import cards, options
from zoo.errors import UserError
from zoo.lens import choices, settings
from zoo.terminal import completion, environment, help

HELP = "Show what happens inside a recurrent net: task shapes, equations, gradients through time, gates, memory, units."


EXAMPLES = (
    "zoo lens shapes",
    "zoo lens equations --cell lstm",
    'zoo lens gates MODEL "a fine film"',
    "zoo lens gradients",
)


@dataclass(frozen=True)
class Tool:
    """A command.

    Attributes:
        settings: Its settings.
        module: The module in this package that runs it.
        function: The function there: `(settings, models) -> lines of output`.
        argument: What it is called with, besides options and exactly one model; empty if it needs neither.
        answer: What it shows, for messages, in the plural.
    """

    settings: type
    module: str
    function: str
    argument: str = ""
    answer: str = ""


TOOLS = {
    "shapes": Tool(settings.Shapes, "shapes", "show_shapes"),
    "hello": Tool(settings.Hello, "hello", "show_hello"),
    "equations": Tool(settings.Equations, "equations", "show_equations"),
    "gradients": Tool(settings.Gradients, "through_time", "show_gradients"),
    "jacobian": Tool(settings.Jacobian, "through_time", "show_jacobian"),
    "memory": Tool(settings.Memory, "memory", "show_memory"),
    "gates": Tool(settings.Gates, "gates", "show_gates", "TEXT", "gates are"),
    "carry": Tool(settings.Carry, "carry", "show_carry", "TEXT", "states are"),
    "connectivity": Tool(settings.Connectivity, "connectivity", "show_connectivity", "TEXT", "connections are"),
    "neurons": Tool(settings.Neurons, "neurons", "show_neurons", "FILE", "units are"),
}
"""Command -> what it consists of. A model may also be named first: `zoo lens gates MODEL TEXT`."""


def group(shared: Sequence[click.Option]) -> click.Group:
    """The group of all tools.

    Args:
        shared: The options `--models-dir` and `--backend`, the same as in all commands.
    """
    lens = help.Group("lens", help=HELP, examples=EXAMPLES)
    for name, tool in TOOLS.items():
        lens.add_command(_command(name, tool, shared))
    return lens


def _command(name: str, tool: Tool, shared: Sequence[click.Option]) -> click.Command:
    def run(words: tuple[str, ...] = (), **values: Any) -> None:
        given = options.given(click.get_current_context(), values, tool.settings)
        if tool.argument:
            given |= _model_and_text(name, tool, words, values["model"])
        config = tool.settings(**given)
        choices.check(config)
        paths = [cards.locate(model, values["models_dir"]) for model in _models(tool, getattr(config, "model", None))]
        environment.start_keras(values["backend"])
        models = [importlib.import_module("zoo.saved").load(path) for path in paths]
        for line in getattr(importlib.import_module(f"zoo.lens.{tool.module}"), tool.function)(config, models):
            click.echo(line)

    arguments: list[click.Parameter] = []
    if tool.argument:
        arguments = [
            click.Argument(
                ["words"], nargs=-1, required=True, metavar=f"[MODEL] {tool.argument}", shell_complete=completion.models
            )
        ]
    return options.Command(
        name,
        callback=run,
        params=[*arguments, *options.options(tool.settings, completion.of_settings()), *shared],
        help=(tool.settings.__doc__ or "").strip(),
    )


def _model_and_text(name: str, tool: Tool, words: Sequence[str], model: str | None) -> dict[str, str]:
    """The two arguments, of which the model may be given as an option instead.

    Raises:
        UserError: If one is missing, or there are others.
    """
    if model is None and len(words) == 2:
        return {"model": words[0], "text": words[1]}
    if model is None and len(words) == 1:
        raise UserError(
            f"Name a trained model before the {tool.argument.lower()}, or with --model; `zoo list models` shows them."
        )
    if len(words) != 1:
        raise UserError(
            f"`zoo lens {name}` takes a model and one {tool.argument.lower()}, in quotes if it has spaces; "
            f"got {len(words)} arguments{' and --model' if model is not None else ''}."
        )
    return {"text": words[0]}


def _models(tool: Tool, model: str | None) -> list[str]:
    """Names or folders of the models.

    Raises:
        UserError: If there are several and the tool shows one.
    """
    names = choices.models(model) if model is not None else []
    if tool.argument and len(names) > 1:
        raise UserError(f"--model {model}: {tool.answer} shown for one model at a time; name one.")
    return names
