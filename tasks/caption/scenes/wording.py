"""Phrases of the captions: things with their articles, groups with their numbers, places, relations.

A place or a relation is told only where it is plain to see: the thresholds are wider than those of the checker.
"""

import random
from collections.abc import Iterable, Sequence

from .scene import SIDE, Scene, Thing

OFF = 8.0
"""Pixels between a thing's center and the picture's middle from which on it is called left, right, upper or lower."""

NEAR = 6.0
"""Pixels, across and down, up to which a thing is called in the middle."""

APART = 10.0
"""Pixels by which one thing is more to the left than another, or higher, for a caption to say so."""

NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four"}


def one(thing: Thing, attributes: Iterable[str]) -> str:
    """The thing with the indefinite article."""
    name = " ".join([*(getattr(thing, attribute) for attribute in attributes), thing.shape])
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def the(thing: Thing, scene: Scene, attributes: Sequence[str] | None = None) -> str | None:
    """The thing with the definite article, by its shape or by color and shape; none if several are called so."""
    for names in [attributes] if attributes else [("shape",), ("color", "shape")]:
        called = [getattr(thing, name) for name in names]
        if sum([getattr(other, name) for name in names] == called for other in scene.things) == 1:
            return f"the {' '.join(called)}"
    return None


def alike(things: Iterable[Thing], by: Sequence[str]) -> list[list[Thing]]:
    """Things that are alike in these attributes."""
    groups: dict[tuple[str, ...], list[Thing]] = {}
    for thing in things:
        groups.setdefault(tuple(getattr(thing, name) for name in by), []).append(thing)
    return list(groups.values())


def counted(group: Sequence[Thing]) -> str:
    """Things of one shape, how many, and the color if it is one; `group` has all such things of the scene."""
    first = group[0]
    if len(group) == 1:
        return one(first, ("color",))
    color = [first.color] if len({thing.color for thing in group}) == 1 else []
    return " ".join([NUMBERS[len(group)], *color, plural(first.shape)])


def plural(shape: str) -> str:
    """The noun for several."""
    return f"{shape}es" if shape.endswith("s") else f"{shape}s"


def place(thing: Thing, rng: random.Random) -> str | None:
    """Where the thing is, with a preposition; none if that is in doubt."""
    across, down = thing.x - SIDE / 2, thing.y - SIDE / 2
    if max(abs(across), abs(down)) <= NEAR:
        return "in the middle"
    side = "left" if across < 0 else "right"
    sides = {"on the left" if across < 0 else "on the right": abs(across) >= OFF}
    sides["at the top" if down < 0 else "at the bottom"] = abs(down) >= OFF
    if all(sides.values()) and rng.random() < 0.7:
        return f"in the {'upper' if down < 0 else 'lower'} {side}"
    return next((words for words, clear in rng.sample(sorted(sides.items()), 2) if clear), None)


def relation(first: Thing, second: Thing) -> str | None:
    """On what side of the second thing the first is, along the longer axis; none if they are too close."""
    across, down = first.x - second.x, first.y - second.y
    if max(abs(across), abs(down)) < APART:
        return None
    if abs(across) > abs(down):
        return "to the left of" if across < 0 else "to the right of"
    return "above" if down < 0 else "below"
