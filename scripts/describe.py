"""Measures what a published model's card says besides its training, into `measured.json` of its folder.

    TFDS_DATA_DIR=... python scripts/describe.py sentiment-gru-imdb translate-gru-multi30k-en-de
    python scripts/describe.py --parts latency all     on a quiet machine
    python scripts/describe.py --parts scores --split test_2018_flickr NAME
    python scripts/describe.py --parts scores --again "the same weights, for the interval; nothing was chosen" NAME

Parts: `shown` (three inputs with their answers), `limits` (inputs far from the training data), `latency`, `curves`,
which draws the learning curves anew from `history.csv`, and two that `scripts/publish.py` measures for each new model:
`baselines` on the test split, and `scores` of the saved weights on it with a bootstrap interval. Each scoring adds a
row to scripts/ledger.json. A second look at a split, such as the test split after the publication, needs `--again
REASON`, which the row has, and stops if the scores are others than those in the ledger. What is not asked for stays as
it was. `scripts/render.py` writes the cards afterwards.
"""

import argparse
import csv
import dataclasses
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import ledger
import numpy as np

from zoo import cards, evaluation, figures, legacy, saved, statistics
from zoo.report import write as reports
from zoo.saved import SavedModel
from zoo.storage import model_card, stored

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "saved_models"

REPEATS = 30
"""Answers to one input whose median is the latency."""

ROUNDING = 5e-4
"""Relative difference of two scorings of the same weights on the same data, on other processors."""


def located(model: SavedModel, dataset: str | None) -> SavedModel:
    """The model with its data at another place than where they lay in training; columns and other settings stay."""
    given = {"dataset": dataset} if dataset else {}
    return dataclasses.replace(model, recipe=dataclasses.replace(model.recipe, limit=None, **given))


def scores(model: SavedModel, split: str = "test") -> dict[str, Any]:
    """Scores of the saved weights on a split, and the interval of the one by which models are compared."""
    found = evaluation.evaluate(model, split=split)
    examples = found.pop("examples")
    found.pop("examples_per_second")
    result = {"scores": found, "examples": int(examples)}
    rows = evaluation.example_statistics(model, split=split)
    if rows is not None:
        low, high = statistics.interval(rows, model.installed.task.combine)
        monitor = model.installed.task.monitor
        result["interval"] = {"score": monitor, "low": low, "high": high, "draws": statistics.DRAWS}
    return result


def scored(model: SavedModel, reason: str | None, split: str = "test") -> dict[str, Any]:
    """Scores of a published model on a split, and the ledger with a row more.

    Args:
        model: The model.
        reason: Why a split is scored again; needed where the ledger has one of its scorings already.
        split: The split.

    Raises:
        SystemExit: If there is no reason to score it again, or the scores are others than those in the ledger: then
            weights or data are not those of that scoring.
    """
    name, dataset, monitor = model.path.name, model.metrics["data"]["name"], model.installed.task.monitor
    earlier = ledger.earlier(name, dataset, split)
    if earlier and not reason:
        sys.exit(f"{name} was scored on {split} on {earlier[-1]['date']}: --parts scores needs --again REASON.")
    found = scores(model, split)
    for row in earlier[-1:]:
        before, now = row["scores"][monitor], found["scores"][monitor]
        if abs(now - before) > ROUNDING * max(1.0, abs(before)):
            sys.exit(
                f"{name}: {monitor} {now} on {split}, but {before} on {row['date']}. Is it the same model and data?"
            )
    ledger.record(name, dataset, split, found["scores"], monitor, **({"again": reason} if earlier else {}))
    if split != "test":  # the card has one interval, that of the test split
        every = {**model.metrics["scores"], split: found["scores"]}
        saved.update_metrics(model.path, {**model.metrics, "scores": every})
        found = {}
    return {**found, "scorings": ledger.for_card(name)}


def baselines(model: SavedModel, split: str = "test") -> dict[str, Any]:
    """What simple methods reach on a split; nothing for a task that has none."""
    if model.installed.task.baselines is None:
        return {}
    found = model.installed.task.baselines(model, evaluation.data(model), split)
    return {"baselines": {name: dict(row) for name, row in found.items()}}


def shown(model: SavedModel) -> dict[str, Any]:
    """Inputs with their answers: those kept with the model if they can be read, else the first of the test split."""
    golden = json.loads((model.path / "golden.json").read_text(encoding="utf-8"))
    texts = [item for item in golden["inputs"] if model_card.is_readable(item)]
    if texts:
        answers = model.predict(texts[: model_card.MOST_SHOWN])
        rows = [{"input": text, "answer": model_card.answer_text(a)} for text, a in zip(texts, answers, strict=False)]
        return {"shown": rows}
    found = reports.answers(model, limit=model_card.MOST_SHOWN)
    rows = []
    for i in range(model_card.MOST_SHOWN):
        what = f"{found.shown(i).text or 'a picture'}, number {i + 1} of the test split"
        rows.append({"input": what, "answer": found.answer(i), "truth": found.truth(i).split("\n")[0]})
    return {"shown": rows}


def limits(model: SavedModel) -> dict[str, Any]:
    """Inputs far from the training data."""
    inputs = model.installed.task.far_inputs(model.assets)
    rows = [
        {"what": what, "input": text if model_card.is_readable(text) else "",
         "answer": model_card.answer_text(model.predict(text))}
        for what, text in inputs.items()
    ]  # fmt: skip
    return {"limits": rows}


def latency(model: SavedModel) -> dict[str, Any]:
    """Seconds to load, and milliseconds of a single answer once everything is compiled."""
    began = time.perf_counter()
    saved.load(model.path)
    loading = time.perf_counter() - began
    item = next(text for text in json.loads((model.path / "golden.json").read_text("utf-8"))["inputs"] if text)
    spent = []
    for _ in range(REPEATS + 3):
        began = time.perf_counter()
        model.predict(item)
        spent.append(time.perf_counter() - began)
    single = 1_000 * float(np.median(spent[3:]))
    return {"latency": {"loading, seconds": round(loading, 3), "one input, milliseconds": round(single, 2)}}


def curves(model: SavedModel) -> dict[str, Any]:
    """Draws the learning curves anew; they belong to the files whose hashes are kept."""
    folder = model.path
    with (folder / "history.csv").open(encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    names = [legacy.score_name(name) for name in head]
    history = [{n: float(x) for n, x in zip(names, row, strict=True) if x} for row in rows]
    best = model.metrics["training"]["best_epoch"]
    subject = f"{folder.name}, trained on {model.metrics['data']['name']}"
    monitor = model.installed.task.monitor
    figures.draw_curves(folder / cards.CURVES, history, monitor, best_epoch=best, title=subject)
    stored.write_manifest(folder)
    return {}


PARTS: Mapping[str, Callable[[SavedModel], dict[str, Any]]] = {
    "curves": curves,
    "shown": shown,
    "limits": limits,
    "baselines": baselines,
    "latency": latency,
}


def machine() -> dict[str, Any]:
    """Where this runs, as `metrics.json` has it."""
    versions = {"keras": keras.version(), "backend": keras.backend.backend(), "python": platform.python_version()}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"machine": {"cores": cores, "processor": platform.machine()}, "versions": versions}


def keep(folder: Path, found: Mapping[str, Any]) -> None:
    """Adds to what `measured.json` of a model's folder says."""
    file = folder / cards.MEASURED
    before = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    new = file.with_suffix(".new")
    stored.write_json(new, {**before, **found, **machine()})
    new.replace(file)


def describe(
    name: str, parts: Sequence[str], dataset: str | None = None, again: str | None = None, split: str = "test"
) -> None:
    """Measures some parts of a model; each is kept as soon as it is there."""
    model = located(saved.load(MODELS / name), dataset)
    for part in parts:
        print(f"{time.strftime('%H:%M:%S')} {name}: {part}", flush=True)
        keep(model.path, scored(model, again, split) if part == "scores" else PARTS[part](model))


def main(arguments: list[str] | None = None) -> None:
    """Measures published models."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("models", nargs="+", help="Names of published models, or all.")
    parser.add_argument("--parts", default="curves,shown,limits,baselines", help=f"Of {', '.join(PARTS)}, scores.")
    parser.add_argument("--dataset", help="Where the data of the model lie now, if not where they were.")
    parser.add_argument("--split", default="test", help="Which split the part scores is about.")
    parser.add_argument("--again", metavar="REASON", help="Why the test split is scored again; for the part scores.")
    options = parser.parse_args(arguments)
    parts = options.parts.split(",")
    if unknown := sorted(set(parts) - {*PARTS, "scores"}):
        parser.error(f"no part is called {unknown[0]}; there are {', '.join(PARTS)} and scores.")
    names = (
        sorted(path.name for path in MODELS.iterdir() if path.is_dir()) if "all" in options.models else options.models
    )
    if options.dataset and len(names) > 1:
        parser.error("--dataset is for one model.")
    for name in names:
        describe(name, parts, options.dataset, options.again, options.split)


if __name__ == "__main__":
    main()
