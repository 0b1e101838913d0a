"""SavedModel as a format of exports: signatures that plain TensorFlow and TensorFlow Serving run.

The exported folder is laid out as TensorFlow Serving reads it, `1` being the version of the model. Besides the graphs
of `zoo.export.graphs` there are signatures for whole sequences:

| net | signature | reads | gives |
|---|---|---|---|
| translator, captioner | `serve` | ids or pictures, target ids | teacher-forced logits |
| | `generate` | ids or pictures | ids by beam search, their score and length |
| language model | `serve` | ids | logits |
| | `encode` | ids | the states after them |
| | `generate` | ids, a seed | sampled ids and their length |
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from zoo import decoding
from zoo.builders.encoder_decoder import EncoderDecoder
from zoo.builders.language_model import LanguageModel
from zoo.export import graphs
from zoo.export.graphs import BATCH, TIME, GraphSpec, Port
from zoo.export.readme import SIGNATURES
from zoo.export.tensorflow.tracing import check_backend, module, sized, traced
from zoo.export.tensorflow.weights import Small
from zoo.ids import END, PAD
from zoo.runtime.choice import EXPORT
from zoo.runtime.nets import make
from zoo.storage import schema

VERSION = "1"
"""Name of the folder of the model: TensorFlow Serving takes the largest number."""

FILE = f"{VERSION}/saved_model.pb"

TEMPERATURE, MAX_NEW_TOKENS = 0.8, 100
"""Of a language model's `generate`."""


def signature(graph: str) -> str:
    """The name of a graph's signature."""
    return SIGNATURES.get(graph, graph)


def specs(model: Any) -> tuple[GraphSpec, ...]:
    """The graphs of a saved model, and the functions for whole sequences.

    Raises:
        UserError: If it has a part that has no export, or Keras runs on another backend.
    """
    check_backend("savedmodel")
    net, found = model.net, sized(graphs.graphs(model.net), {})
    if isinstance(net, EncoderDecoder):
        return *found, _teacher_forced(net, found[0]), _search(net, found[0], model.assets.get("search", {}))
    if isinstance(net, LanguageModel):
        return *found, _logits(net), _states(net, found[0]), _sample(net)
    return found


def prepare(net: Any, specs: Sequence[GraphSpec], quantize: str | None = None) -> dict[str, bytes]:
    """The files of a SavedModel by their paths in the exported folder."""
    small = Small(net, quantize)
    functions = {signature(spec.name): traced(spec, small) for spec in specs}
    if "serve" in functions:
        functions["serving_default"] = functions["serve"]
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module(functions), folder, signatures=functions)
        return {
            f"{VERSION}/{file.relative_to(folder).as_posix()}": file.read_bytes()
            for file in sorted(Path(folder).rglob("*"))
            if file.is_file()
        }


def load(folder: Path) -> Any:
    """The net of an exported folder, with the methods of those in `zoo.runtime.nets`."""
    export = schema.read(folder, EXPORT, schema.Export)
    loaded = tf.saved_model.load(str(folder / VERSION))
    return make(export, {name: Signature(loaded, name, facts) for name, facts in export["graphs"].items()})


class Signature:
    """A signature that takes and gives arrays in the order of its inputs and outputs.

    Args:
        loaded: What `tf.saved_model.load` returned.
        graph: Name of the graph.
        facts: What `export.json` says of it.
    """

    def __init__(self, loaded: Any, graph: str, facts: Mapping[str, Any]) -> None:
        self.inputs, self.outputs = facts["inputs"], facts["outputs"]
        self._loaded = loaded  # its variables live as long as it does
        self._function = loaded.signatures[signature(graph)]

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Runs the graph once."""
        given = {
            port["name"]: tf.constant(np.asarray(array).astype(port["dtype"]))
            for port, array in zip(self.inputs, arrays, strict=True)
        }
        results = self._function(**given)
        return [results[port["name"]].numpy() for port in self.outputs]


def _int32(tensor: Any, port: Port) -> Any:
    return ops.cast(tensor, "int32") if port.dtype == "int64" else tensor


def _teacher_forced(net: EncoderDecoder, encoder: GraphSpec) -> GraphSpec:
    (port,) = encoder.inputs
    targets = Port("targets", "int64", (BATCH, TIME))
    logits = Port("logits", "float32", (BATCH, TIME, net.target_embedding.vocabulary_size))

    def call(inputs: Any, targets: Any) -> list[Any]:
        return [net((_int32(inputs, port), ops.cast(targets, "int32")), training=False)]

    return GraphSpec("serve", (port, targets), (logits,), call)


def _search(net: EncoderDecoder, encoder: GraphSpec, settings: Mapping[str, Any]) -> GraphSpec:
    """The search that the model's commands use, compiled."""
    (port,) = encoder.inputs
    name, options = decoding.request(1, **settings)

    def call(inputs: Any) -> list[Any]:
        found = decoding.find(name)(net.step_logits, net.encode(_int32(inputs, port)), **options)
        best = (found.tokens, found.scores, found.lengths)
        return list(best) if name == "greedy" else [part[:, 0] for part in best]

    outputs = (
        Port("tokens", "int64", (BATCH, options["max_new_tokens"])),
        Port("scores", "float32", (BATCH,)),
        Port("lengths", "int64", (BATCH,)),
    )
    return GraphSpec("generate", (port,), outputs, call)


def _logits(net: LanguageModel) -> GraphSpec:
    tokens, logits = (
        Port("tokens", "int64", (BATCH, TIME)),
        Port("logits", "float32", (BATCH, TIME, net.vocabulary_size)),
    )
    return GraphSpec("serve", (tokens,), (logits,), lambda ids: [net(ops.cast(ids, "int32"), training=False)])


def _states(net: LanguageModel, step: GraphSpec) -> GraphSpec:
    states = step.inputs[2:]

    def call(tokens: Any) -> list[Any]:
        return [state for layer in net.encode(ops.cast(tokens, "int32")) for state in layer]

    return GraphSpec("encode", (Port("tokens", "int64", (BATCH, TIME)),), states, call)


def _sample(net: LanguageModel) -> GraphSpec:
    """Texts that go on after prompts of at least one token, padded on the right."""

    def call(tokens: Any, seed: Any) -> list[Any]:
        tokens = ops.cast(tokens, "int32")
        lengths = ops.sum(ops.cast(ops.not_equal(tokens, PAD), "int32"), axis=1, keepdims=True)
        is_last = ops.equal(ops.arange(ops.shape(tokens)[1], dtype="int32")[None], lengths - 1)
        state = net.encode(ops.where(is_last, PAD, tokens))
        last = ops.sum(ops.where(is_last, tokens, 0), axis=1)
        found = decoding.find("sample")(
            net.step, state, start=last, end=END, max_new_tokens=MAX_NEW_TOKENS, seed=ops.cast(seed, "int32"),
            temperature=TEMPERATURE,
        )  # fmt: skip
        return [found.tokens, found.lengths]

    inputs = (Port("tokens", "int64", (BATCH, TIME)), Port("seed", "int64", ()))
    outputs = (Port("tokens", "int64", (BATCH, MAX_NEW_TOKENS)), Port("lengths", "int64", (BATCH,)))
    return GraphSpec("generate", inputs, outputs, call)
