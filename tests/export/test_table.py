"""The table of exports: a row is measured, takes the place of an older one, and is rendered."""

import json
import sys
from pathlib import Path

import pytest

from zoo import saved

pytest.importorskip("onnx", reason="onnx is not installed: pip install 'zoo[onnx]'")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'zoo[onnx]'")

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import export_table  # noqa: E402
import render  # noqa: E402


def test_rows_of_a_model(tmp_path, monkeypatch):
    monkeypatch.setattr(export_table, "FILE", tmp_path / "export.json")
    assert render.exports(export_table.read()) == "Not measured yet: `python scripts/export_table.py`."
    model = saved.load(ROOT / "saved_models" / "classify-perceptron-digits")
    row = export_table.measured(model, "onnx", None, 10)
    export_table.write([{**row, "max_difference": 5.0}, {**row, "quantize": "int8"}])
    export_table.write([row])
    assert [item["max_difference"] < 1 for item in json.loads(export_table.FILE.read_text())["rows"]] == [True, True]
    lines = render.exports(export_table.read()).splitlines()
    assert len(lines) == 6
    assert "| classify-perceptron-digits | onnx | " in lines[4]
    assert "100.0 % of 10 | accuracy " in lines[4]
    assert "| onnx int8 |" in lines[5]
