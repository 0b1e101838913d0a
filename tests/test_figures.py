"""Pictures: written where they should be, in the project's style, with nothing cropped, and readable in gray."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo import figures
from zoo.errors import UserError


def pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file).convert("RGB")).astype(int)


def assert_nothing_is_cropped(file: Path) -> None:
    """The outermost pixels of a picture are white: nothing reaches its border."""
    image = pixels(file)
    assert image.std() > 5, "a blank picture"
    for border in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (border == 255).all()


def drawings() -> dict:
    random = np.random.default_rng(0)
    long = "Donaudampfschifffahrtsgesellschaft$x$"
    return {
        "lines": lambda file: figures.draw_lines(
            file, {"a $1 or $2": (range(3), [1, 0, np.inf]), "b": (range(3), [9, 1e-9, 3])}, ("time (steps)", "norm"),
            title="Lines", log=True, levels={"": 1.0},
        ),
        "levels": lambda file: figures.draw_lines(
            file, {str(i): (["5", "10"], [0.5, i / 6]) for i in range(6)}, ("distance", "accuracy"),
            levels={"chance": 0.5, "solved": 0.9}, spread={str(i): ([0.4, i / 6], [0.5, 1.0]) for i in range(6)},
        ),
        "text": lambda file: figures.draw_text(
            file, [("a title", [[("a", 0.0), ("$", 0.5), ("↵", 1.0)], [("word", 0.2)]]), ("b", [[("x", 1.0)]])],
            note="words " * 20,
        ),
        "words": lambda file: figures.draw_lines(file, {"gru": (["1", "5"], [1.0, 0.5])}, ("distance", "accuracy")),
        "curves": lambda file: figures.draw_curves(
            file, [{"epoch": 1, "loss": 2.0, "validation_bleu": 3}, {"epoch": 2, "loss": 1.0}], "bleu"
        ),
        "chosen": lambda file: figures.draw_curves(
            file, [{"epoch": i, "loss": 1 / i, "validation_log_loss": 2 / i, "accuracy": 0.5} for i in (1, 2, 3)],
            "accuracy", best_epoch=2, title=f"a-model-of-a-long-name, trained on {long} " * 3,
        ),
        "no scores": lambda file: figures.draw_curves(file, [{"epoch": 1}], "loss"),
        "attention": lambda file: figures.draw_attention(
            file, random.dirichlet(np.ones(3), 2), ["a", long, "$c"], [long, "</s>"]
        ),
        "titled": lambda file: figures.draw_attention(
            file, np.ones((2, 2)), ["a", "b"], ["c", "d"], title=f"Attention of a model {long} with a long name",
        ),
        "one word": lambda file: figures.draw_attention(file, np.ones((1, 1)), ["a"], ["b"]),
        "gates": lambda file: figures.draw_gates(
            file, {"input": random.random((3, 8)), "forget": random.random((3, 8))}, ["a", "$", long]
        ),
        "many units": lambda file: figures.draw_gates(
            file, {"forget": random.random((40, 128))}, ["word"] * 40, title="Gates of a model over a text",
        ),
        "tiles": lambda file: figures.draw_tiles(
            file, [("a caption of many words, however long it may be $x$", np.full((30, 50, 3), 90, "uint8"))] * 5,
            "Captions",
        ),
        "whole caption": lambda file: figures.draw_sheet(
            file, np.full((30, 30, 3), 90, "uint8"), [("dog", random.random((2, 2)))], title="a dog runs " * 12,
        ),
        "sheet": lambda file: figures.draw_sheet(
            file, np.full((30, 50, 3), 90, "uint8"), [(word, random.random((2, 2))) for word in ("dog", long, "$", ".")]
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", drawings())
def test_every_kind_of_picture_is_whole(name: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawings()[name](tmp_path / "picture.png")
    assert_nothing_is_cropped(tmp_path / "picture.png")


def test_a_character_that_no_font_has_warns_nobody(tmp_path: Path) -> None:
    figures.draw_lines(tmp_path / "a.png", {"\u6f22": (range(2), [1, 2])}, ("\u0939", "y"), title="\u6f22")
    assert (tmp_path / "a.png").stat().st_size > 1_000


def test_the_chosen_epoch_and_the_validation_loss_are_drawn(tmp_path: Path) -> None:
    history = [{"epoch": i, "loss": 1.0, "validation_log_loss": 2.0, "accuracy": 0.5} for i in (1, 2, 3)]
    figures.draw_curves(tmp_path / "plain.png", history, "accuracy")
    figures.draw_curves(tmp_path / "chosen.png", history, "accuracy", best_epoch=2)
    bare = [{**row, "validation_log_loss": 1.0} for row in history]
    figures.draw_curves(tmp_path / "bare.png", bare, "accuracy")
    drawn = {name: (tmp_path / f"{name}.png").read_bytes() for name in ("plain", "chosen", "bare")}
    assert len(set(drawn.values())) == 3


def test_where_a_model_did_not_look_a_picture_is_dark(tmp_path: Path) -> None:
    picture = np.full((40, 40, 3), 200, "uint8")
    figures.draw_sheet(tmp_path / "sheet.png", picture, [("dog", np.array([[1.0, 0.0], [1.0, 0.0]]))])
    image = pixels(tmp_path / "sheet.png")
    middle = image[int(image.shape[0] * 0.6), image.shape[1] // 2 :].sum(axis=1)
    left, right = middle[len(middle) // 5], middle[-len(middle) // 5]
    assert left > 500
    assert right < 250


def test_the_same_data_make_the_same_file(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        figures.draw_lines(tmp_path / name, {"a": ([1, 2], [3, 4])}, ("x", "y"))
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_lines_and_colors_differ_in_gray() -> None:
    gray = sorted(Image.new("RGB", (1, 1), color).convert("L").getpixel((0, 0)) for color in figures.COLORS)
    assert np.diff(gray).min() > 35
    assert len(set(figures.COLORS)) * len(set(figures.DASHES)) == 16, "enough for every cell"


def test_darker_is_more_in_a_heat_map(tmp_path: Path) -> None:
    figures.draw_attention(tmp_path / "map.png", np.array([[0.0, 1.0]]), ["a", "b"], ["c"])
    image = pixels(tmp_path / "map.png")
    line = image[image.shape[0] * 2 // 3].sum(axis=1)  # through the middle of the map
    assert line[line.size // 5] > line[line.size // 2] + 200


@pytest.mark.parametrize("name", ["nowhere/picture.png", "picture.doc"])
def test_a_file_that_cannot_be_written_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be written .* Name a PNG file in a folder that exists"):
        figures.draw_lines(tmp_path / name, {"a": ([1], [1])}, ("x", "y"))


def test_nobody_else_s_style_or_window_is_touched(tmp_path: Path) -> None:
    code = (
        "import sys, zoo.figures as figures\n"
        "assert 'matplotlib' not in sys.modules\n"
        "import matplotlib\n"
        "before = matplotlib.rcParams.copy()\n"
        f"figures.draw_lines({str(tmp_path / 'a.png')!r}, {{'a': ([1], [1])}}, ('x', 'y'))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert all(matplotlib.rcParams[name] == before[name] for name in before if name != 'backend')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
