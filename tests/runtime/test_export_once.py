"""Exports that a command makes: once, into the user's cache, whole, and again when the weights are others."""

import json
import shutil
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from zoo import cli, export, saved
from zoo.errors import UserError
from zoo.export import folder
from zoo.runtime import choice
from zoo.terminal import answers

PUBLISHED = Path(__file__).parents[2] / "saved_models"
DIGITS = "classify-perceptron-digits"

pytest.importorskip("onnx", reason="onnx is not installed: pip install 'zoo[onnx]'")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'zoo[onnx]'")


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A copy of a published model without an export, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return shutil.copytree(PUBLISHED / DIGITS, tmp_path / "models" / DIGITS, ignore=shutil.ignore_patterns("onnx"))


def test_two_at_once_write_one_export(path, monkeypatch):
    model, written, found = saved.load(path), [], []
    write = export._write

    def counted(*arguments, **options):
        written.append(arguments[1])
        write(*arguments, **options)

    monkeypatch.setattr(export, "_write", counted)
    threads = [threading.Thread(target=lambda: found.append(export.export_once(model))) for _ in range(2)]
    with folder.locked(choice.kept(path)):
        for thread in threads:
            thread.start()
        with pytest.raises(UserError, match="Another process writes"), folder.locked(choice.kept(path)):
            pass
        assert not found  # both wait
    for thread in threads:
        thread.join()
    assert written == [choice.kept(path)]
    assert found == [choice.exported(path)] * 2
    assert choice.choose(path) == "onnx"
    assert not (path / "onnx").exists()


def test_the_option_exports_a_model_once(path):
    arguments = ["classify", "--model", str(path), "--runtime", "onnx", "--json", _digit(path)]
    first, second = (CliRunner().invoke(cli.cli, arguments, catch_exceptions=False) for _ in range(2))
    by_keras = CliRunner().invoke(cli.cli, [*arguments, "--runtime", "keras"], catch_exceptions=False)
    assert f"Exporting {DIGITS} into the cache, once ...\n" in first.stderr
    assert "Exporting" not in second.stderr
    assert json.loads(first.stdout) == json.loads(second.stdout)
    assert json.loads(first.stdout)["answer"] == json.loads(by_keras.stdout)["answer"]


def _digit(path):
    return json.loads((path / "golden.json").read_text())["inputs"][0]


def test_other_weights_are_exported_anew(path):
    model = saved.load(path)
    first = export.export_once(model)
    manifest = (path / "files.json").read_text()
    (path / "files.json").write_text(manifest.replace(choice.model_hash(path), 64 * "0"))
    assert choice.lacks_export(path)
    assert export.export_once(model) != first
    assert not choice.lacks_export(path)


def test_a_terminal_gets_an_export_for_the_next_time(path, monkeypatch, capsys):
    model, chosen = saved.load(path), {"runtime": None, "backend": None}
    monkeypatch.setattr(choice.cards, "published", lambda: path.parent)
    answers._export_for_next_time(path, model, chosen)  # no terminal
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    answers._export_for_next_time(path, model, chosen | {"runtime": "keras"})
    answers._export_for_next_time(path, SimpleNamespace(net=SimpleNamespace(begin=None)), chosen)  # it draws samples
    assert choice.choose(path) == "keras"
    assert capsys.readouterr().err == ""
    answers._export_for_next_time(path, model, chosen)
    assert choice.choose(path) == "onnx"
    assert "into the cache, once: the next command starts faster" in capsys.readouterr().err
    monkeypatch.setattr(choice.cards, "published", lambda: path)
    shutil.rmtree(choice.kept(path))
    answers._export_for_next_time(path, model, chosen)  # not published
    assert choice.choose(path) == "keras"
