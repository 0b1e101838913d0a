"""Recurrent layers over time as ONNX nodes.

LSTM, GRU and the simple cell become ONNX's operators of these names, for which runtimes have fast kernels; every other
cell becomes a `Scan` over its step, the products of the inputs computed before it. Both read padding on the right
only: `Steps` says how many steps of each row are real.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.cells.cell import output_size, state_sizes
from zoo.errors import UserError
from zoo.export.onnx.cells import TABLE, name_of, weight
from zoo.export.onnx.graph import Graph, Value
from zoo.export.onnx.layers import dense, layer_norm
from zoo.layers import Recurrent, ResidualStack
from zoo.layers.residual_block import ResidualBlock

GATES = {"lstm": ("LSTM", (0, 3, 1, 2)), "gru": ("GRU", (0, 1, 2)), "simple_rnn": ("RNN", (0,))}
"""Name of a cell -> ONNX's operator, and where each of its gates stands among Keras's: i, o, f, c of i, f, c, o."""


class Steps:
    """Which steps of a batch are real: the first of each row.

    Args:
        graph: The graph.
        mask: `(batch, time)` bool, or None.
        lengths: `(batch,)` int64; by default counted from the mask.
    """

    def __init__(self, graph: Graph, mask: Value | None = None, lengths: Value | None = None) -> None:
        self.graph, self.mask, self._lengths = graph, mask, lengths

    @classmethod
    def of_lengths(cls, graph: Graph, lengths: Value, sequence: Value) -> "Steps":
        """Those of given lengths, in the time of a sequence `(batch, time, ...)`."""
        time = graph.op("Range", np.array(0), graph.squeeze(graph.size(sequence, 1), 0), np.array(1))
        return cls(graph, graph.op("Less", time, graph.unsqueeze(lengths, 1)), lengths)

    @property
    def lengths(self) -> Value:
        """`(batch,)` int64."""
        if self._lengths is None:
            assert self.mask is not None
            counted = self.graph.op("ReduceSum", self.graph.cast(self.mask, "int64"), np.array([1]), keepdims=0)
            self._lengths = counted
        return self._lengths

    @property
    def lengths_32(self) -> Value:
        """`(batch,)` int32, at least 1: a row without any step reads one of padding, and nothing reads its outputs."""
        return self.graph.once(
            ("lengths", self.lengths.name),
            lambda: self.graph.cast(self.graph.op("Max", self.lengths, np.array(1)), "int32"),
        )


def stack(
    graph: Graph, layer: Any, x: Value, steps: Steps | None, states: Sequence[Sequence[Value]] | None = None
) -> tuple[Value, list[list[Value]]]:
    """A `Recurrent` or a `ResidualStack`.

    Args:
        graph: The graph.
        layer: The layer of `zoo.layers`.
        x: `(batch, time, features)`.
        steps: Which are real; None: all.
        states: Where to begin, a list by layer; default zeros.

    Returns:
        `(batch, time, units)`, and the final states, a list by layer.

    Raises:
        UserError: If it is another layer.
    """
    if isinstance(layer, Recurrent):
        return _plain_stack(graph, layer, x, steps, states)
    if not isinstance(layer, ResidualStack):
        raise UserError(f"The layer {type(layer).__name__} has no export: recurrent layers are those of zoo.layers.")
    if layer.kernel is not None:
        x = x @ graph.constant(weight(layer.kernel), "kernel") + weight(layer.bias)
    finals = []
    for level, block in enumerate(layer.blocks):
        x, final = _block(graph, block, x, steps, None if states is None else states[level])
        finals.append(final)
    return layer_norm(graph, layer.norm, x), finals


def _plain_stack(
    graph: Graph, layer: Recurrent, x: Value, steps: Steps | None, states: Sequence[Sequence[Value]] | None
) -> tuple[Value, list[list[Value]]]:
    finals, features = [], layer.runs[0][0].cell.kernel.shape[0]
    for level, ways in enumerate(layer.runs):
        out, final = one_layer(graph, [way.cell for way in ways], x, steps, None if states is None else states[level])
        if layer.norms:
            out = layer_norm(graph, layer.norms[level], out)
        size = sum(output_size(way.cell) for way in ways)
        x = x + out if layer.residual and features == size else out
        features = size
        finals.append(final)
    return x, finals


def _block(
    graph: Graph, block: ResidualBlock, x: Value, steps: Steps | None, states: Sequence[Value] | None
) -> tuple[Value, list[Value]]:
    normal = layer_norm(graph, block.norm, x)
    hidden, finals = _plain_stack(graph, block.recurrent, normal, steps, None if states is None else [states])
    value, gate = graph.split(dense(graph, block.gated, hidden), [block.width] * 2)
    return x + value * graph.op("Sigmoid", gate), finals[0]


def one_layer(
    graph: Graph, cells: list[Any], x: Value, steps: Steps | None, states: Sequence[Value] | None
) -> tuple[Value, list[Value]]:
    """One layer of one or two directions: outputs `(batch, time, units)`, final states of both side by side."""
    if all(name_of(cell) in GATES for cell in cells):
        return _fused(graph, cells, x, steps, states)
    out, finals = _scan(graph, cells[0], x, steps, states)
    if len(cells) == 1:
        return out, finals
    back, others = _scan(graph, cells[1], _reversed(graph, x, steps), steps, None)
    pairs = zip(finals, others, strict=True)
    return graph.concat([out, _reversed(graph, back, steps)]), [graph.concat(pair) for pair in pairs]


def _reversed(graph: Graph, x: Value, steps: Steps | None) -> Value:
    """Each row from its last real step to its first; padding stays on the right."""
    lengths = steps.lengths if steps else graph.op("Expand", graph.size(x, 1), graph.size(x, 0))
    return graph.op("ReverseSequence", x, lengths, batch_axis=0, time_axis=1)


def _fused(
    graph: Graph, cells: list[Any], x: Value, steps: Steps | None, states: Sequence[Value] | None
) -> tuple[Value, list[Value]]:
    """ONNX's operator; its sequences have time first, its weights one row for each output."""
    name = name_of(cells[0])
    kind, order = GATES[name]
    units = cells[0].units
    w, r, b = (np.stack(parts) for parts in zip(*(_weights(cell, order) for cell in cells), strict=True))
    begin = [None] if states is None else [graph.unsqueeze(state, 0) for state in states]
    attributes: dict[str, Any] = {"hidden_size": units, "direction": "bidirectional" if len(cells) > 1 else "forward"}
    if kind == "GRU":
        attributes["linear_before_reset"] = 1
    count = 3 if kind == "LSTM" else 2
    lengths = None if steps is None else steps.lengths_32
    y, *finals = graph.op(
        kind, graph.transpose(x, 1, 0, 2), graph.constant(w, "kernel"), graph.constant(r, "recurrent_kernel"), b,
        lengths, *begin, outputs=count, **attributes,
    )  # fmt: skip
    out = graph.reshape(graph.transpose(y, 2, 0, 1, 3), [0, 0, -1])  # from (time, directions, batch, units)
    return out, [graph.reshape(graph.transpose(final, 1, 0, 2), [0, -1]) for final in finals]


def _weights(cell: Any, order: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W `(gates * units, features)`, R `(gates * units, units)` and both biases side by side, in ONNX's order."""
    gates, units = len(order), cell.units

    def rows(matrix: np.ndarray) -> np.ndarray:
        return matrix.T.reshape(gates, units, -1)[list(order)].reshape(gates * units, -1)

    bias = np.zeros((2, gates * units), "float32")
    if cell.bias is not None:
        given = weight(cell.bias)
        bias[: 2 if given.ndim == 2 else 1] = given  # a GRU has one of the inputs and one of the state
    biases = [rows(each[None])[:, 0] for each in bias]
    return rows(weight(cell.kernel)), rows(weight(cell.recurrent_kernel)), np.concatenate(biases)


def zero_states(graph: Graph, sizes: Sequence[int], x: Value) -> list[Value]:
    """States before the first step of the rows of `x`, zeros `(batch, size)`."""
    return [graph.op("Expand", np.zeros((1, size), "float32"), _rows(graph, x, size)) for size in sizes]


def _rows(graph: Graph, x: Value, size: int) -> Value:
    return graph.concat([graph.size(x, 0), np.array([size])], axis=0)


def _scan(
    graph: Graph, cell: Any, x: Value, steps: Steps | None, states: Sequence[Value] | None
) -> tuple[Value, list[Value]]:
    """A loop over the cell's step; a mask holds the states where a row has ended."""
    row, sizes = TABLE[name_of(cell)], state_sizes(cell)
    begin = list(states) if states is not None else zero_states(graph, sizes, x)
    over = row.before(graph, cell, x)
    body = Graph("step", graph)
    held = [body.input(body.new_name("state"), "float32", (None, size)) for size in sizes]
    parts = [body.input(body.new_name("part"), "float32", (None, None)) for _ in over]
    real = None
    if steps is not None:
        assert steps.mask is not None
        over.append(graph.unsqueeze(steps.mask, 2))
        real = body.input(body.new_name("real"), "bool", (None, 1))
    output, new = row.step(body, cell, parts, held)
    if real is not None:
        new = [body.op("Where", real, after, before) for after, before in zip(new, held, strict=True)]
    for size, state in zip(sizes, new, strict=True):
        body.output(body.new_name("new_state"), state, "float32", (None, size))
    body.output(body.new_name("output"), output, "float32", (None, None))
    results = graph.op(
        "Scan", *begin, *over, outputs=len(sizes) + 1, body=body.proto(), num_scan_inputs=len(over),
        scan_input_axes=[1] * len(over), scan_output_axes=[1],
    )  # fmt: skip
    *finals, out = results
    return (out if row.after is None else row.after(graph, cell, out, x)), finals
