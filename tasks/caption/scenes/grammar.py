"""Writes true captions of a scene; `KINDS` says of what kinds and how often each.

Words and phrases are those of `wording`.
"""

import random
from collections.abc import Callable
from itertools import permutations

from . import wording
from .scene import SHAPES, Scene

CAPTIONS = 5
"""Captions of one picture, all different."""

ROOM = 10
"""Words of a relation up to which the background may follow: no caption is longer than fifteen words."""

TOLD = {("color",): 6, ("size", "color"): 2, ("texture", "color"): 2, ("size", "texture", "color"): 1}
"""Shares of what is told of a thing beside its shape: mostly the color alone."""


def captions(scene: Scene, rng: random.Random, count: int = CAPTIONS) -> list[str]:
    """Different captions, all true of the scene; lower case, no punctuation.

    Args:
        scene: What the picture shows.
        rng: Where chance comes from.
        count: How many.
    """
    found: dict[str, None] = {}
    while len(found) < count:
        write = rng.choices(list(KINDS), list(KINDS.values()))[0]
        caption = write(scene, rng)
        if caption:
            found[caption] = None
    return list(found)


def _single(scene: Scene, rng: random.Random) -> str:
    """A large striped blue circle."""
    thing = rng.choice(scene.things)
    attributes = rng.choice((("size", "color"), ("texture", "color"), ("size", "texture", "color")))
    return wording.one(thing, attributes)


def _grounded(scene: Scene, rng: random.Random) -> str:
    """A red circle on a black background."""
    return f"{wording.one(rng.choice(scene.things), _told(rng))} {_background(scene, rng)}"


def _there_is(scene: Scene, rng: random.Random) -> str | None:
    """There is a red circle; there are two red circles and a blue star."""
    groups = _counted(scene, rng) if rng.random() < 0.5 else wording.one(rng.choice(scene.things), ("color",))
    if not groups:
        return None
    return f"there {'is' if groups.startswith(('a ', 'an ')) else 'are'} {groups}"


def _counted(scene: Scene, rng: random.Random) -> str | None:
    """Two red circles and a blue star; three stars on a black background."""
    groups = wording.alike(scene.things, rng.choice((("shape",), ("color", "shape"))))
    rng.shuffle(groups)
    first = wording.counted(groups[0])
    rest = [group for group in groups[1:] if wording.counted(group) != first]
    if rest and rng.random() < 0.5:
        return f"{first} and {wording.counted(rest[0])}"
    return f"{first} {_background(scene, rng)}" if len(groups[0]) > 1 else None


def _alike(scene: Scene, rng: random.Random) -> str | None:
    """There are three red stars; two blue rings on a black background."""
    groups = [group for group in wording.alike(scene.things, ("color", "shape")) if len(group) > 1]
    if not groups:
        return None
    group = rng.choice(groups)
    return (
        f"there are {wording.counted(group)}"
        if rng.random() < 0.4
        else f"{wording.counted(group)} {_background(scene, rng)}"
    )


def _colored(scene: Scene, rng: random.Random) -> str | None:
    """Two red objects on a black background."""
    groups = [group for group in wording.alike(scene.things, ("color",)) if len(group) > 1]
    if not groups:
        return None
    group = rng.choice(groups)
    return f"{wording.NUMBERS[len(group)]} {group[0].color} objects {_background(scene, rng)}"


def _pair(scene: Scene, rng: random.Random) -> str | None:
    """A red circle and a striped blue star."""
    if len(scene.things) < 2:
        return None
    first, second = (wording.one(thing, _told(rng)) for thing in rng.sample(scene.things, 2))
    return f"{first} and {second}" if first != second else None


def _total(scene: Scene, rng: random.Random) -> str | None:
    """Three objects on a noisy black background."""
    things = len(scene.things)
    return f"{wording.NUMBERS[things]} objects {_background(scene, rng, finish=True)}" if things > 1 else None


def _placed(scene: Scene, rng: random.Random) -> str | None:
    """A red circle in the upper left."""
    thing = rng.choice(scene.things)
    place = wording.place(thing, rng)
    return f"{wording.one(thing, _told(rng))} {place}" if place else None


def _related(scene: Scene, rng: random.Random) -> str | None:
    """A small green square to the left of a yellow ring."""
    pairs = [(first, second) for first, second in permutations(scene.things, 2) if wording.relation(first, second)]
    if not pairs:
        return None
    pair = rng.choice(pairs)
    first, second = (wording.one(thing, _told(rng)) for thing in pair)
    if first == second:
        return None
    caption = f"{first} {wording.relation(*pair)} {second}"
    short = caption.count(" ") < ROOM
    return f"{caption} {_background(scene, rng)}" if short and rng.random() < 0.2 else caption


def _located(scene: Scene, rng: random.Random) -> str | None:
    """The circle is in the upper left."""
    thing = rng.choice(scene.things)
    name, place = wording.the(thing, scene), wording.place(thing, rng)
    return f"{name} is {place}" if name and place else None


def _described(scene: Scene, rng: random.Random) -> str | None:
    """The circle is red; the red circle is striped."""
    thing = rng.choice(scene.things)
    if rng.random() < 0.3:
        name = wording.the(thing, scene, ("shape",))
        return f"{name} is {thing.color}" if name else None
    name = wording.the(thing, scene, ("color", "shape"))
    return f"{name} is {rng.choice((thing.size, thing.texture))}" if name else None


def _compared(scene: Scene, rng: random.Random) -> str | None:
    """The circle is larger than the blue star; the red star is the same size as the ring."""
    if len(scene.things) < 2:
        return None
    first, second = rng.sample(scene.things, 2)
    names = wording.the(first, scene), wording.the(second, scene)
    if not all(names):
        return None
    if first.size == second.size:
        return f"{names[0]} is the same size as {names[1]}" if rng.random() < 0.3 else None
    return f"{names[0]} is {'larger' if first.size == 'large' else 'smaller'} than {names[1]}"


def _absent(scene: Scene, rng: random.Random) -> str:
    """Two circles and no star; a red ring but no square."""
    shapes = {thing.shape for thing in scene.things}
    group = wording.counted(rng.choice(wording.alike(scene.things, ("color", "shape"))))
    return f"{group} {rng.choice(('and', 'but'))} no {rng.choice([shape for shape in SHAPES if shape not in shapes])}"


def _shared(scene: Scene, rng: random.Random) -> str | None:
    """Both objects are striped; all three circles are red."""
    by = rng.choice(((), ("shape",)))
    groups = [group for group in wording.alike(scene.things, by) if len(group) > 1]
    if not groups:
        return None
    group = rng.choice(groups)
    names = [name for name in ("color", "texture") if len({getattr(thing, name) for thing in group}) == 1]
    if not names:
        return None
    number = "both" if len(group) == 2 else f"all {wording.NUMBERS[len(group)]}"
    noun = wording.plural(group[0].shape) if by else "objects"
    return f"{number} {noun} are {getattr(group[0], rng.choice(names))}"


KINDS: dict[Callable[[Scene, random.Random], str | None], int] = {
    _single: 4,
    _grounded: 6,
    _there_is: 4,
    _counted: 3,
    _alike: 3,
    _colored: 1,
    _pair: 3,
    _total: 1,
    _placed: 4,
    _related: 4,
    _located: 2,
    _described: 3,
    _compared: 3,
    _absent: 1,
    _shared: 2,
}
"""Shares of the kinds of caption; what a scene does not allow leaves its place to the others."""


def _told(rng: random.Random) -> tuple[str, ...]:
    """Attributes to tell, drawn from `TOLD`."""
    return rng.choices(list(TOLD), list(TOLD.values()))[0]


def _background(scene: Scene, rng: random.Random, finish: bool = False) -> str:
    ground = scene.ground
    return f"on a {ground.finish + ' ' if finish or rng.random() < 0.3 else ''}{ground.color} background"
