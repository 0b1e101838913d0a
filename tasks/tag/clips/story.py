"""What happens in a clip: where the objects are in every frame, and the label of the frame.

All positions are whole pixels. An object moves one or two pixels per frame, so that a label is never ambiguous.
"""

import random
from typing import NamedTuple

SIDE = 24
"""Height and width of a frame in pixels."""

LENGTHS = (16, 48)
"""Smallest and largest number of frames of a clip."""

LABELS = ("empty", "still", "left", "right", "up", "down", "hidden", "merged")

MOTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
"""Direction of each motion, across and down."""

OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}

SEGMENT = (4, 12)
"""Frames for which an object does the same, unless it meets the edge."""

GONE = (3, 8)
"""Frames without an object: at the beginning, or after one has vanished."""

STILL, VANISH = 0.2, 0.12
"""Probability that the next segment stands still, or that the object vanishes; else it moves in a direction."""

LATE, MERGE, BOX = 0.3, 0.35, 0.7
"""Probability that a clip begins without an object, begins with two that merge, and has a rectangle that hides."""


class Box(NamedTuple):
    """A rectangle in front of everything: its left and upper pixel, its width and height."""

    x: int
    y: int
    width: int
    height: int

    def covers(self, x: int, y: int, size: int) -> bool:
        """Whether no pixel of an object of this size is visible."""
        return self.x <= x and self.y <= y and x + size <= self.x + self.width and y + size <= self.y + self.height

    def grown(self, by: int) -> "Box":
        """The same with this many more pixels on each side."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)


class Story(NamedTuple):
    """A clip before it is drawn.

    Attributes:
        size: Side of every object in pixels.
        box: The rectangle that hides objects, if there is one.
        places: For each frame, the upper left pixels `(x, y)` of the objects, hidden or not.
        labels: For each frame, one of `LABELS`.
    """

    size: int
    box: Box | None
    places: list[list[tuple[int, int]]]
    labels: list[str]


def random_story(rng: random.Random) -> Story:
    """A random story."""
    size = rng.randint(3, 5)
    box = _box(rng, size) if rng.random() < BOX else None
    length = rng.randint(*LENGTHS)
    actor = _Actor(rng, size, box)
    merged = rng.random() < MERGE
    if merged:
        actor.meet()
    elif rng.random() < LATE:
        actor.absent()
    while len(actor.labels) < length:
        actor.act()
    return Story(size, box, actor.places[:length], actor.labels[:length])


def _box(rng: random.Random, size: int) -> Box:
    width, height = rng.randint(size + 4, 13), rng.randint(size + 4, 13)
    return Box(rng.randint(2, SIDE - 2 - width), rng.randint(2, SIDE - 2 - height), width, height)


class _Actor:
    """An object, and the frames so far."""

    def __init__(self, rng: random.Random, size: int, box: Box | None) -> None:
        self.rng, self.size, self.box = rng, size, box
        self.largest = SIDE - size  # largest coordinate of an object
        self.places: list[list[tuple[int, int]]] = []
        self.labels: list[str] = []
        self.merged = False
        self.x, self.y = self._appear()

    def _appear(self) -> tuple[int, int]:
        """A place where the object is visible, also after one step: what appears behind the box cannot be labeled."""
        while True:
            x, y = self.rng.randint(0, self.largest), self.rng.randint(0, self.largest)
            if not (self.box and self.box.grown(2).covers(x, y, self.size)):
                return x, y

    def _frame(self, label: str, *more: tuple[int, int]) -> None:
        """Adds a frame with this label, unless the object is hidden or merged."""
        there = [(self.x, self.y), *more]
        hidden = self.box is not None and all(self.box.covers(*place, self.size) for place in there)
        self.places.append(there)
        self.labels.append("hidden" if hidden else "merged" if self.merged else label)

    def absent(self) -> None:
        """Adds frames without the object, which then is somewhere else, and not merged."""
        for _ in range(self.rng.randint(*GONE)):
            self.places.append([])
            self.labels.append("empty")
        self.merged = False
        self.x, self.y = self._appear()

    def act(self) -> None:
        """Adds a segment: stand, vanish, or move and turn back at the edge."""
        chance = self.rng.random()
        if chance < VANISH and self.labels and self.labels[-1] not in ("hidden", "empty"):
            self.absent()
        else:
            motion = "" if chance > 1 - STILL else self.rng.choice(sorted(MOTIONS))
            speed = self.rng.randint(1, 2)
            for _ in range(self.rng.randint(*SEGMENT)):
                motion = self._step(motion, speed)

    def _step(self, motion: str, speed: int) -> str:
        """Adds a frame; returns the motion, or its opposite after the edge was met."""
        if not motion:
            self._frame("still")
            return motion
        x, y = self._moved(motion, speed)
        if (x, y) == (self.x, self.y):
            motion = OPPOSITE[motion]
            x, y = self._moved(motion, speed)
        self.x, self.y = x, y
        self._frame(motion)
        return motion

    def _moved(self, motion: str, speed: int) -> tuple[int, int]:
        across, down = MOTIONS[motion]
        return min(max(self.x + across * speed, 0), self.largest), min(max(self.y + down * speed, 0), self.largest)

    def meet(self) -> None:
        """Adds frames in which two objects move the same way, the one behind twice as fast, until they have merged."""
        motion = self.rng.choice(sorted(MOTIONS))
        across, down = MOTIONS[motion]
        lead = self.rng.randint(self.size + 1, self.size + 3)  # pixels, and so the number of frames until they meet
        start, side = 0, 0
        self.x, self.y = -SIDE, -SIDE
        while self.x < 0 or (
            self.box and self.box.covers(self.x, self.y, self.size)
        ):  # one of them is visible at first
            start, side = self.rng.randint(0, self.largest - 2 * lead), self.rng.randint(0, self.largest)
            self.x, self.y = _along(start + lead, across, down, side, self.largest)
        for frame in range(lead):
            slow, fast = (
                _along(start + ahead, across, down, side, self.largest) for ahead in (lead + frame, 2 * frame)
            )
            self.x, self.y = slow
            self._frame(motion, fast)
        self.merged = True
        self.x, self.y = _along(start + 2 * lead, across, down, side, self.largest)
        self._frame(motion)


def _along(way: int, across: int, down: int, side: int, largest: int) -> tuple[int, int]:
    """The place after this many pixels along a line from one edge to the other."""
    way = way if across + down > 0 else largest - way
    return (way, side) if across else (side, way)
