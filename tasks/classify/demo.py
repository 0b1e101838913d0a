"""The tab of `zoo demo`: a digit that is drawn, as the model reads it, and what it takes it for.

The digits of the training data were scanned, fitted into a square of 32 x 32 black and white pixels, and counted in
blocks of 4 x 4: pixels from 0 to 16 (UCI, "Optical Recognition of Handwritten Digits", optdigits.names). A drawing goes
the same way.
"""

import functools

import numpy as np
from PIL import Image

from zoo.cards import Summary
from zoo.data import images
from zoo.demo import markup
from zoo.demo.part import Demo, Sketch, has_assets
from zoo.errors import UserError
from zoo.saved import SavedModel
from zoo.storage import schema

from .raw import digits

BLOCK = 4
"""Black and white pixels along a block that becomes one gray pixel."""

INK = 110
"""Brightness from which a pixel of an enlarged digit counts as ink: strokes are then as thick as those of a pen."""


def answer(saved: SavedModel, ink: np.ndarray) -> str:
    """The digit, its probabilities, and the picture that the model reads."""
    shape = saved.assets["picture"] if "order" in saved.assets else saved.assets["shape"]
    if len(shape) != 3:
        raise UserError(f"{saved.path.name} reads sequences of numbers, not pictures: choose another model.")
    height, width, _ = shape
    read = counted(ink, height, width)
    uri = images.data_uri([read])
    result = saved.predict(uri)
    if "error" in result:
        raise UserError(result["error"])
    ranked = sorted(result["probabilities"].items(), key=lambda item: -item[1])
    return markup.block(
        markup.head(result["label"]),
        markup.bars(ranked[:5]),
        markup.title("What the model reads"),
        markup.tiles([(f"{height} x {width} pixels", uri)], large=True),
        markup.note(
            "The drawing is cropped to its ink and reduced as the training data were. It has no answer for what is no "
            "digit: it names the most similar one."
        ),
    )


def counted(ink: np.ndarray, height: int, width: int) -> np.ndarray:
    """A drawing as the digits of the training data are.

    Args:
        ink: `(rows, columns)` from 0 (paper) to 1 (ink).
        height: Of the result.
        width: Of the result.

    Returns:
        `(height, width)` uint8: 255 times the share of ink in a block, ink is light. The ink fills the height, or the
        width if it is wider than high.
    """
    down, across = (np.flatnonzero((ink > 0.5).any(axis=axis)) for axis in (1, 0))
    cropped = ink[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    scale = min(BLOCK * height / cropped.shape[0], BLOCK * width / cropped.shape[1])
    size = [max(round(side * scale), 1) for side in cropped.shape]
    fitted = Image.fromarray(cropped.astype("float32")).resize((size[1], size[0]), Image.Resampling.BOX)
    square = np.zeros((BLOCK * height, BLOCK * width), "float32")
    top, left = (BLOCK * height - size[0]) // 2, (BLOCK * width - size[1]) // 2
    square[top : top + size[0], left : left + size[1]] = np.asarray(fitted) > 0.5
    counts = square.reshape(height, BLOCK, width, BLOCK).sum(axis=(1, 3))
    return np.rint(counts * (255 / BLOCK**2)).astype("uint8")


def accepts(summary: Summary) -> bool:
    """Whether a model reads pictures, not series."""
    if not has_assets(summary, "shape"):
        return False
    shape = schema.read(summary.path, "assets/shape.json", schema.ASSETS["shape"])
    return has_assets(summary, "picture") or len(shape) == 3


@functools.cache
def examples() -> list[str]:
    """Digits of the test split, enlarged, dark on light."""
    drawn = [pixels[..., 0] for pixels, _ in digits().split("test", 6).as_numpy_iterator()]
    return [images.data_uri([enlarged(pixels)]) for pixels in drawn]


def enlarged(pixels: np.ndarray, size: int = 280) -> np.ndarray:
    """A digit of the training data as a drawing: black on white, with an edge of one of its pixels around it."""
    framed = Image.fromarray(np.pad(pixels, 1)).resize((size, size), Image.Resampling.BICUBIC)
    return np.where(np.asarray(framed) > INK, 0, 255).astype("uint8")


DEMO = Demo(
    title="Digits",
    shape="One to one: a picture is read at once and gets one label; there is no sequence and no recurrence here.",
    inputs=[Sketch("Draw a digit")],
    answer=answer,
    examples=examples,
    accepts=accepts,
    button="Recognize",
)
