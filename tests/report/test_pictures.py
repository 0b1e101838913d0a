"""Pictures of reports: nothing is cropped, whatever the length of names and titles."""

import numpy as np
import pytest
from PIL import Image

from zoo.report import pictures

LONG = "a-model-with-a-very-long-name-indeed on some/data-set, split test"


def drawings():
    random = np.random.default_rng(0)
    labels = ["a$", "b" * 40, "c"]
    return {
        "confusion": lambda file: pictures.draw_confusion(file, random.integers(0, 9, (3, 3)), labels, LONG),
        "many classes": lambda file: pictures.draw_confusion(
            file, random.integers(0, 9, (60, 60)), [f"class {i}" for i in range(60)], LONG
        ),
        "bars": lambda file: pictures.draw_bars(
            file, {"x": [1, 2, 3]}, labels, ("name", "value"), LONG, [(0.5, 1.5), (1, 3), (2, 4)], ("all", 2.0)
        ),
        "groups": lambda file: pictures.draw_bars(file, {"x": [1], "y": [2], "z": [0]}, ["a"], ("name", "value"), LONG),
        "reliability": lambda file: pictures.draw_reliability(
            file, np.array([0.6, 1.0]), np.array([0.0, 1.0]), np.array([1, 900]), 0.1234, LONG
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", drawings())
def test_every_picture_is_whole(name, tmp_path):
    drawings()[name](tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as opened:
        image = np.asarray(opened.convert("RGB"))
    assert image.std() > 5, "a blank picture"
    for border in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (border == 255).all()
