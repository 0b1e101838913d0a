"""Whether kernels can be had on this machine, without importing numba where that can be known without it."""

import functools
import importlib.util
import os
import platform
import sys


@functools.cache
def missing() -> str:
    """Why there are no kernels on this machine, or nothing. Says so once in a process."""
    reason = ""
    if importlib.util.find_spec("numba") is None:
        reason = "numba is not installed"
    elif sys.byteorder != "little" or platform.python_implementation() != "CPython":
        reason = "numba does not support this platform"
    else:
        try:
            import numba  # noqa: F401
        except Exception as error:  # a version of Python or numpy that this numba does not know
            reason = f"numba cannot be used ({error})"
    if reason and os.environ.get("ZOO_ENGINE") != "plain":
        print(f"Recurrent layers run without compiled kernels, several times slower: {reason}.", file=sys.stderr)
    return reason


def loaded(kind: str) -> bool:
    """Whether this process has run kernels of a kind."""
    if "zoo.engine.kernels" not in sys.modules:
        return False
    from zoo.engine import compiled

    return bool(compiled.kernels(kind).forward._compiled)


def ready(kind: str, dtype: str = "float32") -> bool:
    """Whether the forward kernel of a kind is compiled, in memory or on disk."""
    if missing():
        return False
    from zoo.engine import compiled

    return compiled.kernels(kind).forward.ready(dtype)


def prepare(kind: str, training: bool = True, dtype: str = "float32") -> None:
    """Compiles or loads the kernels of a kind now rather than at the first step.

    Args:
        kind: A key of `zoo.engine.compiled.KINDS`, "linear", "maximum" or "conditional" (a decoder's).
        training: Also the backward kernel.
        dtype: Of the computation.
    """
    if missing():
        return
    from zoo.engine import compiled

    module = compiled.kernels(kind)
    module.forward.load(dtype)
    if training:
        module.backward.load(dtype)
