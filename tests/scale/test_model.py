"""The model of a step's cost, on numbers whose answer is known."""

import importlib
import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
scale_model = importlib.import_module("scale_model")

MEASURED = {
    "parameters": 250_000,
    "rows": {str(rows): {"seconds": 0.01 + 0.001 * rows, "deviation": 0.0} for rows in (16, 32, 64)},
}
"""10 ms, and 1 ms a row; a gradient of a megabyte."""

LINK = (1e8, 1e-3)
"""A megabyte in 10 ms, a millisecond one way."""


def test_a_step_is_its_parts() -> None:
    assert scale_model.compute(MEASURED) == pytest.approx((0.01, 0.001))
    assert scale_model.reduce(1e6, 1, LINK) == 0
    assert scale_model.reduce(1e6, 2, LINK) == pytest.approx(0.01 + 0.002)
    assert scale_model.step(MEASURED, 32, 2, LINK) == pytest.approx(0.042 + 0.012)
    late = {**MEASURED, "rows": {rows: {**row, "deviation": 0.002} for rows, row in MEASURED["rows"].items()}}
    waits = scale_model.step(late, 32, 2, LINK) - scale_model.step(MEASURED, 32, 2, LINK)
    assert waits == pytest.approx(0.002 * math.sqrt(2 * math.log(2)))


def test_workers_pay_until_the_ring_costs_more_than_they_save() -> None:
    assert scale_model.speedup(MEASURED, 64, 1, LINK, False) == pytest.approx(1)
    assert scale_model.speedup(MEASURED, 64, 2, LINK, False) == pytest.approx(0.074 / 0.054)
    assert scale_model.speedup(MEASURED, 64, 2, LINK, True) == pytest.approx(2 * 0.074 / 0.086)
    best = scale_model.pays_until(MEASURED, 64, LINK)
    times = {count: scale_model.step(MEASURED, 64 / count, count, LINK) for count in (1, 2, 4, 8, 16, 32, 64)}
    assert times[best] == min(times.values())
    assert 1 < best < 64


def test_the_document_says_all_that_was_measured() -> None:
    found = {
        "cores": 2,
        "tasks": {"sentiment": {"batch_size": 64}},
        "steps": {"sentiment": MEASURED},
        "workers": {"sentiment": {"one": 100.0, "two": 181.0, "ratio": 1.81}},
        "links": {"slow": {"sentiment": 123.4}},
        "reduce": [{"bytes": 65536, "seconds": 0.0012}],
        "reading": {"sentiment": {"batches": 100, "seconds": 0.25}},
        "bulk": {
            "lines": 1000,
            "few": {"lines": 100, "seconds": 6.0, "memory": 500_000_000},
            "1": {"seconds": 20.0, "memory": 510_000_000},
            "2": {"seconds": 11.0, "memory": 520_000_000},
            "killed": {"after": [2.0, 3.0, 4.0], "seconds": 7.0, "memory": 520_000_000},
        },
        "ray": {"1": 80.0, "2": 42.0},
    }
    text = scale_model.document(found)
    parts = ("181", "1.81", "123", "65,536", "1.20", "0.25 s", "1.82 times as fast", "1.90 times as fast", "2, 3, 4 s")
    for part in parts:
        assert part in text
    assert "a = 10.0 ms, c = 1.00 ms a row" in text
    del found["workers"], found["links"], found["bulk"], found["ray"]  # measured in parts
    assert "181" not in scale_model.document(found)
