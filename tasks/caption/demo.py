"""The tab of `zoo demo`: a picture from a file or a camera, its caption, and where the model looked at each word."""

import functools

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

from zoo.data import images
from zoo.demo import markup
from zoo.demo.part import Demo, Picture
from zoo.errors import UserError
from zoo.saved import SavedModel

from .attention_sheet import grids
from .task import examples as scenes

SIDE = 120
"""Longer side of a tile, in pixels."""

LEAST_LIGHT = 0.25
"""Brightness of the parts of a tile where the model did not look: dark, but one can still see what is there."""


def answer(saved: SavedModel, path: str) -> str:
    """The caption, and a tile for each of its words."""
    attends = saved.recipe.attention != "none"
    result = saved.predict(path, attention=attends)
    if "error" in result:
        raise UserError(result["error"])
    head = [markup.head(result["caption"]), markup.note(_about(saved))]
    if not attends:
        return markup.block(*head, markup.note("This model was trained without attention: there is none to show."))
    small = _small(images.read(path))
    weights = grids(np.array(result["attention"], "float32"))
    shown = [
        (word.removeprefix("▁"), images.data_uri([lit(small, grid)]))
        for word, grid in zip(result["tokens"], weights, strict=True)
        if word != "</s>"
    ]
    return markup.block(
        *head,
        markup.title("Where it looked"),
        markup.tiles(shown),
        markup.note("The picture once for each word: bright where the model looked when it wrote the word."),
    )


def _about(saved: SavedModel) -> str:
    data = saved.metrics["data"]
    kind = "drawn scenes" if data.get("synthetic") else "photographs like those of its training data"
    return f"{saved.path.name} knows {kind}; about other pictures it guesses."


def _small(picture: np.ndarray) -> np.ndarray:
    """The picture with `SIDE` pixels on its longer side."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    return images.resized(picture, max(round(height * scale), 1), max(round(width * scale), 1))


def lit(picture: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """A picture that is bright where attention is high.

    Args:
        picture: `(height, width, 3)` uint8.
        grid: Weights `(rows, columns)`, 0 or more.

    Returns:
        `(height, width, 3)` uint8.
    """
    height, width = picture.shape[:2]
    relative = Image.fromarray((grid / max(float(grid.max()), 1e-9)).astype("float32"))
    light = np.asarray(relative.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)[..., None]
    return np.rint(picture * (LEAST_LIGHT + (1 - LEAST_LIGHT) * light)).astype("uint8")


@functools.cache
def examples() -> list[str]:
    """The two photographs that come with scikit-learn (CC BY), and two scenes of the built-in data set."""
    photographs = [images.data_uri([_reduced(picture)]) for picture in load_sample_images().images]
    return [*photographs, *scenes()]


def _reduced(picture: np.ndarray) -> np.ndarray:
    return images.resized(picture, picture.shape[0] // 2, picture.shape[1] // 2)


DEMO = Demo(
    title="Captioning",
    shape="One to many: a picture is seen at once, and a sentence about it is written word by word.",
    inputs=[Picture("Picture", webcam=True)],
    answer=answer,
    examples=examples,
    button="Describe",
)
