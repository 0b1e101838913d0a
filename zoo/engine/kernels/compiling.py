"""Turns kernels into machine code: lazily, once on a machine, announced.

The code is kept in `__pycache__` beside this file where that folder is writable, else in the user's cache folder
(`$XDG_CACHE_HOME/zoo` or `~/.cache/zoo`), else nowhere: then every process compiles for itself. The folder's name has
a fingerprint of all kernels, so a changed file is never answered with old code; numba itself adds the processor's
name and features to the key.
"""

import functools
import hashlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import caching

OPTIONS: dict[str, Any] = {
    "nogil": True,  # several kernels run at once, each in a Python thread
    "error_model": "numpy",  # a division that may raise keeps a loop from being vectorized
    # All of "fast" but nnan and ninf: NaN and infinity must come out as what they are, or a diverged loss goes unseen.
    "fastmath": {"reassoc", "nsz", "arcp", "contract", "afn"},
}
SECONDS = 12
"""About what a first training step spends on compiling, for the announcement."""

_config: Any = numba.config
_lock = threading.RLock()
_announced = False


def folder(create: bool = True) -> Path | None:
    """Where compiled kernels are kept; None if no place is writable."""
    here = Path(__file__).parent
    name = f"zoo-{fingerprint()}"
    users = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "zoo" / "kernels"
    chosen = [Path(_config.CACHE_DIR)] if _config.CACHE_DIR else [here / "__pycache__", users]
    for parent in chosen:
        try:
            (parent / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=parent / name):
                return parent / name
        except OSError:
            continue
    return None


@functools.cache
def fingerprint() -> str:
    """Changes with the source of any kernel."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


class _Cache(caching.FunctionCache):
    """Numba's cache, which says so before the first function that has to be compiled."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        loaded = super().load_overload(sig, target_context)
        if loaded is None:
            announce()
        return loaded

    def has(self, signature: tuple, target_context: Any) -> bool:
        """Whether the machine code for a signature is on disk."""
        return self._index_key(signature, target_context.codegen()) in self._cache_file._load_index()


def announce() -> None:
    """Says once in a process that the first call takes longer."""
    global _announced
    if not _announced:
        _announced = True
        print(f"Compiling kernels, once on this machine: about {SECONDS} s.", file=sys.stderr, flush=True)


def _jit(function: Callable) -> Any:
    """A numba dispatcher whose code is kept in `folder()`."""
    dispatcher: Any = numba.njit(function, **OPTIONS)
    place = folder()
    if place is not None:
        before, _config.CACHE_DIR = _config.CACHE_DIR, str(place)
        try:
            dispatcher._cache = _Cache(function)
        finally:
            _config.CACHE_DIR = before
    return dispatcher


def part(function: Callable) -> Any:
    """Decorator of a function that kernels call; it is compiled into each of them."""
    return numba.njit(function, **OPTIONS)


class Kernel:
    """A function that is called from Python, compiled for one dtype when it is first called with it.

    Its argument types are fixed, so that a wrong array raises TypeError and is never compiled for, and none of its
    arguments can be strided.

    Args:
        function: To compile.
        signature: Element type -> types of the arguments.
    """

    def __init__(self, function: Callable, signature: Callable[[Any], tuple]) -> None:
        self._function, self._signature = function, signature
        self._compiled: dict[str, Callable] = {}
        self.__doc__ = function.__doc__

    @functools.cached_property
    def _dispatcher(self) -> Any:
        return _jit(self._function)

    def ready(self, dtype: Any) -> bool:
        """Whether a call needs no compiling: the code is loaded or on disk."""
        name = np.dtype(dtype).name
        if name in self._compiled:
            return True
        try:
            dispatcher = self._dispatcher
            cache = dispatcher._cache
            return isinstance(cache, _Cache) and cache.has(self._types(name), dispatcher.targetctx)
        except (OSError, AttributeError, KeyError):
            return False

    def _types(self, name: str) -> tuple:
        return tuple(self._signature(getattr(numba.types, name)))

    def load(self, dtype: Any) -> Callable:
        """The machine code for an element type, from memory, from disk, or compiled now."""
        name = np.dtype(dtype).name
        if name not in self._compiled:
            with _lock:
                if name not in self._compiled:
                    if folder() is None:
                        announce()
                    dispatcher = self._dispatcher
                    dispatcher.disable_compile(False)
                    dispatcher.compile(self._types(name))
                    dispatcher.disable_compile()
                    self._compiled[name] = dispatcher
        return self._compiled[name]


def kernel(signature: Callable[[Any], tuple]) -> Callable[[Callable], Kernel]:
    """Decorator that makes a `Kernel` of a function."""
    return lambda function: Kernel(function, signature)


def given(element: Any, dimensions: int) -> Any:
    """Type of an array that is only read."""
    return numba.types.Array(element, dimensions, "C", readonly=True)


def filled(element: Any, dimensions: int) -> Any:
    """Type of an array that is written."""
    return numba.types.Array(element, dimensions, "C")
