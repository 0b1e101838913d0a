"""How much of a forward pass is kept for its gradient."""

import pytest

pytest.importorskip("numba")

from zoo.engine.compiled import KEPT_BYTES, saved_shapes


def kept(kind: str, steps: int, units: int) -> int:
    """Bytes of float32 numbers that are kept of one direction."""
    return sum(4 * rows * width for rows, width in saved_shapes(kind, steps, units, "float32", 1, True))


@pytest.mark.parametrize(("kind", "states"), [("lstm", 1), ("gru", 0)])
def test_very_long_sequences_keep_no_gates(kind: str, states: int) -> None:
    """At 10,000 steps of 64 rows and 128 units gates are 1.3 GB; a plain loop keeps at least six arrays of a state."""
    steps = 64 * 10_000
    assert kept(kind, steps, 128) == states * 4 * steps * 128
    assert kept(kind, 64 * 200, 128) == (4 + states) * 4 * 64 * 200 * 128


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_gates_never_take_more_than_their_limit(kind: str) -> None:
    for steps in (1, 10_000, 500_000, 2_000_000):
        cells = 4 * steps * 64 if kind == "lstm" else 0
        assert kept(kind, steps, 64) <= KEPT_BYTES + cells
