"""Memory of kernels' results: never given out twice, used again when free."""

import numpy as np
import pytest

from zoo.engine import rooms
from zoo.engine.rooms import LEAST, Rooms


def test_a_room_serves_again_when_nobody_refers_to_it() -> None:
    kept = Rooms()
    first = kept.take(LEAST)
    place = first.ctypes.data
    view = first[64:].view(np.float32).reshape(2, -1)
    del first
    second = kept.take(LEAST)
    assert second.ctypes.data != place, "a view still refers to it"
    del view
    assert kept.take(LEAST).ctypes.data == place


def test_other_sizes_and_small_ones_have_their_own() -> None:
    kept = Rooms()
    places = [kept.take(size).ctypes.data for size in (LEAST, 3 * LEAST, 5 * LEAST)]
    assert len(set(places)) == 3
    assert kept.take(100).size == 100


def test_idle_rooms_are_given_back_above_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "IDLE_BYTES", 10 * LEAST)
    kept = Rooms()
    used = kept.take(LEAST)
    for factor in range(2, 9):
        kept.take(factor * LEAST)
        idle = [room.size for room in kept._rooms if room is not used]
        assert sum(idle) <= 10 * LEAST or len(idle) == 1
    assert used.size == LEAST


@pytest.mark.parametrize("size", [LEAST, LEAST + 1, 10**7, 123_456_789])
def test_sizes_are_rounded_up_by_an_eighth_at_most(size: int) -> None:
    assert size <= rooms.rounded(size) <= size * 1.13
