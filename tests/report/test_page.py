"""The page: whole in one file, and nothing that comes from data is read as HTML."""

import base64
import json
import re

import numpy as np
import pytest

from zoo.errors import UserError
from zoo.report import folder, page
from zoo.report.sections import Context, Example, Picture, Section, Table, write_picture

EVIL = "<script>alert('x')</script>\"&"


def rendered(tmp_path):
    write_picture(tmp_path / "a.png", np.full((4, 6), 90, "uint8"))
    picture = Picture("a.png", EVIL)
    example = Example([("input", EVIL), (EVIL, "x")], [(EVIL, 0.5), ("b", -1.0), ("c", 0.0)], [picture])
    section = Section(EVIL, EVIL, [Table((EVIL,), [(EVIL,)])], [picture], [example])
    return page.render(tmp_path, EVIL, {"model": EVIL}, [(EVIL, "0.5", EVIL)], [section])


def test_everything_from_data_is_escaped(tmp_path):
    text = rendered(tmp_path)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 12
    assert 'alt="&lt;script' in text


def test_the_page_needs_nothing_else(tmp_path):
    text = rendered(tmp_path)
    sources = re.findall(r'src="([^"]*)"', text)
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert base64.b64decode(sources[0].partition(",")[2]) == (tmp_path / "a.png").read_bytes()
    assert not re.search(r"https?://|<link|@import", text)


def test_the_strongest_part_has_the_strongest_color(tmp_path):
    text = rendered(tmp_path)
    assert 'style="background: rgba(0, 90, 170, 0.30)" title="0.5000"' in text
    assert 'style="background: rgba(200, 80, 0, 0.60)" title="-1.0000">b<' in text
    assert 'style="" title="0.0000">c<' in text


def test_parts_without_effect_have_no_color(tmp_path):
    example = Example([("input", "a b")], [("a", 0.0), ("b", 0.0)], [])
    text = page.render(tmp_path, "t", {}, [], [Section("s", "", examples=[example])])
    assert text.count('style="" title="0.0000"') == 2


def test_a_new_folder_and_an_older_report_are_written(tmp_path):
    target = tmp_path / "deep" / "report"
    for name in ("one.png", "two.png"):
        with folder.replacing(target) as new:
            (new / name).write_text("x")
    assert sorted(path.name for path in target.iterdir()) == ["report.json", "two.png"]
    assert json.loads((target / "report.json").read_text())["files"] == ["two.png"]
    assert [path.name for path in target.parent.iterdir()] == ["report"]


@pytest.mark.parametrize("name", ["notes.txt", "report.json"])
def test_a_folder_that_is_no_report_is_never_overwritten(tmp_path, name):
    (tmp_path / name).write_text('{"zoo": "something else"}')
    with pytest.raises(UserError, match=f"holds '{name}'.*nothing is overwritten"):
        folder.check(tmp_path)
    assert (tmp_path / name).is_file()


def test_a_report_with_something_added_is_kept(tmp_path):
    target = tmp_path / "report"
    with folder.replacing(target) as new:
        (new / "a.png").write_text("x")
    (target / "mine.txt").write_text("notes")
    with pytest.raises(UserError, match=r"mine\.txt"), folder.replacing(target) as new:
        (new / "b.png").write_text("x")
    assert (target / "mine.txt").read_text() == "notes"
    assert (target / "a.png").is_file()


def test_a_file_and_a_link_are_refused(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, what in (("file", "a file"), ("link", "a link")):
        with pytest.raises(UserError, match=what):
            folder.check(tmp_path / name)


def test_an_error_leaves_the_older_report(tmp_path):
    target = tmp_path / "report"
    with folder.replacing(target) as new:
        (new / "a.png").write_text("x")
    with pytest.raises(RuntimeError), folder.replacing(target):
        raise RuntimeError
    assert (target / "a.png").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_small_pictures_are_enlarged(tmp_path):
    from PIL import Image

    Context(tmp_path, "x").picture("small", "8 x 8", write_picture, np.zeros((8, 8, 3), "uint8"))
    with Image.open(tmp_path / "small.png") as image:
        assert image.size == (160, 160)
