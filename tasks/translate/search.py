"""Batches of source ids to batches of translations, by a compiled search."""

from typing import Any

import keras
import numpy as np

from zoo import builders
from zoo.text import END, START

LARGE = 16
"""Sentences of a batch that is worth halving, which asks for a longer compilation, while they come to their ends."""


def translated(
    models: keras.Model | tuple[keras.Model, ...],
    tokens: np.ndarray,
    *,
    beam: int = 5,
    penalty: float = 0.6,
    coverage: float = 0.0,
    nbest: int = 1,
    length: int = 100,
    prefix: np.ndarray | None = None,
    attention: bool = False,
) -> dict[str, np.ndarray]:
    """Translates a batch.

    Args:
        models: A translator, or several of one vocabulary.
        tokens: Source ids `(batch, time)`, the end token last, padded with 0.
        beam: Width; 1 is greedy search.
        penalty: Exponent of the length normalisation.
        coverage: Weight of the coverage penalty.
        nbest: Translations of each sentence.
        length: Most tokens of a translation, its end included.
        prefix: Ids that every translation begins with, `(batch, time)`.
        attention: Record where the decoder looked.

    Returns:
        `tokens` `(batch, nbest, length)`, and `scores`, `log_probabilities`, `lengths`, `attention` likewise.
    """
    options: dict[str, Any] = {"start": START, "end": END, "length": length}
    if attention or coverage:
        options["record"] = "attention"
    if beam > 1 or nbest > 1:
        search = "beam"
        more = {"width": max(beam, nbest), "nbest": nbest, "penalty": penalty, "coverage": coverage}
        if len(tokens) >= LARGE:
            more["halvings"] = 2
    else:
        search, more = "greedy", {}
    inputs = {"inputs": tokens} if prefix is None else {"inputs": tokens, "prefix": prefix}
    found = builders.searcher(models, search, **options, **more).predict_on_batch(inputs)
    return found if more else {name: value[:, None] for name, value in found.items()}
