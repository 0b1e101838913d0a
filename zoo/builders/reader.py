"""A language model goes through a long text, chunk by chunk."""

from typing import Any

import keras
from keras import ops

from zoo.builders.language_model import LanguageModel
from zoo.builders.searcher import kept_on


class Reader(keras.Model):
    """Goes through streams of text and computes the loss of each token; see `reader`."""

    def __init__(self, model: LanguageModel) -> None:
        # In the model's own precision: outside of a layer's call, Keras casts weights by that of the outermost one.
        super().__init__(name="reader", dtype=model.dtype_policy)
        self.model = model
        self.jit_compile = keras.backend.backend() != "tensorflow"
        self.built = True

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """See `reader`."""
        keeps = 1 - ops.cast(inputs["begins"], self.compute_dtype)[:, None]
        states = [[state * keeps for state in layer] for layer in inputs["states"]]
        logits, states = self.model.read(inputs["tokens"], states, inputs.get("mask"), training=False)
        nats = ops.sparse_categorical_crossentropy(inputs["targets"], ops.cast(logits, "float32"), from_logits=True)
        return {"nats": nats, "states": states}


def reader(model: LanguageModel) -> Reader:
    """A model around a language model: its `predict_on_batch` reads one chunk of each stream, compiled once.

    Asking again for the same model gives the same object, which lives as long as the model.

    Args:
        model: A language model.

    Returns:
        A model: a dictionary of `tokens` and their next ones, `targets`, `(batch, time)` int32; `begins` `(batch,)`,
        True where a text begins; `states` as `model.begin` or the chunk before gave them; and, if the states are
        needed after a row that is padded, `mask` `(batch, time)` -> a dictionary with `nats`, the loss of each target,
        `(batch, time)` float32, and the `states` after the chunk.
    """
    return kept_on(model, ("reader",), lambda: Reader(model))
