"""The lessons run from top to bottom, with shorter trainings, and their stored outputs are small and complete."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LESSONS = sorted(ROOT.glob("tasks/*/lesson.ipynb"))

needs_jupyter = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("nbclient", "nbformat", "ipykernel")),
    reason="Lessons run with nbclient and ipykernel: pip install '.[lessons]'.",
)


@pytest.fixture
def lessons(monkeypatch):
    """The script that runs lessons."""
    monkeypatch.syspath_prepend(ROOT / "scripts" / "docs")
    yield importlib.import_module("lessons")
    sys.modules.pop("lessons", None)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_four():
    assert [path.parent.name for path in LESSONS] == ["charlm", "classify", "sentiment", "translate"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.parent.name)
def test_every_lesson_has_its_parts(path):
    cells = read(path)["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert prose.startswith("# ")
    assert "**What you will learn**" in prose
    for number in (1, 2):
        _, found, exercise = prose.partition(f"**Exercise {number}.**")
        assert found
        assert "<details><summary>Solution</summary>" in exercise
    assert prose.count("<details>") == prose.count("</details>") == 2
    first = "".join(next(cell["source"] for cell in cells if cell["cell_type"] == "code"))
    assert "pip install" in first, "says what to install"
    assert "ZOO_LESSONS_QUICK" in first


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.parent.name)
def test_it_is_linked_first_thing(path):
    link = "lesson.ipynb"
    own = (path.parent / "README.md").read_text(encoding="utf-8")
    assert link in own.partition("\n## ")[0]
    top = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"tasks/{path.parent.name}/{link}" in top.partition("\n## ")[0]


@needs_jupyter
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.parent.name)
def test_stored_outputs_are_fit_to_commit(path, lessons):
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    assert lessons.problems(notebook) == []
    assert any("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))


@needs_jupyter
def test_outputs_that_are_not_fit_are_found(lessons):
    from nbformat import v4

    def problems(text="", count=1, kind="stream"):
        if kind == "error":
            output = v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
        else:
            output = v4.new_output("stream", name="stdout", text=text)
        cell = v4.new_code_cell("x", outputs=[output], execution_count=count)
        return lessons.problems(v4.new_notebook(cells=[cell]))

    assert problems("all is well\n") == []
    assert "has not been run" in problems(count=None)[0]
    assert "100," in problems("x" * 100_001)[0]
    assert "one machine" in problems("saved in /home/me/x")[0]
    assert "failed: no" in problems(kind="error")[0]


@needs_jupyter
@pytest.mark.filterwarnings("default")  # Jupyter's own
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.parent.name)
def test_it_runs_from_top_to_bottom(path, lessons, monkeypatch, tmp_path):
    import nbformat

    monkeypatch.setenv("ZOO_LESSONS_QUICK", "1")
    notebook = lessons.clean(lessons.run(nbformat.read(path, as_version=4), tmp_path))
    assert lessons.problems(notebook) == []


def test_the_magic_runs_commands_and_ends_with_a_sentence(capsys):
    error = pytest.importorskip("IPython.core.error", reason="The magic %zoo needs IPython: pip install '.[lessons]'.")
    from zoo import notebook

    notebook.zoo("list cells")
    assert "gru" in capsys.readouterr().out
    with pytest.raises(error.UsageError, match="Did you mean 'cells'"):
        notebook.zoo("list cell")
    with pytest.raises(error.UsageError, match="nothing-like-this"):
        notebook.zoo("card nothing-like-this")
