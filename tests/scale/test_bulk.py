"""Whole files answered by several processes: the same bytes whatever their number, and after any interruption."""

import contextlib
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from zoo.bulk import blocks, run
from zoo.cli import cli
from zoo.errors import UserError

MODELS = Path(__file__).parents[2] / "saved_models"
MODEL = MODELS / "sentiment-gru-reviews"
LINES = [f"a {'fine' if i % 3 else 'dull'} film, number {i}{' indeed' * (i % 40)}" for i in range(10 * blocks.LINES)]
"""Enough blocks that some are left when two workers have been killed."""


def a_job(*files: Path, **changes) -> blocks.Job:
    described = [blocks.described(file) for file in files]
    return blocks.Job(**{"task": "sentiment", "model": str(MODEL), "weights": "0", "runtime": "keras", "backend": None,
                         "settings": {}, "inputs": described, **changes})  # fmt: skip


def command(*more: str) -> list[str]:
    words = ["sentiment", "--model", str(MODEL), "--runtime", "keras", "--input", "in/*", "--output", "out", *more]
    return [sys.executable, "-m", "zoo", *words]


def workers_of(parent: int) -> list[int]:
    """The workers that a process has started, by any of its threads."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            own = status.read_text().rpartition(")")[2].split()[1] == str(parent)
            if own and b"zoo.bulk.worker" in status.with_name("cmdline").read_bytes():
                found.append(int(status.parent.name))
    return found


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes("\n".join([*LINES, "", "Ünicode \u2028 and a \x85 within\r", ""]).encode())
    with gzip.open(tmp_path / "in" / "b.txt.gz", "wb") as stream:
        stream.write(b"\xef\xbb\xbfa waste\nbad bytes \xff\xfe\n\nno end")
    return tmp_path / "in"


def test_one_line_out_per_line_in_the_same_by_one_and_by_two_after_kills(inputs: Path) -> None:
    whole = subprocess.run(command("--workers", "1"), capture_output=True, text=True)
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.splitlines() == ["out/a.txt", "out/b.txt"]
    expected = {name: Path("out", name).read_bytes() for name in ("a.txt", "b.txt")}
    assert [text.count(b"\n") for text in expected.values()] == [len(LINES) + 2, 4]
    assert os.listdir("out/.zoo") == ["manifest.json"]
    Path("out").rename("first")

    process = subprocess.Popen(command("--workers", "2"), stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 300
    while not (kept := sorted(Path("out/.zoo").glob("?-??????"))):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)  # with it go its workers
    process.communicate()
    times = {path: path.stat().st_mtime_ns for path in kept if path.exists()}
    assert times

    process = subprocess.Popen(command("--workers", "2"), stderr=subprocess.PIPE, text=True)
    if Path("/proc").exists():  # one of its workers is killed this time
        while not (found := workers_of(process.pid)):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(found[0], signal.SIGKILL)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 2
        assert "was ended by the signal SIGKILL. Finished blocks are kept" in said
    assert {path: path.stat().st_mtime_ns for path in times} == times  # none is answered twice

    again = subprocess.run(command("--workers", "2"), capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert {name: Path("out", name).read_bytes() for name in expected} == expected


def test_answers_that_are_whole_are_not_made_again(inputs: Path, tmp_path: Path) -> None:
    folder = blocks.Folder(tmp_path / "out", a_job(inputs / "b.txt.gz"))
    ((number, block),) = folder.open_blocks()
    assert block.lines == ["a waste", "bad bytes \ufffd\ufffd", "", "no end"]
    blocks.write_block(block.file, ["1", "2", "3", "4"])
    assert not list(folder.open_blocks())
    assert folder.join(number).read_text() == "1\n2\n3\n4\n"
    (tmp_path / "out" / ".zoo" / "0-000000").write_text("left by a kill between the rename and the removal")
    assert run.answer(blocks.Folder(tmp_path / "out", folder.job), 1) == [tmp_path / "out" / "b.txt"]  # starts nobody
    assert os.listdir(tmp_path / "out" / ".zoo") == ["manifest.json"]
    assert (tmp_path / "out" / "b.txt").read_text() == "1\n2\n3\n4\n"


def test_blocks_are_short_in_lines_and_in_bytes(tmp_path: Path) -> None:
    (tmp_path / "long").write_text(("x" * (blocks.BYTES // 2) + "\n") * 5)
    assert [len(block) for block in blocks.blocks(tmp_path / "long")] == [2, 2, 1]
    (tmp_path / "many").write_text("x\n" * (2 * blocks.LINES + 1))
    assert [len(block) for block in blocks.blocks(tmp_path / "many")] == [blocks.LINES, blocks.LINES, 1]
    (tmp_path / "none").write_text("")
    assert list(blocks.blocks(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"weights": "1"}, "weights"), ({"settings": {"json": True}}, "settings"), ({"runtime": "onnx"}, "runtime")],
)
def test_another_job_does_not_go_on_with_a_folder(changes, told, inputs: Path, tmp_path: Path) -> None:
    blocks.Folder(tmp_path / "out", a_job(inputs / "a.txt"))
    with pytest.raises(UserError, match=rf"has answers of another run \({told}"):
        blocks.Folder(tmp_path / "out", a_job(inputs / "a.txt", **changes))


def test_a_changed_input_and_a_foreign_folder_are_refused(inputs: Path, tmp_path: Path) -> None:
    blocks.Folder(tmp_path / "out", a_job(inputs / "a.txt"))
    (inputs / "a.txt").write_text("something else\n")
    with pytest.raises(UserError, match=r"has answers of another run \(inputs"):
        blocks.Folder(tmp_path / "out", a_job(inputs / "a.txt"))
    with pytest.raises(UserError, match="is not empty"):
        blocks.Folder(inputs, a_job(inputs / "a.txt"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--input", "in/*"], "--input answers whole files: give both"),
        (["--workers", "2"], "--workers answers whole files: give both"),
        (["--input", "nothing*", "--output", "out"], "names no file"),
        (["--input", "in", "--output", "out"], "is a folder: name its files"),
        (["--input", "in/*", "--output", "out", "a text"], "Inputs come from --input, or from the arguments"),
        (["--input", "in/*", "--output", "out", "--html", "x.html"], "--html shows single answers"),
    ],
)
def test_what_does_not_fit_is_refused(words, told, inputs: Path) -> None:
    result = CliRunner().invoke(cli, ["sentiment", "--model", str(MODEL), *words])
    assert isinstance(result.exception, UserError)
    assert told in str(result.exception)


def test_an_input_in_another_encoding_is_refused_before_a_worker_starts(tmp_path: Path) -> None:
    (tmp_path / "wide").write_text("a\nb", encoding="utf-16")
    with pytest.raises(UserError, match="is in UTF-16LE, not in UTF-8"):
        run.answer(blocks.Folder(tmp_path / "out", a_job(tmp_path / "wide")), 2)


@pytest.mark.parametrize("content", [b"one\rtwo", b"one\rtwo\r"])
def test_an_input_whose_lines_end_with_carriage_returns_is_refused(content: bytes, tmp_path: Path) -> None:
    """It would be one line, and get one answer."""
    (tmp_path / "old").write_bytes(content)
    with pytest.raises(UserError, match="carriage returns alone"):
        list(blocks.blocks(tmp_path / "old"))
    (tmp_path / "old").write_bytes(b"one\rtwo\n\r\nthree\r\n")
    assert list(blocks.blocks(tmp_path / "old")) == [["one\rtwo", "", "three"]]


@pytest.mark.parametrize("task", ["translate", "tag"])
def test_other_tasks_have_it_too(task: str) -> None:
    text = CliRunner().invoke(cli, [task, "--help"]).output
    assert all(option in text for option in ("--input", "--output", "--workers"))
