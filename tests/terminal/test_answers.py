"""Answers to what is typed, to pipes and to files; one shape of JSON; colored words."""

import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from zoo.data import text
from zoo.errors import UserError
from zoo.settings import PredictConfig
from zoo.task import Styled, json_line, named_line
from zoo.terminal import answers, console, shades


def failing(model: Any, config: PredictConfig) -> Iterator[str]:
    """A task that fails at some inputs, in several ways."""
    for line in config.inputs:
        if line == "user":
            raise UserError("This line is bad.")
        if line == "bug":
            raise ZeroDivisionError("division by zero")
        if line == "memory":
            raise MemoryError
        if line == "stop":
            raise KeyboardInterrupt
        yield line.upper()


def test_whatever_goes_wrong_with_a_line_the_next_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = b"one\nuser\nbug\n\n  \nmemory\nstop\n\xff two\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    toy: Any = SimpleNamespace(recipe=SimpleNamespace(inputs="words"), predict=failing)
    assert not answers._prompt(toy, None, PredictConfig())
    out, err = capsys.readouterr()
    assert out.splitlines() == ["ONE", "\ufffd TWO"]
    for said in ("Error: This line is bad.", "ZeroDivisionError: division by zero", answers.MEMORY, "Interrupted."):
        assert said in err
    assert "Traceback" not in err
    assert err.count(console.PROMPT) == 9


def test_lines_of_a_slow_pipe_come_alone_and_those_of_a_fast_one_together(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setattr(sys, "stdin", open(reader, encoding="utf-8"))  # noqa: SIM115  pytest puts it back
    arrived = threading.Event()

    def write() -> None:
        os.write(writer, "ein\nzwei\nüb".encode())
        assert arrived.wait(10)
        os.write(writer, b"er\n" + b"x\n" * 200)
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    found = []
    for batch in text.in_batches(console.input_lines("tests"), 64):
        found.append(batch)
        arrived.set()
    thread.join()
    sys.stdin.close()
    assert found[0] == ["ein", "zwei"], "a part of a line is no line"
    rest = [line for batch in found[1:] for line in batch]
    assert rest == ["über", *["x"] * 200]
    assert max(map(len, found)) == 64


def test_many_lines_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    many = b"a line of some length, as they are\n" * 200_000
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(many)))
    began = time.monotonic()
    assert sum(map(len, text.in_batches(console.input_lines("tests"), 64))) == 200_000
    assert time.monotonic() - began < 10  # about 0.3 s


def test_the_shape_of_an_answer() -> None:
    answer = json.loads(json_line("q", "a", 0.123456789, [("b", 0.1), ("c", None)], more=1))
    assert answer == {
        "input": "q",
        "answer": "a",
        "score": 0.123457,
        "alternatives": [{"answer": "b", "score": 0.1}, {"answer": "c", "score": None}],
        "more": 1,
    }


def test_several_files_are_named() -> None:
    assert named_line(PredictConfig(inputs=("a.png",)), "a.png", "7") == "7"
    assert named_line(PredictConfig(inputs=("a.png", "b.png")), "b.png", "7") == "b.png\t7"
    assert named_line(PredictConfig(inputs=iter(["a.png"])), "a.png", "7") == "a.png\t7"
    long = named_line(PredictConfig(inputs=("", "")), "data:" + "x" * 1000, "7")
    assert len(long) < 60


def test_words_are_blue_for_and_orange_against() -> None:
    line = shades.signed([("fine", 1.0), (" ", 0.0), ("dull\x1b[2J", -1.0)])
    assert "\x1b[48;5;26mfine" in line
    assert "\x1b[48;5;166mdull\\u001b[2J" in line
    assert Styled(line) == line


def test_a_page_of_colored_words(tmp_path: Any) -> None:
    panels = [("positive <1>", [("a ", 0.0), ("<fine>", 1.0), (" dull", -0.5)])]
    shades.write_page(str(tmp_path / "words.html"), "Model & co", shades.SIGNED_LEGEND, panels)
    page = (tmp_path / "words.html").read_text(encoding="utf-8")
    assert "Model &amp; co" in page
    assert shades.SIGNED_LEGEND in page
    assert '<mark style="background: rgba(0, 90, 170, 0.60)" title="+1.00">&lt;fine&gt;</mark>' in page
    assert '<mark style="background: rgba(200, 80, 0, 0.30)" title="-0.50"> dull</mark>' in page
    with pytest.raises(UserError, match="Choose another --html FILE"):
        shades.write_page(str(tmp_path / "no" / "x.html"), "", "", [])
