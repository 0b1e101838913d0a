"""How `--help` looks: examples first, options in groups, defaults in words, as wide as the terminal."""

from collections.abc import Iterable
from typing import Any

import click

ORDER = ("Data", "Model", "Training", "Search", "Output", "Workers", "Options")
"""Groups of options, in this order; what names no group stands in the last one."""

WIDTH = 100
"""Most characters of a line, however wide the terminal is."""

LARGEST = 1e6
"""Ranges that end beyond this are not shown: they only keep away what no machine can hold."""

_HYPHEN, _SPACE = "\u2011", "\u2007"
"""A hyphen and a space at which no line is wrapped."""


class Formatter(click.HelpFormatter):
    """Wraps lines between words only: an option's name is one word."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        super().__init__(indent_increment, width, max_width or WIDTH)

    def write_text(self, text: str) -> None:
        super().write_text(text.replace("-", _HYPHEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(name, text.replace("-", _HYPHEN)) for name, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        return super().getvalue().replace(_HYPHEN, "-").replace(_SPACE, " ")


class Context(click.Context):
    """A context whose help is written by `Formatter`."""

    formatter_class = Formatter


class Option(click.Option):
    """An option that stands in a group of `--help`.

    Args:
        *args: As for `click.Option`.
        group: Name of the group, one of `ORDER`.
        **kwargs: As for `click.Option`.
    """

    def __init__(self, *args: Any, group: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        if self.hidden:
            return None
        return self._spelled(ctx), "  ".join(filter(None, [self.help, self._choices(), self._facts()]))

    def _spelled(self, ctx: click.Context) -> str:
        names = ", ".join(self.opts)
        if not self.is_flag:
            return f"{names} {self.make_metavar(ctx)}"
        return f"{names} / {', '.join(self.secondary_opts)}" if self.secondary_opts and self.default is True else names

    def _choices(self) -> str:
        allowed = getattr(self.type, "allowed", ())
        return f"One of {', '.join(allowed)}." if allowed else ""

    def _facts(self) -> str:
        """Default, and a range that has two ends."""
        facts = []
        shown = self.show_default if isinstance(self.show_default, str) else _in_words(self.default)
        if self.show_default and shown:
            facts.append(f"default: {shown}")
        low, high = getattr(self.type, "min", None), getattr(self.type, "max", None)
        if low is not None and high is not None and high < LARGEST:
            facts.append(f"{low:g} to {high:g}")
        if self.required:
            facts.append("required")
        return f"[{'; '.join(facts)}]".replace(" ", _SPACE) if facts else ""


def _in_words(default: Any) -> str:
    if isinstance(default, bool):
        return "on" if default else ""
    return f"{default:g}" if isinstance(default, float) else str(default if default is not None else "")


class Grouped:
    """What `Command` and `Group` have in common.

    Args:
        *args: As for click's class.
        examples: Lines to type, shown first.
        **kwargs: As for click's class.
    """

    context_class: type[click.Context] = Context

    def __init__(self, *args: Any, examples: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.examples))
        super().format_help_text(ctx, formatter)  # type: ignore[misc]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {name: [] for name in ORDER}
        for param in self.get_params(ctx):  # type: ignore[attr-defined]
            record = None if isinstance(param, click.Argument) else param.get_help_record(ctx)
            if record is not None:
                groups[getattr(param, "group", ORDER[-1])].append(record)
        for name, records in groups.items():
            if records:
                with formatter.section(name if name == ORDER[-1] else f"{name} options"):
                    formatter.write_dl(records)


class Command(Grouped, click.Command):
    """A command."""


class Group(Grouped, click.Group):
    """A group of commands, listed after its options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)
