"""Trains a small Transformer where a task trains a recurrent net: same data, batches, loss, optimizer and validation.

    python scripts/transformer.py translate --preset multi30k-en-de --max-minutes 60
    python scripts/transformer.py sentiment --preset imdb --max-minutes 60
    python scripts/transformer.py sentiment --preset imdb --max-minutes 60 --resume --score-test

It shows where recurrence wins and where it loses within the same minutes. The options are those of `zoo train`, without
those of recurrent nets, and the sizes of the Transformer (`--help`). Stages of a recipe before or after the training
itself, such as pretraining, are left out. The result, validation scores of the best epoch, becomes a row of
scripts/transformer.json; a second run of the same name replaces its row. The test split is scored with `--score-test`
only: choose by validation, then let the chosen training go on with `--resume --score-test`, which trains no more if
its epochs or minutes are used up. `scripts/render.py` writes the tables of the tasks' READMEs.
"""

import dataclasses
import datetime
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import board_tables
import click
import ledger
import measured
from zoo.tasks.sentiment import recipe as sentiment
from zoo.tasks.translate import recipe as translate

from zoo import cards, options
from zoo.errors import UserError
from zoo.settings import TrainConfig, setting
from zoo.task import Data, find
from zoo.terminal import console, environment

FILE = Path(__file__).parent / "transformer.json"


@dataclass(frozen=True)
class Sizes:
    """The sizes of a Transformer; by default those of "Transformer-Tiny", 2.6 million parameters with 10,000 tokens.

    Reference: Wu et al., "Good for Misconceived Reasons: An Empirical Revisiting on the Need for Visual Context in
    Multimodal Machine Translation" (2021), who train it on Multi30k.
    """

    cell: str = "transformer"  # no cell of zoo's; shown when a training begins
    num_layers: int = setting(4, "Blocks of the encoder, and of the decoder.", minimum=1)
    hidden_dim: int = setting(128, "Length of a vector; an even multiple of --num-heads.", minimum=2, maximum=8_192)
    num_heads: int = setting(4, "Heads of attention.", minimum=1, maximum=256)
    intermediate_dim: int = setting(256, "Units of the dense layer in a block.", minimum=1, maximum=65_536)


@dataclass(frozen=True)
class Translate(Sizes, translate.Train):
    """Settings of a translator."""


@dataclass(frozen=True)
class Sentiment(Sizes, sentiment.Train):
    """Settings of a classifier."""


SETTINGS: dict[str, type] = {"translate": Translate, "sentiment": Sentiment}

RECURRENT = (
    "cell", "block", "units", "embedding_dim", "decoder_cell", "encoder_layers", "decoder_layers", "attention",
    "conditional_cell", "input_feeding", "layer_norm", "output_dropout", "scheduled_sampling", "bidirectional",
    "pooling", "pool_embeddings", "pretrain_epochs", "pretrain_learning_rate", "pretrain_window",
    "self_training_epochs", "self_training_learning_rate", "weights_dtype", "score_test",
)  # fmt: skip
"""Settings of `zoo train` that a Transformer does not have, and those of saving."""


def build(recipe: Any, data: Data) -> Any:
    """The compiled Transformer of a recipe."""
    import transformer_nets

    names = ("num_layers", "hidden_dim", "num_heads", "intermediate_dim", "dropout", "word_dropout")
    sizes = {name: getattr(recipe, name) for name in (*names, "embedding_dropout")}
    if isinstance(recipe, Translate):
        from zoo.tasks.translate import encoding, model

        net: Any = transformer_nets.TransformerTranslator(
            encoding.source_tokenizer(data.assets).size, encoding.target_tokenizer(data.assets).size,
            share_embeddings=recipe.shared_vocabulary, max_length=recipe.max_length, **sizes,
        )  # fmt: skip
    else:
        from zoo.tasks.sentiment import model

        net = transformer_nets.TransformerClassifier(data.assets["tokenizer"].size, len(data.assets["labels"]), **sizes)
    net.build()
    model.compile(net, recipe, data)
    return net


def train(task: str, recipe: Any, path: Path, *, resume: bool, overwrite: bool, score_test: bool) -> dict[str, Any]:
    """Trains, and returns a row of the table.

    Args:
        task: Its name.
        recipe: The settings.
        path: The folder beside which the state of the training is kept, as of `zoo train`.
        resume: Go on with a training.
        overwrite: Throw a training of this name away.
        score_test: Score the test split at the end.
    """
    import keras

    from zoo.training.folder import locked, open_training
    from zoo.training.stages import Loop
    from zoo.workers.processes import cores

    # The commit of what is about to run; without Git it fails now and not after the training.
    installed, commit = find(task), ledger.commit()
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    try:
        with locked(path):
            loop = Loop(open_training(path, recipe, resume, overwrite))
            data = installed.task.load(recipe)
            # The stage in which the saved model of the task learns from labels.
            (stage,) = [stage for stage in installed.task.stages(recipe, data) if stage.name == "train"]
            net, (state,) = loop.run([dataclasses.replace(stage, build=build)])
        test = installed.task.score(net, data.split("test"), data.assets) if score_test else {}
    finally:
        keras.config.set_dtype_policy("float32")
    prefix, best = "validation_", state.history[state.best_epoch - 1]
    return {
        "task": task, "dataset": data.card.name, "monitor": stage.monitor, "parameters": net.count_params(),
        "epochs": state.epoch, "best_epoch": state.best_epoch, "minutes": state.minutes,
        "examples_per_second": state.examples_per_second, "cores": cores(),
        "validation": {name.removeprefix(prefix): best[name] for name in best if name.startswith(prefix)},
        "test": test, "commit": commit,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "settings": {
            name: value for name, value in dataclasses.asdict(recipe).items() if name not in RECURRENT and value
        },
    }  # fmt: skip


def read() -> dict[str, dict[str, Any]]:
    """The rows by name."""
    return measured.read(FILE)


def check_name(name: str) -> None:
    """Refuses a name whose row has a test score: it stays to be seen.

    Raises:
        UserError: If there is such a row.
    """
    if read().get(name, {}).get("test"):
        raise UserError(f"{FILE.name} has a row {name!r} with a test score, which stays. Give another --name.")


def keep(name: str, row: dict[str, Any]) -> None:
    """Writes a row."""
    measured.write({**read(), name: row}, FILE)


def table(task: str) -> str:
    """The rows of a task, for its README, and those of the board's cells that were trained within minutes as well."""
    rows = {name: row for name, row in read().items() if row["task"] == task}
    if not rows:
        return "Not measured yet."
    rows |= recurrent(task)
    return cards.markdown(
        ("model", "data", "parameters", "minutes", "epochs", "examples per second", "validation", "test"),
        (
            (
                name, row["dataset"], cards.number(row["parameters"]),
                f"{row['minutes']:.0f} on {row['cores']} core{'s' * (row['cores'] > 1)}", row["epochs"],
                f"{row['examples_per_second']:.0f}",
                *(
                    f"{row['monitor']} {cards.number(row[split][row['monitor']])}" if row[split] else ""
                    for split in ("validation", "test")
                ),
            )
            for name, row in rows.items()
        ),
    )  # fmt: skip


def recurrent(task: str) -> dict[str, dict[str, Any]]:
    """The board's trainings of a task on real data (`board.py --long`), as rows of this table."""
    found = {}
    for row in board_tables.read()["long"].values():
        for cell, item in row["cells"].items() if row["task"] == task else ():
            for seed, run in item["runs"].items():
                found[f"`{cell}`, board" + (f", seed {seed}" if len(item["runs"]) > 1 else "")] = {
                    **{name: row[name] for name in ("dataset", "monitor")}, "cores": row["machine"]["cores"],
                    "parameters": item["parameters"], **run,
                    **{split: {row["monitor"]: run[split]} for split in ("validation", "test")},
                }  # fmt: skip
    return found


def command(task: str) -> click.Command:
    """The command of a task."""
    settings, recipe = SETTINGS[task], find(task).recipe

    def run(**values: Any) -> None:
        ctx = click.get_current_context()
        given = options.given(ctx, values, settings)
        preset = values["preset"]
        chosen = {**(recipe.presets[preset] if preset else {}), **given, "cell": Sizes.cell, "score_test": False}
        # A preset's sizes are those of its recurrent net.
        chosen |= {item.name: given.get(item.name, item.default) for item in dataclasses.fields(Sizes)}
        chosen |= {name: 0 for name in ("pretrain_epochs", "self_training_epochs") if hasattr(settings, name)}
        configured: TrainConfig = settings(**chosen)
        name = values["name"] or f"{task}-{preset or configured.dataset.replace('/', '-')}"
        check_name(name)
        environment.start_keras(None)
        path = cards.own(values["models_dir"]) / f"transformer-{name}"
        row = train(
            task, configured, path, resume=values["resume"], overwrite=values["overwrite"],
            score_test=values["score_test"],
        )  # fmt: skip
        keep(name, row)
        console.echo(json.dumps({key: row[key] for key in row if key != "settings"}, indent=1))

    fields = [item for item in options.options(settings) if item.name not in RECURRENT]
    flags = {
        "--resume": "Go on with a training.",
        "--overwrite": "Throw a training of this name away.",
        "--score-test": "Score the test split at the end.",
    }
    return options.Command(
        task,
        callback=run,
        params=[
            options.Option(
                ["--preset"], type=options.Choice(tuple(recipe.presets)), group="Model", help="A named recipe."
            ),
            *fields,
            options.Option(["--name"], group="Output", help="Name of the row.", show_default="TASK-PRESET"),
            options.Option(["--models-dir"], type=options.File(), group="Output", help="Where the state is kept."),
            *(options.Option([name], is_flag=True, group="Output", help=text) for name, text in flags.items()),
        ],
        short_help=f"Trains a Transformer for {task}.",
    )


commands = click.Group(
    "transformer", {task: command(task) for task in SETTINGS}, help=(__doc__ or "").partition("\n\n")[0]
)


def main() -> None:
    """Runs a command; bad input gets one sentence."""
    try:
        commands()
    except UserError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
