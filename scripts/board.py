"""Trains every cell on every task with equal numbers of parameters, and keeps what was measured in `board.json`.

    python scripts/board.py                                      what is missing of the short rows: hours; resumable
    python scripts/board.py --rows tag,charlm --cells gru,lstm --seeds 1 --minutes 30
    python scripts/board.py --long --cells lstm,gru,min_gru      the rows on real data, ten minutes a training
    python scripts/board.py --collect                            only reads what is finished

The trainings lie below `comparisons/board` (`--folder`). After each call, `board.json` and `board.png` hold all that is
finished; `scripts/render.py` puts it into tasks/README.md. `--minutes M` begins no training after M minutes.
"""

import argparse
import dataclasses
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import board_tables

from zoo import cells
from zoo.cells import arguments
from zoo.comparison import commands, processes
from zoo.comparison import grid as grids
from zoo.errors import UserError
from zoo.settings import seeds
from zoo.task import find

HERE = Path(__file__).resolve().parent
PICTURE = HERE / "board.png"
FIRST = "lstm"
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Row:
    """A data set of the board: a task, a preset of it, further settings, and the parameters of each net."""

    task: str
    preset: str
    settings: dict[str, Any]
    parameters: int


SHORT = {
    "classify": Row("classify", "board", {}, 15_000),
    "sentiment": Row("sentiment", "board", {}, 60_000),
    "tag": Row("tag", "board", {}, 80_000),
    "translate": Row("translate", "board", {}, 320_000),
    "caption": Row("caption", "board", {}, 320_000),
    "charlm": Row("charlm", "board", {}, 220_000),
    "mnist1d": Row("classify", "board", {"dataset": "mnist1d", "epochs": 60, "bidirectional": True}, 30_000),
    "charlm-residual": Row("charlm", "board", {"block": "residual"}, 220_000),
}
"""Built-in sets; parameters are those of a GRU with the preset's units, rounded. The last row is
that of charlm with the same cells in residual blocks."""

TEN_MINUTES = {"schedule": "constant", "ema_momentum": 0.99, "epochs": 100, "patience": 0, "max_minutes": 10.0,
               "batch_size": 32}  # fmt: skip
"""Equal time: a learning rate that decays would be cut at another value for each cell, so it stays, and weights are
averaged instead, over about a hundred steps. Batches are small, so that a slow cell makes enough steps as well."""

LONG = {
    "imdb": Row(
        "sentiment",
        "imdb",
        {
            "pretrain_epochs": 0,
            "pseudo_labels": False,
            "self_training_epochs": 0,
            "max_length": 400,
            **TEN_MINUTES,
        },
        4_000_000,
    ),
    "multi30k": Row(
        "translate",
        "multi30k-en-de",
        {
            "embedding_dim": 128,
            "word_dropout": 0.0,  # as little dropout as a few epochs need
            "embedding_dropout": 0.1,
            "dropout": 0.1,
            "output_dropout": 0.1,
            **TEN_MINUTES,
        },
        1_500_000,
    ),
    "shakespeare": Row("charlm", "tiny_shakespeare", {"units": 320, "num_layers": 1, **TEN_MINUTES}, 460_000),
}
"""Real data, ten minutes a training."""


def main() -> int:
    options = _options()
    rows = LONG if options.long else SHORT
    deadline = time.monotonic() + 60 * options.minutes if options.minutes is not None else None
    count = options.processes or processes.default_processes()
    failed = False
    for name in options.rows.split(",") if options.rows else rows:
        row = _row(rows, name)
        names = arguments.cell_names(options.cells, cells.TABLE, cells.TABLE)
        grid = _grid(options.folder / name, row, names, seeds(options.seeds))
        if not options.collect:
            failed |= bool(_run(grid, count, deadline))
        _keep(name, "long" if options.long else "short", row, grid.output)
        if deadline is not None and time.monotonic() >= deadline:
            break
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", "--tasks", help="rows, separated by commas; default all")
    parser.add_argument("--cells", default=arguments.ALL, help="cells, separated by commas; default all")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="seeds, separated by commas")
    parser.add_argument("--minutes", type=float, help="begin no training after so many minutes")
    parser.add_argument("--processes", type=int, help="trainings side by side")
    parser.add_argument("--folder", type=Path, default=Path("comparisons/board"), help="folder of the trainings")
    parser.add_argument("--long", action="store_true", help="the rows on real data")
    parser.add_argument("--collect", action="store_true", help="train nothing")
    return parser.parse_args()


def _row(rows: dict[str, Row], name: str) -> Row:
    if name not in rows:
        raise UserError(f"No row is called {name!r}. Known: {', '.join(rows)}.")
    return rows[name]


def _recipe(row: Row) -> Any:
    return find(row.task).recipe


def _grid(output: Path, row: Row, names: tuple[str, ...], seeds: tuple[int, ...]) -> grids.Grid:
    settings = {k: v for k, v in {**_recipe(row).presets[row.preset], **row.settings}.items() if k not in grids.OWN}
    return grids.Grid(row.task, output, settings, names, seeds, row.parameters)


def _run(grid: grids.Grid, count: int, deadline: float | None) -> dict[grids.Run, str]:
    """Trains what is missing. A cell that cannot have so many parameters is left out, and that is written down."""
    grid, refused = grids.resume(grid), _refused(grid.output)
    for cell in [cell for cell in grid.cells if cell not in grid.units]:
        try:
            grid = commands.with_units(grid, [cell])
            refused.pop(cell, None)
        except UserError as error:
            commands.say(f"{cell}: {error}")
            refused[cell] = str(error)
    grids.write(grid)
    (grid.output / "refused.json").write_text(json.dumps(refused, indent=1), encoding="utf-8")
    grid = dataclasses.replace(grid, cells=tuple(cell for cell in grid.cells if cell in grid.units))
    return processes.run_all(grid, count, commands.say, deadline)


def _refused(output: Path) -> dict[str, str]:
    file = output / "refused.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _keep(name: str, part: str, row: Row, output: Path) -> None:
    """Puts what is finished of a row into `board.json`, beside what lies there, and draws the picture anew."""
    if not (output / grids.GRID).is_file():
        return
    from zoo.comparison import results

    every = (FIRST, *(cell for cell in cells.TABLE if cell != FIRST))
    seeds = sorted({int(path.name.rpartition("-")[2]) for path in output.glob("[!.]*-seed-*") if path.is_dir()})
    if not seeds:
        return
    grid = grids.resume(_grid(output, row, every, tuple(seeds)))
    grid = dataclasses.replace(grid, cells=tuple(cell for cell in every if cell in grid.units))
    found = results.collect(grid)
    values = board_tables.read()
    row_values = {
        **{key: found[key] for key in ("task", "dataset", "monitor", "higher_is_better", "settings", "parameters")},
        "preset": row.preset,
        "sizes": found["cells"][0]["runs"][0]["data"]["sizes"],
        "machine": {key: found["cells"][0]["runs"][0][key] for key in ("cores", "threads", "versions")},
        "cells": {item["cell"]: _short(item, found["monitor"]) for item in found["cells"]},
        "refused": _refused(output),
        "notes": found["notes"],
    }
    values[part][name] = board_tables.joined(values[part].get(name), row_values)
    board_tables.FILE.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    if values["short"]:
        board_tables.draw(PICTURE, values["short"])


def _short(item: dict[str, Any], monitor: str) -> dict[str, Any]:
    """A cell's entry, without what nobody reads in a table."""
    return {
        **{key: item[key] for key in ("units", "parameters", "difference")},
        "runs": {
            str(run["seed"]): {
                "validation": run["validation"][monitor],
                "test": run["test"][monitor],
                **{key: run[key] for key in ("minutes", "examples_per_second", "epochs", "best_epoch")},
            }
            for run in item["runs"]
        },
    }


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit("Interrupted. The same command goes on from what is finished.")
