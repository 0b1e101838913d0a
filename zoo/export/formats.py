"""The formats of exports. A new one is a module with `prepare` and `load`, and one row here."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

from zoo.errors import UserError
from zoo.names import look_up


class Format(NamedTuple):
    """A format.

    Attributes:
        module: Its module, which has two functions: `prepare(net, specs, quantize) -> {name of a file: content}`, all
            in memory, where the graph `step` is the file `step.<suffix>`; and `load(folder) -> net`, with the methods
            of those in `zoo.runtime.nets`.
        suffix: Of a graph's file.
        needs: Modules that writing and running it import.
        extra: The extra of this package that installs them.
        quantize: What `--quantize` takes.
    """

    module: str
    suffix: str
    needs: tuple[str, ...]
    extra: str
    quantize: tuple[str, ...]


FORMATS = {"onnx": Format("zoo.export.onnx.files", ".onnx", ("onnx", "onnxruntime"), "onnx", ("int8", "float16"))}
"""Name -> format."""


def find(name: str, quantize: str | None = None) -> Format:
    """A format that can be written here.

    Raises:
        UserError: If there is no such format, it has no such weights, or a package is missing.
    """
    found = look_up(FORMATS, name, "export format")
    if quantize is not None and quantize not in found.quantize:
        raise UserError(f"Weights of {name} can be {' or '.join(found.quantize)}; got quantize={quantize!r}.")
    missing = [module for module in found.needs if importlib.util.find_spec(module) is None]
    if missing:
        raise UserError(f"The format {name} needs {' and '.join(missing)}: pip install 'zoo[{found.extra}]'")
    return found


def function(format: Format, name: str) -> Callable[..., Any]:
    """`prepare` or `load` of a format."""
    return getattr(importlib.import_module(format.module), name)
