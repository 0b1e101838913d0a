"""A dataclass's fields become click options: help, default, type and limits are read off the field."""

import dataclasses
import math
import os
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
from click.shell_completion import CompletionItem

from zoo import legacy
from zoo.names import nearest
from zoo.settings import LONGEST_NAME, LONGEST_TEXT, group, limits
from zoo.terminal import help
from zoo.terminal.help import Option


class Command(help.Command):
    """A command that still takes the option names of zoo 0.1, with a note that names the present one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(self._renamed(args)))

    def _renamed(self, args: Iterable[str]) -> Iterable[str]:
        present = {name for param in self.params for name in (*param.opts, *param.secondary_opts)}
        ended = False
        for arg in args:
            ended |= arg == "--"
            option, equals, value = arg.partition("=")
            new = option if ended or option in present else present_name(option)
            if new != option and new in present:
                click.echo(f"Note: {option} is now called {new}; the old name goes with the next version.", err=True)
                arg = f"{new}{equals}{value}"
            yield arg


def present_name(option: str) -> str:
    """Today's name of an option of zoo 0.1: `--nbest` -> `--num-return`; others are returned as they are."""
    prefix = "--no-" if option.startswith("--no-") else "--"
    name = option.removeprefix(prefix).replace("-", "_")
    return f"{prefix}{legacy.SETTINGS[name].replace('_', '-')}" if name in legacy.SETTINGS else option


class Choice(click.ParamType):
    """One of some names; the error for an unknown one names the nearest."""

    name = "choice"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "NAME" if isinstance(param, click.Option) else f"[{'|'.join(self.allowed)}]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self.allowed if name.startswith(incomplete)]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.allowed:
            close = nearest(str(value), self.allowed)
            hint = f" Did you mean {close!r}?" if close else ""
            self.fail(f"{value!r} is none of {', '.join(self.allowed)}.{hint}", param, ctx)
        return value


class Integer(click.IntRange):
    """A whole number within a range. A bound that only keeps away what no machine can hold is not shown in `--help`.

    Args:
        minimum: Smallest number.
        maximum: Largest number, as shown in `--help`.
        largest: Largest number that is accepted.
    """

    def __init__(
        self, minimum: float | None = None, maximum: float | None = None, largest: float | None = None
    ) -> None:
        super().__init__(None if minimum is None else int(minimum), None if maximum is None else int(maximum))
        self.largest = largest

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "INTEGER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        return _below(self, super().convert(_short(value), param, ctx), self.largest, param, ctx)


class Number(click.FloatRange):
    """A finite number within a range; see `Integer`."""

    def __init__(
        self, minimum: float | None = None, maximum: float | None = None, largest: float | None = None
    ) -> None:
        super().__init__(minimum, maximum)
        self.largest = largest

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(_short(value), param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return _below(self, number, self.largest, param, ctx)


def _short(value: Any) -> Any:
    """A value of bounded length: what is repeated in an error, and what Python converts to a number."""
    return f"{value[:40]}..." if isinstance(value, str) and len(value) > 400 else value


def _below(
    kind: click.ParamType, value: Any, largest: float | None, param: click.Parameter | None, ctx: click.Context | None
) -> Any:
    if largest is not None and value > largest:
        kind.fail(f"{value} is more than {largest:,}, the most that is accepted.", param, ctx)
    return value


class Text(click.types.StringParamType):
    """A text that is not empty, of bounded length."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = super().convert(value, param, ctx)
        if not text:
            self.fail("It is empty; give a value, or leave the option out.", param, ctx)
        if len(text) > LONGEST_TEXT:
            self.fail(f"It has {len(text):,} characters; {LONGEST_TEXT:,} are accepted.", param, ctx)
        return text


class File(click.ParamType):
    """The path of a file or folder, which need not exist, as a `Path`."""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        text = Text().convert(os.fspath(value), param, ctx)
        if max(len(os.fsencode(part)) for part in text.split(os.sep)) > LONGEST_NAME:
            self.fail(
                f"{text[:40]}... has a name of more than {LONGEST_NAME} bytes, which no folder takes.", param, ctx
            )
        return Path(text)


def option(item: dataclasses.Field, annotation: Any, default: Any, complete: Any = None) -> Option:
    """The option of one field.

    Args:
        item: The field; its metadata come from `zoo.settings.setting`.
        annotation: Its resolved type: `int`, `float`, `str`, `bool`, or one of them with `| None`.
        default: What the option shows as default.
        complete: What a shell completes, see `zoo.terminal.completion`; by default what the type has.
    """
    kinds = [kind for kind in typing.get_args(annotation) or (annotation,) if kind is not type(None)]
    kind = kinds[0]
    facts = item.metadata
    dashed = item.name.replace("_", "-")
    shared = {"default": default, "help": facts["help"], "show_default": default is not None, "group": group(item)}
    if kind is bool:
        return Option([f"--{dashed}/--no-{dashed}"], **shared)
    accepted: Any = kind
    if facts["choices"]:
        accepted = Choice(facts["choices"])
    elif kind is int:
        accepted = Integer(facts["minimum"], facts["maximum"], limits(item, int)[1])
    elif kind is float:
        accepted = Number(facts["minimum"], facts["maximum"], limits(item, float)[1])
    elif item.default != "":
        accepted = Text()
    return Option([f"--{dashed}"], type=accepted, shell_complete=complete, **shared)


def options(settings: type, complete: Mapping[str, Any] = MappingProxyType({})) -> list[Option]:
    """One option for each field of a settings class that has a help text.

    Args:
        settings: The class.
        complete: Name of a setting -> what a shell completes.
    """
    hints = typing.get_type_hints(settings)
    return [
        option(item, hints[item.name], item.default, complete.get(item.name))
        for item in dataclasses.fields(settings)
        if "help" in item.metadata
    ]


def given(ctx: click.Context, values: Mapping[str, Any], settings: type) -> dict[str, Any]:
    """The fields of `settings` that the user typed, without those that only have their default."""
    names = {item.name for item in dataclasses.fields(settings)}
    default = click.core.ParameterSource.DEFAULT
    return {k: v for k, v in values.items() if k in names and ctx.get_parameter_source(k) != default}
