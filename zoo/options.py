"""A dataclass's fields become click options: help, default, type and limits are read off the field."""

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import click

from zoo import legacy
from zoo.names import nearest


class Command(click.Command):
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
        return f"[{'|'.join(self.allowed)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.allowed:
            close = nearest(str(value), self.allowed)
            hint = f" Did you mean {close!r}?" if close else ""
            self.fail(f"{value!r} is none of {', '.join(self.allowed)}.{hint}", param, ctx)
        return value


def option(item: dataclasses.Field, annotation: Any, default: Any) -> click.Option:
    """The option of one field.

    Args:
        item: The field; its metadata come from `zoo.settings.setting`.
        annotation: Its resolved type: `int`, `float`, `str`, `bool`, or one of them with `| None`.
        default: What the option shows as default.
    """
    kinds = [kind for kind in typing.get_args(annotation) or (annotation,) if kind is not type(None)]
    kind = kinds[0]
    facts = item.metadata
    dashed = item.name.replace("_", "-")
    if kind is bool:
        return click.Option([f"--{dashed}/--no-{dashed}"], default=default, help=facts["help"], show_default=True)
    accepted: Any = kind
    if facts["choices"]:
        accepted = Choice(facts["choices"])
    elif kind is int:
        accepted = click.IntRange(_whole(facts["minimum"]), _whole(facts["maximum"]))
    elif kind is float:
        accepted = click.FloatRange(facts["minimum"], facts["maximum"])
    return click.Option(
        [f"--{dashed}"], type=accepted, default=default, help=facts["help"], show_default=default is not None
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def options(settings: type) -> list[click.Option]:
    """One option for each field of a settings class that has a help text."""
    hints = typing.get_type_hints(settings)
    return [
        option(item, hints[item.name], item.default) for item in dataclasses.fields(settings) if "help" in item.metadata
    ]


def given(ctx: click.Context, values: Mapping[str, Any], settings: type) -> dict[str, Any]:
    """The fields of `settings` that the user typed, without those that only have their default."""
    names = {item.name for item in dataclasses.fields(settings)}
    default = click.core.ParameterSource.DEFAULT
    return {k: v for k, v in values.items() if k in names and ctx.get_parameter_source(k) != default}
