"""Pictures that only reports draw: confusion matrices, bars with intervals, reliability."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from zoo import figures

MOST_CLASSES = 40
"""Classes of a confusion matrix that are drawn; of more, those that are confused most often."""

MOST_NUMBERS = 15
"""Classes up to which each cell of a confusion matrix has its number written into it."""


def draw_confusion(file: Path, counts: np.ndarray, labels: Sequence[str], title: str) -> None:
    """Draws a confusion matrix.

    Args:
        file: A PNG file.
        counts: `(classes, classes)`, examples by right class (row) and predicted class (column).
        labels: Names of the classes.
        title: Above the matrix.

    Raises:
        UserError: If the file cannot be written.
    """
    if len(labels) > MOST_CLASSES:
        errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
        kept = np.sort(np.argsort(-errors, kind="stable")[:MOST_CLASSES])
        counts, labels = counts[np.ix_(kept, kept)], [labels[place] for place in kept]
        title = f"{title}\nthe {MOST_CLASSES} classes with the most errors"
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # of each right class
    names, wide = figures.shortened(labels)
    side = max(0.32 * len(labels), 1.6)
    width = max(side + wide + 1.8, 4.5)
    with figures.canvas(file, width, side + wide + 1.0) as figure:
        figure.suptitle(figures.wrapped(title, width), fontsize=10)
        axes = figure.subplots()
        image = axes.imshow(share, cmap=figures.HEAT, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        axes.set_xticks(range(len(labels)), names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(labels)), names)
        axes.set(xlabel="predicted", ylabel="truth")
        figure.colorbar(image, label="fraction of the examples of a class")
        if len(labels) <= MOST_NUMBERS:
            for (row, column), count in np.ndenumerate(counts):
                shade = "white" if share[row, column] > 0.6 else "black"
                if not count:
                    continue  # zeros would hide the errors
                axes.text(column, row, f"{count:.0f}", ha="center", va="center", fontsize=7, color=shade)


def draw_bars(
    file: Path,
    bars: Mapping[str, Sequence[float]],
    names: Sequence[str],
    labels: tuple[str, str],
    title: str,
    errors: Sequence[tuple[float, float]] | None = None,
    reference: tuple[str, float] | None = None,
) -> None:
    """Draws groups of bars, one group per name.

    Args:
        file: A PNG file.
        bars: What a bar is -> a value for each name; as many as `figures.COLORS` at most.
        names: Below the groups.
        labels: Of the two axes, with units.
        title: Above the axes.
        errors: Ends of an interval for each bar, where there is one kind of bar.
        reference: Name and height of a horizontal line.

    Raises:
        UserError: If the file cannot be written.
    """
    shown, long = figures.shortened(names)
    width, inches = 0.8 / len(bars), max(5.0, (0.22 + 0.14 * len(bars)) * len(names) + 1.5)
    with figures.canvas(file, inches, 3.4 + 0.7 * long) as figure:
        figure.suptitle(figures.wrapped(title, inches), fontsize=10)
        axes = figure.subplots()
        places = np.arange(len(names))
        for number, (name, values) in enumerate(bars.items()):
            at = places + width * (number - (len(bars) - 1) / 2)
            axes.bar(at, values, width, label=name, color=figures.COLORS[number], hatch=figures.HATCHES[number])
        if errors:
            axes.vlines(places, *zip(*errors, strict=True), colors="black", linewidth=1.2)
        if reference:
            axes.axhline(reference[1], color="gray", linestyle="--", linewidth=1, label=reference[0])
        axes.set_xticks(places, shown, rotation=60 if long > 0.6 else 0, ha="right" if long > 0.6 else "center")
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.grid(visible=True, axis="y")
        axes.set_axisbelow(True)
        if len(bars) > 1 or reference:
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def draw_reliability(
    file: Path, confidence: np.ndarray, accuracy: np.ndarray, counts: np.ndarray, ece: float, title: str
) -> None:
    """Draws the accuracy of answers of like confidence, and how many there are.

    Reference: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (2017), figure 1.

    Args:
        file: A PNG file.
        confidence: `(bins,)`, mean probability of the answers of a bin; bins without answers are left out.
        accuracy: `(bins,)`, the fraction of them that is right.
        counts: `(bins,)`, their number.
        ece: Expected calibration error.
        title: Above the axes.

    Raises:
        UserError: If the file cannot be written.
    """
    with figures.canvas(file, 5.0, 5.2) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
        upper.plot((0, 1), (0, 1), color="gray", linestyle="--", linewidth=1, label="perfectly calibrated")
        upper.plot(confidence, accuracy, color=figures.COLORS[0], linestyle="-", marker="o", label="this model")
        upper.set(ylabel="accuracy", xlim=(0, 1), ylim=(-0.03, 1.03))
        figure.suptitle(figures.wrapped(f"{title}\nexpected calibration error {ece:.4f}", 5.0), fontsize=10)
        upper.legend(loc="upper left")
        lower.bar(confidence, counts, 0.03, color=figures.COLORS[0])
        lower.set(xlabel="confidence (probability of the answer)", ylabel="answers")
        lower.set_yscale("log")
        for axes in (upper, lower):
            axes.grid(visible=True)
