"""Measures exported models beside Keras, and adds the result to `scripts/measured.json`.

    TFDS_DATA_DIR=... python scripts/bench_runtime.py

Sentences per second of greedy translation at batch 1, and milliseconds of sentiment at batch 32: by ONNX Runtime, by
Keras, and by Keras without the kernels of `zoo.engine`, in a process of their own for each side, in turn. Seconds of a
whole `zoo sentiment` and `zoo translate` of one input with the exported model, wall and CPU, in a fresh process. The
folder of data sets needs imdb_reviews and multi30k. Nothing else should run.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import measured
import numpy as np

SENTIMENT, TRANSLATE = "sentiment-gru-imdb", "translate-gru-multi30k-en-de"

SIDES = {"onnx": {}, "keras": {}, "plain": {"ZOO_ENGINE": "plain"}}
"""Name of a side -> its environment."""

ROUNDS = 3
"""Times each measurement is taken, in turn with the others; the median counts."""

COLD = {
    "sentiment": ["sentiment", "--model", SENTIMENT, "a fine film"],
    "translate": ["translate", "--model", TRANSLATE, "Two dogs run on the grass."],
}
"""Commands that are measured from start to end, after one that makes the export and fills the disk's cache."""

SENTENCES, BATCHES, BATCH = 200, 20, 32
"""What one round translates, and how many batches of reviews it classifies."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", choices=tuple(SIDES), help=argparse.SUPPRESS)  # measures it in this process
    options = parser.parse_args()
    if options.side:
        print(json.dumps(_measured_here(options.side)))
        return
    with tempfile.TemporaryDirectory() as cache:
        result = _all({**os.environ, "XDG_CACHE_HOME": cache})
    stored = measured.read()
    stored["runtime"] = result
    measured.write(stored)
    print(json.dumps(result))


def _all(environment: dict[str, str]) -> dict[str, Any]:
    """All measurements.

    Args:
        environment: With a cache of its own, where the exports go.
    """
    for arguments in COLD.values():
        _command(arguments, environment)
    taken: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for side, variables in SIDES.items():
            command = [sys.executable, __file__, "--side", side]
            done = subprocess.run(command, env=environment | variables, stdout=subprocess.PIPE, text=True, check=True)
            for name, value in json.loads(done.stdout.splitlines()[-1]).items():
                taken.setdefault(f"{name}_{side}", []).append(value)
        for name, arguments in COLD.items():
            wall, processor = _command(arguments, environment)
            taken.setdefault(f"{name}_cold_seconds", []).append(wall)
            taken.setdefault(f"{name}_cold_cpu_seconds", []).append(processor)
    return {name: round(median(values), 2) for name, values in taken.items()} | {"cores": os.cpu_count()}


def _command(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of `zoo` in a fresh process."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "zoo", *arguments, "--runtime", "onnx"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.count("\n") == 1, "one input has one line"
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _measured_here(side: str) -> dict[str, Any]:
    """Both speeds, in this process."""
    from zoo import runtime, saved

    load = runtime.load if side == "onnx" else saved.load
    return {"translate_batch1_per_second": _translations(load), "sentiment_batch32_ms": _reviews(load)}


def _translations(load: Any) -> float:
    """Sentences per second, greedy, one at a time, after a round that compiles."""
    model = load(TRANSLATE)
    rows = _rows(model, SENTENCES)
    search = {**model.assets["search"], "beam_size": 1}
    return len(rows) / _seconds([lambda row=row: model.net.search(row[None], **search) for row in rows])


def _reviews(load: Any) -> float:
    """Milliseconds of a batch, on average over batches of reviews as they come, after a round that compiles."""
    from zoo.data import text

    model = load(SENTIMENT)
    batches = [text.pad(rows) for rows in text.in_batches(_rows(model, BATCHES * BATCH), BATCH)]
    runs = [lambda batch=batch: model.net.predict_on_batch(batch) for batch in batches]
    return 1000 * _seconds(runs) / len(batches)


def _rows(model: Any, count: int) -> list[np.ndarray]:
    """Ids of the first inputs of the test split, without padding."""
    from zoo.export import parity
    from zoo.ids import PAD

    batches, source = parity.test_batches(model, count)
    assert source["dataset"] == model.recipe.dataset, f"{model.recipe.dataset} is not here, only {source['dataset']}"
    rows = [
        row for batch in batches for row, weight in zip(parity.inputs_of(batch)[0], batch[-1], strict=True) if weight
    ]
    return [row[row != PAD] for row in rows]


def _seconds(runs: list[Callable[[], Any]]) -> float:
    """Seconds of all runs together, the second time."""
    for run in runs:
        run()
    began = time.perf_counter()
    for run in runs:
        run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
