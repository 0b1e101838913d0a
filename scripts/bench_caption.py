"""Measures captioning of a test split, and an epoch of training, and adds the result to `scripts/measured.json`.

    TFDS_DATA_DIR=... python scripts/bench_caption.py caption-gru-flickr8k

Seconds to read, see and describe all test pictures by the beam the model was scored with; seconds of an epoch over all
training captions with features from the disk (they are computed first if they are not there, which is not counted).
"""

import argparse
import dataclasses
import json
import os
import time
from typing import Any

import measured
import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    options = parser.parse_args()

    from zoo import saved, training

    loaded = saved.load(options.model)
    scores = training.evaluate(loaded)
    # The encoder is that of the model, whose first file may lie elsewhere now.
    frozen = {"init_from": str(loaded.path), "fine_tune": False, "random_flip": False}
    captions, seconds = _epoch(loaded, dataclasses.replace(loaded.recipe, **frozen))
    result = {
        "pictures": scores["examples"],
        "beam": loaded.assets["search"]["beam_size"],
        "test_seconds": round(scores["examples"] / scores["examples_per_second"], 1),
        "captions": captions,
        "epoch_seconds": round(seconds, 1),
        "cores": os.cpu_count(),
    }
    stored = measured.read()
    stored.setdefault("caption", {})[options.model] = result
    measured.write(stored)
    print(json.dumps(result))


def _epoch(loaded: Any, recipe: Any) -> tuple[int, float]:
    """Captions of an epoch, and its seconds once everything is compiled and the features are there."""
    task = loaded.installed.task
    data = task.load(recipe)
    stage = task.stages(recipe, data)[0]
    model = stage.build(stage.recipe, stage.data)
    for inputs, targets, weights in data.train(1).take(40):
        model.train_on_batch(inputs, targets, weights)
    began, captions = time.perf_counter(), 0
    for inputs, targets, weights in data.train(0):
        model.train_on_batch(inputs, targets, weights)
        captions += int(np.asarray(targets).any(axis=-1).sum())
    return captions, time.perf_counter() - began


if __name__ == "__main__":
    main()
