"""How fast each cell trains here, relative to `lstm`: the numbers that `zoo list cells` shows.

    python scripts/bench_cells.py --json zoo/cells/speed.json   # about two minutes on two quiet cores
    python scripts/bench_cells.py --cells gru,slstm

One training step (forward, backward, Adam) of a layer of 128 units over 64 rows of 100 steps with 128 features. Each
cell is timed in turn with `lstm`, so that whatever else the machine does hits both. A speed is the best time of `lstm`
over the cell's best time. Cells that were measured before and are not named now keep their numbers in the file.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

BATCH, STEPS, FEATURES, UNITS = 64, 100, 128, 128
SETTING = f"{BATCH} rows, {STEPS} steps, {FEATURES} features, {UNITS} units, {{cores}} CPU cores"


def training_step(name: str):
    """A function that trains a layer of the cell for one step."""
    import keras
    import numpy as np

    from zoo import layers

    model = keras.Sequential(
        [keras.Input((STEPS, FEATURES)), layers.Recurrent(name, UNITS), keras.layers.GlobalAveragePooling1D()]
    )
    model.compile("adam", "mse")
    random = np.random.default_rng(0)
    inputs = random.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    targets = random.normal(size=(BATCH, UNITS)).astype("float32")
    return lambda: model.train_on_batch(inputs, targets)


def best(step, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(names: list[str], seconds: float) -> dict[str, float]:
    """Speeds relative to `lstm`, by name."""
    lstm = training_step("lstm")
    speeds = {"lstm": 1.0}
    for name in names:
        if name == "lstm":
            continue
        step = training_step(name)
        best(lstm, 2), best(step, 2)  # builds, compiles, warms up
        theirs, ours = [], []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(theirs) < 3:
            ours.append(best(lstm, 3))
            theirs.append(best(step, 3))
        speeds[name] = round(min(ours) / min(theirs), 3)
        line = f"{name:16} {1000 * min(theirs):8.1f} ms, lstm {1000 * min(ours):8.1f} ms, {speeds[name]:.2f} x"
        print(line, file=sys.stderr, flush=True)
    return speeds


def main() -> None:
    from zoo import cells

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="File for the numbers.")
    parser.add_argument("--cells", help="Cells, separated by commas; default all.")
    parser.add_argument("--seconds", type=float, default=3.0, help="Seconds for each cell.")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    names = options.cells.split(",") if options.cells else list(cells.TABLE)
    speeds = measure(names, options.seconds)
    if options.json:
        before = json.loads(options.json.read_text(encoding="utf-8"))["cells"] if options.json.is_file() else {}
        both = {**before, **speeds}
        kept = {name: both[name] for name in cells.TABLE if name in both}
        result = {"setting": SETTING.format(cores=os.cpu_count()), "cells": kept}
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
