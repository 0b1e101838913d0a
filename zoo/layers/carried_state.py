"""The states that a training carries from one chunk of its streams to the next."""

from typing import Any

import keras
from keras import ops

from zoo.serialization import Configured


@keras.saving.register_keras_serializable("zoo")
class CarriedState(Configured):
    """Variables that hold the last states of each stream: neither trained, nor saved, nor counted as weights.

    Explicit, and reset row by row where a document begins: Keras's `stateful=True` can do neither.

    Args:
        streams: Rows of a batch, each of which continues where it ended in the batch before.
        state_sizes: Units of the states, a list by layer.
    """

    def __init__(self, streams: int, state_sizes: list[list[int]], **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "trainable": False})
        self.streams, self.state_sizes = streams, state_sizes

    def build(self, input_shape: Any = None) -> None:
        self.states = [
            [self.add_weight((self.streams, size), "zeros", trainable=False) for size in layer]
            for layer in self.state_sizes
        ]

    def read(self, begins: Any) -> list[list[Any]]:
        """The states that the batch before left, zeros where a row begins anew; `begins` is `(streams,)` bool."""
        keeps = 1 - ops.cast(begins, self.compute_dtype)[:, None]
        return [[ops.cast(state, self.compute_dtype) * keeps for state in layer] for layer in self.states]

    def write(self, states: list[list[Any]]) -> None:
        """Keeps the last states, each `(streams, size)`; no gradient goes back across this border."""
        for stored, new in zip(self.states, states, strict=True):
            for variable, state in zip(stored, new, strict=True):
                variable.assign(ops.cast(ops.stop_gradient(state), variable.dtype))

    def save_own_variables(self, store: Any) -> None:
        """Saves nothing: a model that is loaded begins with no past."""

    def load_own_variables(self, store: Any) -> None:
        """Loads nothing."""
