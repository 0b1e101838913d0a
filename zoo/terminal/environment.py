"""What surrounds the command: working folder, file handles, Keras's own configuration; and the start of Keras.

What is set here is set by the command alone. Who uses the library from Python chooses for himself.
"""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from zoo.errors import UserError
from zoo.terminal import console

BACKENDS = ("tensorflow", "jax")
"""Backends of Keras that this package runs on."""

FEWEST_FILES = 64
"""File handles without which TensorFlow cannot be imported."""

ENOUGH_FILES = 1024
"""File handles that are asked for where fewer are allowed at first."""

KERAS_CHOICES = {
    "floatx": ("bfloat16", "float16", "float32", "float64"),
    "image_data_format": ("channels_last", "channels_first"),
    "backend": BACKENDS,
}
"""Entries of `keras.json`, and what they take."""


def check() -> None:
    """Checks what every command needs.

    Raises:
        UserError: If the working folder is gone, or there are too few file handles.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise UserError("The working folder no longer exists. Change to one that does.") from error
    _check_files()


def _check_files() -> None:
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < ENOUGH_FILES:
        limit = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(ENOUGH_FILES, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft != resource.RLIM_INFINITY and soft < FEWEST_FILES:
        raise UserError(f"Only {soft} files may be open at once; {FEWEST_FILES} are needed: ulimit -n {ENOUGH_FILES}.")


def start_keras(backend: str | None, loading: str = "Keras") -> None:
    """Chooses the backend, and only then imports Keras; `zoo.registration` keeps TensorFlow's notes back.

    Args:
        backend: Name of the backend; default that of the environment or of Keras's own file.
        loading: What the user waits for in the meantime: a terminal says so at once.

    Raises:
        UserError: If the backend, or Keras's configuration, cannot be used.
    """
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    chosen = backend_name()
    os.environ["MPLBACKEND"] = "agg"  # pictures go into files; a backend for windows may not exist here
    if sys.stderr.isatty():
        console.echo(f"Loading {loading} ...", err=True)
    try:
        import keras
        import tensorflow  # noqa: F401  tf.data serves every backend
    except ImportError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        _check_memory(error)
        if "Too many open files" in str(error) or "Error 24" in str(error):
            raise UserError(f"Keras cannot be imported: {reason}. Allow more open files: ulimit -n 1024.") from error
        raise UserError(
            f"Keras cannot use the backend {chosen!r}: {reason}. Install it (pip install {chosen}), "
            "or choose another --backend."
        ) from error
    except Exception as error:
        _check_memory(error)
        raise
    if backend and keras.backend.backend() != backend:
        raise UserError(f"Keras already runs on {keras.backend.backend()!r}; start a new process.")
    # A user's keras.json may say otherwise; our models have the one form, whatever it says.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)


def backend_name(backend: str | None = None) -> str:
    """The backend that Keras will have, without importing it.

    Args:
        backend: What the user named; default that of the environment or of Keras's own file.

    Raises:
        UserError: If it is unknown, or Keras's configuration cannot be used.
    """
    stored = {} if "keras" in sys.modules else _keras_json()
    chosen = backend or os.environ.get("KERAS_BACKEND") or stored.get("backend", "tensorflow")
    if chosen not in BACKENDS:
        raise UserError(
            f"KERAS_BACKEND is {chosen!r}; zoo runs on {' and '.join(BACKENDS)}. Set one of them, or unset it."
        )
    return chosen


def _check_memory(error: Exception) -> None:
    """Without memory, an import fails in any way: parts of modules are missing, or libraries cannot be loaded.

    Raises:
        UserError: If the memory of this process is limited.
    """
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        raise UserError(
            f"Keras cannot be imported within {limit / 1e9:.1f} GB of memory ({type(error).__name__}). Allow more: "
            "ulimit -v unlimited."
        ) from error


def _keras_json() -> dict[str, Any]:
    """What Keras's own file says. For most that may be wrong with it, Keras fails at import."""
    home = Path(os.environ.get("KERAS_HOME") or Path(os.path.expanduser("~"), ".keras"))
    file = home / "keras.json"
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # Keras passes over it as well
        return {}
    except RecursionError:
        stored = None
    wrong = _wrong(stored)
    if wrong:
        raise UserError(f"{file}, the configuration of Keras, {wrong}. Correct it, or remove it.")
    return stored


def _wrong(stored: Any) -> str | None:
    """What is wrong with the content of `keras.json`."""
    if not isinstance(stored, dict):
        return "is no JSON object"
    for name, allowed in KERAS_CHOICES.items():
        if name == "backend" and os.environ.get("KERAS_BACKEND"):
            continue
        if name in stored and stored[name] not in allowed:
            return f"has {name} {str(stored[name])[:40]!r}, which is none of {', '.join(allowed)}"
    epsilon = stored.get("epsilon", 1e-7)
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float)):
        return f"has epsilon {str(epsilon)[:40]!r}, which is no number"
    return None
