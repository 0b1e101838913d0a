"""Attention of a translation, by word: source words across, target words down."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo import figures


def words(pieces: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Joins pieces to words, each with the places of its pieces.

    A piece that begins with `▁` begins a word, and so does a punctuation mark; a piece after a letter continues it.

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

    Weights are summed over the pieces of a source word and averaged over those of a target word. Rows still sum to 1.
    """
    columns = np.stack([weights[:, places].sum(axis=1) for _, places in words(source)], axis=1)
    return np.stack([columns[places].mean(axis=0) for _, places in words(target)])


def draw(path: Path, weights: np.ndarray, source: Sequence[str], target: Sequence[str], *, title: str = "") -> None:
    """Draws the attention of one translation, by word.

    Args:
        path: A PNG file.
        weights: `(target pieces, source pieces)`.
        source: Pieces of the source, the end token included.
        target: Pieces of the target, the end token included.
        title: Above the map.

    Raises:
        UserError: If the file cannot be written.
    """
    across, down = ([word for word, _ in words(side)] for side in (source, target))
    figures.draw_attention(path, by_word(weights, source, target), across, down, title=title)
