"""`zoo lens gradients` and `zoo lens jacobian`: one curve per cell, as a table and as a plot."""

import dataclasses
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import cells, figures
from zoo.lens import choices, gradients, memory, nets, tables
from zoo.lens.settings import Gradients, Jacobian
from zoo.lens.theory import UNTRAINED
from zoo.saved import SavedModel

BEFORE, AFTER = ", before", ", after"
"""What is added to the name of a cell that is shown before and after training."""


def _nets(config: Gradients, models: Sequence[SavedModel]) -> list[nets.Net]:
    if models:
        return [nets.trained(saved, config.steps, config.sequences, config.seed) for saved in models]
    names = choices.cell_names(config.cells)
    if config.trained_on is not None:
        return [net for name in names for net in _trained(config, name)]
    return [
        nets.untrained(name, config.units, config.steps, config.sequences, config.seed, config.gain) for name in names
    ]


def _trained(config: Gradients, cell: str) -> list[nets.Net]:
    """A cell after training on a memory test of as many steps, which it then reads; first, if asked for, before."""
    task, settings = choices.memory_test(str(config.trained_on))
    own = {name: value for name in ("epochs", "limit") if (value := getattr(config, name)) is not None}
    values = {**settings, **own, "dataset": f"{config.trained_on}/{config.steps}"}
    recipe = task.recipe.train(**values, cell=cell, seed=config.seed)
    net = nets.trained(memory.fit(task, recipe), config.steps, config.sequences, config.seed)
    after = dataclasses.replace(net, name=cell)
    if not config.before:
        return [after]
    return [_fresh(net, cell, config.seed), dataclasses.replace(after, name=f"{cell}{AFTER}")]


def _fresh(net: nets.Net, cell: str, seed: int) -> nets.Net:
    """The same cell with new random weights, which reads the same inputs."""
    keras.utils.set_random_seed(seed)
    fresh = cells.make(cell, net.cell.output_size)
    fresh.build((None, net.inputs.shape[-1]))
    return nets.Net(f"{cell}{BEFORE}", fresh, net.inputs)


def state_of(config: Gradients, models: Sequence[SavedModel]) -> str:
    """What the nets are, for the picture."""
    if config.trained_on is not None and config.before:
        return f"before and after training on {config.trained_on}/{config.steps}"
    if config.trained_on is not None:
        return f"trained on {config.trained_on}/{config.steps}"
    return "trained models" if models else "untrained cells"


def curves_of(config: Gradients, models: Sequence[SavedModel] = ()) -> dict[str, np.ndarray]:
    """Name of a net -> norm of d(loss at T) / d(state at t) by distance T - t, `(steps,)`."""
    return {
        net.name: gradients.norms(gradients.loss_gradients(net, gradients.readout(net, config.seed)))
        for net in _nets(config, models)
    }


def draw(config: Gradients, curves: Mapping[str, np.ndarray], state: str, file: Path | None = None) -> Any:
    """Draws the curves of gradients; returns the `matplotlib.figure.Figure`."""
    labels = ("T - t (steps back from the loss)", "norm of d loss(T) / d state(t)")
    lines = {name: (range(len(curve)), curve) for name, curve in curves.items()}
    pairs = [name for name in curves if name.endswith(BEFORE)]
    styles = {}  # a cell has one color, dashed before training
    for name, color in zip(pairs, itertools.cycle(figures.COLORS)):
        styles[name] = {"color": color, "linestyle": "--"}
        styles[name.removesuffix(BEFORE) + AFTER] = {"color": color, "linestyle": "-"}
    return figures.draw_lines(file, lines, labels, title=f"Gradient through time, {state}", log=True, styles=styles)


def show_gradients(config: Gradients, models: Sequence[SavedModel]) -> Iterator[str]:
    """Norm of d(loss at T) / d(state at t) by distance T - t."""
    curves, state = curves_of(config, models), state_of(config, models)
    draw(config, curves, state, Path(config.plot))
    if config.json:
        yield _json(config, "distance", curves, state)
        return
    yield from _table("T - t", curves, gradients.table_rows(config.steps))
    for name, curve in curves.items():
        share = float(curve[-1] / curve[0]) if curve[0] else float("nan")
        yield f"{name}: {config.steps - 1} steps back, {share:.2g} of the gradient is left"
    yield from _remark(state)
    yield config.plot


def show_jacobian(config: Jacobian, models: Sequence[SavedModel]) -> Iterator[str]:
    """Largest singular value of d(state at t) / d(state at t - 1) by time."""
    curves = {net.name: gradients.largest_singular_values(net) for net in _nets(config, models)}
    labels = ("time t (steps)", "largest singular value of d state(t) / d state(t - 1)")
    places = range(1, config.steps + 1)
    lines = {name: (places, curve) for name, curve in curves.items()}
    state = state_of(config, models)
    figures.draw_lines(
        Path(config.plot),
        lines,
        labels,
        title=f"Jacobian of one step, {state}",
        levels={"neither grows nor shrinks:": 1.0},
    )
    if config.json:
        yield _json(config, "time", curves, state, first=1)
        return
    yield from _table("t", curves, gradients.table_rows(config.steps), first=1)
    for name, curve in curves.items():
        mean = float(curve.mean())
        does = "shrinks in every direction" if mean < 1 else "grows in some direction"
        yield f"{name}: mean {mean:.3g}: on average, a change of the state {does} from one step to the next"
    yield from _remark(state)
    yield config.plot


def _remark(state: str) -> Iterator[str]:
    yield UNTRAINED if state == "untrained cells" else f"Nets: {state}."


def _table(head: str, curves: dict[str, np.ndarray], places: list[int], first: int = 0) -> Iterator[str]:
    rows = [[place + first, *(float(curve[place]) for curve in curves.values())] for place in places]
    return tables.table([head, *curves], rows)


def _json(config: Gradients, axis: str, curves: dict[str, np.ndarray], state: str, first: int = 0) -> str:
    rounded = {name: [float(f"{value:.6g}") for value in curve] for name, curve in curves.items()}
    facts = {"nets": state, "seed": config.seed, "figure": config.plot}
    return json.dumps({axis: list(range(first, first + config.steps)), "cells": rounded, **facts})
