"""Saved models without Keras and TensorFlow: exported graphs run by ONNX Runtime, from cold in about a second.

    from zoo import runtime

    model = runtime.load("sentiment-gru-imdb")     # once exported: `zoo export MODEL --format onnx`
    model.predict("a fine film")

What comes back is as from `zoo.saved.load`; `model.net` has the methods of the Keras model that predictions and scores
use, and `zoo.decoding` searches over its steps, on numpy. Importing this package imports nothing heavy.
"""

from pathlib import Path
from typing import Any


def load(model: str | Path, models_dir: str | Path | None = None) -> Any:
    """Loads the ONNX export of a saved model; see `zoo.runtime.loading.load`."""
    from zoo.runtime import loading

    return loading.load(model, models_dir)
