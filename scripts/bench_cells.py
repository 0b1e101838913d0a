"""Measures a training step of every cell: embedding, one recurrent layer, softmax over two labels.

    python scripts/bench_cells.py [--backend jax]

Batch 64, 200 steps of time, 64 -> 128 units, one direction, as in the usual IMDb example. Each figure is the median of
several timed steps after two warm-up steps. Adds its rows to `scripts/measured.json`.
"""

import argparse
import os
import statistics
import time

import measured

BATCH, STEPS, SIZE, UNITS, TIMED = 64, 200, 64, 128, 8


def measure(cell: str) -> dict:
    import keras
    import numpy as np

    from zoo import builders

    model = builders.classifier(10_000, 2, cell, UNITS, embedding=SIZE, bidirectional=False)
    fused = model.get_layer("recurrent").fused
    jit = keras.backend.backend() != "tensorflow"
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=jit)
    rng = np.random.default_rng(0)
    tokens = rng.integers(2, 10_000, (BATCH, STEPS)).astype("int32")
    labels = rng.integers(0, 2, BATCH)
    seconds = []
    for step in range(TIMED + 2):
        began = time.perf_counter()
        model.train_on_batch(tokens, labels)
        if step >= 2:
            seconds.append(time.perf_counter() - began)
    return {
        "cell": cell,
        "backend": keras.backend.backend(),
        "path": "Keras's layer" if fused else "loop over the cell",
        "sequences_per_second": round(BATCH / statistics.median(seconds), 1),
        "cores": os.cpu_count(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="tensorflow", choices=("tensorflow", "jax"))
    os.environ["KERAS_BACKEND"] = backend = parser.parse_args().backend
    from zoo import cells

    rows = [measure(cell) for cell in cells.TABLE]
    stored = measured.read()
    others = [row for row in stored.get("train_step", []) if row["backend"] != backend]
    stored["train_step"] = sorted([*others, *rows], key=lambda row: (row["backend"], row["cell"]))
    measured.write(stored)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
