"""Text in and out: no UTF-8, control characters, JSON that is too deep, names with a dash."""

import io
import json
import os
import struct
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zoo import cli, saved
from zoo.data import frames, images
from zoo.errors import UserError
from zoo.terminal import console

LATIN = os.fsdecode(b"caf\xe9 film")  # as an argument of a process that is no UTF-8 comes to Python


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_printed_is_one_line_that_can_be_encoded(text: str) -> None:
    line = console.printable(text)
    assert len(line.encode("utf-8").decode("utf-8").splitlines()) <= 1
    assert not any(ord(character) < 32 and character != "\t" for character in line)
    assert console.printable(text, lines=True).count("\n") == text.count("\n")


@given(st.text(st.characters(exclude_categories=())))
def test_a_line_of_json_says_the_same_when_it_is_printable(text: str) -> None:
    line = json.dumps({"input": text}, ensure_ascii=False)
    assert json.loads(console.printable(line)) == {"input": text}


def test_an_encoding_that_lacks_a_character_gets_what_json_reads_back() -> None:
    line = json.dumps("naïve 😀", ensure_ascii=False)
    assert json.loads(line.encode("ascii", console.ESCAPE)) == "naïve 😀"


def test_arguments_are_read_as_standard_input_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    raw = [b"caf\xe9 film", b"\xe2\x82", b"\xed\xa0\xbc x", "schön".encode(), b"plain"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(raw))))
    assert console.readable(map(os.fsdecode, raw)) == list(console.input_lines("tests"))
    assert console.readable(["\ud83c x"]) == ["\ufffd x"]
    name = os.fsdecode(bytes(tmp_path) + b"/latin-\xe9.png")
    Path(name).touch()
    assert console.readable([name]) == [name], "a file keeps its name"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\ufeffword".encode("utf-16"), "UTF-16LE, not UTF-8"),
        (b"x" * (console.LONGEST_LINE + 1), "a line of more than"),
        (None, "Standard input is closed"),
    ],
)
def test_standard_input_that_cannot_be_read(
    content: bytes | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", content and io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(UserError, match=message):
        list(console.input_lines("tests"))


def test_a_byte_order_mark_is_no_part_of_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\ufeffa film\r\n\nb".encode())))
    assert list(console.input_lines("tests")) == ["a film", "", "b"]


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("words", "code", "lines"),
    [
        (["sentiment", "--model", "sentiment-gru-reviews", LATIN, "two\nlines", "x" * 5000], 0, 3),
        (
            ["sentiment", "--model", "sentiment-gru-reviews", "--json", "--explain", LATIN, "\x1b[31m red \u2028 x"],
            0,
            2,
        ),
        (["charlm", "--model", "charlm-gru-python_docs", "--score", LATIN, "two\nlines"], 0, 2),
        (["charlm", "--model", "charlm-gru-python_docs", "--json", "--max-new-tokens", "3", LATIN], 0, 1),
        (["classify", "--model", "classify-perceptron-digits", "--", "-dash.png"], 0, 1),
        (["classify", "--model", "classify-perceptron-digits", "--json", os.fsdecode(b"latin-\xe9.png")], 0, 1),
        (["classify", "--model", "classify-perceptron-digits", "--json", os.fsdecode(b"none-\xe9.png"), DEEP], 1, 2),
        (["tag", "--model", "tag-gru-clips", "bomb.gif", "none\n.gif", "long " * 200, "a" * 9000 + ".mp4"], 1, 4),
        (["classify", "--model", "classify-perceptron-digits", "a" * 100_000], 1, 1),
    ],
)
def test_every_input_has_one_line(
    words: list[str], code: int, lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (b"-dash.png", b"latin-\xe9.png"):
        Image.new("L", (8, 8)).save(io_name := os.fsdecode(name), "png")
        assert Path(io_name).exists()
    Path("bomb.gif").write_bytes(gif(60_000, 60_000, 20))
    result = CliRunner().invoke(cli.cli, words, prog_name="zoo", catch_exceptions=False)
    assert result.exit_code == code, result.output
    shown = result.stdout.splitlines()
    assert len(shown) == lines, result.stdout
    if "--json" in words:
        assert all(isinstance(json.loads(line), dict) for line in shown)


def test_python_callers_may_give_half_characters_too() -> None:
    model = saved.load("sentiment-gru-reviews")
    with pytest.raises(UserError, match=r"No option of sentiment is called 'explian'; did you mean 'explain'\?"):
        model.predict("x", explian=True)
    with pytest.raises(UserError, match=r"The setting explain \(--explain\) is true or false; got 'x'"):
        model.predict("x", explain="x")
    assert model.predict("caf\udce9 film") == model.predict("caf\ufffd film")


def test_deep_json_is_no_sequence() -> None:
    from zoo.data.steps import parse_steps

    for text in (DEEP, f"[[{10**400}]]", "[[1e999]]", "[[1], [1, 2]]", '{"a": 1}'):
        with pytest.raises(UserError, match="is not a JSON list of steps"):
            parse_steps(text, 1)


@pytest.mark.parametrize("number", ["null", "NaN", "1e39"])
def test_a_number_that_is_none_is_named_by_its_step(number: str) -> None:
    from zoo.data.steps import parse_steps

    with pytest.raises(UserError, match="step 2 has no finite number"):
        parse_steps(f"[1, {number}, 3]", 1)


def test_a_long_sentence_is_an_input_of_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.tasks.tag import recipe

    config = recipe.Predict(inputs=("word " * 100,))
    assert recipe.can_answer(config, {"kind": "tokens"})
    assert not recipe.can_answer(config, {"kind": "frames"})


def gif(width: int, height: int, count: int, screen: tuple[int, int] | None = None) -> bytes:
    """A GIF of a few hundred bytes that claims pictures of any size."""
    screen = screen or (width, height)
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + bytes(6)
    picture = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00"
    return head + picture * count + b";"


@pytest.mark.parametrize(
    "content",
    [
        gif(60_000, 60_000, 1),
        gif(60_000, 60_000, 20),
        gif(60_000, 60_000, 20, screen=(8, 8)),
        gif(4_000, 4_000, 100),
        gif(1, 1, images.MOST_PICTURES + 1),
    ],
)
def test_animations_that_claim_too_much_are_refused_undecoded(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.gif").write_bytes(content)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(UserError, match=r"a\.gif has"):
        frames.read(tmp_path / "a.gif", 8, 8)


def test_a_picture_that_another_program_would_draw_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.eps"
    file.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n")
    for read in (images.read, lambda path: list(images.animation(path))):
        with pytest.raises(UserError, match="is not a picture in a format known here"):
            read(file)
