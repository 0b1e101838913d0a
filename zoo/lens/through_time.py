"""`zoo lens gradients` and `zoo lens jacobian`: one curve a cell, as a table and as a picture."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from zoo.lens import choices, figures, gradients, nets, tables
from zoo.lens.settings import Gradients, Jacobian
from zoo.saved import SavedModel


def _nets(ask: Gradients, models: Sequence[SavedModel]) -> list[nets.Net]:
    if models:
        return [nets.trained(saved, ask.steps, ask.sequences, ask.seed) for saved in models]
    names = choices.chosen(ask.cells)
    return [nets.fresh(name, ask.units, ask.steps, ask.sequences, ask.seed, ask.gain) for name in names]


def show_gradients(ask: Gradients, models: Sequence[SavedModel]) -> Iterator[str]:
    """Norm of d(loss at T) / d(state at t) by distance T - t."""
    curves = {}
    for net in _nets(ask, models):
        found = gradients.loss_gradients(net, gradients.readout(net, ask.seed))
        curves[net.name] = gradients.norms(found)
    labels = ("T - t: steps back from the loss", "norm of d loss(T) / d state(t)")
    figures.draw_lines(Path(ask.out), {n: (range(len(c)), c) for n, c in curves.items()}, labels, log=True)
    if ask.json:
        yield _json(ask, "distance", curves)
        return
    yield from _table("T - t", curves, gradients.some(ask.steps))
    for name, curve in curves.items():
        share = float(curve[-1] / curve[0]) if curve[0] else float("nan")
        yield f"{name}: after {ask.steps - 1} steps back, {share:.2g} of the gradient is left"
    yield ask.out


def show_jacobian(ask: Jacobian, models: Sequence[SavedModel]) -> Iterator[str]:
    """Largest singular value of d(state at t) / d(state at t - 1) by time."""
    curves = {net.name: gradients.largest_singular_values(net) for net in _nets(ask, models)}
    labels = ("time t", "largest singular value of d state(t) / d state(t - 1)")
    places = range(1, ask.steps + 1)
    figures.draw_lines(Path(ask.out), {n: (places, c) for n, c in curves.items()}, labels, level=1.0)
    if ask.json:
        yield _json(ask, "time", curves, first=1)
        return
    yield from _table("t", curves, gradients.some(ask.steps), first=1)
    for name, curve in curves.items():
        mean = float(curve.mean())
        does = "shrinks in every direction" if mean < 1 else "grows in some direction"
        yield f"{name}: mean {mean:.3g}: on average, a change of the state {does} from one step to the next"
    yield ask.out


def _table(head: str, curves: dict[str, np.ndarray], places: list[int], first: int = 0) -> Iterator[str]:
    rows = [[place + first, *(float(curve[place]) for curve in curves.values())] for place in places]
    return tables.table([head, *curves], rows)


def _json(ask: Gradients, axis: str, curves: dict[str, np.ndarray], first: int = 0) -> str:
    told = {name: [float(f"{value:.6g}") for value in curve] for name, curve in curves.items()}
    return json.dumps({axis: list(range(first, first + ask.steps)), "cells": told, "seed": ask.seed, "figure": ask.out})
