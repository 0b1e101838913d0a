"""The built-in captioning data set: images, captions against hand-written truths, splits, determinism, the builder."""

import collections
import functools
import itertools
import json
import math
import random

import numpy as np
import pytest
import tensorflow_datasets as tfds
from zoo.tasks.caption.scenes import claims, compose, drawing, grammar, parser, scene, scenes_dataset_builder, truth

from zoo.data import tfds as sources


def seen(shape: str, color: str, size: str, texture: str, x: float, y: float) -> dict:
    return {"shape": shape, "colour": color, "size": size, "texture": texture, "x": x, "y": y}


# Three circles and a star: above left, above right, below left, in the middle.
FOUR = {
    "ground": {"colour": "black", "finish": "noisy"},
    "things": [
        seen("circle", "red", "large", "striped", 16, 14),
        seen("circle", "blue", "small", "plain", 52, 15),
        seen("circle", "blue", "small", "dotted", 14, 50),
        seen("star", "orange", "small", "plain", 33, 34),
    ],
}
TWO = {
    "ground": {"colour": "white", "finish": "shaded"},
    "things": [
        seen("cross", "green", "large", "striped", 30, 12),
        seen("cross", "green", "small", "striped", 35, 50),
    ],
}


@functools.cache
def drawn(split: str, count: int = 300) -> list[tuple[scene.Scene, list[str]]]:
    return list(compose.examples(split, count))


def thing(shape: str, **changes) -> scene.Thing:
    plain = scene.Thing(shape, "red", "large", "plain", 32.0, 32.0, 11.5, tilt=0.0, grain=30.0, shade=1.0)
    return plain._replace(**changes)


def picture(*things: scene.Thing, ground: scene.Ground | None = None) -> np.ndarray:
    return drawing.render(scene.Scene(things, ground or scene.Ground("black", "plain", 0.0, 0.0, 0)))


@pytest.mark.parametrize(
    "caption",
    [
        "a circle",
        "a large striped red circle",
        "an orange star",
        "there is an orange object",
        "three circles",
        "two blue circles",
        "there are two blue circles on a black background",
        "there is an orange star and three circles",
        "four objects on a noisy black background",
        "a blue circle and a circle",
        "a red circle and two blue objects",
        "three circles and no square",
        "an orange star but no ring",
        "a red circle in the upper left",
        "a blue circle in the upper right",
        "a blue circle on the left",
        "a circle at the bottom",
        "the orange star is in the middle",
        "the red circle is at the top",
        "a red circle to the left of an orange star",
        "an orange star to the right of a dotted blue circle",
        "a dotted circle below a striped circle",
        "a blue circle above a blue circle",
        "the star is orange",
        "the red circle is large",
        "the red circle is larger than the star",
        "the star is smaller than the red circle",
        "the star is the same size as the dotted circle",
        "both blue circles are small",
    ],
)
def test_true_captions(caption):
    assert truth.judge(caption, FOUR) == "true"
    assert truth.is_true(caption, json.dumps(FOUR))


@pytest.mark.parametrize(
    "caption",
    [
        "a square",
        "a small red circle",
        "a striped blue circle",
        "two circles",
        "four circles",
        "three objects",
        "two small objects",  # three
        "a red circle on a white background",
        "a red circle on a plain black background",
        "two blue circles and two circles",  # three are no two
        "an orange star and an orange object",  # one thing, not two
        "three circles and no star",
        "a red ring but no square",
        "a red circle in the upper right",
        "a star in the upper left",
        "a red circle in the middle",
        "an orange star on the left",
        "an orange star to the left of a red circle",
        "a red circle below an orange star",
        "a red circle above a red circle",
        "the circle is red",  # which one?
        "the blue circle is in the upper right",
        "the star is blue",
        "the star is larger than the red circle",
        "the star is the same size as the red circle",
        "the star is the same size as the star",
        "the star is smaller than the circle",
        "both circles are small",
        "all three circles are blue",
    ],
)
def test_false_captions(caption):
    assert truth.judge(caption, FOUR) == "false"
    assert not truth.is_true(caption, FOUR)


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "circle",
        "a orange star",
        "an red circle",
        "an star",
        "a circles",
        "two circle",
        "one circle",
        "three crosss",
        "a red large circle",
        "a blue striped circle",
        "a red blue circle",
        "a gray circle",
        "A red circle",
        "a red circle.",
        "a  circle",
        " a circle",
        "there is two circles",
        "there are a circle",
        "there is no star",
        "no star",
        "a circle but a star",
        "a circle on a background",
        "a circle on black background",
        "a circle on a black noisy background",
        "a circle in the upper",
        "a circle in the left",
        "two circles on the left",
        "two circles above a star",
        "a circle to the left a star",
        "a circle above",
        "the circle",
        "the star is",
        "the star is larger the circle",
        "the star are orange",
        "both circles is small",
        "all two circles are blue",
        "a circle and a star and a ring",
        "a circle on a black background on a black background",
    ],
)
def test_what_is_no_caption(caption):
    assert truth.judge(caption, FOUR) == "unparsed"
    assert not truth.is_true(caption, FOUR)


def test_all_of_a_kind():
    for caption in ("both objects are striped", "both crosses are green", "two green crosses on a white background"):
        assert truth.judge(caption, TWO) == "true"
    for caption in ("both objects are large", "all three objects are green", "the cross is green"):
        assert truth.judge(caption, TWO) == "false"


def test_what_is_in_doubt_is_accepted_only_from_three_pixels_on():
    for caption in ("a large cross to the left of a small cross", "a small cross on the right", "a cross at the top"):
        assert truth.judge(caption, TWO) == "true"
    for caption in ("a large cross on the left", "a large cross in the upper left", "a cross in the middle"):
        assert truth.judge(caption, TWO) == "false"


@pytest.mark.parametrize("split", compose.SIZES)
def test_every_caption_is_true(split):
    wrong = [
        (caption, truth.judge(caption, shown.facts()))
        for shown, captions in drawn(split)
        for caption in captions
        if truth.judge(caption, shown.facts()) != "true"
    ]
    assert wrong == []


def test_captions_of_other_scenes_are_false():
    examples = drawn("train")
    verdicts = collections.Counter(
        truth.judge(caption, other.facts())
        for (_, captions), (other, _) in itertools.pairwise(examples)
        for caption in captions
    )
    assert verdicts["unparsed"] == 0
    assert verdicts["false"] > 0.97 * verdicts.total()


@pytest.mark.parametrize("split", compose.SIZES)
def test_five_different_captions_of_a_moderate_length(split):
    for _, captions in drawn(split):
        assert len(set(captions)) == len(captions) == grammar.CAPTIONS
        assert all(4 <= len(caption.split(" ")) <= 15 for caption in captions)


def test_vocabulary():
    counts = collections.Counter(word for _, five in drawn("train", 2_000) for text in five for word in text.split())
    tested = {word for _, captions in drawn("test") for caption in captions for word in caption.split()}
    assert len(counts) == 67
    assert tested <= counts.keys()
    assert min(counts.values()) >= 15


def test_every_kind_of_caption_is_written():
    examples = drawn("train")
    for write in grammar.KINDS:
        texts = [write(shown, random.Random(0)) for shown, _ in examples]
        assert sum(text is not None for text in texts) > 10, write.__name__


def test_absence_is_rare_and_joined_with_what_is_there():
    captions = [caption for _, five in drawn("train") for caption in five]
    absent = [caption for caption in captions if " no " in caption]
    assert 0 < len(absent) < 0.05 * len(captions)
    assert all(caption.startswith(("a ", "an ", "two ", "three ", "four ")) for caption in absent)


def test_held_out_kinds_occur_in_test_alone():
    kinds = {
        split: [{(thing.color, thing.shape, thing.texture) for thing in shown.things} for shown, _ in drawn(split, 500)]
        for split in compose.SIZES
    }
    assert all(shown & scene.RESERVED_KINDS for shown in kinds["test"])
    assert set().union(*kinds["test"]) >= scene.RESERVED_KINDS
    every = set(itertools.product(scene.COLORS, scene.SHAPES, scene.TEXTURES))
    for split in ("train", "validation"):
        assert not any(shown & scene.RESERVED_KINDS for shown in kinds[split])
    assert set().union(*kinds["train"]) == every - scene.RESERVED_KINDS
    # Nothing in test is new by itself, nor is any color new to any shape.
    assert [set(part) for part in zip(*scene.RESERVED_KINDS, strict=True)] == [
        set(scene.COLORS), set(scene.SHAPES), set(scene.TEXTURES),
    ]  # fmt: skip
    assert {kind[:2] for kind in every - scene.RESERVED_KINDS} == set(itertools.product(scene.COLORS, scene.SHAPES))


def test_things_lie_inside_and_apart():
    counts = collections.Counter(len(shown.things) for shown, _ in drawn("train"))
    assert set(counts) == {1, 2, 3, 4}
    for shown, _ in drawn("train"):
        for one in shown.things:
            assert one.reach <= min(one.x, one.y)
            assert max(one.x, one.y) <= scene.SIDE - one.reach
        for one, other in itertools.combinations(shown.things, 2):
            assert math.hypot(one.x - other.x, one.y - other.y) > one.reach + other.reach


def test_parser_and_scenes_know_the_same_words():
    # They share no table, so that one checks the other; a new shape needs both.
    assert set(parser.PLURALS) == {*scene.SHAPES, "object"}
    assert parser.ADJECTIVES == (scene.SIZES, scene.TEXTURES, scene.COLORS)
    assert (parser.GROUNDS, parser.FINISHES) == (scene.GROUNDS, scene.FINISHES)


def test_examples_repeat_themselves():
    first = list(compose.examples("train", 20, seed=3))
    assert first == list(compose.examples("train", 30, seed=3))[:20]
    assert first != list(compose.examples("train", 20, seed=4))
    assert first != list(compose.examples("validation", 20, seed=3))
    for shown, _ in first:
        np.testing.assert_array_equal(drawing.render(shown), drawing.render(shown))


def test_the_first_example_stays():
    # If this changes, all pictures and captions do: that is a new version of the data set.
    first, captions = drawn("train")[0]
    assert captions == [
        "a striped red triangle on a white background",
        "both objects are red",
        "a striped red triangle",
        "a red triangle on the left",
        "a red triangle on the right",
    ]
    assert [(thing.x, thing.y) for thing in first.things] == [(41.4, 35.4), (13.0, 25.0)]


def test_no_two_pictures_are_equal():
    pictures = {drawing.render(shown).tobytes() for split in compose.SIZES for shown, _ in drawn(split)}
    assert len(pictures) == 900


def test_a_picture_is_drawn_where_its_thing_is():
    shown = picture(thing("circle", x=20.0, y=40.0))
    assert shown.shape == (64, 64, 3)
    assert shown.dtype == np.uint8
    rows, columns = np.nonzero(shown[..., 0] > 130)
    assert rows.mean() + 0.5 == pytest.approx(40, abs=0.2)
    assert columns.mean() + 0.5 == pytest.approx(20, abs=0.2)
    assert len(rows) == pytest.approx(math.pi * 11.5**2, rel=0.03)


def test_edges_are_smooth():
    # A hard edge would have two colors: ground and paint.
    assert len(np.unique(picture(thing("circle")).reshape(-1, 3), axis=0)) > 8


def test_shapes_differ_and_stay_inside_their_reach():
    pictures = {shape: picture(thing(shape)) for shape in scene.SHAPES}
    empty = picture()
    rows, columns = np.mgrid[:64, :64] + 0.5
    for shape, shown in pictures.items():
        far = np.hypot(rows - 32, columns - 32) > thing(shape).reach + 1
        np.testing.assert_array_equal(shown[far], empty[far])
    for one, other in itertools.combinations(pictures.values(), 2):
        changed = np.abs(one.astype(int) - other).max(axis=-1) > 100
        assert changed.sum() > 60


@pytest.mark.parametrize("shape", scene.SHAPES)
def test_textures_differ_and_leave_the_outline(shape):
    textures = [picture(thing(shape, texture=texture, radius=7.0)) for texture in scene.TEXTURES]
    covered = [(shown != picture()).any(axis=-1) for shown in textures]
    for one, other in itertools.combinations(range(3), 2):
        assert (np.abs(textures[one].astype(int) - textures[other]).max(axis=-1) > 60).sum() > 12
        np.testing.assert_array_equal(covered[one], covered[other])


def test_colors_stand_out_from_each_other_and_from_every_ground():
    paints = [np.array(paint) for paint in drawing.PAINTS.values()]
    grounds = [np.array(paint) for paint in drawing.GROUND_PAINTS.values()]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(paints, 2)) > 90
    assert min(np.linalg.norm(paint - ground) for paint, ground in itertools.product(paints, grounds)) > 100
    assert tuple(drawing.PAINTS) == scene.COLORS
    assert tuple(drawing.GROUND_PAINTS) == scene.GROUNDS


def test_grounds_have_their_finish():
    grounds = {finish: picture(ground=scene.Ground("grey", finish, 0.0, 0.0, 1)) for finish in scene.FINISHES}
    assert np.ptp(grounds["plain"]) == 0
    shaded = grounds["shaded"][..., 0].astype(int)
    assert (np.diff(shaded, axis=1) >= 0).all()
    assert np.ptp(shaded, axis=0).max() == 0
    assert np.ptp(shaded) > 60
    assert len(np.unique(grounds["noisy"])) == 8


def test_builder(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(compose, "SIZES", {"train": 12, "validation": 4, "test": 6})
    builder = sources.prepared(scenes_dataset_builder.Builder, "scenes")

    assert builder.name == "scenes"
    assert builder.info.features["image"].shape == (64, 64, 3)
    assert builder.info.supervised_keys == ("image", "captions")
    assert "synthetic" in builder.info.description
    assert "@misc" in builder.info.citation
    assert set(builder.get_metadata().tags) <= set(tfds.core.dataset_metadata.valid_tags())
    for split, count in compose.SIZES.items():
        # TFDS writes examples in the order of their hashed keys.
        rows = {row["facts"].decode(): row for row in builder.as_dataset(split=split).as_numpy_iterator()}
        assert len(rows) == count
        for shown, captions in compose.examples(split):
            row = rows[shown.facts()]
            np.testing.assert_array_equal(row["image"], drawing.render(shown))
            assert [caption.decode() for caption in row["captions"]] == captions


def test_nobody_is_often_right_without_looking():
    views = [claims.view(shown.facts()) for shown, _ in drawn("test")]
    told = [parser.parse(caption) for caption in {text for _, five in drawn("train") for text in five}]
    best = max(sum(all(claim.holds(view) for claim in several) for view in views) for several in told)
    assert 0 < best < len(views) / 7
