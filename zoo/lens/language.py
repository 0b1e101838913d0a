"""Language models under examination: what they read, and their hidden states along a text."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.builders.language_model import LanguageModel
from zoo.cells.cell import advance, initial_states, state_sizes
from zoo.errors import UserError
from zoo.ids import START
from zoo.lens import nets
from zoo.saved import SavedModel

STREAMS = 16
"""Parts of a text that are read side by side."""

CONTEXT = 256
"""Tokens read again before each part, so that its first states are those of a text that goes on."""


def language_model(saved: SavedModel) -> LanguageModel:
    """The net of a saved model.

    Raises:
        UserError: If it is no language model.
    """
    if not isinstance(saved.net, LanguageModel) or "tokenizer" not in saved.assets:
        raise UserError(
            f"{saved.path.name} is a model for {saved.installed.name}; this needs a language model, such as those of "
            "charlm. `zoo list models` shows them."
        )
    return saved.net


def tokens_of(saved: SavedModel, text: str) -> tuple[list[str], list[int]]:
    """The tokens of a text as they are in it, and their ids.

    Raises:
        UserError: If there is none.
    """
    pieces = saved.assets["tokenizer"].encode_with_offsets(text)
    if not pieces:
        raise UserError("The text is empty: give some characters to read.")
    return [text[start:end] for _, start, end in pieces], [token for token, _, _ in pieces]


class _AllStates(keras.layers.Layer):
    """A cell whose output are all states of another cell, side by side."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell, self.state_size, self.output_size = cell, state_sizes(cell), sum(state_sizes(cell))
        self.built = True

    def call(self, inputs: Any, states: Sequence[Any]) -> tuple[Any, list]:
        _, new = advance(self.cell, inputs, list(states))
        return ops.concatenate(new, axis=-1), new

    def get_initial_state(self, batch_size: Any = None) -> list:
        return initial_states(self.cell, batch_size)


def states_along(saved: SavedModel, ids: Sequence[int]) -> list[np.ndarray]:
    """The states of each layer after each token of a text.

    The text is read in parts side by side, each with some context before it.

    Args:
        saved: A language model.
        ids: The text.

    Returns:
        An array for each layer, `(tokens, size of all states)`.
    """
    model = language_model(saved)
    length = -(-len(ids) // STREAMS)  # tokens of a part
    context = min(CONTEXT, len(ids))
    padded = np.concatenate([np.full(context, START), ids, np.full(STREAMS * length - len(ids), START)])
    rows = np.stack([padded[part * length : part * length + context + length] for part in range(STREAMS)])
    states = []
    for ways in model.recurrent.runs:
        inputs = nets.inputs_of(saved, ways[0], rows)  # (streams, context + length, features)
        layer = keras.layers.RNN(_AllStates(nets.cell_of(ways[0])), return_sequences=True)
        loop = keras.Sequential([keras.Input(inputs.shape[1:]), layer])  # compiled as a whole: thousands of steps
        every = loop.predict_on_batch(inputs)[:, context:]  # (streams, length, size)
        states.append(every.reshape(STREAMS * length, -1)[: len(ids)])
    return states
