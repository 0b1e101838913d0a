"""The operations that searches are made of: Keras's, or inside `on_numpy()` the same of numpy.

A search is written once. In a model it becomes part of a compiled graph; beside a step that runs elsewhere, such as in
ONNX Runtime, it works on arrays, and nothing imports Keras.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from zoo.decoding import numpy_operations

_on_numpy: ContextVar[bool] = ContextVar("on_numpy", default=False)


@contextmanager
def on_numpy() -> Iterator[None]:
    """Inside, `ops`, `tree`, `take_rows` and `categorical` are those of numpy."""
    token = _on_numpy.set(True)
    try:
        with numpy_operations.quiet():
            yield
    finally:
        _on_numpy.reset(token)


class _Operations:
    """The functions of a module of Keras, or of `numpy_operations`, as they are asked for.

    Args:
        module: Name of Keras's module.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(numpy_operations if _on_numpy.get() else importlib.import_module(self._module), name)


ops: Any = _Operations("keras.ops")
tree: Any = _Operations("keras.tree")


def take_rows(table: Any, index: Any) -> Any:
    """`table[index]` for indices that are known to be inside, see `zoo.engine.take_rows`."""
    if _on_numpy.get():
        return table[index]
    from zoo.engine import take_rows

    return take_rows(table, index)


def categorical(logits: Any, seed: Any, time: Any) -> Any:
    """One random token for each row of logits `(rows, vocabulary)`: a pure function of them, a seed and a time."""
    if _on_numpy.get():
        return numpy_operations.categorical(logits, seed, time)
    import keras

    class StepSeed(keras.random.SeedGenerator):
        """The seed of one step of a loop.

        `keras.random` takes a number, which would be the same for every step of the loop, or a generator, and Keras's
        own generator is a variable, which a loop cannot update on JAX.
        """

        def __init__(self) -> None:
            self.pair = keras.ops.stack([keras.ops.cast(seed, "uint32"), keras.ops.cast(time, "uint32")])

        def next(self, ordered: bool = True) -> Any:
            return self.pair

    return keras.random.categorical(logits, 1, dtype="int32", seed=StepSeed())[:, 0]
