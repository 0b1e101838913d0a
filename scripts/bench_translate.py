"""Measures translation on test_2016_flickr, and training, and adds the result to `scripts/measured.json`.

    TFDS_DATA_DIR=... python scripts/bench_translate.py translate-gru-multi30k-en-de [--joey JOEY_PYTHON CONFIG]

Sentences per second for greedy search and beam 5, batch 1 and batch 64; seconds of the whole `zoo translate` command;
target tokens per second of training. With `--joey`, Joey NMT's own test run of a trained model stands beside them,
measured in turn with ours on the same machine: `JOEY_PYTHON -m joeynmt test CONFIG`, which decodes validation and test.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import measured
import numpy as np

ROUNDS = 3
"""Times each measurement is taken, in turn with the others; the median counts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--joey", nargs=2, metavar=("PYTHON", "CONFIG"))
    options = parser.parse_args()

    from zoo import saved

    loaded = saved.load(options.model)
    sentences, rows = _sentences(loaded)
    ways = {(beam, size): len(rows) if size > 1 else 200 for beam in (1, 5) for size in (64, 1)}
    for beam, size in ways:  # compiles
        _decode(loaded, rows[: 2 * size], beam, size)
        _decode(loaded, rows[-2 * size :], beam, size)
    taken: dict[Any, list[float]] = {}
    for _ in range(ROUNDS):
        for (beam, size), count in ways.items():
            taken.setdefault((beam, size), []).append(count / _decode(loaded, rows[:: len(rows) // count], beam, size))
        taken.setdefault("command", []).append(_command(options.model, sentences))
        if options.joey:
            taken.setdefault("joey", []).append(_joey(*options.joey))
    result = {
        "sentences": len(sentences),
        **{f"beam{beam}_batch{size}": round(median(taken[beam, size]), 1) for beam, size in ways},
        "command_seconds": round(median(taken["command"]), 1),
        "training_tokens_per_second": round(_training(loaded)),
        "cores": os.cpu_count(),
    }
    if options.joey:
        both = {"joey": round(median(taken["joey"]), 1), "ours": result["beam5_batch64"]}
        result["beside_joey_beam5_batch64"] = both
    stored = measured.read()
    # A pair of one run stays true when a later run measures without Joey NMT.
    kept = stored.get("translate", {}).get(options.model, {}).get("beside_joey_beam5_batch64")
    result = {"beside_joey_beam5_batch64": kept, **result} if kept else result
    stored.setdefault("translate", {})[options.model] = result
    measured.write(stored)
    print(json.dumps(result))


def _sentences(loaded: Any) -> tuple[list[str], list[list[int]]]:
    """The source sentences of the test split, and their ids, longest first."""
    from zoo.tasks.translate.encoding import source_encoder
    from zoo.tasks.translate.raw import open_pairs

    pairs = open_pairs(loaded.recipe.dataset, loaded.recipe.reverse, loaded.recipe.source)
    texts = [source.decode() for source, _ in pairs.split("test").as_numpy_iterator()]
    rows = source_encoder(loaded.assets, loaded.recipe.max_length)(texts)
    return texts, sorted(rows, key=len, reverse=True)


def _decode(loaded: Any, rows: list[list[int]], beam: int, size: int) -> float:
    """Seconds to translate rows in batches."""
    from zoo import builders
    from zoo.data import text

    search = {**loaded.assets["search"], "beam_size": beam}
    began = time.perf_counter()
    for some in text.in_batches(rows, size):
        builders.search(loaded.net, text.pad(some), **search)
    return time.perf_counter() - began


def _command(model: str, sentences: list[str]) -> float:
    """Seconds of `zoo translate`, from start to end, with what it searches by default."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as stream:
        stream.write("\n".join(sentences) + "\n")
        stream.seek(0)
        began = time.perf_counter()
        command = [sys.executable, "-m", "zoo", "translate", "--model", model]
        done = subprocess.run(command, stdin=stream, capture_output=True, check=True, text=True)
        seconds = time.perf_counter() - began
    assert done.stdout.count("\n") == len(sentences), "a line is missing"
    return seconds


def _training(loaded: Any) -> float:
    """Target tokens per second of a training step, over batches as a training draws them."""
    task = loaded.installed.task
    data = task.load(loaded.recipe, loaded.assets)
    model = task.stages(loaded.recipe, data)[0].build(loaded.recipe, data)
    tokens = seconds = 0.0
    for number, (inputs, targets, weights) in enumerate(data.train(0).take(60)):
        began = time.perf_counter()
        model.train_on_batch(tuple(map(np.asarray, inputs)), np.asarray(targets), np.asarray(weights))
        if number >= 20:  # the first ones compile
            seconds += time.perf_counter() - began
            tokens += int((np.asarray(targets) != 0).sum())
    return tokens / seconds


def _joey(python: str, config: str) -> float:
    """Sentences per second of Joey NMT's decoding of the test split, as it reports the seconds itself."""
    command = [python, "-m", "joeynmt", "test", Path(config).name]
    done = subprocess.run(command, cwd=Path(config).parent, capture_output=True, check=True, text=True)
    output = done.stdout + done.stderr
    seconds = re.findall(r"(?:took|in) (\d+(?:\.\d+)?)\s*\[?s", output)
    assert seconds, f"no seconds in what Joey NMT says:\n{output[-2000:]}"
    return 1000 / float(seconds[-1])


if __name__ == "__main__":
    main()
