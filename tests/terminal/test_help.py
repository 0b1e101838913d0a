"""What `--help` shows, and what a shell completes."""

import os
import re
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from zoo import cards, cli
from zoo.task import installed
from zoo.terminal import completion, help

TRAININGS = [("train",), *(("train", name) for name in installed())]


def shown(*words: str, columns: int = 80, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = CliRunner().invoke(cli.cli, [*words, "--help"], prog_name="zoo")
    assert result.exit_code == 0
    return result.output.splitlines()


@pytest.mark.parametrize("words", TRAININGS, ids=" ".join)
def test_help_fits_and_no_line_ends_inside_a_word(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    wide, narrow = (shown(*words, columns=columns, monkeypatch=monkeypatch) for columns in (300, 80))
    assert max(map(len, wide)) <= 100
    assert max(map(len, narrow)) <= 80
    # With all white space alike, lines differ only where they are broken: no word has lost its whole.
    assert " ".join(wide).split() == " ".join(narrow).split()
    assert [line for line in narrow if line.endswith("-")] == []


def test_options_stand_in_groups_after_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown("train", "sentiment", monkeypatch=monkeypatch)
    heads = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    names = ["Data", "Model", "Training", "Output", "Workers"]
    assert heads == ["Examples:", *(f"{name} options:" for name in names), "Options:"]
    assert lines[3].strip() == "zoo train sentiment"
    text = "\n".join(lines)
    for group, option in zip(names, ("--dataset", "--units", "--epochs", "--name", "--workers"), strict=True):
        start = text.index(f"\n{group} options:")
        end = text.find("\n\n", start)
        assert f"  {option} " in text[start:end]


@pytest.mark.parametrize(
    "words", [("train", "sentiment"), ("sentiment",), ("charlm",), ("lens", "gates")], ids=" ".join
)
def test_defaults_are_words(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(shown(*words, monkeypatch=monkeypatch))
    assert re.findall(r"default: (no-|False|True|None)", text) == []
    assert "--json" not in text or "--no-json" not in text


def test_every_option_names_a_group_that_is_shown() -> None:
    for name in installed():
        command = cli.cli.get_command(click.Context(cli.cli), "train").get_command(None, name)
        assert {param.group for param in command.params} <= set(help.ORDER)


def completions(*words: str) -> list[str]:
    """What stands for selection when Tab is typed after the last word."""
    *before, incomplete = words
    return [
        item.value for item in ShellComplete(cli.cli, {}, "zoo", "_ZOO_COMPLETE").get_completions(before, incomplete)
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("train", "sentiment", "--cell", "gr"), ["gru"]),
        (("train", "classify", "--cell", "perc"), ["perceptron"]),
        (("train", "sentiment", "--dataset", "imdb"), ["imdb_reviews"]),
        (("train", "sentiment", "--preset", ""), list(installed()["sentiment"].recipe.presets)),
        (("train", "sentiment", "--precision", "m"), ["mixed_bfloat16", "mixed_float16"]),
        (("compare", "classify", "--cells", "lstm,gr"), ["lstm,gru"]),
        (("card", "sentiment-gru-r"), ["sentiment-gru-reviews"]),
        (("sentiment", "--model", "sentiment-gru-r"), ["sentiment-gru-reviews"]),
        (("lens", "gates", "sentiment-gru-r"), ["sentiment-gru-reviews"]),
        (("completion", "z"), ["zsh"]),
        (("trans",), ["translate"]),
    ],
)
def test_completion(words: tuple[str, ...], found: list[str]) -> None:
    assert completions(*words) == found


def test_files_are_left_to_the_shell() -> None:
    asking = ShellComplete(cli.cli, {}, "zoo", "_ZOO_COMPLETE")
    for words in (["train", "sentiment", "--dataset"], ["caption"], ["sentiment", "--html"]):
        (item,) = asking.get_completions(words, "own/fil")
        assert (item.type, item.value) == ("file", "own/fil")


@pytest.mark.parametrize("shell", completion.PLACES)
def test_the_script_says_where_to_put_it_and_asks_for_our_completions(shell: str) -> None:
    result = CliRunner().invoke(cli.cli, ["completion", shell], prog_name="zoo")
    first, *others = result.output.splitlines()
    assert first == f"# {completion.PLACES[shell]}"
    assert f"_ZOO_COMPLETE={shell}_complete" in "\n".join(others)


def test_a_completion_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom zoo import cli\nsys.argv = ['zoo']\n"
        "try:\n    cli.main()\nfinally:\n"
        "    print([name for name in ('numpy', 'keras', 'tensorflow', 'rich') if name in sys.modules])"
    )
    environ = {**os.environ, "_ZOO_COMPLETE": "bash_complete", "COMP_WORDS": "zoo card sent", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    names = [item.name for item in cards.models() if item.name.startswith("sent")]
    assert done.stdout.splitlines() == [*(f"plain,{name}" for name in names), "[]"], done.stderr
