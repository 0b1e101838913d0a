"""Which path runs a cell, and why."""

import contextlib
import importlib
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

PATHS = {
    "compiled": "Machine code made on this machine for its processor, forward and backward (CPU).",
    "fused": "Keras's own layer, with cuDNN's kernel where it has one (GPU).",
    "scanned": "One loop of XLA each way with a hand-written gradient (LSTM and GRU on a GPU, on JAX).",
    "associative": "An associative scan over all steps, about log2(steps) rounds (linear recurrences on a GPU).",
    "sequence": "The cell's own method for whole sequences, in operations of the backend.",
    "plain": "A loop over the steps in the backend, for any cell; can be exported.",
}
"""Name of a path -> what it is."""

SMALL_BATCH = 8
"""Rows up to which a first prediction is not worth loading kernels (0.5 s, then it is)."""

_KERNELS = {
    "SimpleRNNCell": "simple_rnn", "LSTMCell": "lstm", "GRUCell": "gru", "MinGRUCell": "min_gru",
}  # fmt: skip
"""Class of a cell -> its kind of kernel."""

LINEAR = ("min_gru", "min_lstm", "sru", "ssru", "lru", "rg_lru")
"""Names of the cells that are a `zoo.cells.linear_cell.LinearCell`, as far as is known without importing them."""

SEQUENCE = ("gated_delta",)
"""Names of the cells with another `sequence` method of their own."""


class Choice(NamedTuple):
    """A path and the reason for it, in a sentence."""

    path: str
    reason: str


def kind_of(cell: Any) -> tuple[str | None, str]:
    """The kind of kernel that has exactly the equations of a cell, or None and why there is none.

    Args:
        cell: A cell of `zoo.cells` or of `keras.layers`.

    Returns:
        A key of `zoo.engine.compiled.KINDS`; "linear" for another cell that is a linear recurrence, whose coefficients
        are computed by the backend; or None, and the reason.
    """
    cls = type(cell)
    kind = _KERNELS.get(cls.__name__) if cls.__module__.startswith(("zoo.cells.", "keras.")) else None
    if _quantized(cell):
        return None, "the cell is quantized"
    if is_linear(cell):
        return (None, cell.exception) if cell.exception else (_minimal(kind, cell) or "linear", "")
    if kind is None:
        return None, f"there is no kernel for {cls.__name__}"
    if cls.__module__.startswith("keras.") and (names := _differences(cell)):
        return None, f"{cls.__name__} is not in its usual form: {', '.join(names)}"
    return kind, ""


def is_linear(cell: Any) -> bool:
    """Whether a cell is a linear recurrence that says so: a `zoo.cells.linear_cell.LinearCell`."""
    from zoo.cells.linear_cell import LinearCell

    return isinstance(cell, LinearCell)


def has_kernel(cell: Any, choice: Choice) -> bool:
    """Whether one kernel or loop computes all of a cell, from the inputs to the outputs, on a path."""
    return choice.path in ("compiled", "scanned") and kind_of(cell)[0] not in (None, "linear")


def _minimal(kind: str | None, cell: Any) -> str | None:
    """The kind of a minGRU, if there is a kernel for its arguments."""
    if kind is None or cell.activation != "linear":
        return None
    return f"signed_{kind}" if cell.signed else kind


@contextlib.contextmanager
def plain_only() -> Iterator[None]:
    """Within it, everything runs by the backend's own operations, as with `ZOO_ENGINE=plain` in the environment."""
    before = os.environ.get("ZOO_ENGINE")
    os.environ["ZOO_ENGINE"] = "plain"
    try:
        yield
    finally:
        if before is None:
            del os.environ["ZOO_ENGINE"]
        else:
            os.environ["ZOO_ENGINE"] = before


def outlook(name: str) -> str:
    """How a cell of `zoo.cells` runs on this machine, as far as that is known without a backend, in a sentence."""
    from zoo.engine import available

    if name in SEQUENCE:
        return "whole sequences at once in the backend"
    if name not in (*_KERNELS.values(), *LINEAR):
        return "a loop in the backend"
    if os.environ.get("ZOO_ENGINE") == "plain":
        return "a loop in the backend: the environment variable ZOO_ENGINE says so"
    reason = available.missing()
    cpu = f"a loop in the backend ({reason})" if reason else "compiled kernels"
    return f"{cpu} on a CPU, {'an associative scan' if name in LINEAR else 'cuDNN or a loop of XLA'} on a GPU"


def _quantized(cell: Any) -> bool:
    import keras

    mode = getattr(cell, "quantization_mode", None)
    return bool(mode) or isinstance(cell.dtype_policy, keras.dtype_policies.QuantizedDTypePolicy)


def _differences(cell: Any) -> list[str]:
    """Arguments of a Keras cell with which its equations are not those of the kernel."""
    import keras

    usual = {
        "activation": keras.activations.tanh,
        "recurrent_activation": keras.activations.sigmoid,
        "dropout": 0,
        "recurrent_dropout": 0,
        "reset_after": True,
    }
    return [name for name, value in usual.items() if getattr(cell, name, value) != value]


def backend_module() -> Any | None:
    """The module with the kernels of Keras's backend, or None if it has none."""
    import keras

    name = keras.backend.backend()
    return importlib.import_module(f"zoo.engine.{name}") if name in ("tensorflow", "jax") else None


def choose(
    cell: Any,
    *,
    training: bool | None = None,
    batch: int | None = None,
    device: str | None = None,
    refused: str | bool | None = True,
) -> Choice:
    """Which path would run a cell here and now.

    Args:
        cell: A built or unbuilt cell; "linear" for a linear recurrence, "maximum" for a maximum over time.
        training: Whether gradients are asked for. Only training compiles; predictions use what is there.
        batch: Rows, if known.
        device: "cpu" or "gpu"; default what the backend uses.
        refused: Why the place of the call rules kernels out, None if it does not; default True: look.
    """
    linear = cell == "linear" or is_linear(cell)
    kind, reason = (cell, "") if isinstance(cell, str) else kind_of(cell)
    if kind is None and not linear and hasattr(cell, "sequence"):
        return Choice("sequence", f"Sequence: {type(cell).__name__} computes whole sequences by its own method.")
    if kind is None:
        return Choice("plain", f"Plain: {reason}.")
    entry = backend_module()
    if entry is None:
        return Choice("plain", "Plain: there are no kernels for this backend.")
    if os.environ.get("ZOO_ENGINE") == "plain":
        return Choice("plain", "Plain: the environment variable ZOO_ENGINE says so.")
    if (device or entry.device()) == "gpu":
        path = "associative" if linear else "plain" if isinstance(cell, str) else entry.gpu_path(kind)
        return Choice(path, f"{path.capitalize()}: there is a GPU.")
    reason = entry.refusal(bool(training)) if refused is True else refused or ""
    reason = reason or _not_now(kind, training, batch)
    if reason:
        return Choice("plain", f"Plain: {reason}.")
    name = "linear recurrences" if kind == "linear" else kind
    return Choice("compiled", f"Compiled: there is a kernel for {name} on this CPU.")


def _not_now(kind: str, training: bool | None, batch: int | None) -> str:
    """Why kernels that could be used are not, or nothing."""
    from zoo.engine import available

    if reason := available.missing():
        return reason
    if training or available.loaded(kind):
        return ""
    if batch is not None and batch <= SMALL_BATCH:
        return "loading kernels takes longer than a small first prediction"
    return "" if available.ready(kind) else "predictions do not compile kernels; training or zoo.engine.prepare does"
