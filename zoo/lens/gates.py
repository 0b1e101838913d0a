"""`zoo lens gates`: how far each gate of a trained model is open at each token of a text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from keras import ops

from zoo.cells.cell import Cell
from zoo.errors import UserError
from zoo.lens import figures, nets, tables
from zoo.lens.settings import Gates
from zoo.saved import SavedModel

MOST = 400
"""Tokens of a text: more would make no picture that can be read."""


def gate_values(cell: Cell, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """The gates of a cell along one sequence.

    Args:
        cell: A built cell.
        inputs: `(time, features)`.

    Returns:
        Gate name -> `(time, units)`; empty for a cell without gates.
    """
    state = cell.get_initial_state(batch_size=1)
    found: dict[str, list[np.ndarray]] = {}
    for step in inputs:
        row = ops.convert_to_tensor(step[None])
        for name, values in cell.gate_values(row, state).items():
            found.setdefault(name, []).append(ops.convert_to_numpy(values)[0])
        _, state = cell(row, state)
    return {name: np.stack(values) for name, values in found.items()}


def read(saved: SavedModel, text: str, layer: int = 1) -> tuple[list[str], dict[str, np.ndarray]]:
    """Tokens of a text, and the gates at each of them in the forward direction.

    Args:
        saved: A model with a tokenizer and a layer "recurrent".
        text: What it reads.
        layer: Which of several recurrent layers, from 1 on.

    Returns:
        The tokens as they stand in the text, and gate name -> `(tokens, units)`.

    Raises:
        UserError: If the model has no gates, no such layer or does not read text, or the text is empty or too long.
    """
    recurrent = nets.layer_of(saved)
    if "tokenizer" not in saved.assets:
        raise UserError(f"{saved.path.name} does not read text; take a model of sentiment or charlm.")
    if layer > recurrent.depth:
        raise UserError(f"{saved.path.name} has {recurrent.depth} recurrent layers; --layer {layer} is not among them.")
    pieces = saved.assets["tokenizer"].pieces(text)
    if not pieces:
        raise UserError("The text is empty: give some words to read.")
    if len(pieces) > MOST:
        raise UserError(f"The text has {len(pieces):,} tokens; a picture shows {MOST} at most. Give a shorter one.")
    run = recurrent.runs[layer - 1][0]
    cell = nets.cell_of(run)
    inputs = nets.inputs_of(saved, run, np.array([[token for token, _, _ in pieces]]))
    gates = gate_values(cell, inputs[0]) if isinstance(cell, Cell) else {}
    if not gates:
        raise UserError(
            f"{saved.path.name} has no gates to look at: its cell is {saved.recipe.cell!r}. "
            "Train one with --cell lstm or --cell gru."
        )
    return [text[start:end] for _, start, end in pieces], gates


def show_gates(ask: Gates, models: Sequence[SavedModel]) -> Iterator[str]:
    """A row for each token with the mean of each gate, and which tokens open or shut it most."""
    (saved,) = models
    tokens, gates = read(saved, ask.text, ask.layer)
    shown = [_visible(token) for token in tokens]
    figures.draw_gates(Path(ask.out), gates, shown)
    means = {name: values.mean(axis=1) for name, values in gates.items()}
    if ask.json:
        told = {name: [round(float(value), 6) for value in mean] for name, mean in means.items()}
        yield json.dumps({"tokens": tokens, "gates": told, "figure": ask.out}, ensure_ascii=False)
        return
    yield from tables.table(
        ["token", *gates],
        [[token, *(f"{mean[place]:.2f}" for mean in means.values())] for place, token in enumerate(shown)],
    )
    yield from _extremes(shown, means)
    yield ask.out


def _extremes(tokens: list[str], means: Mapping[str, np.ndarray]) -> Iterator[str]:
    for name, mean in means.items():
        by_token = {token: float(mean[[other == token for other in tokens]].mean()) for token in dict.fromkeys(tokens)}
        ranked = sorted(by_token, key=lambda token: by_token[token])
        shut, wide = ranked[0], ranked[-1]
        yield f"{name} gate: widest at {wide} ({by_token[wide]:.2f}), narrowest at {shut} ({by_token[shut]:.2f})"


def _visible(token: str) -> str:
    """Blanks and line ends as signs that can be seen; a dollar would begin a formula in a picture."""
    for sign, seen in ((" ", "␣"), ("\n", "↵"), ("\t", "⇥"), ("$", r"\$")):
        token = token.replace(sign, seen)
    return token or "∅"
