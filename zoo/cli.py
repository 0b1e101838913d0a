"""The `zoo` command. Nothing here imports Keras before a command needs it."""

import errno
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
from zoo import cards, cells, options, scores
from zoo.cells import arguments
from zoo.comparison import commands as comparison
from zoo.data.datasets import check_dataset, find_row
from zoo.demo import commands as demo
from zoo.errors import UserError
from zoo.export import command as exporting
from zoo.inspection import commands as inspection
from zoo.lens import commands as lens
from zoo.names import nearest
from zoo.names import split as split_names
from zoo.report.folder import check as check_report
from zoo.settings import LARGEST_INT
from zoo.storage import model_card
from zoo.task import Installed, Recipe, find, installed
from zoo.terminal import answers, completion, console, environment, help, listing
from zoo.workers.launcher import launch, own_arguments
from zoo.workers.settings import WorkerConfig
from zoo.workers.settings import plan as planned

MODELS_DIR = options.Option(["--models-dir"], type=options.File(), group="Model", help="Folder of saved models.")


def _backend(group: str) -> options.Option:
    return options.Option(
        ["--backend"],
        type=options.Choice(environment.BACKENDS),
        group=group,
        help="Backend of Keras.",
        show_default="$KERAS_BACKEND, else tensorflow",
    )


BACKEND = _backend("Options")
JSON = options.Option(["--json", "as_json"], is_flag=True, group="Output", help="Print one JSON object.")

EXAMPLES = (
    options.Option(
        ["--dataset"],
        type=options.Text(),
        group="Data",
        help="Data set to score on.",
        show_default="the one of the training",
        shell_complete=completion.of_settings()["dataset"],
    ),
    options.Option(
        ["--split"], type=options.Text(), group="Data", default="test", show_default=True, help="Split to score."
    ),
    options.Option(
        ["--limit"],
        type=options.Integer(1, largest=LARGEST_INT),
        group="Data",
        help="Score only the first N examples.",
    ),
)
"""Which examples saved models are scored on."""


def main() -> None:
    """Entry point: a `UserError` becomes one sentence and exit code 2; a bug shows its traceback."""
    console.prepare()
    try:
        environment.check()
        cli(prog_name="zoo", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.exit(_unfinished(error))
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n", err=True)
        _fail(error.format_message(), error.exit_code)
    except UserError as error:
        _fail(str(error), 2)
    except click.Abort as error:
        if isinstance(error.__cause__, EOFError):  # click takes any for the end of what a user types
            raise error.__cause__ from None
        _fail("Interrupted.", 130, prefix="")
    except OSError as error:
        if why := console.output_failure():
            _fail(f"Standard output takes no more: {why}.", 1)
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        _fail("Too many files are open at once: ulimit -n 1024 allows more.", 1)
    except Exception as error:
        if not answers.no_memory(error):
            raise
        _fail(answers.MEMORY, 1)
    except KeyboardInterrupt:
        _fail("Interrupted.", 130, prefix="")


def _fail(sentence: str, code: int, prefix: str = "Error: ") -> NoReturn:
    console.complain(sentence, prefix)
    sys.exit(code)


def _unfinished(error: click.exceptions.NoArgsIsHelpError) -> int:
    """`zoo` alone shows its help; `zoo train` and the like say what is missing."""
    ctx = error.ctx
    if ctx is None or ctx.parent is None or not isinstance(ctx.command, click.Group):
        error.show()
    else:
        known = ", ".join(ctx.command.list_commands(ctx))
        console.complain(f"{ctx.command_path} needs a word more, one of: {known}.")
    return error.exit_code


LONGEST_NAME = 200
"""Characters of the longest name of a model: names of files may have 255 bytes, and some are put around it."""


class _Lazy(help.Group):
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
        return answers.command(find(name), [MODELS_DIR, BACKEND])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, console.readable(args))


class _Train(_Lazy):
    """`zoo train`: one command for each installed task."""

    def make(self, name: str) -> click.Command:
        return _trainer(find(name))


@click.group(
    cls=_Zoo,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=["zoo train sentiment", 'zoo sentiment "a fine film"', "zoo list"],
)
@click.version_option(zoo.__version__, prog_name="zoo")
def cli() -> None:
    """Recurrent sequence models for Keras 3: train them, use them."""


class _Compare(_Lazy):
    """`zoo compare`: one command for each installed task."""

    def make(self, name: str) -> click.Command:
        task = find(name)
        return comparison.command(task, _cells(task), [JSON, BACKEND])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in self.list_commands(ctx) and comparison.is_model(args[0]):
            args = ["models", *args]
        return super().resolve_command(ctx, args)


@cli.group(
    "compare",
    cls=_Compare,
    examples=["zoo compare classify --cells lstm,gru --seeds 1,2,3", "zoo compare MODEL MODEL"],
)
def compare_group() -> None:
    """Train several cells on a task, with several seeds, and compare their scores; or compare two saved models."""


@cli.group(
    "train",
    cls=_Train,
    examples=["zoo train sentiment", "zoo train classify --cell lstm --epochs 20", "zoo train tag --help"],
)
def train_group() -> None:
    """Train a model, score it once on its test split, save it."""


def _trainer(task: Installed) -> click.Command:
    recipe = task.recipe
    presets = tuple(recipe.presets)

    def run(**values: Any) -> None:
        ctx = click.get_current_context()
        preset = values["preset"]
        given = _located(options.given(ctx, values, recipe.train), values["models_dir"])
        train = recipe.train(**recipe.settings(preset, given))
        arguments.check(train.cell, _cells(task))
        check_dataset(train.dataset, recipe.datasets)
        path = _training_path(task.name, train, preset, values)
        config = WorkerConfig(**{name: values[name] for name in ("workers", "coordinator", "worker_id", "devices")})
        plan = planned(config, environment.backend_name(values["backend"]), train.batch_size, train.limit)
        if plan.launches:
            sys.exit(launch(sys.argv[1:], plan.count or 1))
        environment.start_keras(values["backend"])
        from zoo import training

        saved = training.train(
            task,
            train,
            path,
            command=console.printable(f"zoo {shlex.join(own_arguments(sys.argv[1:]))}"),
            resume=values["resume"],
            overwrite=values["overwrite"],
            plot=values["plot"],
            tensorboard=values["tensorboard"],
            plan=plan,
        )
        console.echo(str(saved.path))
        found = saved.metrics["scores"]["test"].items()
        rows = [(f"test {name}", cards.number(value), scores.definition(name)) for name, value in found]
        for line in listing.table(rows, console.width()):
            console.echo(line)
        named = saved.path.name if cards.own() == saved.path.parent else str(saved.path)
        inputs = model_card.readable_inputs(saved.path)  # of this model: a tagger may read words or clips
        example = shlex.quote(inputs[0]) if inputs and "\n" not in inputs[0] else recipe.example
        line = f"zoo {task.name} --model {shlex.quote(named)} {example}".rstrip()
        console.echo(f"Try it: {line}", err=True)

    return options.Command(
        task.name,
        callback=run,
        params=[
            options.Option(
                ["--preset"],
                type=options.Choice(presets),
                group="Model",
                help="A named recipe; options override it.",
            ),
            *options.options(recipe.train, completion.of_settings(task)),
            options.Option(
                ["--name"], group="Output", help="Name of the saved model.", show_default="TASK-CELL-DATASET"
            ),
            options.Option(["--models-dir"], type=options.File(), group="Output", help="Folder of saved models."),
            options.Option(["--resume"], is_flag=True, group="Output", help="Resume an interrupted training run."),
            options.Option(
                ["--overwrite"], is_flag=True, group="Output", help="Overwrite an existing model of this name."
            ),
            options.Option(
                ["--plot/--no-plot"], default=True, group="Output", help="Draw learning curves.", show_default=True
            ),
            options.Option(["--tensorboard"], type=options.File(), group="Output", help="Folder for TensorBoard logs."),
            _backend("Training"),
            *options.options(WorkerConfig),
        ],
        examples=[
            f"zoo train {task.name}",
            f"zoo train {task.name} --preset {presets[-1]} --name mine",
            f"zoo train {task.name} --dataset PATH --epochs 3",
        ],
        help=f"{task.summary}\n\nData sets: {', '.join(recipe.datasets)}; or a path to your own data.",
        short_help=task.summary,
    )


def _cells(task: Installed) -> dict[str, str]:
    """What `--cell` of a task takes: the recurrent cells, and further words of its recipe; each with what it is."""
    return {name: row.text for name, row in cells.TABLE.items()} | dict(task.recipe.cells)


def _located(given: dict[str, Any], models_dir: Path | None) -> dict[str, Any]:
    """Settings in which models that are named lie in `--models-dir`, if that is given."""
    if models_dir is None:
        return given
    found = dict(given)
    if model := given.get("init_from"):
        found["init_from"] = str(cards.locate(model, models_dir))
    if teachers := given.get("teachers"):
        found["teachers"] = ",".join(str(cards.locate(name, models_dir)) for name in split_names(teachers))
    return found


def _data_name(dataset: str, recipe: Recipe) -> str:
    """What a model's default name says of its data: the name of a data set, or of a file or folder without the rest."""
    if find_row(dataset, recipe.datasets, "") is not None:
        return dataset
    name = os.path.basename(os.path.abspath(dataset))
    return Path(name.removesuffix(".gz")).stem or "data"


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
    data = preset or re.sub(r"[^A-Za-z0-9._-]+", "-", _data_name(recipe.dataset, find(task).recipe))
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


@cli.command(
    "evaluate",
    cls=options.Command,
    params=[
        click.Argument(["model"], shell_complete=completion.models),
        *EXAMPLES,
        JSON,
        options.Option(
            ["--report"],
            type=options.File(),
            group="Output",
            help="New folder for a page with pictures: errors, scores by class or length.",
        ),
        MODELS_DIR,
        BACKEND,
    ],
    examples=[
        "zoo evaluate sentiment-gru-imdb",
        "zoo evaluate MODEL --dataset PATH --json",
        "zoo evaluate MODEL --report report",
    ],
)
def evaluate(
    model: str,
    dataset: str | None,
    split: str,
    limit: int | None,
    as_json: bool,
    report: Path | None,
    models_dir: Path | None,
    backend: str | None,
) -> None:
    """Score a saved model on a split of a data set."""
    path = cards.locate(model, models_dir)
    task = find(cards.summarize(path).task)
    if dataset is not None:
        check_dataset(dataset, task.recipe.datasets)
    if report is not None:
        check_report(report)
    environment.start_keras(backend, path.name)
    from zoo import saved, training
    from zoo.training import display

    loaded = saved.load(path)
    found = training.evaluate(loaded, dataset, split, limit, display.bar)
    if report is not None:
        from zoo.report import write

        page = write.write(loaded, report, found, dataset, split, limit)
    if as_json:
        click.echo(json.dumps(found))
    else:
        rows = [(name, cards.number(value), scores.definition(name)) for name, value in found.items()]
        for line in listing.table(rows, console.width()):
            console.echo(line)
    if report is not None:
        console.echo(f"Report: {page}", err=True)


cli.add_command(inspection.command([JSON, BACKEND]))


@cli.command(
    "list",
    cls=options.Command,
    params=[
        click.Argument(["what"], type=options.Choice(listing.KINDS), required=False),
        options.Option(
            ["--json", "as_json"], is_flag=True, group="Output", help="Print JSON: a list, or an object of lists."
        ),
        MODELS_DIR,
    ],
    examples=["zoo list", "zoo list cells", "zoo list models --json"],
)
def list_command(what: str | None, as_json: bool, models_dir: Path | None) -> None:
    """Show tasks, cells, datasets or models; without a word, all of them."""
    if as_json:
        values = {kind: listing.objects(kind, models_dir) for kind in ([what] if what else listing.KINDS)}
        click.echo(json.dumps(values[what] if what else values))
        return
    for kind in [what] if what else listing.KINDS:
        if not what:
            click.secho(kind, bold=True, color=console.has_color(sys.stdout))
        for text in listing.lines(kind, models_dir, console.width() - (0 if what else 2)):
            if what or text:
                console.echo(text if what else f"  {text}")


@cli.command(
    "card",
    cls=options.Command,
    params=[click.Argument(["model"], shell_complete=completion.models), MODELS_DIR],
    examples=["zoo card sentiment-gru-imdb"],
)
def card(model: str, models_dir: Path | None) -> None:
    """Show a saved model's card."""
    console.echo(model_card.render(cards.summarize(cards.locate(model, models_dir))), nl=False, lines=True)


@cli.command(
    "completion",
    cls=options.Command,
    params=[click.Argument(["shell"], type=options.Choice(tuple(completion.PLACES)))],
    examples=[f"zoo completion {shell}" for shell in completion.PLACES],
)
def completion_command(shell: str) -> None:
    """Print the script by which a shell completes commands, options and names; it says where to put it."""
    click.echo(completion.script(shell), nl=False)


cli.add_command(exporting.command([MODELS_DIR, BACKEND]))
cli.add_command(demo.command([MODELS_DIR, BACKEND]))
cli.add_command(lens.group([MODELS_DIR, BACKEND]))
compare_group.add_command(comparison.models_command([*EXAMPLES, JSON, MODELS_DIR, BACKEND]))
