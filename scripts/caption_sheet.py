"""Draws pictures of a test split with their captions, and where the model looked for each word.

python scripts/caption_sheet.py caption-gru-scenes sheet.png [--count 20] [--columns 2]
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

WORDS = 14
"""Most words of a caption that are drawn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--columns", type=int, default=1)
    options = parser.parse_args()

    from zoo import builders, saved

    loaded = saved.load(options.model)
    data = loaded.installed.task.load(loaded.recipe, loaded.assets)
    rows = []
    for pictures, references, _ in data.split("test", options.count):
        pictures = np.asarray(pictures)
        found = builders.search(loaded.net, pictures, **loaded.assets["search"], attention=True)
        for place, (picture, known) in enumerate(zip(pictures, np.asarray(references), strict=True)):
            tokens = found["tokens"][place, 0, : found["lengths"][place, 0]]
            (caption,) = loaded.assets["tokenizer"].decode([tokens])
            rows.append((picture, caption, json.loads(known)["captions"][0], found["attention"][place, 0]))
    draw(rows, options.out, options.columns)


def draw(rows: list[tuple[np.ndarray, str, str, np.ndarray]], out: Path, columns: int) -> None:
    """Writes the sheet: of each row `(picture, caption, one reference, attention (words, places))`."""
    from zoo.tasks.caption.attention_sheet import grids

    from zoo import figures

    per_column = -(-len(rows) // columns)
    panels = 1 + min(WORDS, max(len(caption.split()) for _, caption, _, _ in rows))
    size = (0.8 * panels * columns, 1.35 * per_column)
    with figures.canvas(out, *size, dpi=70, tight=False) as figure:
        grid = figure.add_gridspec(
            per_column, columns * panels, left=0.005, right=0.995, top=0.97, bottom=0.02, wspace=0.05, hspace=0.55
        )
        for number, (picture, caption, reference, attention) in enumerate(rows):
            line, first = number % per_column, (number // per_column) * panels
            axes = _panel(figure, grid[line, first], picture)
            # With several columns there is no room for more than the caption.
            title = caption if columns > 1 else f"{caption}   (reference: {reference})"
            axes.set_title(figures.label(title), loc="left", fontsize=9)
            for place, (word, weights) in enumerate(zip(caption.split()[:WORDS], grids(attention), strict=False)):
                axes = _panel(figure, grid[line, first + 1 + place], picture, weights)
                axes.set_xlabel(figures.label(word), fontsize=7, labelpad=1)


def _panel(figure: Any, place: Any, picture: np.ndarray, weights: np.ndarray | None = None) -> Any:
    from zoo.figures import show_picture

    axes = figure.add_subplot(place)
    axes.set_xticks([])
    axes.set_yticks([])
    show_picture(axes, picture, weights)
    return axes


if __name__ == "__main__":
    main()
