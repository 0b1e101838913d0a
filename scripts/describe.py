"""Measures what a published model's card says besides its training, into `measured.json` of its folder.

    TFDS_DATA_DIR=... python scripts/describe.py sentiment-gru-imdb translate-gru-multi30k-en-de
    python scripts/describe.py --parts latency all     on a quiet machine

Parts: `scores` of the saved weights on the test split with a bootstrap interval, `baselines` on the same split, `shown`
(three inputs with their answers), `limits` (inputs far from the training data), `latency`, and `curves`, which draws
the learning curves anew from `history.csv`. Nothing here chooses anything: the test scores are those of a model that is
published already. What is not asked for stays as it was. `scripts/render.py` writes the cards afterwards.
"""

import argparse
import csv
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import cards, evaluation, figures, legacy, saved
from zoo.comparison import statistics
from zoo.report import write as reports
from zoo.saved import SavedModel
from zoo.storage import model_card, stored

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "saved_models"

REPEATS = 30
"""Answers to one input whose median is the latency."""


def scores(model: SavedModel) -> dict[str, Any]:
    """Scores of the saved weights, and the interval of the one by which models are compared."""
    found = evaluation.evaluate(model)
    examples = found.pop("examples")
    found.pop("examples_per_second")
    rows = evaluation.example_statistics(model)
    low, high = statistics.interval(rows, model.installed.task.combine)
    interval = {"score": model.installed.task.monitor, "low": low, "high": high, "draws": statistics.DRAWS}
    return {"scores": found, "examples": int(examples), "interval": interval}


def baselines(model: SavedModel) -> dict[str, Any]:
    """What simple methods reach."""
    found = model.installed.task.baselines(model, evaluation.data(model), "test")
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
    "scores": scores,
    "baselines": baselines,
    "latency": latency,
}


def machine() -> dict[str, Any]:
    """Where this runs, as `metrics.json` has it."""
    versions = {"keras": keras.version(), "backend": keras.backend.backend(), "python": platform.python_version()}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"machine": {"cores": cores, "processor": platform.machine()}, "versions": versions}


def describe(name: str, parts: list[str]) -> None:
    """Measures some parts of a model; each is kept as soon as it is there."""
    model = saved.load(MODELS / name)
    file = model.path / cards.MEASURED
    for part in parts:
        print(f"{time.strftime('%H:%M:%S')} {name}: {part}", flush=True)
        found = PARTS[part](model)
        stored = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        new = file.with_suffix(".new")
        text = json.dumps({**stored, **found, **machine()}, indent=1, ensure_ascii=False)
        new.write_text(text + "\n", encoding="utf-8")
        new.replace(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("models", nargs="+", help="Names of published models, or all.")
    parser.add_argument("--parts", default="curves,shown,limits,scores,baselines", help=f"Of {', '.join(PARTS)}.")
    options = parser.parse_args()
    names = (
        sorted(path.name for path in MODELS.iterdir() if path.is_dir()) if "all" in options.models else options.models
    )
    for name in names:
        describe(name, options.parts.split(","))


if __name__ == "__main__":
    main()
