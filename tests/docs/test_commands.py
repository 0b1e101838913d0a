"""Commands of the READMEs: every training that they show is one that the program takes."""

import re
import shlex
import string
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from zoo import cli, options
from zoo.task import find

ROOT = Path(__file__).parents[2]
READMES = sorted((ROOT / "tasks").glob("*/README.md"))


def trainings(text: str) -> Iterator[list[str]]:
    """The arguments of each `zoo train TASK` in a code block of a document; those with `...` are no commands."""
    names: dict[str, str] = {}
    for line in re.sub(r" *\\\n +", " ", text).splitlines():
        code = re.split(r"\s#", line)[0].strip() if line.startswith("    ") else ""
        if assigned := re.fullmatch(r'(\w+)="(.*)"', code):
            names[assigned[1]] = assigned[2]
        elif code.startswith("zoo train ") and "..." not in code:
            yield shlex.split(string.Template(code).substitute(names))[2:]


@pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.parent.name)
def test_every_training_of_a_readme_is_one_that_the_program_takes(readme: Path) -> None:
    found = list(trainings(readme.read_text(encoding="utf-8")))
    assert found
    train = cli.cli.commands["train"]
    for name, *arguments in found:
        recipe = find(name).recipe
        with train.get_command(click.Context(train), name).make_context("train", arguments) as ctx:
            preset = recipe.presets[ctx.params["preset"]] if ctx.params["preset"] else {}
            recipe.train(**{**preset, **options.given(ctx, ctx.params, recipe.train)})


def test_commands_are_found_in_code_with_what_they_name() -> None:
    lines = (
        "text",
        "    zoo train tag --cell gru   # good",
        '    more="--units 3"',
        "    zoo train tag $more \\",
        " --epochs 2",
    )
    text = "\n".join(lines)
    assert list(trainings(text)) == [["tag", "--cell", "gru"], ["tag", "--units", "3", "--epochs", "2"]]
