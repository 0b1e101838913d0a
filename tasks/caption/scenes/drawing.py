"""Draws a scene with Pillow: each thing on a patch four times as large, whose reduction smooths the edges."""

import functools
import math
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from .scene import SIDE, Ground, Scene, Thing

Point = tuple[float, float]
Color = tuple[int, int, int]

SCALE = 4
"""Pixels of a patch for one pixel of the picture, in each direction."""

PAINTS: dict[str, Color] = {
    "red": (225, 25, 30),
    "orange": (255, 130, 0),
    "yellow": (250, 225, 20),
    "green": (20, 150, 50),
    "blue": (30, 70, 235),
    "purple": (140, 40, 190),
    "pink": (255, 130, 200),
    "cyan": (30, 215, 230),
}
"""Red, green and blue. Neighbors differ in brightness too: cyan is light, blue dark; pink is light, purple dark."""

INKS: dict[str, Color] = dict.fromkeys(("red", "green", "blue", "purple"), (250, 250, 250)) | dict.fromkeys(
    ("orange", "yellow", "pink", "cyan"), (20, 20, 20)
)
"""Stripes and dots: white on dark colors, black on light ones."""

GROUND_PAINTS: dict[str, Color] = {
    "black": (34, 34, 36),
    "grey": (130, 130, 130),
    "white": (226, 226, 222),
    "brown": (104, 66, 40),
}

SLOPE = 34
"""A shaded ground is so much darker at one end and lighter at the other."""

GRAINS = 12
"""Distance of the eight shades of a noisy ground's pixels."""

STRIPE, STRIPE_PITCH = 2.0, 4.4
"""Pixels: width of a stripe, distance from one to the next. The smallest thing has three."""

DOT, DOT_PITCH = 1.35, 4.4
"""Pixels: radius of a dot, distance from one to the next."""

RIM = 1.0
"""Pixels at the edge of a thing that stay free of stripes and dots: they show its shape on any ground."""

HOLE = 0.46
"""Inner radius of a ring by its outer one."""


def render(scene: Scene) -> np.ndarray:
    """The picture of a scene.

    Returns:
        Red, green and blue `(SIDE, SIDE, 3)`, uint8; the same for the same scene.
    """
    picture = Image.fromarray(_ground(scene.ground))
    for thing in scene.things:
        half = math.ceil(thing.reach) + 1
        corner = (math.floor(thing.x) - half, math.floor(thing.y) - half)
        center = (SCALE * (thing.x - corner[0]), SCALE * (thing.y - corner[1]))
        side = SCALE * (2 * half + 1)
        skin, mask = Image.new("RGB", (side, side)), Image.new("L", (side, side))
        _dress(skin, thing, center)
        _cut(mask, thing, center)
        picture.paste(skin.reduce(SCALE), corner, mask.reduce(SCALE))
    return np.asarray(picture)


def _ground(ground: Ground) -> np.ndarray:
    light = np.full((SIDE, SIDE), ground.light)
    if ground.finish == "shaded":
        angle = math.radians(ground.slope)
        steps = np.linspace(-1, 1, SIDE)
        light += SLOPE * (math.cos(angle) * steps + math.sin(angle) * steps[:, np.newaxis])
    elif ground.finish == "noisy":
        grains = np.frombuffer(random.Random(ground.seed).randbytes(SIDE * SIDE), np.uint8).reshape(SIDE, SIDE)
        light += GRAINS * (grains // 32 - 3.5)
    return np.clip(light[..., np.newaxis] + GROUND_PAINTS[ground.color], 0, 255).round().astype(np.uint8)


def _dress(skin: Image.Image, thing: Thing, center: Point) -> None:
    """Color and texture everywhere, the rim where the shape will end."""
    paint = tuple(min(255, round(thing.shade * value)) for value in PAINTS[thing.color])
    pen, ink, reach = ImageDraw.Draw(skin), INKS[thing.color], math.ceil(thing.reach)
    skin.paste(paint, (0, 0, *skin.size))
    if thing.texture == "striped":
        for ends in _stripes(reach):
            pen.line(_turned(ends, thing.grain, SCALE, center), fill=ink, width=round(SCALE * STRIPE))
    elif thing.texture == "dotted":
        for dot in _turned(_dots(reach), thing.grain, SCALE, center):
            pen.ellipse(_box(dot, SCALE * DOT), fill=ink)
    if thing.shape in _OUTLINES:
        outline = _outline(thing, center)
        pen.line([*outline, outline[0]], fill=paint, width=round(2 * SCALE * RIM))  # half of it lies outside
    else:
        width = round(SCALE * RIM)
        pen.ellipse(_box(center, SCALE * thing.reach), outline=paint, width=width)
        if thing.shape == "ring":
            pen.ellipse(_box(center, HOLE * SCALE * thing.reach + width), outline=paint, width=width)


def _cut(mask: Image.Image, thing: Thing, center: Point) -> None:
    """White where the thing is."""
    pen, reach = ImageDraw.Draw(mask), SCALE * thing.reach
    if thing.shape in _OUTLINES:
        pen.polygon(_outline(thing, center), fill=255)
        return
    pen.ellipse(_box(center, reach), fill=255)
    if thing.shape == "ring":
        pen.ellipse(_box(center, HOLE * reach), fill=0)


def _outline(thing: Thing, center: Point) -> list[Point]:
    return _turned(_OUTLINES[thing.shape](), thing.tilt, SCALE * thing.reach, center)


@functools.cache
def _stripes(reach: int) -> list[tuple[Point, Point]]:
    count = math.ceil(reach / STRIPE_PITCH)
    return [((-reach, STRIPE_PITCH * i), (reach, STRIPE_PITCH * i)) for i in range(-count, count + 1)]


@functools.cache
def _dots(reach: int) -> list[Point]:
    """Rows of dots, each second row moved by half a step."""
    count = math.ceil(reach / DOT_PITCH)
    steps = range(-count, count + 1)
    return [(DOT_PITCH * (i + row % 2 / 2), DOT_PITCH * 0.87 * row) for row in steps for i in steps]


@functools.cache
def _square() -> list[Point]:
    return [_at(45 + 90 * corner) for corner in range(4)]


@functools.cache
def _triangle() -> list[Point]:
    return [_at(-90 + 120 * corner) for corner in range(3)]


@functools.cache
def _star() -> list[Point]:
    return [_at(-90 + 36 * corner, 0.45 if corner % 2 else 1.0) for corner in range(10)]


@functools.cache
def _cross() -> list[Point]:
    """Arms a third as wide as the whole: corners by quarters, two at the arm's end and one inside."""
    end, arm = math.cos(math.asin(1 / 3)), 1 / 3
    inside = (45.0, arm * math.sqrt(2))
    tilt = math.degrees(math.atan2(arm, end))
    return [_at(90 * quarter + angle, far) for quarter in range(4) for angle, far in ((-tilt, 1), (tilt, 1), inside)]


_OUTLINES: dict[str, Callable[[], list[Point]]] = {
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
}


def _at(degrees: float, far: float = 1.0) -> Point:
    return far * math.cos(math.radians(degrees)), far * math.sin(math.radians(degrees))


def _turned(points: list[Point] | tuple[Point, ...], degrees: float, scale: float, center: Point) -> list[Point]:
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    return [(center[0] + x * cos - y * sin, center[1] + x * sin + y * cos) for x, y in points]


def _box(center: Point, radius: float) -> tuple[float, float, float, float]:
    return center[0] - radius, center[1] - radius, center[0] + radius, center[1] + radius
