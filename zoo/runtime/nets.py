"""Exported nets with the methods of the Keras models that predictions and scores use.

They know nothing of what runs their graphs: a graph is called with arrays and gives arrays, in the order of
`zoo.export.graphs`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from zoo import decoding
from zoo.decoding import BatchShared, Emitted, Logits
from zoo.errors import UserError
from zoo.ids import PAD
from zoo.runtime.packing import pack, unpack

LOWEST = np.float32(-1e9)
"""The logit of a token that is never written."""


class Graph(Protocol):
    """One graph, as a format runs it."""

    inputs: Sequence[Mapping[str, Any]]
    outputs: Sequence[Mapping[str, Any]]

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Runs it once."""


class Net:
    """What all exported nets share.

    Args:
        facts: What `export.json` says.
        graphs: The graphs by name.
    """

    compiles_shapes = False

    def __init__(self, facts: Mapping[str, Any], graphs: Mapping[str, Graph]) -> None:
        self.facts, self.graphs = facts, graphs

    @property
    def classes(self) -> int | None:
        """Number of labels, of a net that has any."""
        return None

    @property
    def vocabularies(self) -> dict[str, int]:
        """Name of a tokenizer -> entries that the net has logits for."""
        return {}


class Classifier(Net):
    """Inputs -> probabilities: a classifier, a perceptron or a tagger."""

    @property
    def classes(self) -> int:
        """Number of labels."""
        return self.graphs["model"].outputs[0]["shape"][-1]

    def predict_on_batch(self, inputs: Any) -> np.ndarray:
        """As `keras.Model.predict_on_batch`; padding may stand anywhere.

        Args:
            inputs: What the model was called with in Keras: ids, or features, alone or with a mask or lengths.

        Returns:
            Probabilities `(batch, num_classes)`, of a tagger `(batch, time, num_classes)`.
        """
        graph = self.graphs["model"]
        arrays = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        names = [port["name"] for port in graph.inputs]
        arrays = [np.asarray(array) for array in arrays]
        if names[0] == "tokens":
            moved = [pack(array, arrays[0] != PAD) for array in arrays]  # tokens, alone or with their characters
            order = moved[0][1]
            (probabilities,) = graph(*(array for array, _ in moved))
            return unpack(probabilities, order) if self.facts["kind"] == "tagger" else probabilities
        if names[-1] == "mask" and len(arrays) == 2:
            packed, order = pack(*arrays)
            lengths = arrays[1].sum(axis=1, dtype="int64")[:, None]
            arrays = [packed, np.arange(packed.shape[1]) < lengths] if order is not None else arrays
        if names[-1] == "lengths" and len(arrays) == 1:
            arrays.append(np.full(len(arrays[0]), arrays[0].shape[1]))
        return graph(*arrays)[0]


class EncoderDecoder(Net):
    """Something in, tokens out: a translator or a captioner."""

    @property
    def vocabularies(self) -> dict[str, int]:
        """Entries of the target's tokenizer."""
        size = self.graphs["step"].outputs[0]["shape"][-1]
        return {"tokenizer": size, "target_tokenizer": size}

    def encode(self, inputs: Any) -> dict[str, Any]:
        """The state before the first step of a search."""
        graph = self.graphs["encoder"]
        inputs = np.asarray(inputs)
        if graph.inputs[0]["name"] == "tokens":
            inputs, _ = pack(inputs, inputs != PAD)
        outputs = graph(inputs)
        if not self.facts["attention"]:
            return {"carried": outputs}
        *carried, values, keys, mask = outputs
        return {
            "carried": carried,
            "memory": BatchShared([values, keys, mask]),
            "attention": Emitted(np.zeros(mask.shape, "float32")),
        }

    def step(self, tokens: np.ndarray, state: dict[str, Any]) -> tuple[Logits, dict[str, Any]]:
        """One step of a search, as `zoo.decoding` calls it."""
        memory = state["memory"].value if "memory" in state else []
        logits, *carried = self.graphs["step"](tokens, *state["carried"], *memory)
        if not memory:
            return Logits(logits), {"carried": carried}
        return Logits(logits), {**state, "carried": carried[:-1], "attention": Emitted(carried[-1])}

    def search(self, inputs: Any, *, forced_prefix: Any | None = None, **options: Any) -> dict[str, np.ndarray]:
        """What the model writes about a batch of inputs; see `zoo.builders.search`."""
        name, settings = decoding.request(len(inputs), **options)
        with decoding.on_numpy():
            found = decoding.find(name)(self.step, self.encode(inputs), forced_prefix=forced_prefix, **settings)
        result = {key: value for key, value in found._asdict().items() if key != "state"}
        return {key: value[:, None] for key, value in result.items()} if name == "greedy" else result


class LanguageModel(Net):
    """Tokens -> logits of the next ones, from a state to the next."""

    @property
    def vocabularies(self) -> dict[str, int]:
        """Entries of the tokenizer."""
        return {"tokenizer": self.graphs["step"].outputs[0]["shape"][-1]}

    def begin(self, batch: int) -> list[np.ndarray]:
        """The states before the first token of `batch` texts."""
        return [np.zeros((batch, port["shape"][-1]), "float32") for port in self.graphs["step"].inputs[2:]]

    def read(
        self, tokens: np.ndarray, states: Sequence[np.ndarray], mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Reads tokens `(batch, time)` from a state: logits, and the states after each row's last real token."""
        if mask is None:
            lengths = np.full(len(tokens), tokens.shape[1])
        else:
            (tokens, _), lengths = pack(tokens, mask), mask.sum(axis=1, dtype="int64")
        logits, *new = self.graphs["step"](tokens, lengths, *states)
        if mask is not None:  # a row without any token keeps its state
            new = [np.where(lengths[:, None] > 0, after, before) for after, before in zip(new, states, strict=True)]
        return logits, new

    def encode(self, inputs: Any) -> list[np.ndarray]:
        """The state of a search: after some ids `(batch, time)`, or a state itself."""
        if isinstance(inputs, list):
            return inputs
        return self.read(inputs, self.begin(len(inputs)), inputs != PAD)[1]

    def step(self, tokens: np.ndarray, state: list[np.ndarray]) -> tuple[Logits, list[np.ndarray]]:
        """One step of a search: ids `(rows,)` -> logits and the new state."""
        logits, new = self.read(tokens[:, None], state)
        logits = logits[:, 0]
        logits[:, self.facts["suppress_tokens"]] = LOWEST
        return Logits(logits), new

    def reader(self) -> "Runner":
        """Goes through texts and computes the loss of each token; see `zoo.builders.reader`."""
        return Runner(self._nats)

    def searcher(self, search: str, **options: Any) -> "Runner":
        """A search that goes on from a state; see `zoo.builders.searcher`."""

        def run(inputs: dict[str, Any]) -> dict[str, Any]:
            dynamic = {name: value for name, value in inputs.items() if name != "inputs"}
            with decoding.on_numpy():
                state = self.encode(inputs["inputs"])
                found = decoding.find(search)(self.step, state, **{**options, **dynamic})._asdict()
            return found if options.get("keep_state") else {k: v for k, v in found.items() if k != "state"}

        return Runner(run)

    def _nats(self, inputs: dict[str, Any]) -> dict[str, Any]:
        keeps = 1 - np.asarray(inputs["begins"], "float32")[:, None]
        states = [state * keeps for state in inputs["states"]]
        logits, states = self.read(np.asarray(inputs["tokens"]), states, inputs.get("mask"))
        table = logits - logits.max(axis=-1, keepdims=True)
        chosen = np.take_along_axis(table, np.asarray(inputs["targets"], "int64")[..., None], axis=-1)[..., 0]
        return {"nats": np.log(np.exp(table).sum(axis=-1)) - chosen, "states": states}


class Runner:
    """A function with the one method that callers use of a compiled Keras model.

    Args:
        run: Arrays by name -> arrays by name.
    """

    def __init__(self, run: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.predict_on_batch = run


KINDS: dict[str, type[Net]] = {
    "classifier": Classifier,
    "tagger": Classifier,
    "encoder_decoder": EncoderDecoder,
    "language_model": LanguageModel,
}
"""Kind of a net in `export.json` -> its class."""


def make(facts: Mapping[str, Any], graphs: Mapping[str, Graph]) -> Net:
    """The net of some graphs.

    Raises:
        UserError: If a graph is missing.
    """
    needed = {"encoder_decoder": {"encoder", "step"}, "language_model": {"step"}}.get(facts["kind"], {"model"})
    if needed - set(graphs):
        raise UserError(f"This export lacks the graph {', '.join(sorted(needed - set(graphs)))}: make it anew.")
    return KINDS[facts["kind"]](facts, graphs)
