"""Every picture of the project: one canvas, one style, and the kinds of picture that tasks, trainings and lens draw.

Colors differ in brightness as well as in hue, and lines in their dashes too, so that pictures can be read in gray and
by color-blind people. Matplotlib is imported by the first picture; no global state of it is used or changed.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import UserError

DPI = 110
"""Pixels per inch: text of size 9 is then about 14 pixels high."""

COLORS = ("#004488", "#BB5566", "#DDAA33", "#000000")
"""Blue, red, yellow, black: the high-contrast scheme of Paul Tol, made to survive gray printing."""

DASHES = ("-", "--", ":", "-.")
"""After all colors, the next style of line: sixteen lines differ."""

MARKERS = ("o", "s", "^", "D", "v")
"""After all colors, the next marker of points: twenty lines of few points differ."""

HEAT = "Blues"
"""Color map of all heat maps: from white, 0, to dark blue, its brightness falls steadily."""

MAX_INCHES = 40.0
"""Largest side of a picture; wider ones fail in viewers."""

MAX_LABEL = 24
"""Characters of a word beside a heat map; longer ones are truncated, or they would leave no room for the map."""

SHEET_COLUMNS = 6
"""Most tiles side by side in a sheet."""

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.grid": False,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "figure.facecolor": "white",
}
"""What differs from Matplotlib's defaults."""


@contextlib.contextmanager
def canvas(
    file: Path | str | None, width: float, height: float, *, dpi: int = DPI, tight: bool = True
) -> Iterator[Any]:
    """A figure in the style of the project, written when the block ends without an error.

    Args:
        file: Path of the picture; its ending is the format, `.png` everywhere in this project. None writes no file:
            a notebook shows the figure.
        width: In inches; more than `MAX_INCHES` is reduced to that.
        height: In inches, likewise.
        dpi: Pixels per inch.
        tight: Whether labels get the room that they need, so that none is cropped; False for an own grid.

    Yields:
        The `matplotlib.figure.Figure`.

    Raises:
        UserError: If the file cannot be written.
    """
    import matplotlib  # half a second that only a picture needs
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.rcsetup import cycler

    cycle = cycler(linestyle=DASHES) * cycler(color=COLORS)
    with matplotlib.rc_context({**STYLE, "axes.prop_cycle": cycle}):
        size = (min(width, MAX_INCHES), min(height, MAX_INCHES))
        figure = Figure(figsize=size, layout="constrained" if tight else None)
        FigureCanvasAgg(figure)
        yield figure
        if file is None:
            return
        try:
            figure.savefig(file, dpi=dpi)
        except (OSError, ValueError) as error:
            raise UserError(f"{file} cannot be written ({error}). Name a PNG file in a folder that exists.") from error


def label(text: str) -> str:
    """A text as Matplotlib shows it literally: a dollar would begin a formula."""
    return text.replace("$", r"\$")


def _truncated(words: Sequence[str]) -> tuple[list[str], float]:
    """Words as labels, and the length of the longest in inches."""
    short = [word if len(word) <= MAX_LABEL else word[: MAX_LABEL - 1] + "…" for word in words]
    return [label(word) for word in short], 0.085 * max(map(len, short), default=0)  # a wide letter of size 9


def draw_lines(
    file: Path | None,
    curves: Mapping[str, tuple[Sequence[Any], Any]],
    labels: tuple[str, str],
    *,
    title: str = "",
    log: bool = False,
    levels: Mapping[str, float] | None = None,
    spread: Mapping[str, tuple[Any, Any]] | None = None,
    note: str = "",
    styles: Mapping[str, Mapping[str, Any]] | None = None,
) -> Any:
    """Draws one line for each name.

    Args:
        file: A PNG file, or None.
        curves: Name -> places on the x-axis, numbers or words, and as many values.
        labels: Of the two axes, with units.
        title: Above the axes.
        log: Whether the y-axis is logarithmic; zeros and values that are not finite are left out.
        levels: Name -> a horizontal line to compare with; an empty name has no label.
        spread: Name -> least and largest values, drawn as vertical bars.
        note: A sentence below the title.
        styles: Name -> color and dashes of its line, where lines belong together; others have those of the cycle.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        UserError: If the file cannot be written.
    """
    with canvas(file, 7.5, 4.5) as figure:
        axes = figure.subplots()
        for number, (name, (places, values)) in enumerate(curves.items()):
            marker = MARKERS[number // len(COLORS) % len(MARKERS)]
            shown = np.asarray(values, "float64")
            shown = np.where(np.isfinite(shown) & ((shown > 0) | (not log)), shown, np.nan)
            style = {"marker": marker if len(shown) < 20 else None, **(styles or {}).get(name, {})}
            (line,) = axes.plot(places, shown, label=label(name), **style)
            if spread:
                least, most = spread[name]
                # Not errorbar, which would take the next color of the cycle for itself.
                axes.vlines(places, least, most, colors=line.get_color(), linewidth=1.2, alpha=0.7)
        for name, level in (levels or {}).items():
            axes.axhline(level, color="gray", linewidth=0.8, linestyle="--")
            if name:  # within the axes, at the right end of the line
                place = {"transform": axes.get_yaxis_transform(), "ha": "right", "va": "bottom"}
                axes.text(0.995, level, f"{name} {level:.2f}", fontsize=8, color="gray", **place)
        if log:
            axes.set_yscale("log")
        axes.set(xlabel=labels[0], ylabel=labels[1], title=f"{title}\n{note}" if note else title)
        axes.grid(visible=True)
        many = len(curves) > 5  # a legend of many lines would hide some of them
        axes.legend(**{"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if many else {})
    return figure


def draw_curves(file: Path, history: Sequence[dict[str, float]], monitor: str) -> None:
    """Draws loss and monitored score over epochs, each on the training and the validation data.

    Args:
        file: A PNG file.
        history: One row per epoch: `epoch`, `loss`, `validation_loss`, ...; a row may lack any but `epoch`.
        monitor: The score by which epochs are compared.

    Raises:
        UserError: If the file cannot be written.
    """
    names = list(dict.fromkeys(("loss", monitor)))
    with canvas(file, 4 * len(names), 3.2) as figure:
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            for place, (key, part) in enumerate(((name, "training"), (f"validation_{name}", "validation"))):
                points = [(row["epoch"], row[key]) for row in history if key in row]
                if points:
                    style = {"color": COLORS[place], "linestyle": DASHES[place], "marker": "o"}
                    axes.plot(*zip(*points, strict=True), label=part, **style)
            axes.set(xlabel="epoch", ylabel=name.replace("_", " "), title=name.replace("_", " "))
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
            axes.grid(visible=True)
            if axes.lines:
                axes.legend()


def draw_attention(file: Path, weights: np.ndarray, source: Sequence[str], target: Sequence[str]) -> None:
    """Draws attention weights as a heat map: source words across, target words down.

    Args:
        file: A PNG file.
        weights: `(target words, source words)`, from 0 to 1.
        source: Words that were read.
        target: Words that were written.

    Raises:
        UserError: If the file cannot be written.
    """
    (across, high), (down, wide) = _truncated(source), _truncated(target)
    size = (max(0.45 * len(source), 1.2) + wide + 1.8, max(0.35 * len(target), 1.4) + high + 0.6)
    with canvas(file, *size) as figure:
        axes = figure.subplots()
        image = axes.imshow(weights, cmap=HEAT, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        axes.set_xticks(range(len(source)), across, rotation=60, ha="left", rotation_mode="anchor")
        axes.set_yticks(range(len(target)), down)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set(xlabel="source", ylabel="target")
        figure.colorbar(image, label="attention weight")


def draw_gates(file: Path | None, gates: Mapping[str, np.ndarray], tokens: Sequence[str]) -> Any:
    """Draws a heat map for each gate: tokens from left to right, units from top to bottom.

    Args:
        file: A PNG file, or None.
        gates: Name -> `(tokens, units)`, from 0 (closed, white) to 1 (open, dark). Units are sorted by their mean.
        tokens: As they are to be shown.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        UserError: If the file cannot be written.
    """
    shown, long = _truncated(tokens)
    with canvas(file, max(4.0, 0.22 * len(tokens) + 2), (2.2 + long) * len(gates)) as figure:
        for axes, (name, values) in zip(figure.subplots(len(gates), squeeze=False)[:, 0], gates.items(), strict=True):
            ordered = values[:, np.argsort(values.mean(axis=0))[::-1]].T  # (units, tokens)
            image = axes.imshow(ordered, aspect="auto", vmin=0, vmax=1, cmap=HEAT, interpolation="nearest")
            axes.set(title=f"{name} gate", ylabel="units, by mean")
            axes.set_yticks([])
            turned = 0 if max(map(len, tokens)) == 1 else 90
            axes.set_xticks(range(len(tokens)), shown, rotation=turned, fontsize=8)
            figure.colorbar(image, ax=axes, fraction=0.02, pad=0.01, label="openness")
    return figure


def draw_text(
    file: Path, panels: Sequence[tuple[str, Sequence[Sequence[tuple[str, float]]]]], *, note: str = ""
) -> None:
    """Draws text with a background that is dark where a number is near 1, in letters of one width.

    Args:
        file: A PNG file.
        panels: Titles and their lines; a line is a sequence of short texts with numbers from 0 to 1.
        note: A line of text below.

    Raises:
        UserError: If the file cannot be written.
    """
    import textwrap

    import matplotlib as mpl
    from matplotlib.patches import Rectangle

    colors = mpl.colormaps[HEAT]
    columns = max((sum(len(text) for text, _ in line) for _, lines in panels for line in lines), default=1)
    below = textwrap.wrap(note, max(columns, 40), replace_whitespace=False)
    down = sum(len(lines) + 2 for _, lines in panels) + len(below)
    wide = max(columns, 40)
    with canvas(file, 0.09 * wide + 0.3, 0.2 * down + 0.2, tight=False) as figure:
        axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
        axes.set(xlim=(0, wide), ylim=(down, 0))
        axes.set_axis_off()
        style = {"family": "monospace", "va": "center"}
        row = 0
        for title, lines in panels:
            axes.text(0, row + 0.5, label(title), weight="bold", va="center")
            row += 1
            for line in lines:
                column = 0
                for text, value in line:
                    axes.add_patch(Rectangle((column, row), len(text), 1, color=colors(value), linewidth=0))
                    for place, letter in enumerate(text):
                        center = column + place + 0.5
                        shade = "white" if value > 0.6 else "black"
                        axes.text(center, row + 0.5, label(letter), ha="center", color=shade, **style)
                    column += len(text)
                row += 1
            row += 1
        for text in below:
            axes.text(0, row - 0.5, label(text), **style)
            row += 1


def draw_sheet(file: Path, picture: np.ndarray, tiles: Sequence[tuple[str, np.ndarray]]) -> None:
    """Draws a picture by itself, and once for each word, bright where the model looked when it wrote that word.

    Args:
        file: A PNG file.
        picture: `(height, width, 3)` uint8.
        tiles: Each word of the caption with its attention over the picture, `(rows, columns)`.

    Raises:
        UserError: If the file cannot be written.
    """
    import textwrap

    shown: list[tuple[str, np.ndarray | None]] = [("", None), *tiles]
    columns = min(SHEET_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    with canvas(file, 1.8 * columns, 2 * rows, dpi=100) as figure:
        for axes in figure.subplots(rows, columns, squeeze=False).flat:
            axes.set_axis_off()
        for axes, (word, grid) in zip(figure.axes, shown, strict=False):
            show_picture(axes, picture, grid)
            axes.set_title("\n".join(textwrap.wrap(label(word), 20)))  # 20 characters are as wide as a tile


def show_picture(axes: Any, picture: np.ndarray, grid: np.ndarray | None = None) -> None:
    """Draws a picture `(height, width, 3)` into axes, and over it attention `(rows, columns)`, bright where high."""
    height, width = picture.shape[:2]
    extent = (0, width, height, 0)
    axes.imshow(picture, extent=extent)
    if grid is not None:
        axes.imshow(grid, extent=extent, cmap="gray", alpha=0.65, interpolation="bicubic", vmin=0)
