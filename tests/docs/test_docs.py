"""The documentation: its links, its public names, and the site that is built of them."""

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts" / "docs"


@pytest.fixture
def script(monkeypatch):
    """Imports a script of the documentation by name."""
    monkeypatch.syspath_prepend(SCRIPTS)
    before = set(sys.modules)
    yield importlib.import_module
    for name in ("build", "links", "names", "notebooks"):
        if name not in before:
            sys.modules.pop(name, None)


def test_every_link_leads_somewhere(script):
    links = script("links")
    assert len(links.documents()) > 30
    assert links.problems() == []


def test_every_public_name_has_a_docstring(script):
    names = script("names")
    pages = names.pages()
    assert {"cells", "layers", "builders", "decoding", "saved", "engine", "data", "lens", "testing"} <= pages.keys()
    assert all(pages.values())
    assert names.problems() == []


def test_a_broken_link_is_found(script, tmp_path):
    links = script("links")
    (tmp_path / "tasks" / "a").mkdir(parents=True)
    (tmp_path / "tasks" / "a" / "README.md").write_text("# A task\n\n## What was tried\n", encoding="utf-8")
    text = """
[good](tasks/a/README.md), [anchor](tasks/a/README.md#what-was-tried), [web](https://keras.io)
`[code](no.md)`

```
[code](no.md)
```

[bad](tasks/b/README.md) ![bad](no.png "title") [bad](tasks/a/README.md#what) <img src="gone.png">
"""
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert links.problems(tmp_path) == [
        "README.md: tasks/b/README.md does not exist",
        "README.md: no.png does not exist",
        "README.md: tasks/a/README.md#what: no heading has this anchor",
        "README.md: gone.png does not exist",
    ]


def test_an_undocumented_name_is_found(script, tmp_path, monkeypatch):
    names = script("names")
    package = tmp_path / "zoo" / "parts"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        '"""Parts."""\nfrom zoo.parts.one import made, plain\nSIZE = 1\n"""Its size."""\nBARE = 2\n'
        '__all__ = ["BARE", "SIZE", "made", "plain"]\n',
        encoding="utf-8",
    )
    (package / "one.py").write_text(
        'class Made:\n    """Documented."""\n\ndef plain():\n    pass\n\ndef _private():\n    pass\n\n'
        'made = builder(Made, "made")\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(names, "PACKAGES", ("parts",))
    monkeypatch.setattr(names, "MODULES", {"one": ("zoo.parts.*",)})
    assert names.problems(tmp_path) == [
        "zoo.parts.BARE (zoo.parts) has no docstring",
        "zoo.parts.plain (zoo.parts.one) has no docstring",
        "zoo.parts.one.plain (zoo.parts.one) has no docstring",
        "zoo.parts.one has no docstring",
    ]


def test_a_builder_is_shown_by_its_class(script):
    page = script("build").reference("builders", script("names").pages()["builders"])
    assert '::: zoo.builders.tagger\n    options:\n      members: ["Tagger"]' in page
    assert '::: zoo.builders.classifier\n    options:\n      members: ["classifier"]' in page


def test_a_notebook_becomes_a_page(script, tmp_path):
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "<details><summary>Solution</summary>"]},
        {
            "cell_type": "code",
            "source": ["print(1)"],
            "outputs": [{"text": ["1\n"]}, {"data": {"image/png": pixel, "text/plain": "<Figure>"}}],
        },
    ]
    notebook = tmp_path / "lesson.ipynb"
    notebook.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    script("notebooks").write(notebook, tmp_path / "pages" / "lesson.md")
    text = (tmp_path / "pages" / "lesson.md").read_text(encoding="utf-8")
    assert '# Title\n<details markdown="1">' in text
    assert "```python\nprint(1)\n```\n\n```text\n1\n```\n\n![output of the code above](lesson-1-1.png)" in text
    assert (tmp_path / "pages" / "lesson-1-1.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("mkdocs", "material", "mkdocstrings")),
    reason="The site is built with MkDocs: pip install '.[docs]'.",
)
def test_the_site_is_built_without_a_warning(tmp_path):
    words = [sys.executable, str(SCRIPTS / "build.py"), "--strict", "--output", str(tmp_path / "site")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    page = (tmp_path / "site" / "api" / "cells" / "index.html").read_text(encoding="utf-8")
    assert "GRUCell" in page
    assert "sigmoid(W_xz x_t + W_hz h_{t-1} + b_z)" in page, "equations are shown"
    lesson = (tmp_path / "site" / "tasks" / "charlm" / "lesson" / "index.html").read_text(encoding="utf-8")
    assert "What you will learn" in lesson
