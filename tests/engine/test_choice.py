"""Which path is chosen, and that importing the engine costs nothing."""

import subprocess
import sys
from typing import Any

import keras
import pytest

from zoo import cells, engine
from zoo.engine import available, choice


def of(cell: Any, **options: Any) -> tuple[str, str]:
    return engine.choose(cell, **{"training": True, "device": "cpu", "refused": None, **options})


def test_importing_imports_no_backend_and_no_numba() -> None:
    code = "import sys, zoo.engine; print([m for m in ('numba', 'tensorflow', 'jax', 'keras') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["min_gru", "signed_min_gru"])
def test_min_gru_has_a_kernel(name: str) -> None:
    pytest.importorskip("numba")
    cell = cells.MinGRUCell(4, signed=name != "min_gru")
    path, reason = of(cell)
    assert (path, name in reason) == ("compiled", True)
    assert engine.has_kernel(cell, of(cell))
    assert of(cell, device="gpu").path == "associative"
    assert of(cell, refused="this graph is compiled by XLA").path == "plain"
    other = cells.MinLSTMCell(4)
    assert (of(other).path, engine.has_kernel(other, of(other))) == ("compiled", False), "its gates are not compiled"


@pytest.mark.parametrize("name", ["simple_rnn", "lstm", "gru"])
def test_cells_with_a_kernel(name: str) -> None:
    pytest.importorskip("numba")
    stock = {"simple_rnn": keras.layers.SimpleRNNCell, "lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}
    for cell in (cells.make(name, 4), stock[name](4)):
        path, reason = of(cell)
        assert (path, name in reason) == ("compiled", True)
        assert of(cell, device="gpu").path == "fused"
        assert of(cell, refused="this graph is compiled by XLA") == ("plain", "Plain: this graph is compiled by XLA.")
    assert of("linear").path == "compiled"
    assert of("linear", device="gpu").path == "associative"
    with engine.plain_only():
        assert {of(name, device=device).path for name in (cell, "linear") for device in ("cpu", "gpu")} == {"plain"}
    assert set(engine.PATHS) == {"compiled", "fused", "scanned", "associative", "sequence", "plain"}


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        (lambda: keras.layers.LSTMCell(4, activation="relu"), "activation"),
        (lambda: keras.layers.LSTMCell(4, recurrent_dropout=0.1), "recurrent_dropout"),
        (lambda: keras.layers.LSTMCell(4, dropout=0.1), "dropout"),
        (lambda: keras.layers.GRUCell(4, reset_after=False), "reset_after"),
        (lambda: keras.layers.StackedRNNCells([keras.layers.LSTMCell(4)]), "StackedRNNCells"),
        (lambda: type("LSTMCell", (cells.find("lstm"),), {})(4), "LSTMCell"),
    ],
)
def test_cells_with_other_equations_run_plainly(cell: Any, word: str) -> None:
    path, reason = of(cell())
    assert (path, word in reason) == ("plain", True)


def test_a_quantized_cell_runs_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = cells.make("lstm", 4)
    monkeypatch.setattr(keras.layers.Layer, "quantization_mode", "int8", raising=False)
    assert of(cell) == ("plain", "Plain: the cell is quantized.")


def test_the_environment_turns_kernels_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_ENGINE", "plain")
    path, reason = of(cells.make("gru", 4))
    assert (path, "ZOO_ENGINE" in reason) == ("plain", True)


def test_without_numba_everything_works_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(available.importlib.util, "find_spec", lambda name: None)
    available.missing.cache_clear()
    try:
        assert [of(cells.make("gru", 4)) for _ in range(2)] == [("plain", "Plain: numba is not installed.")] * 2
        assert capsys.readouterr().err.count("numba is not installed") == 1
    finally:
        available.missing.cache_clear()


def test_predictions_never_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    cell = cells.make("gru", 4)
    monkeypatch.setattr(available, "loaded", lambda kind: False)
    monkeypatch.setattr(available, "ready", lambda kind: False)
    assert "do not compile" in of(cell, training=False).reason
    monkeypatch.setattr(available, "ready", lambda kind: True)
    assert of(cell, training=False).path == "compiled"
    assert "small" in of(cell, training=False, batch=1).reason
    monkeypatch.setattr(available, "loaded", lambda kind: True)
    assert of(cell, training=False, batch=1).path == "compiled"


def test_another_backend_has_no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "backend_module", lambda: None)
    assert of(cells.make("gru", 4)).reason == "Plain: there are no kernels for this backend."
