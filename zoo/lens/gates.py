"""`zoo lens gates`: the openness of each gate of a trained model at each token of a text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from keras import ops

from zoo import figures
from zoo.cells.cell import Cell
from zoo.errors import UserError
from zoo.lens import nets, tables
from zoo.lens.settings import Gates
from zoo.saved import SavedModel
from zoo.terminal import shades

OPENNESS = "Mean openness of a gate: 1 is open, 0 is closed."
"""What the numbers are."""

MAX_TOKENS = 400
"""Most tokens of a text: with more, the plot cannot be read."""


def gate_values(cell: Cell, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """The gates of a cell along one sequence.

    Args:
        cell: A built cell.
        inputs: `(time, features)`.

    Returns:
        Gate name -> `(time, units)`; empty for a cell without gates.
    """
    net = nets.Net(cell.name, cell, inputs[None])
    before = net.states()[:-1, 0]  # (time, states * units): with the states known, the steps are rows of one batch
    values = cell.gate_values(ops.convert_to_tensor(inputs), net.split(ops.convert_to_tensor(before)))
    return {name: ops.convert_to_numpy(openness) for name, openness in values.items()}


def read(saved: SavedModel, text: str, layer: int = 1) -> tuple[list[str], dict[str, np.ndarray]]:
    """The tokens of a text, and the gates at each of them in the forward direction.

    Args:
        saved: A model with a tokenizer and a layer "recurrent".
        text: The text that the model reads.
        layer: Number of the recurrent layer, from 1 on.

    Returns:
        The tokens as they are in the text, and gate name -> `(tokens, units)`.

    Raises:
        UserError: If the model has no gates, no such layer or does not read text, or the text is empty or too long.
    """
    recurrent = nets.layer_of(saved)
    if "tokenizer" not in saved.assets or not saved.assets["tokenizer"].splits:
        raise UserError(f"{saved.path.name} does not read plain text; take a model of sentiment or charlm.")
    if layer > recurrent.num_layers:
        layers = f"{recurrent.num_layers} recurrent layers"
        raise UserError(f"{saved.path.name} has {layers}; --layer {layer} does not exist.")
    pieces = saved.assets["tokenizer"].encode_with_offsets(text)
    if not pieces:
        raise UserError("The text is empty: give some words to read.")
    if len(pieces) > MAX_TOKENS:
        raise UserError(f"The text has {len(pieces):,} tokens; a plot shows at most {MAX_TOKENS}. Give a shorter one.")
    run = recurrent.runs[layer - 1][0]
    cell = nets.cell_of(run)
    inputs = nets.inputs_of(saved, run, np.array([[token for token, _, _ in pieces]]))
    gates = gate_values(cell, inputs[0]) if isinstance(cell, Cell) else {}
    if not gates:
        raise UserError(
            f"{saved.path.name} has no gates: its cell is {saved.recipe.cell!r}. "
            "Train one with --cell lstm or --cell gru."
        )
    return [text[start:end] for _, start, end in pieces], gates


def show_gates(config: Gates, models: Sequence[SavedModel]) -> Iterator[str]:
    """A row for each token with the mean of each gate, and the tokens that open or close it most."""
    (saved,) = models
    tokens, gates = read(saved, config.text, config.layer)
    shown = [shades.visible(token) for token in tokens]
    figures.draw_gates(
        Path(config.plot), gates, shown, title=f"Gates of {saved.path.name}, layer {config.layer}, over a text"
    )
    means = {name: values.mean(axis=1) for name, values in gates.items()}
    if config.html:
        panels = [(f"{name} gate", zip(tokens, mean, strict=True)) for name, mean in means.items()]
        shades.write_page(config.html, saved.path.name, f"{OPENNESS} {shades.LEGEND}", panels)
    if config.json:
        rounded = {name: [round(float(value), 6) for value in mean] for name, mean in means.items()}
        yield json.dumps({"tokens": tokens, "gates": rounded, "figure": config.plot}, ensure_ascii=False)
        return
    yield from tables.table(
        ["token", *gates],
        [[token, *(f"{mean[place]:.2f}" for mean in means.values())] for place, token in enumerate(shown)],
    )
    yield from _extremes(shown, means)
    if shades.has_color():
        for name, mean in means.items():
            yield f"{name} gate:"
            yield from shades.shaded(tokens, mean, color=True)
        yield f"{OPENNESS} {shades.LEGEND}"
    yield config.plot


def _extremes(tokens: list[str], means: Mapping[str, np.ndarray]) -> Iterator[str]:
    for name, mean in means.items():
        by_token = {token: float(mean[[other == token for other in tokens]].mean()) for token in dict.fromkeys(tokens)}
        ranked = sorted(by_token, key=lambda token: by_token[token])
        least, most = ranked[0], ranked[-1]
        yield f"{name} gate: most open at {most} ({by_token[most]:.2f}), least open at {least} ({by_token[least]:.2f})"
