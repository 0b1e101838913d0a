"""The time that is left, and lines that fit."""

import io
import signal
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zoo.training import display, progress, run


def test_time_left_is_known_after_the_first_epoch_and_its_validation() -> None:
    left = progress.TimeLeft(epochs=4, scored=1.5)
    assert left.seconds(0.9) is None
    left.measured(epoch=10.0, validation=2.0)
    # 3 epochs of 10 s, 3 validations of 2 s, and one and a half more for the best weights and the test split.
    assert left.seconds(1.0) == pytest.approx(3 * 10 + 3 * 2 + 1.5 * 2)
    assert left.seconds(2.5) == pytest.approx(1.5 * 10 + 2 * 2 + 1.5 * 2)


def test_one_measurement_from_which_compiling_cannot_be_told_is_not_enough() -> None:
    left = progress.TimeLeft(epochs=3, scored=1.0)
    left.measured(epoch=10.0, validation=20.0, certain=False)
    assert left.seconds(1.0) is None
    left.measured(epoch=10.0, validation=1.0, certain=False)
    assert left.seconds(2.0) == pytest.approx(10 + 1 + 1)


def test_compiling_is_what_the_first_step_and_outliers_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 10.0, 10.1, 10.2, 14.3, 14.4, 14.6])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    steady = progress.Steady()
    for _ in range(6):
        steady.step()
    assert steady.usual == pytest.approx(0.1)
    assert steady.compiling == pytest.approx(9.9 + 4.0)


def test_an_interrupt_within_the_garbage_collector_comes_after_it() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    done = []

    def collect() -> None:
        with display.undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append("to the end")

    try:
        with pytest.raises(KeyboardInterrupt):
            collect()
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == ["to the end"]


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0:00"), (59.6, "1:00"), (61, "1:01"), (3_725, "1:02:05")])
def test_clock(seconds: float, shown: str) -> None:
    assert display.clock(seconds) == shown


def test_rows_are_aligned_and_fit() -> None:
    table = display.Table(10_000, "fact_accuracy")
    rows = [table.head(), table.row("9999/10000", "123.4567", "0.1234", 1_234_567.0, 35_999, True)]
    assert max(map(len, rows)) <= 80
    assert rows[1].index("0.1234") + len("0.1234") == rows[0].index("fact_accuracy") + len("fact_accuracy")


def test_batches_that_are_scored_are_counted() -> None:
    shown: list[int] = []
    batches = progress.WatchedBatches([(0, np.array([1.0, 1.0])), (1, np.array([1.0, 0.0]))], shown.append)
    assert [first for first, _ in batches] == [0, 1]
    assert shown == [2, 3]


def test_a_bar_in_a_terminal_and_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for color, plain in ((True, False), (False, True)):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda color=color: color, raising=False)
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setattr(display, "SECONDS_PER_LINE", 0)
        monkeypatch.setattr(display, "SECONDS_PER_FRAME", 0)
        with display.bar("validation", 200) as advance:
            advance(100, lambda: "a note")
        assert "validation" in stream.getvalue()
        assert ("\x1b" in stream.getvalue()) is color
        assert ("validation: 100 of 200 examples  a note\n" in stream.getvalue()) is plain


def test_examples_of_the_test_split_are_shown_beside_the_truth() -> None:
    answers = SimpleNamespace(
        quality=[1, 1], shown=lambda i: SimpleNamespace(text="word " * 40), answer=lambda i: "yes", truth=lambda i: "no"
    )
    task = SimpleNamespace(report=lambda model, data, split, limit: answers)
    model: Any = SimpleNamespace(installed=SimpleNamespace(task=task))
    lines = list(run.samples(model, None))  # type: ignore[arg-type]
    assert lines[0] == "Examples of the test split:"
    assert lines[1].startswith("input   word word")
    assert lines[2:5] == ["answer  yes", "truth   no", ""]
    assert max(map(len, lines)) <= 80


def test_shares_of_time() -> None:
    assert run.shares({"loading": 15.0, "steps": 45.0}) == "Time: 1:00: loading 25%, steps 75%."
