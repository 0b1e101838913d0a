"""Where tests run: on the CPU, in a folder of their own, without the user's models and data sets."""

import gc
import importlib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"

_USERS_DATA = os.environ.get("TFDS_DATA_DIR")
_OWN_DATA = tempfile.TemporaryDirectory(prefix="zoo-tests-")

# TFDS reads its folder once, when it is imported; TensorFlow its threads and log level too.
os.environ["TFDS_DATA_DIR"] = _OWN_DATA.name
_USERS_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
os.environ.setdefault("MPLCONFIGDIR", str(_USERS_CACHE / "matplotlib"))  # its list of fonts takes seconds to make
os.environ["XDG_CACHE_HOME"] = str(Path(_OWN_DATA.name, "cache"))  # where captioning keeps what it has seen
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


_LONG = ("test_lessons.py", "test_tasks.py", "test_jax.py", "test_translator.py", "test_training.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sweep", action="store_true", help="also run every combination of cells and tasks: minutes more")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sweep: one of many combinations; runs with --sweep")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The files that take a minute or more come first: last, one process would work alone."""
    if not config.getoption("--sweep"):
        left_out = [item for item in items if item.get_closest_marker("sweep")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    items.sort(key=lambda item: _LONG.index(item.path.name) if item.path.name in _LONG else len(_LONG))


def pytest_unconfigure() -> None:
    _OWN_DATA.cleanup()


@pytest.fixture(autouse=True, scope="module")
def _little_to_collect() -> None:
    """What is there before a file's tests is not looked through again: a training collects twice an epoch."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _same_weights_each_time() -> None:
    """Keras draws the seeds of initializers and dropout from Python's generator."""
    random.seed(0)


@pytest.fixture
def import_script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Imports a file of `scripts` by its name; it and those that it imports are forgotten after the test."""
    monkeypatch.syspath_prepend(SCRIPTS)
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "").parent == SCRIPTS:
            del sys.modules[name]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`./saved_models` is nowhere near the project's, and no environment variable points there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZOO_MODELS", raising=False)


@pytest.fixture
def run_on(tmp_path: Path) -> Callable[[str, str], list[str]]:
    """Runs a program in a process of its own with a backend of Keras; returns the words that it prints."""

    def run(backend: str, program: str) -> list[str]:
        pytest.importorskip(backend)
        environment, command = {**os.environ, "KERAS_BACKEND": backend}, [sys.executable, "-c", program]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


@pytest.fixture(scope="session")
def users_data() -> Path | None:
    """The folder of real data sets that TFDS_DATA_DIR named when the tests began; only for reading."""
    return Path(_USERS_DATA) if _USERS_DATA else None


@pytest.fixture(scope="session")
def metrics() -> dict[str, Any]:
    """The content of a `metrics.json`, each number in it different. Copy it before you change it."""
    return {
        "monitor": "accuracy",
        "higher_is_better": True,
        "scores": {
            "validation": {"accuracy": 0.8125, "log_loss": 0.4321},
            "test": {"accuracy": 0.7654, "log_loss": 0.5432},
        },
        "data": {"name": "imdb_reviews", "version": "1.0.0", "builtin": False, "synthetic": False},
        "training": {
            "epochs": 9,
            "best_epoch": 7,
            "minutes": 12.34,
            "examples_per_second": 345.6,
            "parameters": 1_234_567,
        },
        "machine": {"cores": 3, "processor": "x86_64", "system": "Linux"},
        "versions": {"keras": "3.15.1", "backend": "tensorflow", "python": "3.11.7"},
    }
