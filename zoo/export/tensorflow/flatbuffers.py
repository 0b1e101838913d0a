"""LiteRT's flatbuffers after their conversion: which operators they have, and what they need not store."""

import importlib
from typing import Any

import flatbuffers
import numpy as np

IDENTIFIER = b"TFL3"

ALIGNMENT = 16
"""Bytes: in the schema of LiteRT, the data of a buffer begin at a multiple of it."""

SMALLEST = 1024
"""Bytes of the smallest constant of zeros that is computed instead."""


def operator_names(content: bytes) -> set[str]:
    """Names of all operators of a flatbuffer, in all of its subgraphs; custom ones by their own names."""
    schema = _schema()
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    return {
        code.customCode.decode() if code.customCode else names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        for code in _unpacked(content).operatorCodes
    }


def smaller(content: bytes) -> bytes:
    """The same graph in fewer bytes.

    The converter stores the outputs of a loop before its first step as a constant of zeros, one row for each step: they
    are computed by the operator FILL here. It also names every tensor by the layer that it comes from; only the inputs
    and outputs of the whole graph keep their names.

    Args:
        content: What the converter returned.
    """
    model = _unpacked(content)
    _fill_zeros(model)
    _drop_names(model)
    _drop_unused(model)
    builder = _Builder(len(content))
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _Builder(flatbuffers.Builder):
    """Writes byte vectors, which are the buffers of a model, where the schema wants them."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:  # noqa: N802, N803
        return super().StartVector(elemSize, numElems, ALIGNMENT if elemSize == 1 else alignment)


def _schema() -> Any:
    return importlib.import_module("ai_edge_litert.schema_py_generated")


def _unpacked(content: bytes) -> Any:
    schema = _schema()
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def _fill_zeros(model: Any) -> None:
    """Replaces large zeros that only loops of the main graph read by operators that make them."""
    schema, graph = _schema(), model.subgraphs[0]
    loops: set[int] = set()
    others = set(map(int, graph.outputs))
    for operator in graph.operators:
        kind = loops if _code(model, operator) == schema.BuiltinOperator.WHILE else others
        kind.update(map(int, operator.inputs))
    made = []
    for number in sorted(loops - others):
        tensor = graph.tensors[number]
        data = model.buffers[tensor.buffer].data
        if tensor.type != schema.TensorType.FLOAT32 or data is None or len(data) < SMALLEST or np.any(data):
            continue
        size = _constant(model, graph, np.asarray(tensor.shape, "int32"), schema.TensorType.INT32)
        zero = _constant(model, graph, np.float32(0), schema.TensorType.FLOAT32)
        made.append(_operator(model, "FILL", [size, zero], [number]))
        tensor.buffer = 0  # by convention the empty one: the tensor is computed
    graph.operators = [*made, *graph.operators]


def _code(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _constant(model: Any, graph: Any, value: np.ndarray | np.generic, kind: int) -> int:
    """Adds a constant; returns the number of its tensor."""
    schema = _schema()
    buffer, tensor = schema.BufferT(), schema.TensorT()
    buffer.data = np.frombuffer(value.tobytes(), "uint8")
    tensor.shape, tensor.type, tensor.buffer = list(value.shape), kind, len(model.buffers)
    model.buffers.append(buffer)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _operator(model: Any, name: str, inputs: list[int], outputs: list[int]) -> Any:
    """A built-in operator without options."""
    schema = _schema()
    code = getattr(schema.BuiltinOperator, name)
    known = [max(each.builtinCode, each.deprecatedBuiltinCode) for each in model.operatorCodes]
    if code not in known:
        new = schema.OperatorCodeT()
        new.builtinCode = new.deprecatedBuiltinCode = code
        new.version = 1
        model.operatorCodes.append(new)
        known.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = known.index(code), inputs, outputs
    return operator


def _drop_names(model: Any) -> None:
    for number, graph in enumerate(model.subgraphs):
        kept = {*map(int, graph.inputs), *map(int, graph.outputs)} if number == 0 else set()
        for place, tensor in enumerate(graph.tensors):
            if place not in kept:
                tensor.name = None


def _drop_unused(model: Any) -> None:
    """Empties buffers that no tensor reads any more; others keep their numbers."""
    read = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    read |= {item.buffer for item in model.metadata or []}
    for number, buffer in enumerate(model.buffers):
        if number not in read:
            buffer.data = None
