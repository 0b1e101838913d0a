"""The command of a task, such as `zoo sentiment`: inputs as arguments, from a pipe or typed; answers as they come."""

import dataclasses
import functools
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from zoo import cards, options
from zoo.errors import UserError
from zoo.runtime import choice
from zoo.task import Chunk, ErrorLine, Installed, Styled
from zoo.terminal import completion, console, environment

MEMORY = "There is not enough memory for this. Close other programs, or choose smaller sizes."


def no_memory(error: Exception) -> bool:
    """Whether memory was used up, of the computer or of its accelerator."""
    name = type(error).__name__
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error) or name == "ResourceExhaustedError"


def command(task: Installed, shared: Sequence[click.Option]) -> click.Command:
    """`zoo TASK`.

    Args:
        task: The task.
        shared: The options `--models-dir` and `--backend`, the same as in all commands.
    """
    recipe = task.recipe

    def run(inputs: tuple[str, ...], **values: Any) -> None:
        given = options.given(click.get_current_context(), values, recipe.predict)
        if recipe.lines and _in_bulk(task, recipe.predict(inputs=inputs, **given), given, values):
            return
        typing = not inputs and sys.stdin is not None and sys.stdin.isatty()
        config = recipe.predict(inputs=inputs or (() if typing else console.input_lines(task.name)), **given)
        path = _answering(task, config, values)
        model = opened(path, values["runtime"], values["backend"])
        failed = _prompt(task, model, config) if typing else _print_answers(task.predict(model, config))
        _export_for_next_time(path, model, values)
        if failed:
            sys.exit(1)

    takes_files = recipe.inputs in ("files", "images")
    return options.Command(
        task.name,
        callback=run,
        params=[
            click.Argument(
                ["inputs"],
                nargs=-1,
                metavar=f"[{recipe.inputs.upper()}]...",
                shell_complete=completion.files if takes_files else None,
            ),
            options.Option(
                ["--model"],
                type=options.Text(),
                group="Model",
                help="Name or folder of a saved model.",
                show_default="the best published one",
                shell_complete=completion.models,
            ),
            *options.options(recipe.predict, completion.of_settings(task)),
            options.Option(
                ["--runtime"],
                type=options.Choice(choice.RUNTIMES),
                group="Model",
                help="What runs the model.",
                show_default="onnx if the model has been exported, else keras",
            ),
            *(BULK if recipe.lines else ()),
            *shared,
        ],
        examples=[
            f"zoo {task.name} {recipe.example}".rstrip(),
            f"zoo {task.name} --json < inputs.txt",
            f"zoo {task.name}",
        ],
        help=(
            f"{task.summary}\n\nInputs come as arguments, or one per line on standard input; each gets one line. "
            "In a terminal without arguments, each line that is typed is answered at once."
        ),
        short_help=task.summary,
    )


BULK = (
    options.Option(
        ["--input"],
        type=options.Text(),
        group="Workers",
        help="File of lines, or a pattern such as 'corpus/*.txt.gz'; each line gets one line of answer.",
    ),
    options.Option(
        ["--output"],
        type=options.File(),
        group="Workers",
        help="Folder of the answers to --input; the same command goes on with an interrupted one.",
    ),
    options.Option(
        ["--workers"],
        type=options.Integer(1, 4096),
        group="Workers",
        help="Processes that share the lines of --input.",
        show_default="one a core",
    ),
)
"""The options of answers to whole files."""


def _in_bulk(task: Installed, config: Any, given: dict[str, Any], values: dict[str, Any]) -> bool:
    """Answers files of lines, if the user named any; returns whether."""
    pattern, output = values["input"], values["output"]
    if pattern is None or output is None:
        if alone := next((name for name in ("input", "output", "workers") if values[name] is not None), None):
            raise UserError(f"--{alone} answers whole files: give both --input FILE and --output FOLDER.")
        return False
    if config.inputs:
        raise UserError("Inputs come from --input, or from the arguments: leave one of them out.")
    from zoo.bulk import blocks, run

    files = [blocks.described(path) for path in blocks.find(pattern)]
    path = _answering(task, config, values)
    _export_on_request(path, values["runtime"], values["backend"])
    runtime = choice.choose(path, values["runtime"], values["backend"])
    weights = blocks.weights_digest(path)
    job = run.job(task.name, path, weights, runtime, values["backend"], given, files)
    for file in run.answer(blocks.Folder(output, job), values["workers"]):
        console.echo(str(file))
    return True


def _answering(task: Installed, config: Any, values: dict[str, Any]) -> Path:
    """The model that answers. Where the user named none, a log says which; in a terminal `start_keras` does."""
    named = values["model"]
    if named is not None:
        path = cards.locate(named, values["models_dir"])
    else:
        can_answer = functools.partial(task.recipe.can_answer, config) if task.recipe.can_answer else None
        path = cards.best(task.name, values["models_dir"], can_answer, task.recipe.prefer_latest)
    theirs = cards.summarize(path).task
    if theirs != task.name:
        raise UserError(f"{path.name} is a model for {theirs}: use `zoo {theirs} --model {path.name}`.")
    if named is None and not sys.stderr.isatty():
        console.echo(f"Model: {path.name}", err=True)
    return path


def opened(path: Path, runtime: str | None, backend: str | None) -> Any:
    """A saved model, run by its export or by Keras."""
    _export_on_request(path, runtime, backend)
    if choice.choose(path, runtime, backend) == "onnx":
        if sys.stderr.isatty():
            console.echo(f"Loading {path.name} ...", err=True)
        from zoo import runtime as exported

        return exported.load(path)
    environment.start_keras(backend, path.name)
    from zoo import saved

    return saved.load(path)


def _export_on_request(path: Path, runtime: str | None, backend: str | None) -> None:
    """`--runtime onnx` of a model without an export: exports it into the user's cache."""
    if runtime != "onnx" or backend or not choice.lacks_export(path):
        return
    console.echo(f"Exporting {path.name} into the cache, once ...", err=True)
    environment.start_keras(None, path.name)
    from zoo import saved
    from zoo.export import export_once

    export_once(saved.load(path))


def _export_for_next_time(path: Path, model: Any, values: dict[str, Any]) -> None:
    """In a terminal, exports a published model that Keras has answered with, so that the next command starts faster.

    Not where the runtime or the backend was chosen; and not a model that draws samples, since numpy draws others.
    """
    chosen = values["runtime"] or values["backend"]
    if chosen or not sys.stderr.isatty() or not choice.is_published(path) or not choice.lacks_export(path):
        return
    from zoo.export import export_once, has_export

    if hasattr(model.net, "begin") or not has_export(model):  # `begin`: a language model
        return
    console.echo(f"Exporting {path.name} into the cache, once: the next command starts faster ...", err=True)
    try:
        export_once(model)
    except UserError as error:
        console.complain(str(error))


def _print_answers(lines: Iterable[str]) -> bool:
    """Prints lines as they come; returns whether one of them is an error."""
    failed = False
    for line in lines:
        if isinstance(line, Styled):
            click.echo(line)
        else:
            console.echo(line, nl=not isinstance(line, Chunk), lines=isinstance(line, Chunk))
        failed |= isinstance(line, ErrorLine)
    return failed


def _prompt(task: Installed, model: Any, config: Any) -> bool:
    """Answers each line that is typed. Whatever goes wrong with one is said, and the next is asked for."""
    console.echo(f"Type {task.recipe.inputs}, one per line; Ctrl-D ends.", err=True)
    for line in console.prompted_lines():
        try:
            _print_answers(task.predict(model, dataclasses.replace(config, inputs=(line,))))
        except UserError as error:
            console.complain(str(error))
        except KeyboardInterrupt:
            console.echo("Interrupted.", err=True)
        except Exception as error:
            if console.output_failure():
                raise
            console.complain(MEMORY if no_memory(error) else f"No answer: {type(error).__name__}: {error}")
    return False
