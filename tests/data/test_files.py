"""The one reader of text."""

import gzip
import os
from pathlib import Path

import pytest

from zoo.data import files, tables
from zoo.errors import UserError

TEXT = "caf\u00e9 \U0001f469\u200d\U0001f52c\u2028x\n\r\nlast \u0085 line"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_lines_and_blocks_give_the_text(tmp_path: Path, mark: str, name: str) -> None:
    path = tmp_path / name
    content = (mark + TEXT).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert list(files.lines(path)) == ["caf\u00e9 \U0001f469\u200d\U0001f52c\u2028x\n", "\r\n", "last \u0085 line"]
    for size in (1, 2, 3, 7, 1000):
        assert "".join(files.blocks(path, size)) == TEXT


def test_carriage_returns_alone_end_lines(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\rtwo\rthree")
    assert list(files.lines(tmp_path / "a")) == ["one\r", "two\r", "three"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "x\ny".encode("utf-16"),
            "is UTF-16LE, not UTF-8. Convert it: iconv -f UTF-16LE -t UTF-8 'a.txt' > a-utf8.txt",
        ),
        ("xyz\n".encode("utf-16-be"), "is UTF-16BE, not UTF-8"),
        (b"fine\n\x93quoted\x94\n", "line 2: not UTF-8; it may be WINDOWS-1252"),
        ("fine\ncaf\u00e9\n".encode("latin-1"), "line 2: not UTF-8; it may be ISO-8859-1"),
        (b"fine\nend \xe2\x82", "line 2: not UTF-8"),
    ],
)
def test_what_is_no_text_is_said_with_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    for read in (files.lines, files.blocks):
        with pytest.raises(UserError) as error:
            list(read(tmp_path / "a.txt"))
        assert message in str(error.value)


def test_a_cut_or_false_gzip_file(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT.encode() * 1000)[:-20])
    (tmp_path / "b.gz").write_bytes(b"no gzip")
    for name in ("a.gz", "b.gz"):
        with pytest.raises(UserError, match="cannot be read"):
            list(files.lines(tmp_path / name))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="no regular file"):
        list(files.lines(tmp_path / "pipe"))


def test_a_zero_byte_ends_lines_but_not_blocks(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"fine\nnot \0 a line\n")
    with pytest.raises(UserError, match="line 2: it has a zero byte"):
        list(files.lines(tmp_path / "a"))
    assert "".join(files.blocks(tmp_path / "a")) == "fine\nnot \0 a line\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04" + bytes(30), "is a zip archive or a spreadsheet"),
        (b"%PDF-1.4\n\xe2\xe3", "is a PDF"),
        (gzip.compress(b"text", mtime=0), "is compressed by gzip: let its name end with"),
        (b"\x89PNG\r\n", "is a picture"),
    ],
)
def test_what_is_no_text_is_named_by_its_first_bytes(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes(content)
    with pytest.raises(UserError, match=message):
        list(files.lines(tmp_path / "own.csv"))


def test_json_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('[{"text": "a", "label": "b"}]')
    with pytest.raises(UserError, match=r"is JSON\. Give JSON Lines"):
        list(tables.rows(tmp_path / "own.json", (tables.Column("text", ("text",)),)))


def test_bars_separate_columns_too(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("image_name| comment_number| comment\n1.jpg| 0| A dog, running .\n")
    columns = (tables.Column("image", ("image_name",)), tables.Column("caption", ("comment",)))
    (row,) = tables.rows(tmp_path / "own.csv", columns)
    assert row.fields == {"image": "1.jpg", "caption": " A dog, running ."}
