"""Whole nets as ONNX graphs: the layers of each builder in the order in which its model calls them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zoo.builders.captioner import Captioner
from zoo.builders.encoder_decoder import EncoderDecoder
from zoo.builders.language_model import LanguageModel
from zoo.builders.tagger import Tagger
from zoo.builders.translator import Translator
from zoo.cells.cell import output_is_state, output_size
from zoo.errors import UserError
from zoo.export.graphs import GraphSpec, folds
from zoo.export.onnx import cells, layers, pictures, recurrent
from zoo.export.onnx.cells import weight
from zoo.export.onnx.graph import Graph, Value
from zoo.export.onnx.recurrent import Steps
from zoo.layers import CharacterEncoder, Pooling, Recurrent, ResidualStack, TokenEmbedding

Build = Callable[[Graph, Any, list[Value]], list[Value]]
"""`(graph, net, inputs) -> outputs`, both in the order of the `GraphSpec`."""


def build(net: Any, spec: GraphSpec) -> Any:
    """One graph of a net as a checked `onnx.ModelProto`.

    Raises:
        UserError: If the net has a part that has no export.
    """
    graph = Graph(spec.name)
    inputs = [graph.input(port.name, port.dtype, port.shape) for port in spec.inputs]
    outputs = _builder(net, spec.name)(graph, net, inputs)
    for port, value in zip(spec.outputs, outputs, strict=True):
        graph.output(port.name, value, port.dtype, port.shape)
    return graph.model()


def _builder(net: Any, name: str) -> Build:
    for kind, graphs in BUILDERS.items():
        if isinstance(net, kind) and name in graphs:
            return graphs[name]
    return functional


def functional(graph: Graph, net: Any, inputs: list[Value]) -> list[Value]:
    """A functional model: `builders.classifier` and `builders.perceptron`."""
    given = iter(inputs)
    tensors = [next(given) for _ in net.inputs]
    steps: dict[str, Steps] = {}

    def steps_of(mask: Value | None) -> Steps | None:
        return None if mask is None else steps.setdefault(mask.name, Steps(graph, mask))

    def emit(layer: Any) -> Callable[..., Any]:
        return lambda *args, **options: _operation(graph, layer, list(args), steps_of(options.get("mask")))

    net = getattr(net, "_functional", None) or net  # of a Sequential
    result = net._run_through_graph(tensors if len(tensors) > 1 else tensors[0], operation_fn=emit)
    return result if isinstance(result, list) else [result]


def _operation(graph: Graph, layer: Any, inputs: list[Any], steps: Steps | None) -> Any:
    """One operation of a functional model."""
    x, kind = inputs[0], type(layer).__name__
    if isinstance(layer, TokenEmbedding):
        return layers.embed(graph, layer, x)
    if isinstance(layer, (Recurrent, ResidualStack)):
        return recurrent.stack(graph, layer, x, steps)[0]
    if isinstance(layer, Pooling):
        return layers.pooled(graph, layer, x, None if steps is None else steps.mask)
    if kind in OPERATIONS:
        return OPERATIONS[kind](graph, layer, *inputs)
    raise UserError(
        f"The layer {kind} has no export: a model is one of zoo.builders, or made of Keras's {', '.join(OPERATIONS)}."
    )


def _not_equal(graph: Graph, layer: Any, x: Value, number: int) -> Value:
    return graph.op("Not", graph.op("Equal", x, np.array(number)))


def _over_time(graph: Graph, layer: Any, x: Value) -> Value:
    """`Conv1D`, `(batch, time, channels)`."""
    return graph.transpose(pictures.convolution(graph, layer, graph.transpose(x, 0, 2, 1)), 0, 2, 1)


def _new_axes(graph: Graph, layer: Any, x: Value, key: Sequence[Any]) -> Value:
    """`x[:, None]` and the like.

    Raises:
        UserError: If it takes a part of `x`.
    """
    if any(item not in (None, slice(None)) for item in key):
        raise UserError(f"The index {key} of a layer has no export: only whole axes and new ones have.")
    return graph.unsqueeze(x, *(axis for axis, item in enumerate(key) if item is None))


OPERATIONS: dict[str, Callable[..., Value]] = {
    "InputLayer": lambda graph, layer, x: x,
    "NotEqual": _not_equal,
    "Dense": layers.dense,
    "Dropout": lambda graph, layer, x: x,
    "SpatialDropout1D": lambda graph, layer, x: x,
    "Concatenate": lambda graph, layer, values: graph.concat(values),
    "Flatten": lambda graph, layer, x: graph.op("Flatten", x, axis=1),
    "Cast": lambda graph, layer, x: graph.cast(x, "float32"),
    "Multiply": lambda graph, layer, x, y: x * y,
    "GetItem": _new_axes,
    "Conv1D": _over_time,
    "Reshape": lambda graph, layer, x: graph.reshape(x, [0, *layer.target_shape]),
}
"""Name of a layer of Keras -> its nodes."""


def _tagger(graph: Graph, net: Tagger, inputs: list[Value]) -> list[Value]:
    x = inputs[0]
    if net.tokens:
        steps = Steps(graph, _not_equal(graph, None, x, 0))
        x = layers.embed(graph, net.reader, x)
        if net.characters is not None:
            x = graph.concat([x, _spelled(graph, net.characters, inputs[1])])
    else:
        steps = Steps.of_lengths(graph, inputs[1], x)
        x = graph.cast(x, "float32") if net.frames else x
        x = pictures.frame_encoder(graph, net.reader, x) if net.frames else x
    if net.differences:
        first = graph.op("Slice", x, np.array([0]), np.array([1]), np.array([1]))
        rest = graph.op("Slice", x, np.array([0]), np.array([-1]), np.array([1]))
        x = graph.concat([x, x - graph.concat([first, rest], axis=1)])
    if net.num_layers:
        x, _ = recurrent.stack(graph, net.recurrent, x, steps)
    else:
        x = layers.dense(graph, net.recurrent, x)
    return [layers.dense(graph, net.label, x)]


def _spelled(graph: Graph, layer: CharacterEncoder, characters: Value) -> Value:
    """Words by their characters: `(batch, time, characters)` -> `(batch, time, 2 * units)`."""
    rows = graph.op("Reshape", characters, graph.concat([np.array([-1]), graph.size(characters, 2)], axis=0))
    steps = Steps(graph, _not_equal(graph, None, rows, 0))  # (batch * time, characters)
    hidden, _ = recurrent.stack(graph, layer.recurrent, layers.embed(graph, layer, rows), steps)
    size = layer.recurrent.output_size
    forward, backward = graph.split(hidden, [size // 2] * 2)
    assert steps.mask is not None
    real = graph.unsqueeze(graph.cast(steps.mask, "float32"), 2)  # (batch * time, characters, 1)
    ends = layers.last(graph, layer, forward, steps.mask, real)
    both = graph.concat([ends, graph.op("Gather", backward, np.array(0), axis=1)])
    both = both * graph.op("ReduceMax", real, axes=[1], keepdims=0)  # zeros for a word without characters
    words = [graph.size(characters, axis) for axis in (0, 1)]
    return graph.op("Reshape", both, graph.concat([*words, np.array([size])], axis=0))


def _language_model(graph: Graph, net: LanguageModel, inputs: list[Value]) -> list[Value]:
    tokens, lengths, *states = inputs
    x = layers.embed(graph, net.embedding, tokens)
    x, finals = recurrent.stack(
        graph, net.recurrent, x, Steps.of_lengths(graph, lengths, tokens), _nested(states, net.recurrent.state_sizes)
    )
    return [_logits(graph, net, net.embedding, x), *(state for layer in finals for state in layer)]


def _nested(states: Sequence[Value], sizes: Sequence[Sequence[int]]) -> list[list[Value]]:
    """Flat states as a list by layer."""
    rest = iter(states)
    return [[next(rest) for _ in layer] for layer in sizes]


def _logits(graph: Graph, net: Any, embedding: TokenEmbedding, x: Value) -> Value:
    if net.output_layer is not None:
        return layers.dense(graph, net.output_layer, x)
    return x @ graph.transpose(layers.table(graph, embedding), 1, 0) + weight(net.output_bias)


def _translator_encoder(graph: Graph, net: Translator, inputs: list[Value]) -> list[Value]:
    mask = _not_equal(graph, None, inputs[0], 0)
    steps = Steps(graph, mask)
    x = layers.embed(graph, net.source_embedding, inputs[0])
    values, finals = recurrent.stack(graph, net.encoder, x, steps)
    if net.encoder.return_state:
        summary = graph.concat([state for layer in finals for state in layer])
    else:
        summary = layers.pooled(graph, net.pooling, values, mask)
    return _decoder_start(graph, net, summary, values, mask)


def _captioner_encoder(graph: Graph, net: Captioner, inputs: list[Value]) -> list[Value]:
    x = inputs[0]
    if net.encoder is not None:
        x = pictures.image_encoder(graph, net.encoder, graph.cast(x, "float32"))
        x = graph.reshape(x, [0, -1, net.grid[1]])
    values = layers.dense(graph, net.project, x)
    if net.position_embeddings:
        values = values + weight(net.position_vectors)
    mask = graph.op("Expand", np.array([[True]]), graph.op("Shape", values, start=0, end=2))
    summary = layers.pooled(graph, net.pooling, values, mask)
    return _decoder_start(graph, net, summary, values, mask)


def _decoder_start(graph: Graph, net: EncoderDecoder, summary: Value, values: Value, mask: Value) -> list[Value]:
    """First states, and the memory: its values, folded where the model folds them, its keys, its mask."""
    decoder, flat = net.decoder, layers.dense(graph, net.bridge.projection, summary)
    states = graph.split(flat, [size for layer in decoder.state_sizes for size in layer])
    if decoder.input_feeding:
        states += recurrent.zero_states(graph, [decoder.readout_dim], summary)
    if not output_is_state(decoder.cells[-1]):
        states += recurrent.zero_states(graph, [output_size(decoder.cells[-1])], summary)
    if decoder.attention is None:
        return states
    keys = layers.attention_keys(graph, decoder.attention, values)
    if folds(net):
        values = _folded(graph, decoder, values)
    return [*states, values, keys, mask]


def _folded(graph: Graph, decoder: Any, values: Value) -> Value:
    """`RecurrentDecoder.fold`: the products of a context, computed for each position of the memory."""
    kernel = weight(decoder.state_kernel)[output_size(decoder.cells[0]) :]
    parts = [values @ graph.constant(kernel, "kernel")]
    if decoder.conditional_cell is not None:
        parts = [*_before(graph, decoder.conditional_cell, values), *parts]
    return graph.concat(parts)


def _before(graph: Graph, cell: Any, x: Value) -> list[Value]:
    return cells.TABLE[cells.name_of(cell)].before(graph, cell, x)


def _decoder_step(graph: Graph, net: EncoderDecoder, inputs: list[Value]) -> list[Value]:
    """`EncoderDecoder.step_logits` for tokens `(rows,)`."""
    decoder, rest = net.decoder, iter(inputs)
    x = layers.embed(graph, net.target_embedding, next(rest))  # (rows, size)
    states = [[next(rest) for _ in layer] for layer in decoder.state_sizes]
    fed = next(rest) if decoder.input_feeding else None
    kept_output = not output_is_state(decoder.cells[-1])
    if kept_output:
        next(rest)
    memory = list(rest)
    folded = folds(net)
    input_part = x @ graph.constant(weight(decoder.input_kernel), "kernel") + weight(decoder.bias)
    hidden, first = _first_cell(graph, decoder, x, fed, states[0])
    context = weights = None
    if decoder.conditional_cell is not None:
        context, weights = _context(graph, decoder, hidden, memory)
        cell = decoder.conditional_cell
        if folded:
            gates = weight(cell.kernel).shape[1]
            projected, context = graph.split(context, [gates, decoder.readout_dim])
            hidden, first = cells.TABLE[cells.name_of(cell)].step(graph, cell, [projected], first)
        else:
            hidden, first = cells.advance(graph, cell, context, first)
    new = [first]
    for cell, state in zip(decoder.cells[1:], states[1:], strict=True):
        hidden, after = cells.advance(graph, cell, hidden, state)
        new.append(after)
    if decoder.attention is not None and decoder.conditional_cell is None:
        context, weights = _context(graph, decoder, hidden, memory)
    readout = _readout(graph, decoder, hidden, context, input_part, folded)
    logits = _suppressed(graph, _logits(graph, net, net.target_embedding, readout), net.suppress_tokens)
    carried = [state for layer in new for state in layer]
    carried += [readout] * decoder.input_feeding + [hidden] * kept_output
    return [logits, *carried, *([] if weights is None else [weights])]


def _first_cell(
    graph: Graph, decoder: Any, x: Value, fed: Value | None, states: list[Value]
) -> tuple[Value, list[Value]]:
    """The first cell's step, the fed-back readout added to its inputs."""
    cell = decoder.cells[0]
    if fed is None:
        return cells.advance(graph, cell, x, states)
    if not decoder.hoisted:
        return cells.advance(graph, cell, graph.concat([x, fed]), states)
    row = cells.TABLE[cells.name_of(cell)]
    if len(before := row.before(graph, cell, x)) != 1 or row.after is not None:
        raise UserError(
            f"A decoder of {type(cell).__name__} that feeds its readout back has no export. Train without input "
            "feeding."
        )
    return row.step(graph, cell, [before[0] + fed @ graph.constant(weight(decoder.feed_kernel), "kernel")], states)


def _context(graph: Graph, decoder: Any, hidden: Value, memory: list[Value]) -> tuple[Value, Value]:
    context, weights = layers.attention_read(graph, decoder.attention, hidden, *memory)
    return (context if decoder.gate is None else context * layers.dense(graph, decoder.gate, hidden)), weights


def _readout(
    graph: Graph, decoder: Any, hidden: Value, context: Value | None, input_part: Value, folded: bool
) -> Value:
    kernel = weight(decoder.state_kernel)
    if folded:
        product = hidden @ graph.constant(kernel[: output_size(decoder.cells[0])], "kernel")
        return graph.op("Tanh", product + (input_part + context))
    if context is not None:
        hidden = graph.concat([hidden, context])
    if decoder.norm is not None:
        hidden = layers.layer_norm(graph, decoder.norm, hidden)
    return graph.op("Tanh", hidden @ graph.constant(kernel, "kernel") + input_part)


def _suppressed(graph: Graph, logits: Value, ids: Sequence[int]) -> Value:
    """Logits of ids that are never written so low that none is chosen."""
    if not ids:
        return logits
    return graph.op("ScatterElements", logits, *_scattered(graph, logits, ids), axis=1)


def _scattered(graph: Graph, logits: Value, ids: Sequence[int]) -> tuple[Value, Value]:
    shape = graph.concat([graph.size(logits, 0), np.array([len(ids)])], axis=0)
    return graph.op("Expand", np.array([list(ids)]), shape), graph.op("Expand", np.array([[-1e9]]), shape)


BUILDERS: dict[type, dict[str, Build]] = {
    Tagger: {"model": _tagger},
    LanguageModel: {"step": _language_model},
    Translator: {"encoder": _translator_encoder, "step": _decoder_step},
    Captioner: {"encoder": _captioner_encoder, "step": _decoder_step},
}
"""Model -> the function of each of its graphs; other models are functional."""
