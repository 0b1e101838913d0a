"""What a caption can claim of a scene, and when a claim holds; made by `parser`, it knows nothing of `grammar`."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

MIDDLE = 32.0
"""Pixels to the middle of a picture, from the left as from above."""

OFF, NEAR, APART = 3.0, 11.0, 3.0
"""Pixels: off the middle to be on one side, near it to be in the middle, apart to be left of or above another."""

SIDES = {"left": (0, -1), "right": (0, 1), "upper": (1, -1), "lower": (1, 1), "top": (1, -1), "bottom": (1, 1)}
"""Axis (0 across, 1 down) and direction."""


class Seen(NamedTuple):
    """A thing of the facts: shape, color, size, texture, and its center in pixels."""

    shape: str
    color: str
    size: str
    texture: str
    at: tuple[float, float]


class View(NamedTuple):
    """What a claim is checked against: the things, and the color and finish of the ground."""

    things: tuple[Seen, ...]
    ground: frozenset[str]


def view(facts: str | Mapping[str, Any]) -> View:
    """Reads the facts of a scene, JSON or what it stands for."""
    facts = json.loads(facts) if isinstance(facts, str) else facts
    things = tuple(
        Seen(thing["shape"], thing["colour"], thing["size"], thing["texture"], (thing["x"], thing["y"]))
        for thing in facts["things"]
    )
    return View(things, frozenset(facts["ground"].values()))


class Claim(Protocol):
    """A part of a caption that is true or false."""

    def holds(self, view: View) -> bool:
        """Whether it is true of the scene."""


class Group(NamedTuple):
    """Things that a phrase names: at least one after "a", exactly as many as a number or "the" says."""

    least: int
    most: int | None
    noun: str
    adjectives: frozenset[str]

    def matches(self, thing: Seen) -> bool:
        """Whether the phrase, but for its number, is true of one thing."""
        return self.noun in ("object", thing.shape) and self.adjectives <= {thing.color, thing.size, thing.texture}

    def among(self, view: View) -> set[int]:
        """Indices of the things that match."""
        return {index for index, thing in enumerate(view.things) if self.matches(thing)}

    def holds(self, view: View) -> bool:
        """Whether there are exactly that many."""
        found = len(self.among(view))
        return self.least <= found and (self.most is None or found <= self.most)


class Both(NamedTuple):
    """Two groups with no thing in common: "a circle and a red circle" takes two circles."""

    first: Group
    second: Group

    def holds(self, view: View) -> bool:
        """Whether each is there, and enough things for the two of them."""
        together = len(self.first.among(view) | self.second.among(view))
        return self.first.holds(view) and self.second.holds(view) and together >= self.first.least + self.second.least


class Placed(NamedTuple):
    """A group of which some thing is at a place: all words of the place hold."""

    group: Group
    place: tuple[str, ...]

    def holds(self, view: View) -> bool:
        """Whether one of the group is there."""
        return self.group.holds(view) and any(self._at(view.things[index].at) for index in self.group.among(view))

    def _at(self, point: tuple[float, float]) -> bool:
        off = [coordinate - MIDDLE for coordinate in point]
        if self.place == ("middle",):
            return max(map(abs, off)) <= NEAR
        return all(off[axis] * direction >= OFF for axis, direction in (SIDES[word] for word in self.place))


class Related(NamedTuple):
    """A thing of one group stands on a side, `"left"` or `"upper"`, of another thing of the other group."""

    first: Group
    side: str
    second: Group

    def holds(self, view: View) -> bool:
        """Whether any two things stand so."""
        axis, direction = SIDES[self.side]
        return any(
            (view.things[one].at[axis] - view.things[other].at[axis]) * direction >= APART
            for one, other in _pairs(self.first, self.second, view)
        )


class Compared(NamedTuple):
    """One thing is larger than another (`order` 1), smaller (-1) or of the same size (0)."""

    first: Group
    order: int
    second: Group

    def holds(self, view: View) -> bool:
        """Whether each of the two is one thing, not the same, and their sizes are so."""
        if not (self.first.holds(view) and self.second.holds(view)):
            return False
        sizes = [thing.size == "large" for thing in view.things]
        return any(sizes[one] - sizes[other] == self.order for one, other in _pairs(self.first, self.second, view))


class Attributed(NamedTuple):
    """All of a group have an attribute."""

    group: Group
    adjective: str

    def holds(self, view: View) -> bool:
        """Whether there are exactly that many, and all have it."""
        more = self.group._replace(adjectives=self.group.adjectives | {self.adjective})
        return self.group.holds(view) and self.group.among(view) == more.among(view)


class Background(NamedTuple):
    """The ground is of a color, and of a finish if one is named."""

    words: frozenset[str]

    def holds(self, view: View) -> bool:
        """Whether it is so."""
        return self.words <= view.ground


def _pairs(first: Group, second: Group, view: View) -> Iterable[tuple[int, int]]:
    """Indices of two different things, one of each group."""
    return ((one, other) for one in first.among(view) for other in second.among(view) if one != other)
