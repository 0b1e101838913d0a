"""Pictures of what the lens sees, as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import UserError


def _axes(width: float, height: float, rows: int = 1) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # half a second that only a drawing needs
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, 1, squeeze=False)[:, 0]


def _write(figure: Any, path: Path) -> None:
    try:
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}). Name a file in a folder of yours.") from error


def draw_lines(
    path: Path,
    curves: Mapping[str, tuple[Sequence[Any], Any]],
    labels: tuple[str, str],
    *,
    log: bool = False,
    level: float | None = None,
) -> None:
    """Draws one line for each name.

    Args:
        path: A PNG file.
        curves: Name -> places, numbers or words, and as many values.
        labels: Of the two axes.
        log: Values on a logarithmic axis; zeros and numbers that are not finite are left out.
        level: A horizontal line to compare with.
    """
    figure, (axes,) = _axes(7.5, 4.5)
    for name, (places, values) in curves.items():
        shown = np.asarray(values, "float64")
        shown = np.where(np.isfinite(shown) & ((shown > 0) | (not log)), shown, np.nan)
        axes.plot(places, shown, label=name, marker="o" if len(shown) < 20 else None)
    if level is not None:
        axes.axhline(level, color="grey", linewidth=0.8, linestyle="--")
    if log:
        axes.set_yscale("log")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(alpha=0.3)
    axes.legend()
    _write(figure, path)


def draw_gates(path: Path, gates: Mapping[str, np.ndarray], tokens: Sequence[str]) -> None:
    """Draws a heat map for each gate: tokens from left to right, units from top to bottom.

    Args:
        path: A PNG file.
        gates: Name -> `(tokens, units)`, from 0 (shut, dark) to 1 (open, bright). Units are sorted by their mean.
        tokens: As they are to be shown.
    """
    widest = max(4.0, min(40.0, 0.22 * len(tokens) + 2))
    figure, rows = _axes(widest, 2.6 * len(gates), len(gates))
    for axes, (name, values) in zip(rows, gates.items(), strict=True):
        ordered = values[:, np.argsort(values.mean(axis=0))[::-1]]
        image = axes.imshow(ordered.T, aspect="auto", vmin=0, vmax=1, cmap="viridis", interpolation="nearest")
        axes.set_ylabel(f"{name} gate: units")
        axes.set_yticks([])
        turned = 0 if max(map(len, tokens)) == 1 else 90
        axes.set_xticks(range(len(tokens)), tokens, rotation=turned, fontsize=8)
        figure.colorbar(image, ax=axes, fraction=0.02, pad=0.01)
    _write(figure, path)
