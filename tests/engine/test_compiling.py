"""Compiled code on disk: announced, kept, shared by processes, and done without."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba")

RUN = """
import numpy as np
from zoo.engine import available, recurrence
from zoo.engine.kernels import compiling
if {blocked}:  # no folder can be written, as if all were read-only
    compiling.folder = lambda create=True: None
print("ready" if available.ready("linear") else "not ready")
one = np.ones((1, 2, 1), "float32")
print(recurrence.forward(one, one, one[:, 0], None, False)[0].ravel().tolist())
"""


def started(folder: Path, blocked: bool = False) -> Any:
    """A process that runs the smallest kernel with an empty cache in `folder`."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    code = RUN.format(blocked=blocked)
    return subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1, text=True, env=environment)


def test_two_processes_at_once_then_a_third_finds_the_code(tmp_path: Path) -> None:
    results = [process.communicate(timeout=120) for process in [started(tmp_path), started(tmp_path)]]
    for out, errors in results:
        assert out.splitlines()[1] == "[2.0, 3.0]", errors
    assert "Compiling kernels, once on this machine" in results[0][1] + results[1][1]  # the slower one may find it
    out, errors = started(tmp_path).communicate(timeout=120)
    assert (out.splitlines(), errors) == (["ready", "[2.0, 3.0]"], "")


def test_without_a_writable_folder_it_works(tmp_path: Path) -> None:
    out, errors = started(tmp_path, blocked=True).communicate(timeout=120)
    assert out.splitlines() == ["not ready", "[2.0, 3.0]"], errors
    assert errors.count("Compiling kernels") == 1
    assert not list(tmp_path.rglob("*.nbc"))


def test_the_folder_of_a_read_only_installation_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.engine.kernels import compiling

    (tmp_path / "file").write_text("")
    monkeypatch.setattr(compiling, "__file__", str(tmp_path / "file" / "compiling.py"))  # no folder can be made there
    monkeypatch.setattr(compiling._config, "CACHE_DIR", "")
    monkeypatch.setattr(compiling, "fingerprint", lambda: "abc")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compiling.folder() == tmp_path / "zoo" / "kernels" / "zoo-abc"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compiling.folder() is None
