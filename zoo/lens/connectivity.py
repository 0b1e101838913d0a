"""`zoo lens connectivity`: how much each earlier character counts for what a language model writes next.

Reference:
    Madsen, "Visualizing memorization in RNNs", Distill (2019): the connectivity is the norm of the gradient of the
    predicted output by the embedded inputs.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from zoo import engine, figures
from zoo.errors import UserError
from zoo.ids import START
from zoo.lens.autodiff import gradient
from zoo.lens.language import language_model, tokens_of
from zoo.lens.settings import Connectivity
from zoo.saved import SavedModel
from zoo.terminal import shades

MAX_TOKENS = 1_000
"""Most tokens of a text: with more, the picture cannot be read."""

CANDIDATES = 5
"""How many of the most probable next tokens are printed."""

STRONGEST = 10
"""How many tokens the table has."""


@dataclass(frozen=True)
class Connections:
    """What a text means for the next token.

    Attributes:
        tokens: Of the text.
        norms: Norm of d log p(the most probable next token) / d embedded input, for each token.
        candidates: The most probable next tokens and their probabilities, from the most probable on.
        continuation: What the model writes, always the most probable token.
    """

    tokens: Sequence[str]
    norms: np.ndarray
    candidates: Sequence[tuple[str, float]]
    continuation: str


def log_probability(model: Any, target: int) -> Any:
    """Log-probability of a next token, as a function of the embedded inputs `(1, time, features)`."""

    def function(embedded: Any) -> Any:
        hidden = model.recurrent(embedded, training=False, return_state=False)
        logits = model.output_layer(hidden) if model.output_layer is not None else model._logits(hidden)
        return ops.log_softmax(ops.cast(logits[0, -1], "float32"))[target]

    return function


def connect(saved: SavedModel, text: str, new_tokens: int = 40) -> Connections:
    """Reads a text from its beginning and traces the next token back to it.

    Args:
        saved: A language model.
        text: The text.
        new_tokens: Length of the continuation.

    Raises:
        UserError: If it is no language model, or the text is empty or too long.
    """
    model = language_model(saved)
    tokens, ids = tokens_of(saved, text)
    if len(ids) > MAX_TOKENS:
        raise UserError(f"The text has {len(ids):,} tokens; at most {MAX_TOKENS:,} are shown. Give a shorter one.")
    read = np.array([[START, *ids]], "int32")
    log_probabilities = ops.convert_to_numpy(model.step(*_last(model, read))[0])[0].astype("float64")
    best = np.argsort(log_probabilities)[::-1][:CANDIDATES]
    embedded = ops.convert_to_numpy(model.embedding(ops.convert_to_tensor(read), training=False))
    with engine.plain_only():
        by_input = gradient(log_probability(model, int(best[0])), embedded.astype("float32"))
    tokenizer = saved.assets["tokenizer"]
    new = ops.convert_to_numpy(model.generate(read, max_new_tokens=new_tokens, temperature=0.0, seed=0))[0]
    before, after = tokenizer.decode([ids, [*ids, *(int(token) for token in new)]])
    return Connections(
        tokens,
        np.linalg.norm(by_input[0, 1:].astype("float64"), axis=-1),
        [(tokenizer.decode([[int(token)]])[0], float(np.exp(log_probabilities[token]))) for token in best],
        after[len(before) :],
    )


def _last(model: Any, read: np.ndarray) -> tuple[Any, list]:
    """The last token of a text, and the states before it."""
    states = model.begin(1)
    if read.shape[1] > 1:
        _, states = model.read(ops.convert_to_tensor(read[:, :-1]), states, training=False)
    return ops.convert_to_tensor(read[:, -1]), states


def show_connectivity(config: Connectivity, models: Sequence[SavedModel]) -> Iterator[str]:
    """The text shaded by what counts, the strongest tokens, the next ones, and the continuation."""
    (saved,) = models
    found = connect(saved, config.text, config.max_new_tokens)
    shares = found.norms / (found.norms.max() or 1.0)
    next_token, probability = found.candidates[0]
    title = f"What counts for the next token, {shades.visible(next_token)} (p = {probability:.2f})"
    figures.draw_text(
        Path(config.plot),
        [(title, list(shades.rows(found.tokens, shares)))],
        note=f"writes on: {''.join(map(shades.visible, found.continuation))}",
    )
    if config.html:
        panel = (title, zip(found.tokens, shares, strict=True))
        shades.write_page(config.html, saved.path.name, shades.LEGEND, [panel])
    if config.json:
        facts = {
            "tokens": list(found.tokens),
            "norms": [float(f"{norm:.6g}") for norm in found.norms],
            "next": [{"token": token, "probability": round(value, 6)} for token, value in found.candidates],
        }
        yield json.dumps({**facts, "continuation": found.continuation, "figure": config.plot}, ensure_ascii=False)
        return
    yield from shades.explained(found.tokens, shares)
    yield f"next: {', '.join(f'{shades.visible(token)} {value:.2f}' for token, value in found.candidates)}"
    yield f"strongest: {_strongest(found.tokens, shares)}"
    yield f"half of all connectivity lies in the last {_half(found.norms)} of {len(shares)} tokens"
    yield f"writes on: {found.continuation}"
    yield config.plot


def _strongest(tokens: Sequence[str], shares: np.ndarray) -> str:
    """The tokens that count most, with how many steps back they are, relative to the strongest."""
    order = np.argsort(-shares, kind="stable")[:STRONGEST]
    return ", ".join(f"{shades.visible(tokens[i])} {len(tokens) - i} back {shares[i]:.2f}" for i in order)


def _half(norms: np.ndarray) -> int:
    """How many of the last tokens have half of the sum of all norms."""
    return int(np.searchsorted(np.cumsum(norms[::-1]), norms.sum() / 2)) + 1
