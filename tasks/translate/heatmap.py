"""Where a decoder looked, drawn: source words across, target words down."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.errors import UserError


def words(pieces: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Pieces put together to words: each with the places of its pieces.

    A piece that begins with `▁` opens a word, as does a mark; what follows a letter belongs to it.

    Example:
        `words(["▁ein", "e", "▁Frau", ".", "</s>"])` is
        `[("eine", [0, 1]), ("Frau", [2]), (".", [3]), ("</s>", [4])]`.
    """
    result: list[tuple[str, list[int]]] = []
    for place, piece in enumerate(pieces):
        bare = piece.removeprefix("▁")
        inside = piece == bare and bare[:1].isalnum() and result and result[-1][0][-1:].isalnum()
        opened = result and result[-1][0] == ""  # a lone ▁ before a mark or a digit
        if inside or opened:
            result[-1] = (result[-1][0] + bare, [*result[-1][1], place])
        else:
            result.append((bare, [place]))
    return result


def by_word(weights: np.ndarray, source: Sequence[str], target: Sequence[str]) -> np.ndarray:
    """Weights `(target pieces, source pieces)` -> `(target words, source words)`.

    A word gets what all its pieces get together; a word looks where its pieces look on average. Rows still sum to 1.
    """
    columns = np.stack([weights[:, places].sum(axis=1) for _, places in words(source)], axis=1)
    return np.stack([columns[places].mean(axis=0) for _, places in words(target)])


def draw(path: Path, weights: np.ndarray, source: Sequence[str], target: Sequence[str]) -> None:
    """Writes a picture.

    Args:
        path: A PNG file.
        weights: `(target pieces, source pieces)`.
        source: Pieces of the source, the end token included.
        target: Pieces of the target, the end token included.

    Raises:
        UserError: If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across, down = ([word for word, _ in words(side)] for side in (source, target))
    figure = Figure(figsize=(2 + 0.45 * len(across), 1.5 + 0.35 * len(down)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    image = axes.imshow(by_word(weights, source, target), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(across)), across, rotation=60, ha="left")
    axes.set_yticks(range(len(down)), down)
    axes.xaxis.tick_top()
    figure.colorbar(image, label="attention")
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be written ({error}). Name a PNG file in a folder that exists.") from error
