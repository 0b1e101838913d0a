"""The built-in clips: labels against a second reading of the stories, splits, determinism, the builder."""

import functools
import random

import numpy as np
import pytest
import tensorflow_datasets as tfds
from zoo.tasks.tag.clips import clips_dataset_builder, compose, drawing, story

from zoo.data import tfds as sources


@functools.cache
def stories() -> list[story.Story]:
    return [story.random_story(random.Random(seed)) for seed in range(150)]


def visible(one: story.Story, place: tuple[int, int]) -> bool:
    """Whether any pixel of an object at this place lies outside of the box."""
    pixels = {(place[0] + x, place[1] + y) for x in range(one.size) for y in range(one.size)}
    box = one.box
    behind = {(box.x + x, box.y + y) for x in range(box.width) for y in range(box.height)} if box else set()
    return bool(pixels - behind)


def test_labels_are_what_happens() -> None:
    """Derive from the places: how the object has moved, whether it is there and visible, whether it once was two."""
    for one in stories():
        merged = False
        for time, (places, label) in enumerate(zip(one.places, one.labels, strict=True)):
            before = one.places[time - 1] if time else []
            merged = bool(places) and (merged or (len(before) == 2 and len(places) == 1))
            if not places:
                assert label == "empty"
            elif not any(visible(one, place) for place in places):
                assert label == "hidden"
            elif merged:
                assert label == "merged"
            elif before:
                across, down = (np.array(places[0]) - before[0]).tolist()
                assert (across, down) == tuple(
                    np.sign(step) * abs(gone)
                    for step, gone in zip(story.MOTIONS.get(label, (0, 0)), (across, down), strict=True)
                )
                assert abs(across) + abs(down) <= 2
                assert (label == "still") == (across == down == 0)


def test_every_object_is_inside_and_nothing_appears_behind_the_box() -> None:
    for one in stories():
        assert story.LENGTHS[0] <= len(one.labels) <= story.LENGTHS[1]
        for before, places in zip([[], *one.places], one.places, strict=False):
            for x, y in places:
                assert 0 <= x <= story.SIDE - one.size
                assert 0 <= y <= story.SIDE - one.size
            assert not places or before or any(visible(one, place) for place in places)


def test_every_label_is_frequent_and_labels_change() -> None:
    labels = [label for one in stories() for label in one.labels]
    for label in story.LABELS:
        assert 0.05 < labels.count(label) / len(labels) < 0.25, label
    changes = sum(a != b for one in stories() for a, b in zip(one.labels, one.labels[1:], strict=False))
    assert changes / len(stories()) > 3


@pytest.mark.parametrize("negative", [0, 1])
def test_frames_show_the_object_in_front_of_the_background_and_behind_the_box(
    negative: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = story.Story(4, story.Box(10, 10, 9, 9), [[(0, 0)], [(12, 12)], [(7, 12)], []], ["x"] * 4)
    monkeypatch.setattr(drawing, "NEGATIVE", negative)
    frames = drawing.render(one, random.Random(1))
    assert frames.shape == (4, story.SIDE, story.SIDE, 1)
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames[1], frames[3], "hidden looks like empty")
    changed = [np.argwhere((frame != frames[3])[:, :, 0]) for frame in frames]
    assert changed[0].max() <= 3
    assert changed[2][:, 1].max() == 9, "the box hides the right side"
    ground, thing, box = (int(frames[place]) for place in [(3, 0, 0, 0), (0, 1, 1, 0), (3, 12, 12, 0)])
    assert (thing + 40 < box < ground - 50) if negative else (ground + 50 < box < thing - 40)


def test_half_of_the_clips_are_negatives() -> None:
    found = list(compose.examples("test", 150))
    # The object is small: most of a frame is background.
    light = [float(np.median(frames[0])) > 128 for frames, _ in found]
    assert 0.4 < np.mean(light) < 0.6


def test_a_merged_object_looks_like_any_other() -> None:
    alone = story.Story(4, None, [[(5, 5)]], ["still"])
    both = story.Story(4, None, [[(5, 5)]], ["merged"])
    np.testing.assert_array_equal(drawing.render(alone, random.Random(3)), drawing.render(both, random.Random(3)))


def test_no_clip_is_in_two_splits_and_they_are_the_same_each_time() -> None:
    counts = {"train": 200, "validation": 60, "test": 60}
    keys = {split: {frames.tobytes() for frames, _ in compose.examples(split, n)} for split, n in counts.items()}
    assert {split: len(found) for split, found in keys.items()} == counts
    assert not keys["train"] & keys["test"]
    assert not keys["train"] & keys["validation"]
    assert not keys["validation"] & keys["test"]
    assert {frames.tobytes() for frames, _ in compose.examples("test", 60)} == keys["test"]


def test_builder(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(compose, "SIZES", {"train": 12, "validation": 4, "test": 6})
    builder = sources.prepared(clips_dataset_builder.Builder, "clips")
    assert builder.name == "clips"
    assert builder.info.features["labels"].feature.names == list(story.LABELS)
    assert "synthetic" in builder.info.description
    assert "@misc" in builder.info.citation
    assert set(builder.get_metadata().tags) <= set(tfds.core.dataset_metadata.valid_tags())
    for split, count in compose.SIZES.items():
        rows = {row["frames"].tobytes(): row["labels"] for row in builder.as_dataset(split=split).as_numpy_iterator()}
        assert len(rows) == count
        for frames, labels in compose.examples(split):
            assert [story.LABELS[i] for i in rows[frames.tobytes()]] == labels
