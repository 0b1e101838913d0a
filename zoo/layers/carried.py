"""The states that a training carries from one chunk of its streams to the next."""

from typing import Any

import keras
from keras import ops


class Carried(keras.layers.Layer):
    """Variables that hold the last states of each stream: neither trained, nor saved, nor counted as weights.

    Explicit, and reset row by row where a document begins: Keras's `stateful=True` can do neither.

    Args:
        streams: Rows of a batch, each of which goes on where it ended in the batch before.
        sizes: Units of the states, a list by layer.
    """

    def __init__(self, streams: int, sizes: list[list[int]], **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.streams, self.sizes = streams, sizes

    def build(self, input_shape: Any = None) -> None:
        self.states = [
            [self.add_weight((self.streams, size), "zeros", trainable=False) for size in layer] for layer in self.sizes
        ]

    def read(self, begins: Any) -> list[list[Any]]:
        """The states as the batch before left them, zeros where a row begins anew; `begins` is `(streams,)` bool."""
        stays = 1 - ops.cast(begins, self.compute_dtype)[:, None]
        return [[ops.cast(state, self.compute_dtype) * stays for state in layer] for layer in self.states]

    def write(self, states: list[list[Any]]) -> None:
        """Keeps the last states, each `(streams, size)`; no gradient goes back across this border."""
        for kept, new in zip(self.states, states, strict=True):
            for variable, state in zip(kept, new, strict=True):
                variable.assign(ops.cast(ops.stop_gradient(state), variable.dtype))

    def save_own_variables(self, store: Any) -> None:
        """Saves nothing: a model that is loaded begins with no past."""

    def load_own_variables(self, store: Any) -> None:
        """Loads nothing."""
