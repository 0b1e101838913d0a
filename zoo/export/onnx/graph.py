"""An ONNX graph under construction: values with the operators of Python, nodes that are added as they are used.

    graph = Graph("model")
    x = graph.input("inputs", "float32", ("batch", 3))
    graph.output("sum", graph.op("Tanh", x @ kernel + bias), "float32", ("batch", 2))
    model = graph.model()

Numpy arrays become initializers, each once.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
"""Version of the operators: the first with LayerNormalization; ONNX Runtime has it since 1.12 (2022)."""

IR_VERSION = 8
"""Version of the file format that belongs to this opset."""

DTYPES = {
    "float32": TensorProto.FLOAT,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "bool": TensorProto.BOOL,
    "uint8": TensorProto.UINT8,
}
"""Name of a dtype -> ONNX's number of it."""


class Value:
    """A tensor of a graph.

    Args:
        graph: The graph whose node computes it.
        name: Its name in the graph.
    """

    def __init__(self, graph: "Graph", name: str) -> None:
        self.graph, self.name = graph, name

    def __add__(self, other: Any) -> "Value":
        return self.graph.op("Add", self, other)

    def __sub__(self, other: Any) -> "Value":
        return self.graph.op("Sub", self, other)

    def __rsub__(self, other: Any) -> "Value":
        return self.graph.op("Sub", other, self)

    def __mul__(self, other: Any) -> "Value":
        return self.graph.op("Mul", self, other)

    def __truediv__(self, other: Any) -> "Value":
        return self.graph.op("Div", self, other)

    def __matmul__(self, other: Any) -> "Value":
        return self.graph.op("MatMul", self, other)

    def __neg__(self) -> "Value":
        return self.graph.op("Neg", self)

    __radd__, __rmul__ = __add__, __mul__
    __array_ufunc__ = None  # an array on the left leaves the operation to this class


class Graph:
    """Nodes, initializers, inputs and outputs.

    Args:
        name: Name of the graph.
        parent: The graph in whose `Scan` this one is the body: it may read all values of the parent.
    """

    def __init__(self, name: str, parent: "Graph | None" = None) -> None:
        self.name = name
        self.root: Graph = parent.root if parent else self
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        if parent is None:
            self.count, self.initializers = 0, {}
            self._constants: dict[Any, str] = {}
            self.memo: dict[Any, Any] = {}

    count: int
    initializers: dict[str, np.ndarray]

    def new_name(self, hint: str) -> str:
        """A name that no other value has."""
        self.root.count += 1
        return f"{hint}_{self.root.count}"

    def input(self, name: str, dtype: str, shape: Sequence[int | str | None]) -> Value:
        """An input; axes of a shape that have a name may have any size."""
        self.inputs.append(helper.make_tensor_value_info(name, DTYPES[dtype], list(shape)))
        return Value(self, name)

    def output(self, name: str, value: Value, dtype: str, shape: Sequence[int | str | None]) -> None:
        """Makes a value an output under this name."""
        self.nodes.append(helper.make_node("Identity", [value.name], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, DTYPES[dtype], list(shape)))

    def constant(self, value: Any, hint: str = "constant") -> Value:
        """An initializer. Floats are float32, whole numbers int64."""
        array = np.asarray(value)
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        elif array.dtype.kind in "iu" and array.dtype not in (np.int32, np.uint8):
            array = array.astype(np.int64)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.root._constants:
            name = self.new_name(hint)
            self.root._constants[key] = name
            self.root.initializers[name] = np.ascontiguousarray(array).reshape(array.shape)
        return Value(self.root, self.root._constants[key])

    def value(self, value: Any) -> Value:
        """A value as it is, anything else as a constant."""
        return value if isinstance(value, Value) else self.constant(value)

    def op(self, kind: str, *inputs: Any, outputs: int = 1, **attributes: Any) -> Any:
        """Adds a node.

        Args:
            kind: Operator of ONNX.
            *inputs: Values, arrays or numbers; None for an optional input that is not given.
            outputs: Number of its outputs.
            **attributes: Of the operator.

        Returns:
            Its output, or a list of them.
        """
        names = ["" if item is None else self.value(item).name for item in inputs]
        while names and not names[-1]:
            names.pop()
        results = [self.new_name(kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, names, results, **attributes))
        values = [Value(self, name) for name in results]
        return values[0] if outputs == 1 else values

    def split(self, value: Value, sizes: Sequence[int], axis: int = -1) -> list[Value]:
        """Parts of these sizes along an axis."""
        if len(sizes) == 1:
            return [value]
        return self.op("Split", value, np.array(sizes), outputs=len(sizes), axis=axis)

    def concat(self, values: Sequence[Any], axis: int = -1) -> Value:
        """Values side by side along an axis."""
        return self.value(values[0]) if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def reshape(self, value: Value, shape: Sequence[int]) -> Value:
        """A value in another shape: 0 keeps an axis, -1 is what is left."""
        return self.op("Reshape", value, np.array(shape))

    def transpose(self, value: Value, *axes: int) -> Value:
        """A value with its axes in another order."""
        return self.op("Transpose", value, perm=list(axes))

    def unsqueeze(self, value: Value, *axes: int) -> Value:
        """A value with further axes of size 1."""
        return self.op("Unsqueeze", value, np.array(axes))

    def squeeze(self, value: Value, *axes: int) -> Value:
        """A value without these axes of size 1."""
        return self.op("Squeeze", value, np.array(axes))

    def cast(self, value: Value, dtype: str) -> Value:
        """A value in another dtype."""
        return self.op("Cast", value, to=DTYPES[dtype])

    def size(self, value: Value, axis: int) -> Value:
        """The size of an axis, `(1,)` int64."""
        return self.op("Shape", value, start=axis, end=axis + 1)

    def once(self, key: Any, make: Any) -> Any:
        """What `make()` gave for this key the first time."""
        memo = self.root.memo
        if key not in memo:
            memo[key] = make()
        return memo[key]

    def proto(self) -> onnx.GraphProto:
        """The graph as ONNX stores it; a body has no initializers of its own."""
        held = self.initializers.items() if self.root is self else ()
        tensors = [numpy_helper.from_array(array, name) for name, array in held]
        return helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, tensors)

    def model(self) -> onnx.ModelProto:
        """The graph as a model, checked."""
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(self.proto(), producer_name="zoo", opset_imports=opset, ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model
