"""Fields of a settings class as command-line options."""

from dataclasses import dataclass
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from zoo import options
from zoo.settings import setting


@dataclass(frozen=True)
class Settings:
    word: str = setting("gru", "A word.")
    many_words: str = setting("", "Some words.")
    count: int = setting(3, "How many.", minimum=1, maximum=9)
    share: float = setting(0.5, "A part.", minimum=0.0, maximum=1.0)
    schedule: str = setting("linear", "How it falls.", choices=("constant", "linear", "cosine"))
    loud: bool = setting(False, "Say more.")
    quiet: bool = setting(True, "Say less.")
    limit: int | None = setting(None, "At most so many.", minimum=1)
    inputs: tuple = ()


def run(*words: str) -> tuple[dict[str, Any], dict[str, Any], Result]:
    """All values, those that were typed, and what came out."""
    seen: list[dict[str, Any]] = []

    def callback(**values: Any) -> None:
        seen.extend((values, options.given(click.get_current_context(), values, Settings)))

    more = click.Option(["--other"], default="x")
    command = click.Command("run", callback=callback, params=[*options.options(Settings), more])
    result = CliRunner().invoke(command, words)
    values, given = seen or ({}, {})
    return values, given, result


def test_one_option_for_each_field_with_a_help_text() -> None:
    flags = [option.opts[0] for option in options.options(Settings)]
    assert flags == ["--word", "--many-words", "--count", "--share", "--schedule", "--loud", "--quiet", "--limit"]


def test_defaults_are_those_of_the_class() -> None:
    values, given, _ = run()
    assert {k: v for k, v in values.items() if k != "other"} == {
        k: v for k, v in vars(Settings()).items() if k != "inputs"
    }
    assert given == {}


def test_given_has_only_what_was_typed_also_when_it_equals_the_default() -> None:
    _, given, _ = run("--count", "3", "--no-loud", "--other", "y", "--many-words", "a b")
    assert given == {"count": 3, "loud": False, "many_words": "a b"}


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--count", "9"], "count", 9),
        (["--share", "1"], "share", 1.0),
        (["--schedule", "cosine"], "schedule", "cosine"),
        (["--loud"], "loud", True),
        (["--no-quiet"], "quiet", False),
        (["--limit", "7"], "limit", 7),
    ],
)
def test_types(words: list[str], name: str, value: Any) -> None:
    values, _, _ = run(*words)
    assert values[name] == value
    assert type(values[name]) is type(value)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--count", "0"], "1<=x<=9"),
        (["--count", "2.5"], "not a valid integer"),
        (["--share", "1.1"], "0.0<=x<=1.0"),
        (["--limit", "0"], "x>=1"),
        (["--schedule", "cosin"], "'cosin' is none of constant, linear, cosine. Did you mean 'cosine'?"),
        (["--schedule", "qqq"], "'qqq' is none of constant, linear, cosine."),
        (["--many-word", "a"], "--many-words"),
    ],
)
def test_a_bad_value_is_refused_and_told(words: list[str], told: str) -> None:
    _, _, result = run(*words)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


def test_help_shows_choices_defaults_and_limits() -> None:
    _, _, result = run("--help")
    text = " ".join(result.output.split())
    assert "--schedule NAME How it falls. One of constant, linear, cosine. [default: linear]" in text
    assert "--count INTEGER How many. [default: 3; 1 to 9]" in text
    assert "--loud Say more." in text
    assert "no-loud" not in text, "what is off by default needs no word to switch it off"
    assert "--quiet / --no-quiet" in text
    assert "--limit INTEGER At most so many." in text


def test_a_type_that_no_option_can_have_is_no_silent_string() -> None:
    assert {type(option.type) for option in options.options(Settings)} == {
        options.Text, click.types.StringParamType, options.Integer, options.Number, options.Choice,
        click.types.BoolParamType,
    }  # fmt: skip


@dataclass(frozen=True)
class Renamed:
    beam_size: int = setting(5, "Size.", minimum=1)
    shared_vocabulary: bool = setting(True, "Share.")
    length: int = setting(1, "A present option that was the old name of another.", minimum=1)


@pytest.mark.parametrize(
    ("words", "values", "noted"),
    [
        (["--beam", "3"], {"beam_size": 3}, "--beam is now called --beam-size"),
        (["--beam=3"], {"beam_size": 3}, "--beam is now called --beam-size"),
        (["--no-joint"], {"shared_vocabulary": False}, "--no-joint is now called --no-shared-vocabulary"),
        (["--length", "3"], {"length": 3}, ""),
        (["--beam-size", "3"], {"beam_size": 3}, ""),
    ],
)
def test_an_old_name_still_works_with_a_note(words: list[str], values: dict[str, Any], noted: str) -> None:
    seen: dict[str, Any] = {}
    command = options.Command("run", callback=lambda **given: seen.update(given), params=options.options(Renamed))
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    assert seen == {**vars(Renamed()), **values}
    assert noted in result.stderr
    assert bool(noted) == bool(result.stderr)
    assert "--joint" not in CliRunner().invoke(command, ["--help"]).output
