"""One exported graph, run by ONNX Runtime."""

import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from zoo.errors import UserError
from zoo.workers.processes import cores

SEVERE = 3
"""Of onnxruntime's log levels: errors. Its warnings are about graphs, which are made here."""


FEWEST_ROWS = 8
"""Of a part of a batch that is answered by a core of its own: products of fewer rows use a core badly."""


class Session:
    """A graph that takes and gives arrays in the order of its inputs and outputs.

    The file comes as bytes: it cannot refer to other files. No custom operators are registered.

    Args:
        file: The ONNX file.
        facts: What `export.json` says of it.
        by_rows: Whether cores share the rows of a batch instead of each product. Then a loop over time, or many small
            steps, do not wait at each product for the other cores; one row, such as a picture, has one core.

    Raises:
        UserError: If ONNX Runtime cannot load it, or its inputs and outputs are others.
    """

    def __init__(self, file: Path, facts: Mapping[str, Any], by_rows: bool = False) -> None:
        self.file, self.inputs, self.outputs = file, facts["inputs"], facts["outputs"]
        options = onnxruntime.SessionOptions()
        options.log_severity_level = SEVERE
        self._cores = cores() if by_rows else 1
        if by_rows:
            options.intra_op_num_threads = 1
        # Threads that wait for the next step would take the processor from the search between two steps.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a dozen of its own, all of them Exceptions
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise UserError(f"{file} cannot be loaded by ONNX Runtime {onnxruntime.__version__}: {reason}") from error
        self._check([item.name for item in self._session.get_inputs()], self.inputs)
        self._names = [port["name"] for port in self.outputs]
        self._check([item.name for item in self._session.get_outputs()], self.outputs)

    def _check(self, found: list[str], ports: Any) -> None:
        named = [port["name"] for port in ports]
        if found != named:
            raise UserError(f"{self.file} has {', '.join(found)}; export.json names {', '.join(named)}.")

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Runs the graph once.

        Args:
            *arrays: Its inputs; numbers are cast to the dtypes that it takes.

        Raises:
            UserError: If there are more or fewer, or one has another shape.
        """
        if len(arrays) != len(self.inputs):
            raise UserError(f"{self.file.name} takes {len(self.inputs)} inputs; got {len(arrays)}.")
        given = {}
        for port, array in zip(self.inputs, arrays, strict=True):
            array = np.asarray(array)
            shape = port["shape"]
            if array.ndim != len(shape) or any(
                isinstance(size, int) and size != there for size, there in zip(shape, array.shape, strict=True)
            ):
                raise UserError(
                    f"The input {port['name']!r} of {self.file.name} has the shape ({', '.join(map(str, shape))}); "
                    f"got {array.shape}."
                )
            given[port["name"]] = array.astype(port["dtype"], copy=False)
        return self._answers(given)

    def _answers(self, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The outputs; cores share the rows, or the examples where some inputs have several rows of each."""
        rows = list(map(len, given.values()))
        count = min(self._cores, min(rows), max(rows) // FEWEST_ROWS)
        if count < 2:
            return self._session.run(self._names, given)
        ends = [min(rows) * part // count for part in range(1, count)]
        split = [np.split(array, [end * len(array) // min(rows) for end in ends]) for array in given.values()]
        parts = [dict(zip(given, arrays, strict=True)) for arrays in zip(*split, strict=True)]
        results = self._pool.map(lambda part: self._session.run(self._names, part), parts)
        return [np.concatenate(arrays) for arrays in zip(*results, strict=True)]

    @functools.cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._cores)
