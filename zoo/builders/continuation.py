"""A language model goes on: prompts in, new tokens out."""

import random
from typing import Any

import keras
import numpy as np

from zoo.builders.searcher import searcher
from zoo.errors import UserError
from zoo.ids import END, PAD


def continued(
    model: keras.Model,
    prompts: Any,
    max_new_tokens: int,
    beam_size: int | None,
    seed: int | None,
    sampling: dict[str, Any],
) -> np.ndarray:
    """What `LanguageModel.generate` returns; its arguments are explained there."""
    context, last = split_prompts(prompts)
    given: dict[str, Any] = {"inputs": context, "start": last}
    if beam_size is None:
        options = {"end": END, "max_new_tokens": max_new_tokens, **sampling}
        drawn = random.randrange(2**31) if seed is None else seed
        result = searcher(model, "sample", **options).predict_on_batch({**given, "seed": np.array(drawn, "int32")})
        return np.asarray(result["tokens"], "int32")
    if beam_size == 1:
        result = searcher(model, "greedy", end=END, max_new_tokens=max_new_tokens).predict_on_batch(given)
        return np.asarray(result["tokens"], "int32")
    found = searcher(model, "beam", **beam_options(beam_size, max_new_tokens)).predict_on_batch(given)
    return np.asarray(found["tokens"], "int32")[:, 0]


def beam_options(beam_size: int, max_new_tokens: int) -> dict[str, Any]:
    """Options of beam search; a length penalty of 1 compares continuations by their log-probability per token."""
    return {
        "end": END,
        "max_new_tokens": max_new_tokens,
        "beam_size": beam_size,
        "num_return": 1,
        "length_penalty": 1.0,
    }


def split_prompts(prompts: Any) -> tuple[np.ndarray, np.ndarray]:
    """All tokens of each prompt but its last, `(batch, time)` padded on the right, and the last ones, `(batch,)`.

    Raises:
        UserError: If there is no prompt, or one has no token.
    """
    rows = [np.asarray(row, "int32").reshape(-1) for row in prompts]
    rows = [row[row != PAD] for row in rows]
    for number, row in enumerate(rows):
        if not len(row):
            raise UserError(f"Prompt {number} is empty. Begin it with the start token, 2, if nothing else is given.")
    if not rows:
        raise UserError("There are no prompts to continue: give ids of shape (batch, time).")
    # One step of padding at least: a recurrent layer reads one step or more.
    context = np.zeros((len(rows), max(max(map(len, rows)) - 1, 1)), "int32")
    for place, row in zip(context, rows, strict=True):
        place[: len(row) - 1] = row[:-1]
    return context, np.array([row[-1] for row in rows], "int32")
