"""What a shell completes: names of models, cells and data sets, choices and files; and the script that has it ask."""

from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from zoo import cards, cells
from zoo.task import Installed, installed

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""`(context, parameter, what is typed so far) -> completions`."""

PLACES = {
    "bash": 'Add this line to ~/.bashrc:  eval "$(zoo completion bash)"',
    "zsh": 'Add this line to ~/.zshrc, after compinit:  eval "$(zoo completion zsh)"',
    "fish": "Write this to a file:  zoo completion fish > ~/.config/fish/completions/zoo.fish",
}
"""Shells, and where each wants the script."""


def script(shell: str) -> str:
    """The script of a shell, with a comment that says where to put it."""
    found: Any = get_completion_class(shell)
    asking = found(click.Command("zoo"), {}, "zoo", "_ZOO_COMPLETE")
    return f"# {PLACES[shell]}\n{(asking.source_template % asking.source_vars()).strip()}\n"


def among(names: Callable[[], Iterable[str]], several: bool = False) -> Complete:
    """Completes names; where none begins as typed, files.

    Args:
        names: Gives the names, when a shell asks for them.
        several: Whether there may be several, separated by commas.
    """

    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
        before, comma, last = typed.rpartition(",") if several else ("", "", typed)
        matching = [CompletionItem(before + comma + name) for name in names() if name.startswith(last)]
        return matching or files(ctx, param, typed)

    return complete


def files(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Lets the shell complete names of files."""
    return [CompletionItem(typed, type="file")]


def models(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Names of saved models, those of `--models-dir` if it was typed before."""
    return among(lambda: [item.name for item in cards.models(ctx.params.get("models_dir"))])(ctx, param, typed)


def of_settings(task: Installed | None = None) -> dict[str, Complete]:
    """Completions of settings, by name.

    Args:
        task: The task whose cells and data sets are completed; by default those of all tasks.
    """

    def tasks() -> Iterable[Installed]:
        return [task] if task else installed().values()

    def every_cell() -> Iterable[str]:
        return dict.fromkeys([*cells.TABLE, *(name for item in tasks() for name in item.recipe.cells)])

    one = among(every_cell)
    return {
        "cell": one,
        "decoder_cell": one,
        "cells": among(every_cell, several=True),
        "dataset": among(lambda: [name for item in tasks() for name in item.recipe.datasets]),
        "model": models,
        **dict.fromkeys(
            ("validation_dataset", "test_dataset", "pretrain_dataset", "attention_plot", "html", "plot"), files
        ),
    }
