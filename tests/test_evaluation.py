"""Scoring a saved model shows how far it is, in numbers that fit."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from zoo import evaluation, saved


@pytest.mark.parametrize("limit", [None, 100])
def test_shows_how_far_it_is(limit: int | None) -> None:
    shown: list[Any] = []

    @contextlib.contextmanager
    def show(what: str, total: int | None) -> Iterator[Any]:
        shown.append((what, total))
        yield shown.append

    found = evaluation.evaluate(saved.load("classify-perceptron-digits"), limit=limit, show=show)
    assert shown[0] == ("test", limit or 359)
    assert shown[1:] == sorted(shown[1:])
    assert shown[-1] == found["examples"] == (limit or 359)
