"""One exported graph, run by LiteRT: batches as one example after the other, shorter inputs padded."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from zoo.errors import UserError

OVER_TIME = ("memory_values", "memory_keys", "memory_mask", "attention", "probabilities", "logits")
"""Outputs with an axis of time, where they have three axes or are about a memory."""


class Graph:
    """A graph that takes and gives arrays in the order of its inputs and outputs, of any batch and length.

    Args:
        content: The flatbuffer.
        facts: What `export.json` says of it.
    """

    def __init__(self, content: bytes, facts: Mapping[str, Any]) -> None:
        self.inputs, self.outputs = facts["inputs"], facts["outputs"]
        self._run = Interpreter(model_content=content).get_signature_runner()
        names = [port["name"] for port in self.inputs]
        self._goes_on = names[:2] == ["tokens", "lengths"]

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Runs the graph once for each row.

        Args:
            *arrays: Its inputs. An input with fewer rows than another is shared by neighboring rows of that one.
        """
        given = [np.asarray(array).astype(port["dtype"]) for port, array in zip(self.inputs, arrays, strict=True)]
        rows = max(map(len, given))
        run = self._read if self._goes_on else self._example
        results = [run([array[row * len(array) // rows][None] for array in given]) for row in range(rows)]
        return [np.concatenate(parts) for parts in zip(*results, strict=True)]

    def _example(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """One example, padded to the length of the graph; what belongs to the padding is cut off again."""
        time = None
        for number, (port, array) in enumerate(zip(self.inputs, arrays, strict=True)):
            missing = [size - there for size, there in zip(port["shape"], array.shape, strict=True)]
            if min(missing, default=0) < 0:
                raise UserError(
                    f"An input {port['name']!r} of this export has the shape {tuple(port['shape'])} at most; got "
                    f"{array.shape}. Export it with a larger --length."
                )
            if any(missing):
                time = array.shape[1]
                arrays[number] = np.pad(array, [(0, more) for more in missing])
        results = self._run(**{port["name"]: array for port, array in zip(self.inputs, arrays, strict=True)})
        return [_cut(port, results[port["name"]], time) for port in self.outputs]

    def _read(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """One text of any length, which goes on from state to state."""
        tokens, lengths, *states = arrays
        step = self.inputs[0]["shape"][1]
        logits: list[np.ndarray] = []
        for start in range(0, tokens.shape[1], step):
            part = tokens[:, start : start + step]
            there = np.clip(lengths - start, 0, step)
            if not there.any() and logits:  # padding keeps the states
                logits.append(np.zeros((1, part.shape[1], logits[0].shape[2]), "float32"))
                continue
            new, *states = self._example([part, there, *states])
            logits.append(new)
        return [np.concatenate(logits, axis=1), *states]


def _cut(port: Mapping[str, Any], array: np.ndarray, time: int | None) -> np.ndarray:
    over_time = port["name"] in OVER_TIME and (array.ndim == 3 or port["name"] not in ("probabilities", "logits"))
    return array[:, :time] if over_time and time is not None else array
