"""Every picture of the project: one canvas, one style, and the kinds of picture that tasks, trainings and lens draw.

Colors differ in brightness as well as in hue, and lines in their dashes too, so that pictures can be read in gray and
by color-blind people. Matplotlib is imported by the first picture; no global state of it is used or changed.
"""

import contextlib
import warnings
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

HATCHES = ("", "//", "..", "xx")
"""Hatch patterns of bars, in addition to the colors."""

HEAT = "Blues"
"""Color map of all heat maps: from white, 0, to dark blue, its brightness falls steadily."""

MAX_INCHES = 40.0
"""Largest side of a picture; wider ones fail in viewers."""

MAX_LABEL = 24
"""Characters of a word beside a heat map; longer ones are truncated, or they would leave no room for the map."""

MOST_UNITS = 24
"""Rows of a gate's heat map: more units are averaged in groups of like openness, or none could be told apart."""

SHEET_COLUMNS = 6
"""Most tiles side by side in a sheet."""

DARKEST = 0.75
"""How much black lies over a part of a picture without attention."""

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
    with matplotlib.rc_context({**STYLE, "axes.prop_cycle": cycle}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the picture shows a box for such a character
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


def shortened(words: Sequence[str]) -> tuple[list[str], float]:
    """Words as labels, and the length of the longest in inches."""
    short = [word if len(word) <= MAX_LABEL else word[: MAX_LABEL - 1] + "…" for word in words]
    return [label(word) for word in short], 0.085 * max(map(len, short), default=0)  # a wide letter of size 9


def wrapped(text: str, inches: float) -> str:
    """A title in lines that fit into this width, shown literally."""
    import textwrap

    width = max(int(inches * 12), 20)  # letters of size 10 per inch
    return label("\n".join(part for line in text.split("\n") for part in textwrap.wrap(line, width)))


def draw_lines(
    file: Path | None,
    curves: Mapping[str, tuple[Sequence[Any], Any]],
    labels: tuple[str, str],
    *,
    title: str = "",
    log: bool = False,
    levels: Mapping[str, float] | None = None,
    spread: Mapping[str, tuple[Any, Any]] | None = None,
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
                axes.text(0.995, level, f"{name} {level:.2f}", fontsize=8, color="0.35", **place)
        if log:
            axes.set_yscale("log")
        axes.set(xlabel=labels[0], ylabel=labels[1], title=wrapped(title, 7.0))
        axes.grid(visible=True)
        many = len(curves) > 5  # a legend of many lines would hide some of them
        axes.legend(**{"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if many else {})
    return figure


def draw_curves(
    file: Path, history: Sequence[dict[str, float]], monitor: str, *, best_epoch: int | None = None, title: str = ""
) -> None:
    """Draws loss and monitored score over epochs, each on the training and the validation data.

    Args:
        file: A PNG file.
        history: One row per epoch: `epoch`, `loss`, `validation_loss` or `validation_log_loss`, ...; a row may lack any
            but `epoch`.
        monitor: The score by which epochs are compared.
        best_epoch: The epoch whose weights were chosen, marked by a line.
        title: Above both: the model and its data.

    Raises:
        UserError: If the file cannot be written.
    """
    names = list(dict.fromkeys(("loss", monitor)))
    known = {key for row in history for key in row}
    with canvas(file, 4 * len(names), 3.5) as figure:
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            validation = f"validation_{name}"
            if name == "loss" and validation not in known:
                validation = "validation_log_loss"  # a classifier's cross-entropy
            for place, (key, part) in enumerate(((name, "training"), (validation, "validation"))):
                points = [(row["epoch"], row[key]) for row in history if key in row]
                if points:
                    style = {"color": COLORS[place], "linestyle": DASHES[place], "marker": MARKERS[place]}
                    axes.plot(*zip(*points, strict=True), label=part, markersize=4, **style)
            if best_epoch:
                axes.axvline(
                    best_epoch, color="0.35", linestyle=":", linewidth=1.2, label=f"chosen: epoch {best_epoch}"
                )
            unit = f"{name} (nats)" if name == "loss" else name.replace("_", " ")
            axes.set(xlabel="epoch", ylabel=unit)
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
            axes.grid(visible=True)
            if axes.lines:
                axes.legend()
        if title:
            figure.suptitle(wrapped(title, 4.0 * len(names)), fontsize=10)


def draw_attention(
    file: Path, weights: np.ndarray, source: Sequence[str], target: Sequence[str], *, title: str = ""
) -> None:
    """Draws attention weights as a heat map: source words across, target words down.

    Args:
        file: A PNG file.
        weights: `(target words, source words)`, from 0 to 1.
        source: Words that were read.
        target: Words that were written.
        title: Above the map.

    Raises:
        UserError: If the file cannot be written.
    """
    (across, high), (down, wide) = shortened(source), shortened(target)
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
        if title:
            figure.suptitle(wrapped(title, size[0]), fontsize=10)


def draw_gates(file: Path | None, gates: Mapping[str, np.ndarray], tokens: Sequence[str], *, title: str = "") -> Any:
    """Draws for each gate how open it is at each token: mean and spread over units, and a heat map of groups of units.

    Args:
        file: A PNG file, or None.
        gates: Name -> `(tokens, units)`, from 0 (closed, white) to 1 (open, dark). Units are sorted by their mean, and
            averaged in `MOST_UNITS` groups if there are more.
        tokens: As they are to be shown.
        title: Above all.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        UserError: If the file cannot be written.
    """
    shown, long = shortened(tokens)
    width = max(6.0, 0.22 * len(tokens) + 2)
    with canvas(file, width, 3.0 * len(gates) + long + 0.4) as figure:
        rows = figure.subplots(2 * len(gates), squeeze=False, sharex=True)[:, 0]
        for place, (name, values) in enumerate(gates.items()):
            pair = rows[2 * place : 2 * place + 2]
            _gate(figure, pair, f"{name} gate", values)
        turned = 0 if max(map(len, tokens)) == 1 else 90
        rows[-1].set_xticks(range(len(tokens)), shown, rotation=turned, fontsize=8)
        if title:
            figure.suptitle(wrapped(title, width), fontsize=10)
    return figure


def _gate(figure: Any, pair: Sequence[Any], name: str, values: np.ndarray) -> None:
    """One gate `(tokens, units)` in two axes, a curve and a map."""
    curve, heat = pair
    low, high = np.quantile(values, (0.1, 0.9), axis=1)
    places = np.arange(len(values))
    curve.fill_between(places, low, high, color=COLORS[0], alpha=0.25, linewidth=0, label="10 to 90 % of units")
    curve.plot(places, values.mean(axis=1), color=COLORS[0], linestyle="-", marker="o", markersize=3, label="mean")
    curve.axhline(0.5, color="0.35", linewidth=0.8, linestyle="--", label="half open")
    curve.set(ylim=(0, 1), ylabel="openness")
    curve.set_title(name, loc="left")
    curve.grid(visible=True)
    curve.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, fontsize=8)
    ordered = values[:, np.argsort(values.mean(axis=0))[::-1]]
    groups = np.array_split(ordered, min(MOST_UNITS, ordered.shape[1]), axis=1)
    grid = np.stack([group.mean(axis=1) for group in groups])  # (groups, tokens)
    image = heat.imshow(grid, aspect="auto", vmin=0, vmax=1, cmap=HEAT, interpolation="nearest")
    heat.set_yticks([])
    heat.set_ylabel("units" if len(groups) == ordered.shape[1] else f"{ordered.shape[1]} units,\n{len(groups)} groups")
    figure.colorbar(image, ax=list(pair), fraction=0.03, pad=0.01, label="openness")


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


def draw_sheet(file: Path, picture: np.ndarray, tiles: Sequence[tuple[str, np.ndarray]], *, title: str = "") -> None:
    """Draws a picture by itself, and once for each word, dark where the model did not look when it wrote that word.

    Args:
        file: A PNG file.
        picture: `(height, width, 3)` uint8.
        tiles: Each word of the caption with its attention over the picture, `(rows, columns)`.
        title: Above all: the whole caption.

    Raises:
        UserError: If the file cannot be written.
    """
    _draw_grid(file, [("", picture, None), *((word, picture, grid) for word, grid in tiles)], 1.8, title)


def draw_tiles(file: Path, tiles: Sequence[tuple[str, np.ndarray]], title: str = "") -> None:
    """Draws pictures side by side, each below its text.

    Args:
        file: A PNG file.
        tiles: Texts with pictures `(height, width, 3)` uint8.
        title: Above all.

    Raises:
        UserError: If the file cannot be written.
    """
    _draw_grid(file, [(text, picture, None) for text, picture in tiles], 2.6, title, columns=4)


def _draw_grid(
    file: Path,
    tiles: Sequence[tuple[str, np.ndarray, np.ndarray | None]],
    side: float,
    title: str,
    columns: int = SHEET_COLUMNS,
) -> None:
    """Tiles of `side` inches: text, picture, attention over it."""
    columns = max(1, min(columns, len(tiles)))
    rows = max(1, -(-len(tiles) // columns))
    titles = [wrapped(text, side * 0.9) for text, _, _ in tiles]
    lines = max((text.count("\n") + 1 for text in titles), default=1)
    heading = wrapped(title, side * columns)
    height = rows * (side + 0.17 * lines) + 0.2 * (heading.count("\n") + 1)
    with canvas(file, side * columns, height, dpi=100) as figure:
        for axes in figure.subplots(rows, columns, squeeze=False).flat:
            axes.set_axis_off()
        for axes, text, (_, picture, grid) in zip(figure.axes, titles, tiles, strict=False):
            show_picture(axes, picture, grid)
            axes.set_title(text, fontsize=9)
        if title:
            figure.suptitle(heading, fontsize=10)


def show_picture(axes: Any, picture: np.ndarray, grid: np.ndarray | None = None) -> None:
    """Draws a picture `(height, width, 3)` into axes, and over it attention `(rows, columns)`: the less, the darker."""
    height, width = picture.shape[:2]
    extent = (0, width, height, 0)
    axes.imshow(picture, extent=extent)
    if grid is not None:
        shade = np.zeros((*np.shape(grid), 4))
        shade[..., 3] = DARKEST * (1 - np.asarray(grid) / max(float(np.max(grid)), 1e-9))
        axes.imshow(shade, extent=extent, interpolation="bicubic")
