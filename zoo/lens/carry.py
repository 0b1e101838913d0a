"""`zoo lens carry`: what the state of a trained model carries from token to token.

The state of an LSTM is c_t = f_t * c_{t-1} + i_t * g_t, so that after T steps it is a sum with one term for each token:

    c_T = sum over t of (f_T * ... * f_{t+1}) * (i_t * g_t)

The same holds for every cell whose state is multiplied by a gate and added to, with its own gate in place of f.

Reference:
    Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), the constant error carousel; Gers, Schmidhuber and
    Cummins, "Learning to Forget" (2000), the forget gate.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import figures
from zoo.cells.arguments import split
from zoo.cells.cell import state_sizes
from zoo.errors import UserError
from zoo.lens import gates, nets, tables
from zoo.lens.settings import Carry
from zoo.saved import SavedModel
from zoo.terminal.shades import visible

Gates = Mapping[str, np.ndarray]


def _forget(values: Gates) -> np.ndarray:
    return values["forget"]


KEEPS: dict[str, tuple[int, Callable[[Gates], np.ndarray]]] = {
    "lstm": (1, _forget),
    "peephole_lstm": (1, _forget),
    "mogrifier_lstm": (1, _forget),
    "min_lstm": (0, _forget),
    "sru": (0, _forget),
    "ssru": (0, _forget),
    "gru": (0, lambda values: values["update"]),
    "min_gru": (0, lambda values: 1 - values["update"]),
}
"""Cell -> which of its states is the gated sum, and the factor that multiplies it, made of the cell's gates."""

SHOWN_UNITS = 12
"""Units of the state in the picture: those that change most."""


@dataclass(frozen=True)
class Carried:
    """A state along a text.

    Attributes:
        tokens: The tokens.
        states: The gated state after each token, `(tokens, units)`.
        shares: Share of the state after a token (row) that was written at a token (column), `(tokens, tokens)`; each
            row sums to 1, and later columns are 0.
    """

    tokens: Sequence[str]
    states: np.ndarray
    shares: np.ndarray


def terms(states: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """The terms whose sum is the state.

    Args:
        states: After each step, `(time, units)`; before the first it is zero.
        keep: What multiplies the state at each step, `(time, units)`.

    Returns:
        `(time, time, units)`: what is left after a step (first axis) of what an earlier one wrote (second axis).
    """
    before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
    written = states - keep * before
    left = np.zeros((len(states), *states.shape))
    for time in range(len(states)):
        if time:
            left[time] = left[time - 1] * keep[time]
        left[time, time] = written[time]
    return left


def read(saved: SavedModel, text: str, layer: int = 1) -> Carried:
    """What the forward direction of a layer carries along a text.

    Args:
        saved: A model that reads text.
        text: The text.
        layer: Number of the recurrent layer, from 1 on.

    Raises:
        UserError: If the model has no gated state, no such layer or does not read text, or the text is empty or too
            long.
    """
    tokens, values = gates.read(saved, text, layer)
    name, _ = split(saved.recipe.cell)
    run = nets.layer_of(saved).runs[layer - 1][0]
    cell = nets.cell_of(run)
    if name not in KEEPS or getattr(cell, "signed", False):
        raise UserError(
            f"{saved.path.name} has the cell {saved.recipe.cell!r}, whose state is no sum that one gate keeps. "
            f"Cells that can be shown: {', '.join(KEEPS)}."
        )
    place, factor = KEEPS[name]
    ids = np.array([[token for token, _, _ in saved.assets["tokenizer"].encode_with_offsets(text)]])
    every = nets.Net(name, cell, nets.inputs_of(saved, run, ids)).states()[1:, 0]  # (time, all states side by side)
    start = sum(state_sizes(cell)[:place])
    states = every[:, start : start + state_sizes(cell)[place]].astype("float64")
    sizes = np.abs(terms(states, factor(values).astype("float64"))).mean(axis=-1)  # (time, time)
    return Carried(tokens, states, sizes / np.maximum(sizes.sum(axis=1, keepdims=True), 1e-12))


def draw(carried: Carried, title: str, file: Path | None = None) -> Any:
    """Draws the state of the units that change most, and below it the shares.

    Args:
        carried: From `read`.
        title: Above the picture.
        file: A PNG file, or None for none.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    shown = [figures.label(visible(token)) for token in carried.tokens]
    count = len(shown)
    chosen = np.sort(np.argsort(np.ptp(carried.states, axis=0))[-SHOWN_UNITS:])
    limit = float(np.abs(carried.states[:, chosen]).max())
    side = max(4.5, 0.2 * count + 2)
    with figures.canvas(file, side + 0.6, 0.75 * side + 2.6) as figure:
        top, bottom = figure.subplots(2, gridspec_kw={"height_ratios": (2, 0.7 * side)})
        figure.suptitle(figures.label(title), fontsize=10)
        image = top.imshow(
            carried.states[:, chosen].T, aspect="auto", cmap="PuOr", vmin=-limit, vmax=limit, interpolation="nearest"
        )
        top.set(title="state after each token", ylabel="unit")
        top.set_yticks(range(len(chosen)), [str(unit) for unit in chosen], fontsize=6)
        figure.colorbar(image, ax=top, fraction=0.03, pad=0.01, label="value")
        image = bottom.imshow(carried.shares, aspect="auto", cmap=figures.HEAT, vmin=0, interpolation="nearest")
        bottom.set(title="what it consists of", ylabel="state after token", xlabel="written at token")
        figure.colorbar(image, ax=bottom, fraction=0.03, pad=0.01, label="share of the state")
        turned = {} if max(map(len, shown)) == 1 else {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
        for axes in (top, bottom):
            axes.set_xticks(range(count), shown, fontsize=8, **turned)
        bottom.set_yticks(range(count), shown, fontsize=8)
    return figure


def show_carry(config: Carry, models: Sequence[SavedModel]) -> Iterator[str]:
    """A row for each token: how much of the last state was written there."""
    (saved,) = models
    carried = read(saved, config.text, config.layer)
    draw(carried, f"{saved.path.name}, layer {config.layer}", Path(config.plot))
    last = carried.shares[-1]
    if config.json:
        rounded = [[round(float(value), 5) for value in row] for row in carried.shares]
        yield json.dumps({"tokens": carried.tokens, "shares": rounded, "figure": config.plot}, ensure_ascii=False)
        return
    shown = [visible(token) for token in carried.tokens]
    rows = [[token, f"{last[place]:.1%}"] for place, token in enumerate(shown)]
    yield from tables.table(["written at", "share of the last state"], rows)
    recent = float(last[-5:].sum())
    yield f"{min(5, len(last))} latest tokens: {recent:.0%} of the last state; all others: {1 - recent:.0%}"
    yield config.plot
