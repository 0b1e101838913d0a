"""From what an encoder has read to the first states of a decoder, whatever cells the two have."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.serialization import Configured


@keras.saving.register_keras_serializable("zoo")
class Bridge(Configured):
    """One vector per sequence -> every state of every decoder layer, each by a projection and a tanh of its own.

    Source: Bahdanau, Cho and Bengio (2015), section A.2.2: s_0 = tanh(W_s h_1); here for any number of states, so
    that cell, number of layers, direction and size of the two sides need not agree.

    Args:
        state_sizes: Units of the decoder's states: a list by layer of lists by state.
    """

    def __init__(self, state_sizes: Sequence[Sequence[int]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state_sizes = [list(layer) for layer in state_sizes]
        self.projection = keras.layers.Dense(
            sum(map(sum, self.state_sizes)), activation="tanh", dtype=self.dtype_policy, name="projection"
        )

    def build(self, input_shape: tuple) -> None:
        self.projection.build(input_shape)

    def call(self, summary: Any) -> list[list]:
        """Summary `(batch, features)` -> a list by layer of lists of `(batch, units)`."""
        states = self.projection(summary)
        result: list[list] = []
        begin = 0
        for layer in self.state_sizes:
            result.append([])
            for size in layer:
                result[-1].append(states[:, begin : begin + size])
                begin += size
        return result

    def compute_output_shape(self, input_shape: tuple) -> list[list[tuple]]:
        return [[(input_shape[0], size) for size in layer] for layer in self.state_sizes]


def concatenated(states: Sequence[Sequence[Any]]) -> Any:
    """Final states of all layers, as `Recurrent` returns them, side by side: `(batch, features)`."""
    return ops.concatenate([state for layer in states for state in layer], axis=-1)
