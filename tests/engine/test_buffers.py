"""Memory of kernels' results: never given out twice, used again when free."""

import numpy as np
import pytest

from zoo.engine import buffers
from zoo.engine.buffers import LEAST, BufferPool


def test_a_buffer_serves_again_when_nothing_refers_to_it() -> None:
    pool = BufferPool()
    first = pool.take(LEAST)
    place = first.ctypes.data
    view = first[64:].view(np.float32).reshape(2, -1)
    del first
    second = pool.take(LEAST)
    assert second.ctypes.data != place, "a view still refers to it"
    del view
    assert pool.take(LEAST).ctypes.data == place


def test_other_sizes_and_small_ones_have_their_own() -> None:
    pool = BufferPool()
    places = [pool.take(size).ctypes.data for size in (LEAST, 3 * LEAST, 5 * LEAST)]
    assert len(set(places)) == 3
    assert pool.take(100).size == 100


def test_idle_buffers_are_freed_above_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "IDLE_BYTES", 10 * LEAST)
    pool = BufferPool()
    used = pool.take(LEAST)
    for factor in range(2, 9):
        pool.take(factor * LEAST)
        idle = [buffer.size for buffer in pool._buffers if buffer is not used]
        assert sum(idle) <= 10 * LEAST or len(idle) == 1
    assert used.size == LEAST


@pytest.mark.parametrize("size", [LEAST, LEAST + 1, 10**7, 123_456_789])
def test_sizes_are_rounded_up_by_an_eighth_at_most(size: int) -> None:
    assert size <= buffers.rounded(size) <= size * 1.13
