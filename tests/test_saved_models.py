"""Every published model: whole, loadable, small, documented, and with the answers it had when it was saved."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from zoo import cards, cli, options, testing
from zoo.settings import differences
from zoo.task import find

ROOT = Path(__file__).parent.parent
PUBLISHED = re.findall(r'^"saved_models/([^"]+)" = ', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
FOLDERS = [ROOT / "saved_models" / name for name in PUBLISHED]


def test_models_are_published_and_named_where_git_looks():
    assert {"sentiment-gru-imdb", "sentiment-gru-reviews"} <= set(PUBLISHED)
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert all(f"!saved_models/{name}/" in ignored for name in PUBLISHED)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_published_model_answers_as_it_did(folder):
    testing.check_saved(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_published_model_is_small_and_speaks_of_no_machine(folder):
    summary = cards.summarize(folder)
    assert summary.bytes < 20e6
    for file in folder.rglob("*.json"):
        if file.stem.endswith("tokenizer"):
            continue
        absolute = re.search(r"(?<![\w.])/(home|root|tmp|usr)\b", file.read_text(encoding="utf-8"))
        assert not absolute, f"{file.name} has a path of somebody's machine"


def test_documents_match_the_measured_files():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "render.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ci_runs_the_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in readme.splitlines() if "-m pytest" in line]
    assert line.startswith("    python3 -m venv .venv && ")
    assert "README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_command_of_a_published_model_gives_its_settings(folder):
    stored = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    program, verb, name, *arguments = shlex.split(stored["command"])
    assert (program, verb, name) == ("zoo", "train", stored["task"])
    train, recipe = cli.cli.commands["train"], find(name).recipe
    with train.get_command(click.Context(train), name).make_context("train", arguments) as ctx:
        given = options.given(ctx, ctx.params, recipe.train)
        if "init_from" in given and not (folder.parent / given["init_from"]).is_dir():
            # The other settings are those of a model on the way to this one, which is not published.
            assert given == {name: stored["train"][name] for name in given}
            return
        typed = recipe.train(**recipe.settings(ctx.params["preset"], given))
    # A seed that is not in the command is one of several that were tried; the others would do as well.
    assert not differences(recipe.configure(stored["train"]), typed, ignore=("seed", "max_minutes"))
