"""The formats of exports. A new one is a module with `specs`, `prepare` and `load`, and one row here."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

from zoo.errors import UserError
from zoo.names import look_up


class Format(NamedTuple):
    """A format.

    Attributes:
        module: Its module, which has three functions: `specs(model, **options)`, the graphs of a saved model, see
            `zoo.export.graphs`; `prepare(net, specs, quantize) -> {path of a file: content}`, all in memory; and
            `load(folder) -> net`, with the methods of those in `zoo.runtime.nets`.
        file: The file of a graph, with `{}` for its name.
        needs: Modules that writing and running it import.
        extra: The extra of this package that installs them.
        package: What `pip` installs to run it, beside numpy.
        quantize: What `--quantize` takes.
        options: Further options that its `specs` takes.
    """

    module: str
    file: str
    needs: tuple[str, ...]
    extra: str
    package: str
    quantize: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


SMALL = ("int8", "float16")

FORMATS = {
    "onnx": Format("zoo.export.onnx.files", "{}.onnx", ("onnx", "onnxruntime"), "onnx", "onnxruntime", SMALL),
    "savedmodel": Format("zoo.export.tensorflow.saved_model", "1/saved_model.pb", (), "", "tensorflow", SMALL),
    "litert": Format(
        "zoo.export.tensorflow.lite", "{}.tflite", ("ai_edge_litert",), "litert", "ai-edge-litert", SMALL, ("length",)
    ),
}
"""Name -> format."""


def find(name: str, quantize: str | None = None, **options: Any) -> Format:
    """A format that can be written here.

    Raises:
        UserError: If there is no such format, it has no such weights or options, or a package is missing.
    """
    found = look_up(FORMATS, name, "export format")
    if quantize is not None and quantize not in found.quantize:
        allowed = " or ".join(found.quantize) or "float32 only"
        raise UserError(f"Weights of {name} can be {allowed}; got quantize={quantize!r}.")
    for option, value in options.items():
        if value is not None and option not in found.options:
            takers = " or ".join(each for each, row in FORMATS.items() if option in row.options)
            raise UserError(f"{option} goes with the format {takers}; {name} has no such option. Leave it out.")
    missing = [module for module in found.needs if importlib.util.find_spec(module) is None]
    if missing:
        raise UserError(f"The format {name} needs {' and '.join(missing)}: pip install 'zoo[{found.extra}]'")
    return found


def function(format: Format, name: str) -> Callable[..., Any]:
    """`specs`, `prepare` or `load` of a format."""
    return getattr(importlib.import_module(format.module), name)
