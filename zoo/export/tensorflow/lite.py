"""LiteRT as a format of exports: graphs of built-in operators for one example of a fixed length.

Loops over time become LiteRT's own operator WHILE; searches run outside, over the graph `step`, one token at a time.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.errors import UserError
from zoo.export import graphs
from zoo.export.graphs import BATCH, CHARACTERS, ROWS, SOURCE, TIME, GraphSpec
from zoo.export.tensorflow import flatbuffers
from zoo.export.tensorflow.tracing import check_backend, module, sized, traced
from zoo.ids import MAX_CHARACTERS
from zoo.runtime.choice import EXPORT
from zoo.runtime.nets import make
from zoo.storage import schema

SUFFIX = ".tflite"

LENGTH = 128
"""Steps that a graph reads where neither the option nor the model's settings say how many."""


def specs(model: Any, length: int | None = None) -> tuple[GraphSpec, ...]:
    """The graphs of a saved model for one example.

    Args:
        model: The saved model.
        length: Steps that a graph reads; shorter inputs are padded. By default as many as the model's setting
            `max_length`, and 1 for a language model, whose texts go on from state to state.

    Raises:
        UserError: If it has a part that has no export, Keras runs on another backend, or the length makes no sense.
    """
    check_backend("litert")
    found = graphs.graphs(model.net)
    default = 1 if graphs.kind(model.net) == "language_model" else getattr(model.recipe, "max_length", None) or LENGTH
    length = default if length is None else length
    if length < 1:
        raise UserError(f"A graph reads one step at least; got length={length}. Leave it out for {default}.")
    result = sized(found, {BATCH: 1, ROWS: 1, TIME: length, SOURCE: length, CHARACTERS: MAX_CHARACTERS})
    for port in (port for spec in result for port in spec.inputs):
        if free := [size for size in port.shape if not isinstance(size, int)]:
            raise UserError(
                f"LiteRT needs fixed sizes, and the {free[0]} of this model's {port.name} is free: train with pictures "
                "of one size (image_size)."
            )
    return result


def prepare(net: Any, specs: Sequence[GraphSpec], quantize: str | None = None) -> dict[str, bytes]:
    """The graphs as flatbuffers, by name of the file.

    Raises:
        UserError: If a graph needs an operator that LiteRT does not have.
    """
    return {f"{spec.name}{SUFFIX}": _converted(spec, quantize) for spec in specs}


def _converted(spec: GraphSpec, quantize: str | None) -> bytes:
    function = traced(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module([function]))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.optimizations = [tf.lite.Optimize.DEFAULT] if quantize else []
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    try:
        return flatbuffers.smaller(converter.convert())
    except Exception as error:  # the converter has a class of its own in a module that is not public
        if "ConverterError" not in type(error).__name__:
            raise
        raise UserError(
            f"The graph {spec.name!r} has no export as LiteRT, which lacks operators for it"
            f"{_operators(str(error))}. Choose --format onnx or savedmodel, or train another cell."
        ) from error


def _operators(message: str) -> str:
    """The operators that a message of the converter names."""
    names = [name for line in re.findall(r"(?:Custom|TF Select|Flex) ops: (.*)", message) for name in line.split(", ")]
    return f" ({', '.join(names)[:200].strip()})" if names else ""


def load(folder: Path) -> Any:
    """The net of an exported folder, with the methods of those in `zoo.runtime.nets`."""
    from zoo.export.tensorflow.interpreter import Graph

    export = schema.read(folder, EXPORT, schema.Export)
    files = {name: schema.regular(folder, facts["file"]) for name, facts in export["graphs"].items()}
    return make(export, {name: Graph(files[name].read_bytes(), export["graphs"][name]) for name in files})
