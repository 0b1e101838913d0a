"""What happens in a clip: where things are in every frame, and what the frame is called.

All positions are whole pixels. A thing that moves goes one or two pixels a frame, so that a label is never in doubt.
"""

import random
from typing import NamedTuple

SIDE = 24
"""Height and width of a frame in pixels."""

LENGTHS = (16, 48)
"""Frames of a clip: the fewest and the most."""

LABELS = ("empty", "still", "left", "right", "up", "down", "hidden", "merged")

MOTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
"""Steps across and down."""

OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}

SEGMENT = (4, 12)
"""Frames for which a thing does the same, unless it meets a wall."""

GONE = (3, 8)
"""Frames for which nothing is there: at first, or after a thing has vanished."""

STILL, VANISH = 0.2, 0.12
"""How often the next segment is to stand still, or to vanish; the others are to move in one of four directions."""

LATE, MERGE, WALL = 0.3, 0.35, 0.7
"""How often nothing is there at first, a clip begins with two things that merge, and something hides what is behind."""


class Box(NamedTuple):
    """A rectangle in front of everything: its first pixel across and down, its width and height."""

    x: int
    y: int
    width: int
    height: int

    def covers(self, x: int, y: int, size: int) -> bool:
        """Whether nothing of a thing of this size can be seen."""
        return self.x <= x and self.y <= y and x + size <= self.x + self.width and y + size <= self.y + self.height

    def grown(self, by: int) -> "Box":
        """The same with so many pixels more on each side."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)


class Story(NamedTuple):
    """A clip before it is drawn.

    Attributes:
        size: Pixels of the side of every thing.
        box: What hides things, if there is something.
        places: For each frame, the first pixels `(x, y)` of the things that are there, hidden or not.
        labels: For each frame, one of `LABELS`.
    """

    size: int
    box: Box | None
    places: list[list[tuple[int, int]]]
    labels: list[str]


def tell(rng: random.Random) -> Story:
    """A random story."""
    size = rng.randint(3, 5)
    box = _box(rng, size) if rng.random() < WALL else None
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
    """One thing on its way, and the frames so far."""

    def __init__(self, rng: random.Random, size: int, box: Box | None) -> None:
        self.rng, self.size, self.box = rng, size, box
        self.most = SIDE - size  # the largest coordinate of a thing
        self.places: list[list[tuple[int, int]]] = []
        self.labels: list[str] = []
        self.merged = False
        self.x, self.y = self._appear()

    def _appear(self) -> tuple[int, int]:
        """A place where the thing is seen, also after one step: what pops up behind something could not be known."""
        while True:
            x, y = self.rng.randint(0, self.most), self.rng.randint(0, self.most)
            if not (self.box and self.box.grown(2).covers(x, y, self.size)):
                return x, y

    def _frame(self, label: str, *more: tuple[int, int]) -> None:
        """One more frame, in which the thing has this label unless more is to be said of it."""
        there = [(self.x, self.y), *more]
        hidden = self.box is not None and all(self.box.covers(*place, self.size) for place in there)
        self.places.append(there)
        self.labels.append("hidden" if hidden else "merged" if self.merged else label)

    def absent(self) -> None:
        """Some frames without the thing, which then is somewhere else, and alone."""
        for _ in range(self.rng.randint(*GONE)):
            self.places.append([])
            self.labels.append("empty")
        self.merged = False
        self.x, self.y = self._appear()

    def act(self) -> None:
        """One segment: stand, vanish, or move and turn back at the frame's edge."""
        chance = self.rng.random()
        if chance < VANISH and self.labels and self.labels[-1] not in ("hidden", "empty"):
            self.absent()
        else:
            motion = "" if chance > 1 - STILL else self.rng.choice(sorted(MOTIONS))
            speed = self.rng.randint(1, 2)
            for _ in range(self.rng.randint(*SEGMENT)):
                motion = self._step(motion, speed)

    def _step(self, motion: str, speed: int) -> str:
        """Goes on by a frame; the motion is what it says, or its opposite where that leads out of the frame."""
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
        return min(max(self.x + across * speed, 0), self.most), min(max(self.y + down * speed, 0), self.most)

    def meet(self) -> None:
        """Two things go the same way, the one behind twice as fast, until both are in one place: they have merged."""
        motion = self.rng.choice(sorted(MOTIONS))
        across, down = MOTIONS[motion]
        lead = self.rng.randint(self.size + 1, self.size + 3)  # pixels, and so the frames that it takes
        start, side = 0, 0
        self.x, self.y = -SIDE, -SIDE
        while self.x < 0 or (self.box and self.box.covers(self.x, self.y, self.size)):  # one of them is seen at first
            start, side = self.rng.randint(0, self.most - 2 * lead), self.rng.randint(0, self.most)
            self.x, self.y = _along(start + lead, across, down, side, self.most)
        for frame in range(lead):
            slow, fast = (_along(start + ahead, across, down, side, self.most) for ahead in (lead + frame, 2 * frame))
            self.x, self.y = slow
            self._frame(motion, fast)
        self.merged = True
        self.x, self.y = _along(start + 2 * lead, across, down, side, self.most)
        self._frame(motion)


def _along(way: int, across: int, down: int, side: int, most: int) -> tuple[int, int]:
    """The place after so many pixels along a line from one edge to the other."""
    way = way if across + down > 0 else most - way
    return (way, side) if across else (side, way)
