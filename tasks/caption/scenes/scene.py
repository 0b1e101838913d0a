"""What a scene is, and how one is drawn at random; `draw` is the only source of chance for the pictures."""

import dataclasses
import itertools
import json
import math
import random
from typing import NamedTuple

Kind = tuple[str, str, str]
"""Color, shape and texture of a thing."""

SIDE = 64
"""Pixels of a picture's width and height."""

SHAPES = ("circle", "square", "triangle", "star", "ring", "cross")
COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "cyan")
SIZES = ("small", "large")
TEXTURES = ("plain", "striped", "dotted")
GROUNDS = ("black", "grey", "white", "brown")
FINISHES = ("plain", "shaded", "noisy")

RESERVED_KINDS = frozenset(
    (color, shape, TEXTURES[(i // 2 + j) % len(TEXTURES)])
    for i, color in enumerate(COLORS)
    for j, shape in enumerate(SHAPES)
    if (i + j) % 2 == 0
)
"""Kinds of things that occur in the test split alone, at least one in each of its pictures: 24 of 144.

A color and a shape that meet here have met before, in other textures: what is asked for is a new combination of three
things known. Each color, shape and texture occurs.
"""

COUNTS = {1: 4, 2: 3, 3: 2, 4: 1}
"""Shares of the numbers of things in a picture: shapes and colors are learned where one thing is alone."""

TWIN, SIBLING = 0.3, 0.15
"""How often a thing takes color and shape, or the shape alone, from one before: else hardly two would be alike."""

LARGE = {1: 0.5, 2: 0.5, 3: 0.4, 4: 0.3}
"""How often a thing is large, by the number of things: four large ones have no room."""

RADII = {"small": (7.4, 8.4), "large": (12.0, 13.4)}
"""Pixels; no thing has a size in between, so that "small" and "large" are never in doubt."""

EXTENTS = {"circle": 1.0, "square": 1.24, "triangle": 1.3, "star": 1.3, "ring": 1.05, "cross": 1.15}
"""From the center to the farthest point, by the radius: with equal radii, all shapes look about as large."""

TILTS = {"circle": 180, "square": 14, "triangle": 20, "star": 36, "ring": 180, "cross": 14}
"""Degrees by which a shape may be turned to either side: a square stays a square and does not become a diamond."""

GAP = 2.0
"""Pixels that stay free around each thing."""

TRIES = 40
"""Random places for one thing before its whole scene is given up."""


class Thing(NamedTuple):
    """One thing of a scene.

    Attributes:
        shape: One of `SHAPES`.
        color: One of `COLORS`.
        size: One of `SIZES`.
        texture: One of `TEXTURES`.
        x: Pixels from the left edge to its center.
        y: Pixels from the upper edge to its center.
        radius: Pixels, before `EXTENTS`.
        tilt: Degrees.
        grain: Degrees by which stripes or rows of dots are turned.
        shade: Factor to the color's brightness.
    """

    shape: str
    color: str
    size: str
    texture: str
    x: float
    y: float
    radius: float
    tilt: float
    grain: float
    shade: float

    @property
    def reach(self) -> float:
        """Pixels from the center to the farthest point."""
        return self.radius * EXTENTS[self.shape]


class Ground(NamedTuple):
    """What lies behind the things.

    Attributes:
        color: One of `GROUNDS`.
        finish: One of `FINISHES`.
        light: Added to the color, in steps of 255.
        slope: Degrees: the direction in which a shaded ground becomes lighter.
        seed: Where the grains of a noisy ground come from.
    """

    color: str
    finish: str
    light: float
    slope: float
    seed: int


@dataclasses.dataclass(frozen=True)
class Scene:
    """All that a picture shows.

    Attributes:
        things: One to four; none touches another or the edge.
        ground: What lies behind them.
    """

    things: tuple[Thing, ...]
    ground: Ground

    def facts(self) -> str:
        """JSON of what a caption can be checked against."""
        # The key "colour" belongs to the format of the data set: another one would be a new version.
        things = [
            {"shape": one.shape, "colour": one.color, "size": one.size, "texture": one.texture, "x": one.x, "y": one.y}
            for one in self.things
        ]
        ground = {"colour": self.ground.color, "finish": self.ground.finish}
        return json.dumps({"ground": ground, "things": things})


def draw(rng: random.Random, held_out: bool = False) -> Scene:
    """A random scene.

    Args:
        rng: Where chance comes from.
        held_out: Whether one thing or more is of `RESERVED_KINDS`; if not, none is.
    """
    while True:
        kinds = _kinds(rng, rng.choices(list(COUNTS), list(COUNTS.values()))[0], held_out)
        things: list[Thing] = []
        for kind in kinds:
            size = SIZES[rng.random() < LARGE[len(kinds)]]
            thing = next((t for t in (_thing(rng, kind, size) for _ in range(TRIES)) if _fits(t, things)), None)
            if thing is None:
                break
            things.append(thing)
        if len(things) == len(kinds):
            return Scene(tuple(things), _ground(rng))


def _kinds(rng: random.Random, count: int, held_out: bool) -> list[Kind]:
    """Colors, shapes and textures, in random order."""
    every = [kind for kind in itertools.product(COLORS, SHAPES, TEXTURES) if held_out or kind not in RESERVED_KINDS]
    kinds = [rng.choice(sorted(RESERVED_KINDS) if held_out else every)]
    while len(kinds) < count:
        chance, before = rng.random(), rng.choice(kinds)
        if chance < TWIN:
            kinds.append(rng.choice([kind for kind in every if kind[:2] == before[:2]]))
        elif chance < TWIN + SIBLING:
            kinds.append(rng.choice([kind for kind in every if kind[1] == before[1]]))
        else:
            kinds.append(rng.choice(every))
    rng.shuffle(kinds)
    return kinds


def _thing(rng: random.Random, kind: Kind, size: str) -> Thing:
    color, shape, texture = kind
    radius = round(rng.uniform(*RADII[size]), 2)
    reach = radius * EXTENTS[shape] + 1
    return Thing(
        shape,
        color,
        size,
        texture,
        x=round(rng.uniform(reach, SIDE - reach), 1),
        y=round(rng.uniform(reach, SIDE - reach), 1),
        radius=radius,
        tilt=rng.uniform(-TILTS[shape], TILTS[shape]),
        grain=rng.uniform(0, 180),
        shade=rng.uniform(0.9, 1.05),
    )


def _fits(thing: Thing, others: list[Thing]) -> bool:
    return all(math.hypot(thing.x - other.x, thing.y - other.y) > thing.reach + other.reach + GAP for other in others)


def _ground(rng: random.Random) -> Ground:
    return Ground(
        rng.choice(GROUNDS), rng.choice(FINISHES), rng.uniform(-8, 8), rng.uniform(0, 360), rng.getrandbits(32)
    )
