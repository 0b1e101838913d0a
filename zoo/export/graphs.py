"""Which functions of a net become graphs: the same in every format.

| net | graph | reads | gives |
|---|---|---|---|
| classifier, perceptron | `model` | its inputs | probabilities `(batch, num_classes)` |
| tagger | `model` | ids (and characters), or steps with lengths | probabilities `(batch, time, num_classes)` |
| translator, captioner | `encoder` | ids, or pictures | first states, and the memory that attention reads |
| | `step` | ids `(rows,)`, states, memory | logits `(rows, vocabulary)`, new states, attention |
| language model | `step` | ids `(batch, time)`, lengths, states | logits `(batch, time, vocabulary)`, new states |

Rows of a decoder's step are a multiple of the memory's: hypotheses of one example side by side. Ids are int64, and 0
is padding on the right. States begin with what `encoder` gives, those of a language model with zeros.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import cells
from zoo.builders.captioner import Captioner
from zoo.builders.encoder_decoder import EncoderDecoder
from zoo.builders.language_model import LanguageModel
from zoo.builders.tagger import Tagger
from zoo.cells.cell import output_is_state, output_size
from zoo.decoding import BatchShared
from zoo.errors import UserError
from zoo.layers.memory import FoldedMemory, Memory

AFFINE = ("gru", "lstm", "simple_rnn", "peephole_lstm")
"""Cells whose part before the loop is one product and a bias, so that a memory can be folded for them."""

BATCH, ROWS, TIME, SOURCE, CHARACTERS = "batch", "rows", "time", "source_time", "characters"
"""Names of axes that may have any size."""


@dataclass(frozen=True)
class Port:
    """An input or an output of a graph.

    Attributes:
        name: Its name.
        dtype: `"float32"`, `"int64"`, `"uint8"` or `"bool"`.
        shape: Sizes of its axes; a name for one that may have any.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class GraphSpec:
    """A function of a net that becomes one graph.

    Attributes:
        name: `"model"`, `"encoder"` or `"step"`.
        inputs: What it reads, in order.
        outputs: What it gives, in order.
        call: The function itself, in `keras.ops`: tensors in the order of `inputs` -> a list in that of `outputs`.
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    call: Callable[..., list[Any]]


def graphs(net: keras.Model) -> tuple[GraphSpec, ...]:
    """The graphs of a net.

    Raises:
        UserError: If it is none of those above.
    """
    if isinstance(net, LanguageModel):
        return (_language_model(net),)
    if isinstance(net, EncoderDecoder):
        return _encoder(net), _decoder_step(net)
    if isinstance(net, Tagger):
        return (_tagger(net),)
    if getattr(net, "inputs", None) and getattr(net, "outputs", None):
        return (_functional(net),)
    raise UserError(f"{type(net).__name__} has no export: it is no functional model, and none that zoo.builders makes.")


def kind(net: keras.Model) -> str:
    """What a net does: `"language_model"`, `"encoder_decoder"`, `"tagger"` or `"classifier"`."""
    if isinstance(net, LanguageModel):
        return "language_model"
    if isinstance(net, EncoderDecoder):
        return "encoder_decoder"
    return "tagger" if isinstance(net, Tagger) else "classifier"


def settings(net: keras.Model) -> dict[str, Any]:
    """What a runtime must know of a net besides its graphs."""
    facts: dict[str, Any] = {"kind": kind(net)}
    if isinstance(net, (LanguageModel, EncoderDecoder)):
        facts["suppress_tokens"] = [int(token) for token in net.suppress_tokens]
    if isinstance(net, EncoderDecoder):
        facts["attention"] = net.decoder.attention is not None
    return facts


def folds(net: EncoderDecoder) -> bool:
    """Whether the encoder's graph gives a folded memory, see `RecurrentDecoder.fold`."""
    cell = net.decoder.conditional_cell
    affine = cell is None or type(cell) in [cells.find(name) for name in AFFINE]
    return net.folds_memory and net.decoder.foldable and affine


def _functional(net: keras.Model) -> GraphSpec:
    inputs = []
    for tensor in net.inputs:
        shape = tuple(TIME if size is None else int(size) for size in tensor.shape[1:])
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        name = tensor.name.partition(":")[0]
        inputs.append(Port(name, "int64" if dtype.startswith("int") else dtype, (BATCH, *shape)))
    outputs = [
        Port(name, "float32", (BATCH, *(TIME if size is None else int(size) for size in tensor.shape[1:])))
        for name, tensor in zip(_output_names(len(net.outputs)), net.outputs, strict=True)
    ]

    def call(*tensors: Any) -> list[Any]:
        given = [_as_ids(tensor, port) for tensor, port in zip(tensors, inputs, strict=True)]
        return keras.tree.flatten(net(given if len(given) > 1 else given[0], training=False))

    return GraphSpec("model", tuple(inputs), tuple(outputs), call)


def _as_ids(tensor: Any, port: Port) -> Any:
    return ops.cast(tensor, "int32") if port.dtype == "int64" else tensor


def _output_names(number: int) -> list[str]:
    return ["probabilities"] if number == 1 else [f"output_{i}" for i in range(number)]


def _tagger(net: Tagger) -> GraphSpec:
    outputs = (Port("probabilities", "float32", (BATCH, TIME, net.num_classes)),)
    ids, spelled = Port("tokens", "int64", (BATCH, TIME)), Port("characters", "int64", (BATCH, TIME, CHARACTERS))
    if net.characters is not None:
        return GraphSpec(
            "model", (ids, spelled), outputs,
            lambda *pair: [net(tuple(ops.cast(each, "int32") for each in pair), training=False)],
        )  # fmt: skip
    if net.tokens:
        return GraphSpec("model", (ids,), outputs, lambda tokens: [net(ops.cast(tokens, "int32"), training=False)])
    if None in net.feature_shape:
        raise UserError("This tagger does not know the number of its features yet: give feature_dim, or train it.")
    shape = [int(size) for size in net.feature_shape if size is not None]
    sequence = Port("inputs", "uint8" if net.frames else "float32", (BATCH, TIME, *shape))
    lengths = Port("lengths", "int64", (BATCH,))
    return GraphSpec("model", (sequence, lengths), outputs, lambda *inputs: [net(inputs, training=False)])


def _language_model(net: LanguageModel) -> GraphSpec:
    sizes = net.recurrent.state_sizes
    inputs = (Port("tokens", "int64", (BATCH, TIME)), Port("lengths", "int64", (BATCH,)), *_state_ports(sizes, BATCH))
    outputs = (Port("logits", "float32", (BATCH, TIME, net.vocabulary_size)), *_state_ports(sizes, BATCH, "new_"))

    def call(tokens: Any, lengths: Any, *states: Any) -> list[Any]:
        time = ops.arange(ops.shape(tokens)[1], dtype="int32")[None]
        mask = time < ops.cast(lengths, "int32")[:, None]
        logits, new = net.read(ops.cast(tokens, "int32"), _nested(states, sizes), mask, training=False)
        return [logits, *(state for layer in new for state in layer)]

    return GraphSpec("step", inputs, outputs, call)


def _state_ports(sizes: Sequence[Sequence[int]], rows: str, prefix: str = "") -> list[Port]:
    return [
        Port(f"{prefix}state_{level}_{number}", "float32", (rows, size))
        for level, layer in enumerate(sizes)
        for number, size in enumerate(layer)
    ]


def _nested(states: Sequence[Any], sizes: Sequence[Sequence[int]]) -> list[list[Any]]:
    """Flat states as a list by layer."""
    rest = iter(states)
    return [[next(rest) for _ in layer] for layer in sizes]


def _carried(net: EncoderDecoder) -> list[tuple[str, int]]:
    """What a decoder carries besides the states of its cells: key in its state, size."""
    decoder = net.decoder
    carried = [("readout", decoder.readout_dim)] if decoder.input_feeding else []
    last = decoder.cells[-1]
    return carried if output_is_state(last) else [*carried, ("output", output_size(last))]


def _decoder_ports(net: EncoderDecoder, rows: str, prefix: str = "") -> tuple[Port, ...]:
    carried = [Port(prefix + name, "float32", (rows, size)) for name, size in _carried(net)]
    return (*_state_ports(net.decoder.state_sizes, rows, prefix), *carried)


def _memory_ports(net: EncoderDecoder) -> tuple[Port, ...]:
    if net.decoder.attention is None:
        return ()
    shape = (BATCH, SOURCE)
    values, keys = (
        Port("memory_values", "float32", (*shape, "value_size")),
        Port("memory_keys", "float32", (*shape, "key_size")),
    )
    return values, keys, Port("memory_mask", "bool", shape)


def _encoder(net: EncoderDecoder) -> GraphSpec:
    def call(inputs: Any) -> list[Any]:
        states, memory = net.read(_as_ids(inputs, port), training=False)
        start = net.decoder.start(states, memory)
        flat = [state for layer in start["cells"] for state in layer] + [start[name] for name, _ in _carried(net)]
        if memory is None:
            return flat
        return [*flat, *(net.decoder.fold(memory) if folds(net) else memory)]

    port = Port("tokens", "int64", (BATCH, SOURCE))
    if isinstance(net, Captioner):
        port = _picture_port(net)
    return GraphSpec("encoder", (port,), (*_decoder_ports(net, BATCH), *_memory_ports(net)), call)


def _picture_port(net: Captioner) -> Port:
    """Pictures, or feature maps for a captioner without an image encoder."""
    if net.encoder is None:
        positions, channels = net.grid
        return Port("features", "float32", (BATCH, "positions" if positions is None else positions, channels))
    height, width = (size or name for size, name in zip(net.encoder.input_shape[1:3], ("height", "width"), strict=True))
    return Port("pictures", "uint8", (BATCH, height, width, 3))


def _decoder_step(net: EncoderDecoder) -> GraphSpec:
    decoder, sizes = net.decoder, net.decoder.state_sizes
    names = [name for name, _ in _carried(net)]
    attention = () if decoder.attention is None else (Port("attention", "float32", (ROWS, SOURCE)),)
    logits = Port("logits", "float32", (ROWS, net.target_embedding.vocabulary_size))

    def call(tokens: Any, *rest: Any) -> list[Any]:
        count = sum(map(len, sizes))
        state: dict[str, Any] = {"cells": _nested(rest[:count], sizes)}
        state |= dict(zip(names, rest[count:], strict=False))
        memory = rest[count + len(names) :]
        if memory:
            state["memory"] = BatchShared((FoldedMemory if folds(net) else Memory)(*memory))
        table, new = net.step_logits(ops.cast(tokens, "int32"), state)
        flat = [part for layer in new["cells"] for part in layer] + [new[name] for name in names]
        return [table.values, *flat, *([new["attention"].value] if memory else [])]

    inputs = (Port("tokens", "int64", (ROWS,)), *_decoder_ports(net, ROWS), *_memory_ports(net))
    return GraphSpec("step", inputs, (logits, *_decoder_ports(net, ROWS, "new_"), *attention), call)
