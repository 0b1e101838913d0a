"""Registers every Keras class of this package once Keras is there, so that saved models load without `custom_objects`.

`import zoo` must not import Keras, and `keras.saving.load_model` must know our classes whichever was imported first.
So the classes are imported right after Keras: at once if it is loaded already, else when its import has ended. If a
part of this package imports Keras, they wait until that part is there as a whole. What TensorFlow writes while it is
imported is kept back; see `zoo.silence`.
"""

import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, cast

from zoo import silence

PARTS = ("zoo.builders", "zoo.layers", "zoo.losses", "zoo.optimizers")
"""Modules whose import registers their classes; the cells are registered one by one."""


def register() -> None:
    """Imports every module that defines a Keras class."""
    for part in PARTS:
        importlib.import_module(part)
    cells = importlib.import_module("zoo.cells")
    for name in cells.TABLE:
        cells.find(name)


def after_keras() -> None:
    """Registers the classes now if Keras is loaded, else as soon as it is."""
    awaited = {name for name in _LOADERS if name not in sys.modules}
    if awaited:
        sys.meta_path.insert(0, _Finder(awaited))
    if "keras" not in awaited and not _loading("keras"):
        _register_when_whole()


class _Waiting(ModuleType):
    """A package while classes wait: Python sets a part as its attribute when the part is there as a whole."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if isinstance(value, ModuleType) and not _loading("zoo."):  # `value` is the outermost part
            self.__class__ = ModuleType  # type: ignore[assignment]
            register()


def _register_when_whole() -> None:
    loading = _loading("zoo.")
    if loading:
        outermost = loading[0]
        sys.modules[outermost.rpartition(".")[0]].__class__ = _Waiting
    else:
        register()


def _loading(prefix: str) -> list[str]:
    """Modules being imported whose names begin so, in the order in which their imports began."""
    return [
        name
        for name, module in list(sys.modules.items())
        if name.startswith(prefix) and getattr(getattr(module, "__spec__", None), "_initializing", False)
    ]


class _Finder:
    """Finds modules in the ordinary way, each once, and gives them a loader that does more."""

    def __init__(self, awaited: set[str]) -> None:
        self.awaited = awaited

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self.awaited:
            return None
        self.awaited.remove(name)  # the search below must not end here again
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = cast(Any, _LOADERS[name](spec.loader))
        return spec


class _Quiet:
    """A loader that runs another loader while standard error is kept back."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        silence.before_tensorflow()
        with silence.captured():
            self.loader.exec_module(module)


class _TensorFlow(_Quiet):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        with silence.captured():
            silence.after_tensorflow(module)


class _Keras(_Quiet):
    """Registers the classes when Keras is there."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _register_when_whole()


_LOADERS = {"keras": _Keras, "tensorflow": _TensorFlow}
