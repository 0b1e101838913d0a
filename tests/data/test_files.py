"""The one reader of text."""

import dataclasses
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


LABELED = (tables.Column("text", ("text",)), tables.Column("label", ("label",)))


def read(path: Path, columns: tuple[tables.Column, ...] = LABELED) -> list[tuple[str, ...]]:
    return [tuple(row.fields.values()) for row in tables.rows(path, columns)]


def test_a_quotation_mark_of_a_text_swallows_no_rows(tmp_path: Path) -> None:
    texts = ['"A fine film', *(f"text {i}" for i in range(19)), 'the end"']
    path = tmp_path / "own.tsv"
    path.write_text("text\tlabel\n\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(texts)))
    with pytest.raises(UserError, match="line 3: a field that begins with a quotation mark ends 20 lines below"):
        read(path)
    path.write_text('label\ttext\n1\t"A fine film\n0\tdull\n1\tthe end"\n')
    with pytest.raises(UserError, match="line 2: a field that begins with a quotation mark ends 2 lines below"):
        read(path)
    path.write_text('text\tlabel\n"one\ntwo,\tthree\n\nfour"\t1\n"a\tb"\t0\n')
    assert read(path) == [("one\ntwo,\tthree\n\nfour", "1"), ("a\tb", "0")]


def test_keys_that_the_first_object_lacks(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"text": "a"}\n{"more": 1}\n{"text": "b", "label": "x", "split": "test"}\n')
    columns = (dataclasses.replace(LABELED[0], may_be_empty=True), dataclasses.replace(LABELED[1], may_be_empty=True))
    assert read(path, (*columns, tables.SPLIT)) == [("a", "", ""), ("", "", ""), ("b", "x", "test")]
    with pytest.raises(UserError, match="line 1: the label is empty"):
        read(path)


@pytest.mark.parametrize("header", ["text,label", "Text, LABEL", "\ufefftext,label"])
def test_a_header_among_the_rows_is_refused(header: str, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(f"text,label\na,1\n{header}\nb,2\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"line 3: the row repeats the header\. Delete it"):
        read(tmp_path / "own.csv")


def test_missing_labels(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"text": "nan", "label": "None"}\n{"text": "b", "label": NaN}\n')
    with pytest.raises(UserError, match="line 2: the label is empty"):
        read(tmp_path / "own.jsonl")
    for label in ("nan", " NaN "):
        (tmp_path / "own.csv").write_text(f"text,label\nnan,N/A\nb,null\nc,{label}\n")
        with pytest.raises(UserError, match=f"line 4: the label is '{label.strip()}', a missing value"):
            read(tmp_path / "own.csv")


@pytest.mark.parametrize("header", ["Verbatim,Verbatim,label", "verbatim,Verbatim,label"])
def test_two_columns_that_an_option_may_mean(header: str, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(f"{header}\na,b,1\n")
    columns = (dataclasses.replace(LABELED[0], given="Verbatim"), LABELED[1])
    one, other, _ = header.split(",")
    with pytest.raises(UserError, match=f"has two columns '{one}' and '{other}'. Rename one of them"):
        read(tmp_path / "own.csv", columns)


def test_columns_that_are_left_out_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.csv").write_text("id,text,split,label\n7,a,test,1\n")
    assert read(tmp_path / "own.csv") == [("a", "1")]
    assert "text = 'text', label = 'label'; left out: 'id', 'split'." in capsys.readouterr().err


@pytest.mark.parametrize(("text", "number"), [(" 1 ", True), ("-1.5e3", True), ("1_0", False), ("\u0663", False)])
def test_what_is_a_number(text: str, number: bool) -> None:
    assert tables.is_number(text) is number
