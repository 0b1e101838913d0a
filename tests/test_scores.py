"""Definitions of scores."""

import json
from pathlib import Path

import pytest

from zoo import scores

METRICS = sorted((Path(__file__).parents[1] / "saved_models").glob("*/metrics.json"))


@pytest.mark.parametrize("file", METRICS, ids=lambda file: file.parent.name)
def test_every_published_score_is_defined(file):
    found = {name for split in json.loads(file.read_text("utf-8"))["scores"].values() for name in split}
    assert found
    assert [name for name in found if not scores.definition(name)] == []


def test_scores_by_distance_say_the_distance():
    assert "40 steps" in scores.definition("accuracy_at_40")
    assert scores.definition("somebody's own") == ""
