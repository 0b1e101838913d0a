"""One step of every cell as ONNX nodes, in three parts: before the loop, in it, after it.

    before(graph, cell, inputs)              what a step needs of the inputs, for all steps at once
    step(graph, cell, parts, states)         the part that depends on the previous step: output, new states
    after(graph, cell, output, inputs)       what is computed from the outputs of all steps at once

Shapes are `(..., features)` before and after the loop, `(batch, features)` in it. The equations are those of
`zoo.cells`; `zoo.lens.numpy_steps` has them in numpy. A new cell is one row in `TABLE`.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from zoo import cells
from zoo.errors import UserError
from zoo.export.onnx.graph import Graph, Value

Result = tuple[Value, list[Value]]


class Row(NamedTuple):
    """How a cell is written; see above."""

    before: Callable[[Graph, Any, Value], list[Value]]
    step: Callable[[Graph, Any, list[Value], list[Value]], Result]
    after: Callable[[Graph, Any, Value, Value], Value] | None = None


def weight(variable: Any) -> np.ndarray:
    """The numbers of a weight in float32."""
    return np.asarray(variable, "float32")


def _affine(graph: Graph, x: Value, kernel: Any, bias: Any) -> Value:
    product = x @ graph.constant(weight(kernel), "kernel")
    return product if bias is None else product + weight(bias)


def _projected(graph: Graph, cell: Any, x: Value) -> list[Value]:
    return [_affine(graph, x, cell.kernel, cell.bias)]


def _itself(graph: Graph, cell: Any, x: Value) -> list[Value]:
    return [x]


def _sigmoid(graph: Graph, x: Value) -> Value:
    return graph.op("Sigmoid", x)


def _tanh(graph: Graph, x: Value) -> Value:
    return graph.op("Tanh", x)


def _recurrent(graph: Graph, cell: Any, h: Value) -> Value:
    return h @ graph.constant(weight(cell.recurrent_kernel), "recurrent_kernel")


def _simple_rnn(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    h = _tanh(graph, _recurrent(graph, cell, states[0]) + parts[0])
    return h, [h]


def _lstm_gates(graph: Graph, cell: Any, parts: list[Value], h: Value) -> list[Value]:
    return graph.split(parts[0] + _recurrent(graph, cell, h), [cell.units] * 4)


def _lstm(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    h, c = states
    i, f, g, o = _lstm_gates(graph, cell, parts, h)
    c = _sigmoid(graph, f) * c + _sigmoid(graph, i) * _tanh(graph, g)
    h = _sigmoid(graph, o) * _tanh(graph, c)
    return h, [h, c]


def _gru_inputs(graph: Graph, cell: Any, x: Value) -> list[Value]:
    return [_affine(graph, x, cell.kernel, None if cell.bias is None else weight(cell.bias)[0])]


def _gru(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    (h,) = states
    from_state = _recurrent(graph, cell, h)
    if cell.bias is not None:
        from_state = from_state + weight(cell.bias)[1]
    xz, xr, xn = graph.split(parts[0], [cell.units] * 3)
    hz, hr, hn = graph.split(from_state, [cell.units] * 3)
    z, r = _sigmoid(graph, xz + hz), _sigmoid(graph, xr + hr)
    n = _tanh(graph, xn + r * hn)
    h = z * h + (1.0 - z) * n
    return h, [h]


def _normalized(graph: Graph, values: Value, gain: Any, epsilon: float) -> Value:
    return graph.op("LayerNormalization", values, weight(gain), axis=-1, epsilon=epsilon)


def _layer_norm_lstm_inputs(graph: Graph, cell: Any, x: Value) -> list[Value]:
    product = x @ graph.constant(weight(cell.kernel), "kernel")
    normal = _normalized(graph, product, cell.kernel_gain, cell.norm_epsilon)
    return [normal if cell.bias is None else normal + weight(cell.bias)]


def _layer_norm_lstm(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    h, c = states
    from_state = _normalized(graph, _recurrent(graph, cell, h), cell.recurrent_gain, cell.norm_epsilon)
    i, f, g, o = graph.split(parts[0] + from_state, [cell.units] * 4)
    c = _sigmoid(graph, f) * c + _sigmoid(graph, i) * _tanh(graph, g)
    normal = _normalized(graph, c, cell.cell_gain, cell.norm_epsilon)
    normal = normal if cell.cell_bias is None else normal + weight(cell.cell_bias)
    h = _sigmoid(graph, o) * _tanh(graph, normal)
    return h, [h, c]


def _peephole_lstm(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    h, c = states
    i, f, g, o = _lstm_gates(graph, cell, parts, h)
    to_i, to_f, to_o = weight(cell.peephole_kernel)
    i, f = _sigmoid(graph, i + c * to_i), _sigmoid(graph, f + c * to_f)
    c = f * c + i * _tanh(graph, g)
    h = _sigmoid(graph, o + c * to_o) * _tanh(graph, c)
    return h, [h, c]


def _mogrifier_lstm(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    x, (h, c) = parts[0], states
    for number, matrices in enumerate(cell.matrices, 1):
        gate = h if number % 2 else x
        for matrix in matrices:
            gate = gate @ graph.constant(weight(matrix), "kernel")
        gate = 2.0 * _sigmoid(graph, gate)
        x, h = (gate * x, h) if number % 2 else (x, gate * h)
    return _lstm(graph, cell, _projected(graph, cell, x), [h, c])


def _slstm_recurrent(cell: Any) -> np.ndarray:
    """The blocks of all heads as one matrix `(units, 4 * units)`, gates first, then heads."""
    blocks = weight(cell.recurrent_kernel)  # (heads, head, 4 * head)
    heads, head = blocks.shape[:2]
    matrix = np.zeros((heads, head, 4, heads, head), "float32")
    for number, block in enumerate(blocks):
        matrix[number, :, :, number] = block.reshape(head, 4, head)
    return matrix.reshape(cell.units, 4 * cell.units)


def _slstm(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    h, c, n, m = states
    gates = parts[0] + h @ graph.constant(_slstm_recurrent(cell), "recurrent_kernel")
    z, i, f, o = graph.split(gates, [cell.units] * 4)
    z = _tanh(graph, z)
    kept = m + (-graph.op("Softplus", -f) if cell.forget_gate == "sigmoid" else f)
    m = graph.op("Max", kept, i)
    i, f = graph.op("Exp", i - m), graph.op("Exp", kept - m)
    c, n = f * c + i * z, f * graph.op("Abs", n) + i
    h = _sigmoid(graph, o) * (c / graph.op("Max", n, np.float32(1e-30)))  # zoo.cells.slstm.SMALLEST
    return h, [h, c, n, m]


def _ind_rnn(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    h = graph.op("Relu", parts[0] + states[0] * weight(cell.recurrent_kernel))
    return h, [h]


def _linear(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    """H = a * h + b of a `LinearCell`, whose `before` gives a and b."""
    h = parts[0] * states[0] + parts[1]
    return h, [h]


def _candidate(graph: Graph, cell: Any, v: Value) -> Value:
    if cell.activation == "g":
        return graph.op("Where", graph.op("GreaterOrEqual", v, 0.0), v + 0.5, _sigmoid(graph, v))
    return _tanh(graph, v) if cell.activation == "tanh" else v


def _min_gru(graph: Graph, cell: Any, x: Value) -> list[Value]:
    z, candidate = graph.split(_projected(graph, cell, x)[0], [cell.units] * 2)
    z = _sigmoid(graph, z)
    return [1.0 - (2.0 * z if cell.signed else z), z * _candidate(graph, cell, candidate)]


def _min_lstm(graph: Graph, cell: Any, x: Value) -> list[Value]:
    f, i, candidate = graph.split(_projected(graph, cell, x)[0], [cell.units] * 3)
    share = _sigmoid(graph, graph.op("Softplus", -f) - graph.op("Softplus", -i))  # sigmoid(log i - log f)
    return [1.0 - (2.0 * share if cell.signed else share), share * _candidate(graph, cell, candidate)]


def _sru_products(graph: Graph, cell: Any, x: Value) -> tuple[Value, Value, Value, Value]:
    """W x, W_f x + b_f, W_r x + b_r, and x or W_x x."""
    number, units = cell.kernel.shape[1] // cell.units, cell.units
    product = x @ graph.constant(weight(cell.kernel), "kernel")
    candidate, f, r, *skip = graph.split(product, [units] * number)
    if cell.bias is not None:
        b_f, b_r = np.split(weight(cell.bias), 2)
        f, r = f + b_f, r + b_r
    return candidate, f, r, skip[0] if skip else x


def _sru_inputs(graph: Graph, cell: Any, x: Value) -> list[Value]:
    candidate, f, r, skip = _sru_products(graph, cell, x)
    if cell.peephole:
        return [candidate, f, r, skip]
    return [_sigmoid(graph, f), _sigmoid(graph, -f) * candidate]


def _sru(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    if not cell.peephole:
        return _linear(graph, cell, parts, states)
    (before,), (candidate, f, r, skip) = states, parts
    v_f, v_r = weight(cell.recurrent_kernel)
    f, r = f + before * v_f, r + before * v_r
    c = _sigmoid(graph, f) * before + _sigmoid(graph, -f) * candidate
    return _sigmoid(graph, r) * c + _sigmoid(graph, -r) * skip, [c]


def _sru_read(graph: Graph, cell: Any, output: Value, x: Value) -> Value:
    if cell.peephole:
        return output
    _, _, r, skip = _sru_products(graph, cell, x)
    return _sigmoid(graph, r) * output + _sigmoid(graph, -r) * skip


def _ssru(graph: Graph, cell: Any, x: Value) -> list[Value]:
    f, candidate = graph.split(x @ graph.constant(weight(cell.kernel), "kernel"), [cell.units] * 2)
    f = f if cell.bias is None else f + weight(cell.bias)
    return [_sigmoid(graph, f), _sigmoid(graph, -f) * candidate]


def _ssru_read(graph: Graph, cell: Any, output: Value, x: Value) -> Value:
    return graph.op("Relu", output)


def _lru_inputs(graph: Graph, cell: Any, x: Value) -> list[Value]:
    gamma = np.exp(weight(cell.gamma_log))
    return [(x @ graph.constant(weight(cell.kernel), "kernel")) * np.concatenate([gamma, gamma])]


def _lru(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    """A product of complex numbers, whose real and imaginary parts stand side by side."""
    modulus, theta = np.exp(-np.exp(weight(cell.nu_log))), np.exp(weight(cell.theta_log))
    real, imaginary = modulus * np.cos(theta), modulus * np.sin(theta)
    a, b = graph.split(states[0], [cell.channels] * 2)
    h = graph.concat([a * real - b * imaginary, b * real + a * imaginary]) + parts[0]
    return h, [h]


def _lru_read(graph: Graph, cell: Any, output: Value, x: Value) -> Value:
    y = output @ graph.constant(weight(cell.output_kernel), "kernel")
    y = y + x @ graph.constant(weight(cell.skip_kernel), "kernel")
    y = y if cell.bias is None else y + weight(cell.bias)
    if cell.activation == "gelu":  # by tanh, as keras.ops.gelu
        inner = (y + 0.044715 * (y * y * y)) * math.sqrt(2 / math.pi)
        return (y * 0.5) * (1.0 + _tanh(graph, inner))
    return {"relu": lambda: graph.op("Relu", y), "tanh": lambda: _tanh(graph, y), "linear": lambda: y}[
        cell.activation
    ]()


def _rg_lru(graph: Graph, cell: Any, x: Value) -> list[Value]:
    x = _projected(graph, cell, x)[0]
    blocks = weight(cell.gate_kernel)  # (blocks, block, 2 * block)
    number, block = blocks.shape[:2]
    matrix = np.zeros((number, block, 2, number, block), "float32")
    for place, part in enumerate(blocks):
        matrix[place, :, :, place] = part.reshape(block, 2, block)
    products = x @ graph.constant(matrix.reshape(cell.units, 2 * cell.units), "kernel")
    if cell.gate_bias is not None:
        products = products + weight(cell.gate_bias)
    r, i = (_sigmoid(graph, part) for part in graph.split(products, [cell.units] * 2))
    log_a = r * (-8.0 * np.logaddexp(0.0, -weight(cell.decay)))
    a = graph.op("Exp", log_a)
    if cell.signed:
        a = 2.0 * a - 1.0
    rest = graph.op("Max", (1.0 - a) * (1.0 + a), np.float32(1e-6))
    return [a, graph.op("Sqrt", rest) * (i * x)]


def _unit(graph: Graph, vectors: Value) -> Value:
    total = graph.op("ReduceSum", vectors * vectors, np.array([-1]), keepdims=1)
    return vectors / graph.op("Sqrt", total + 1e-6)


def _gated_delta_inputs(graph: Graph, cell: Any, x: Value) -> list[Value]:
    """All products with the inputs: q, k, v and the output's gate side by side, alpha, beta."""
    products = x @ graph.constant(weight(cell.kernel), "kernel")
    alpha, beta = graph.split(x @ graph.constant(weight(cell.gate_kernel), "kernel"), [cell.heads] * 2)
    log_alpha = graph.op("Softplus", alpha + weight(cell.step_size)) * -np.exp(weight(cell.log_decay))
    beta = beta if cell.bias is None else beta + weight(cell.bias)
    beta = _sigmoid(graph, beta) * (2.0 if cell.signed else 1.0)
    return [products * _sigmoid(graph, products), graph.op("Exp", log_alpha), beta]


def _gated_delta(graph: Graph, cell: Any, parts: list[Value], states: list[Value]) -> Result:
    products, alpha, beta = parts
    heads, keys, values = cell.heads, cell.key_dim, cell.value_dim
    q, k, v, gate = graph.split(products, [heads * keys, heads * keys, cell.units, cell.units])
    q, k = (_unit(graph, graph.reshape(part, [0, heads, keys])) for part in (q, k))
    v = graph.reshape(v, [0, heads, 1, values])
    state = graph.reshape(states[0], [-1, heads, keys, values])
    state = graph.unsqueeze(alpha, 2, 3) * state
    u = graph.unsqueeze(beta, 2, 3) * (v - graph.unsqueeze(k, 2) @ state)  # (batch, heads, 1, values)
    state = state + graph.unsqueeze(k, 3) * u
    output = graph.squeeze(graph.unsqueeze(q, 2) @ state, 2)  # (batch, heads, values)
    size = graph.op("ReduceMean", output * output, axes=[-1], keepdims=1)
    output = output / graph.op("Sqrt", size + 1e-5) * weight(cell.scale)
    output = graph.reshape(output, [0, cell.units]) * gate
    return output, [graph.reshape(state, [0, heads * keys * values])]


TABLE: dict[str, Row] = {
    "simple_rnn": Row(_projected, _simple_rnn),
    "lstm": Row(_projected, _lstm),
    "gru": Row(_gru_inputs, _gru),
    "layer_norm_lstm": Row(_layer_norm_lstm_inputs, _layer_norm_lstm),
    "peephole_lstm": Row(_projected, _peephole_lstm),
    "mogrifier_lstm": Row(_itself, _mogrifier_lstm),
    "slstm": Row(_projected, _slstm),
    "ind_rnn": Row(_projected, _ind_rnn),
    "min_gru": Row(_min_gru, _linear),
    "min_lstm": Row(_min_lstm, _linear),
    "sru": Row(_sru_inputs, _sru, _sru_read),
    "ssru": Row(_ssru, _linear, _ssru_read),
    "lru": Row(_lru_inputs, _lru, _lru_read),
    "rg_lru": Row(_rg_lru, _linear),
    "gated_delta": Row(_gated_delta_inputs, _gated_delta),
}
"""Name of a cell in `zoo.cells.TABLE` -> how it is written."""

_OF_KERAS = {"LSTMCell": "lstm", "GRUCell": "gru", "SimpleRNNCell": "simple_rnn"}
"""Keras's own cells, which have the same weights as ours."""


def name_of(cell: Any) -> str:
    """The name of a cell in `TABLE`.

    Raises:
        UserError: If it is another cell, or one of Keras's with other equations.
    """
    kind, module = type(cell).__name__, type(cell).__module__
    if module.startswith("keras.") and kind in _OF_KERAS:
        _check_keras_cell(cell)
        return _OF_KERAS[kind]
    for name in TABLE:
        if type(cell) is cells.find(name):
            return name
    raise UserError(
        f"The cell {kind} has no export: there is one for each cell of `zoo list cells`, not for cells of your own. "
        "Train a model with one of those."
    )


def _check_keras_cell(cell: Any) -> None:
    """Refuses activations and a place of the reset gate that are not those of our cells."""
    activations = (getattr(cell, "activation", None), getattr(cell, "recurrent_activation", None))
    names = [getattr(item, "__name__", str(item)) for item in activations if item is not None]
    if names not in (["tanh", "sigmoid"], ["tanh"]) or not getattr(cell, "reset_after", True):
        raise UserError(
            f"The export knows {type(cell).__name__} with tanh, sigmoid and reset_after=True only; this one has "
            f"{', '.join(names)} and reset_after={getattr(cell, 'reset_after', True)}."
        )


def advance(graph: Graph, cell: Any, inputs: Value, states: list[Value]) -> Result:
    """One whole step: inputs `(batch, features)`, states -> output, new states."""
    row = TABLE[name_of(cell)]
    output, new = row.step(graph, cell, row.before(graph, cell, inputs), states)
    return (output if row.after is None else row.after(graph, cell, output, inputs)), new
