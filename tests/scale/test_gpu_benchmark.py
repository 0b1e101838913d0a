"""What `scripts/bench_engine.py --device gpu` does without a GPU: it says so; and what it would accept with one."""

import importlib
import sys
from pathlib import Path

import pytest

from zoo import engine

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
engine_gpu = importlib.import_module("engine_gpu")


class Layer:
    def __init__(self, path: str) -> None:
        self.path = path

    def choice(self, training: bool) -> engine.Choice:
        return engine.Choice(self.path, "a test")


def test_only_the_paths_of_a_gpu_are_measured() -> None:
    assert engine_gpu.path_of(Layer("fused"), "gru") == "fused"
    assert engine_gpu.path_of(Layer("associative"), "mingru") == "associative"
    with pytest.raises(SystemExit, match="should run this by 'fused'"):
        engine_gpu.path_of(Layer("plain"), "lstm")
    assert {path for paths in engine_gpu.PATHS.values() for path in paths.values()} <= set(engine.PATHS)


def test_numbers_of_a_comparison() -> None:
    found = engine_gpu.compared({"engine": lambda: 0, "torch": lambda: 0}, "lstm", (2, 3, 4, 5), 0.01)
    assert set(found["ms"]) == {"engine", "torch"}
    assert found["ratio"]["torch"] == pytest.approx(found["ms"]["torch"]["median"] / found["ms"]["engine"]["median"])
    work = 3 * 2 * 2 * 3 * (4 + 5) * 4 * 5
    assert found["gflops"] == pytest.approx(work / found["ms"]["engine"]["median"] / 1e6)


def test_without_a_gpu_it_says_so() -> None:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    with pytest.raises(SystemExit, match="sees no GPU here"):
        engine_gpu.card()
