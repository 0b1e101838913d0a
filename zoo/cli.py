"""The `zoo` command. Nothing here imports Keras before a command needs it."""

import errno
import functools
import json
import os
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import click

import zoo
from zoo import cards, cells, environment, listing, options, terminal
from zoo.cells import arguments
from zoo.comparison import commands as comparison
from zoo.data.datasets import find_row, unknown_dataset
from zoo.demo import commands as demo
from zoo.errors import UserError
from zoo.inspection import commands as inspection
from zoo.lens import commands as lens
from zoo.names import look_up, nearest
from zoo.settings import LARGEST_INT
from zoo.task import Chunk, ErrorLine, Installed, Recipe, find, installed

MODELS_DIR = click.Option(["--models-dir"], type=options.File(), help="Folder of saved models.")
BACKEND = click.Option(
    ["--backend"],
    type=options.Choice(environment.BACKENDS),
    help="Backend of Keras.  [default: $KERAS_BACKEND, else tensorflow]",
)


_MEMORY = "There is not enough memory for this. Close other programs, or choose smaller sizes."


def main() -> None:
    """Entry point: a `UserError` becomes one sentence and exit code 2; a bug shows its traceback."""
    terminal.prepare()
    try:
        environment.check()
        cli(prog_name="zoo", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.exit(_unfinished(error))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except UserError as error:
        _fail(str(error), 2)
    except click.Abort as error:
        if isinstance(error.__cause__, EOFError):  # click takes any for the end of what a user types
            raise error.__cause__ from None
        _fail("Interrupted.", 130, prefix="")
    except MemoryError:
        _fail(_MEMORY, 1)
    except OSError as error:
        if why := terminal.output_failure():
            _fail(f"Standard output takes no more: {why}.", 1)
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        _fail("Too many files are open at once: ulimit -n 1024 allows more.", 1)
    except Exception as error:
        if "RESOURCE_EXHAUSTED" not in str(error) and type(error).__name__ != "ResourceExhaustedError":
            raise
        _fail(_MEMORY, 1)
    except KeyboardInterrupt:
        _fail("Interrupted.", 130, prefix="")


def _fail(sentence: str, code: int, prefix: str = "Error: ") -> NoReturn:
    terminal.echo(f"{prefix}{sentence}", err=True)
    sys.exit(code)


def _unfinished(error: click.exceptions.NoArgsIsHelpError) -> int:
    """`zoo` alone shows its help; `zoo train` and the like say what is missing."""
    ctx = error.ctx
    if ctx is None or ctx.parent is None or not isinstance(ctx.command, click.Group):
        error.show()
    else:
        known = ", ".join(ctx.command.list_commands(ctx))
        terminal.echo(f"Error: {ctx.command_path} needs a word more, one of: {known}.", err=True)
    return error.exit_code


LONGEST_NAME = 200
"""Characters of the longest name of a model: names of files may have 255 bytes, and some are put around it."""


class _Lazy(click.Group):
    """A group whose commands are made when they are asked for, from the installed tasks."""

    def more(self) -> Iterable[str]:
        return installed()

    def make(self, name: str) -> click.Command:
        raise NotImplementedError

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *self.more()]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or (self.make(name) if name in self.more() else None)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            close = nearest(name, self.list_commands(ctx))
            hint = f" Did you mean {close!r}?" if close else ""
            known = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"No such command {name!r}.{hint} Known: {known}.", ctx)
        return super().resolve_command(ctx, args)


class _Zoo(_Lazy):
    """`zoo`: its own commands, and one verb for each installed task."""

    def make(self, name: str) -> click.Command:
        return _verb(find(name))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, terminal.readable(args))


class _Train(_Lazy):
    """`zoo train`: one command for each installed task."""

    def make(self, name: str) -> click.Command:
        return _trainer(find(name))


@click.group(cls=_Zoo, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(zoo.__version__, prog_name="zoo")
def cli() -> None:
    """Recurrent sequence models for Keras 3: train them, use them.

    \b
    zoo train sentiment --cell gru
    zoo sentiment "a fine film"
    """  # noqa: D301  click wants the character itself


class _Compare(_Lazy):
    """`zoo compare`: one command for each installed task."""

    def make(self, name: str) -> click.Command:
        task = find(name)
        return comparison.command(task, _cells(task), _check_dataset, environment.start_keras, [BACKEND])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in self.list_commands(ctx) and comparison.is_model(args[0]):
            args = ["models", *args]
        return super().resolve_command(ctx, args)


@cli.group("compare", cls=_Compare)
def compare_group() -> None:
    """Train several cells on a task, with several seeds, and compare their scores; or compare two saved models.

    \b
    zoo compare classify --cells lstm,gru --seeds 1,2,3
    zoo compare MODEL MODEL
    """  # noqa: D301  click wants the character itself


@cli.group("train", cls=_Train)
def train_group() -> None:
    """Train a model, score it once on its test split, save it."""


def _trainer(task: Installed) -> click.Command:
    recipe = task.recipe
    presets = tuple(recipe.presets)

    def run(**values: Any) -> None:
        ctx = click.get_current_context()
        preset = values["preset"]
        settings = {**(recipe.presets[preset] if preset else {}), **options.given(ctx, values, recipe.train)}
        train = recipe.train(**settings)
        look_up(_cells(task), arguments.split(train.cell)[0], "cell", "`zoo list cells` shows them with what they are")
        _check_dataset(train.dataset, recipe)
        path = _training_path(task.name, train, preset, values)
        environment.start_keras(values["backend"])
        from zoo import training

        saved = training.train(
            task,
            train,
            path,
            command=terminal.printable(f"zoo {shlex.join(sys.argv[1:])}"),
            resume=values["resume"],
            overwrite=values["overwrite"],
            plot=values["plot"],
            tensorboard=values["tensorboard"],
        )
        terminal.echo(str(saved.path))
        for name, value in saved.metrics["scores"]["test"].items():
            click.echo(f"test {name} {cards.number(value)}")

    return options.Command(
        task.name,
        callback=run,
        params=[
            click.Option(["--preset"], type=options.Choice(presets), help="A named recipe; options override it."),
            *options.options(recipe.train),
            click.Option(["--name"], help="Name of the saved model.  [default: TASK-CELL-DATASET]"),
            MODELS_DIR,
            click.Option(["--resume"], is_flag=True, help="Resume an interrupted training run."),
            click.Option(["--overwrite"], is_flag=True, help="Overwrite an existing model of this name."),
            click.Option(["--plot/--no-plot"], default=True, help="Draw learning curves.", show_default=True),
            click.Option(["--tensorboard"], type=options.File(), help="Folder for TensorBoard logs."),
            BACKEND,
        ],
        help=f"{task.summary}\n\nData sets: {', '.join(recipe.datasets)}; or a path to your own data.",
        short_help=task.summary,
    )


def _cells(task: Installed) -> dict[str, str]:
    """What `--cell` of a task takes: the recurrent cells, and further words of its recipe; each with what it is."""
    return {name: row.text for name, row in cells.TABLE.items()} | dict(task.recipe.cells)


def _check_dataset(name: str, recipe: Recipe) -> None:
    """Refuses a name that is no known data set and no path at once, before Keras is imported."""
    own = "Or give the path of your own data"
    if find_row(name, recipe.datasets, own) is None and not (name and os.path.exists(name)):
        raise unknown_dataset(name, recipe.datasets, own)


def _training_path(task: str, recipe: Any, preset: str | None, values: dict[str, Any]) -> Path:
    """Where the model goes. A default name that is taken gets a number, so that nothing is in the way."""
    folder = cards.own(values["models_dir"])
    name = values["name"]
    if name is not None:
        if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}", name):
            raise UserError(
                f"A model's name has up to {LONGEST_NAME} letters, digits, '.', '_' and '-'; got {name[:60]!r}."
            )
        return folder / name
    data = preset or re.sub(
        r"[^A-Za-z0-9._-]+", "-", Path(recipe.dataset).stem if "." in recipe.dataset else recipe.dataset
    )
    base = f"{task}-{re.sub(r'[^A-Za-z0-9._-]+', '-', recipe.cell)}-{data}"  # a cell may have arguments after colons
    base = base[:LONGEST_NAME]
    if values["overwrite"]:
        return folder / base
    number, name = 1, base
    while (folder / name).exists() and not cards.under_way(folder / name).exists():
        number += 1
        name = f"{base}-{number}"
    if values["resume"] and not cards.under_way(folder / name).exists():
        name = base  # nothing to resume: the error speaks of the name the user expects
    return folder / name


def _verb(task: Installed) -> click.Command:
    recipe = task.recipe

    def run(inputs: tuple[str, ...], **values: Any) -> None:
        given = options.given(click.get_current_context(), values, recipe.predict)
        config = recipe.predict(inputs=inputs or terminal.input_lines(task.name), **given)
        path = cards.locate(values["model"], values["models_dir"]) if values["model"] is not None else None
        can_answer = functools.partial(recipe.can_answer, config) if recipe.can_answer else None
        path = path or cards.best(task.name, values["models_dir"], can_answer, recipe.prefer_latest)
        theirs = cards.summarize(path).task
        if theirs != task.name:
            raise UserError(f"{path.name} is a model for {theirs}: use `zoo {theirs} --model {path.name}`.")
        environment.start_keras(values["backend"])
        from zoo import saved

        failed = False
        for line in task.task.predict(saved.load(path), config):
            terminal.echo(line, nl=not isinstance(line, Chunk), lines=isinstance(line, Chunk))
            failed |= isinstance(line, ErrorLine)
        if failed:
            sys.exit(1)

    return options.Command(
        task.name,
        callback=run,
        params=[
            click.Argument(["inputs"], nargs=-1, metavar=f"[{recipe.inputs.upper()}]..."),
            click.Option(
                ["--model"],
                type=options.Text(),
                help="Name or folder of a saved model.  [default: the best published one]",
            ),
            *options.options(recipe.predict),
            MODELS_DIR,
            BACKEND,
        ],
        help=f"{task.summary}\n\nInputs come as arguments, or one per line on standard input; each gets one line.",
        short_help=task.summary,
    )


@cli.command("evaluate", params=[MODELS_DIR, BACKEND])
@click.argument("model")
@click.option("--dataset", type=options.Text(), help="Data set to score on.  [default: the one it was trained on]")
@click.option("--split", type=options.Text(), default="test", show_default=True, help="Split to score.")
@click.option("--limit", type=options.Integer(1, largest=LARGEST_INT), help="Score only the first N examples.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    model: str,
    dataset: str | None,
    split: str,
    limit: int | None,
    as_json: bool,
    models_dir: Path | None,
    backend: str | None,
) -> None:
    """Score a saved model on a split of a data set."""
    path = cards.locate(model, models_dir)
    task = find(cards.summarize(path).task)
    if dataset is not None:
        _check_dataset(dataset, task.recipe)
    environment.start_keras(backend)
    from zoo import saved, training

    scores = training.evaluate(saved.load(path), dataset, split, limit)
    if as_json:
        click.echo(json.dumps(scores))
    else:
        for name, value in scores.items():
            click.echo(f"{name} {cards.number(value)}")


cli.add_command(inspection.command(_check_dataset, environment.start_keras, BACKEND))


@cli.command("list", params=[MODELS_DIR])
@click.argument("what", type=options.Choice(listing.KINDS), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list, or an object of lists.")
def list_command(what: str | None, as_json: bool, models_dir: Path | None) -> None:
    """Show tasks, cells, datasets or models; without a word, all of them."""
    if as_json:
        values = {kind: listing.objects(kind, models_dir) for kind in ([what] if what else listing.KINDS)}
        click.echo(json.dumps(values[what] if what else values))
        return
    for kind in [what] if what else listing.KINDS:
        if not what:
            click.secho(kind, bold=True)
        for text in listing.lines(kind, models_dir):
            if what or text:
                terminal.echo(text if what else f"  {text}")


@cli.command("card", params=[MODELS_DIR])
@click.argument("model")
def card(model: str, models_dir: Path | None) -> None:
    """Show a saved model's card."""
    terminal.echo(cards.card(cards.summarize(cards.locate(model, models_dir))), nl=False, lines=True)


cli.add_command(demo.command(environment.start_keras, [MODELS_DIR, BACKEND]))
cli.add_command(lens.group(environment.start_keras, [MODELS_DIR, BACKEND]))
compare_group.add_command(comparison.models_command(_check_dataset, environment.start_keras, [MODELS_DIR, BACKEND]))
