"""A decoder's conditional cell with additive attention by compiled kernels; see `kernels.conditional`.

`run` is what a decoder calls, with Keras tensors. `forward` and `backward` are on numpy arrays: they check shapes,
deal out memories to cores and call the kernels.
"""

from typing import Any, NamedTuple

import numpy as np

from zoo.engine import threads
from zoo.engine.arrays import empty, fitted
from zoo.engine.choice import Choice, _not_now, choose, kind_of
from zoo.engine.compiled import SPLIT_WORK, calls, kernels

KIND = "conditional"
"""Name of the kernels' module."""


class Arrays(NamedTuple):
    """What a call reads: numbers that have a gradient, in the order of the operation's inputs."""

    x: Any
    """Products of the inputs of cell 1, `(batch, time, blocks * units)`."""
    h0: Any
    c0: Any
    """First states `(batch, units)`; a GRU's c0 is not read."""
    keys: Any
    values: Any
    """`(memories, positions, size)` and `(memories, positions, features)`; batch is a multiple of memories."""
    recurrent: Any
    bias: Any
    query: Any
    vector: Any
    kernel2: Any
    recurrent2: Any
    bias2: Any
    """Weights of cell 1, attention and cell 2; the biases as kernels add them, `(4 * units,)`."""


def decide(cell: Any, training: bool | None, batch: int | None) -> Choice:
    """Which path runs a conditional cell here and now, and why; see `zoo.engine.choose`."""
    choice = choose(cell, training=training, batch=batch)
    if choice.path == "compiled" and kind_of(cell)[0] not in ("gru", "lstm"):
        return Choice("plain", f"Plain: there is no kernel for a conditional cell of {type(cell).__name__}.")
    reason = _not_now(KIND, training, batch) if choice.path == "compiled" else ""
    return Choice("plain", f"Plain: {reason}.") if reason else choice


def run(
    first: Any, second: Any, attention: Any, projected: Any, states: list, memory: Any, mask: Any | None = None
) -> tuple[Any, Any]:
    """Runs a conditional cell over the steps of a batch.

    Args:
        first: A built GRU or LSTM cell of `zoo.cells`.
        second: A cell of the same kind and size, which reads the context.
        attention: A built `zoo.layers.attention.AdditiveAttention`.
        projected: What `first.project` makes of the inputs, `(batch, time, blocks * units)`.
        states: First states, each `(batch, units)`.
        memory: Values, keys and mask; rows that read one memory stand side by side.
        mask: `(batch, time)`, True = real, padded on the right; padded steps are skipped.

    Returns:
        Outputs `(batch, time, units)` and contexts `(batch, time, features)`, zero at padded steps.
    """
    from keras import ops

    from zoo.engine import _computed
    from zoo.engine.operation import Pair, operation

    kind, dtype = kind_of(first)[0], _computed(projected)
    arrays = Arrays(
        projected, states[0], states[-1], memory.keys, memory.values, first.recurrent_kernel, _state_bias(kind, first),
        attention.query_kernel, ops.reshape(attention.vector, (-1,)), second.kernel, second.recurrent_kernel,
        _whole_bias(kind, second),
    )  # fmt: skip
    tensors = [ops.cast(ops.convert_to_tensor(array), dtype) for array in arrays]
    mask = ops.ones(ops.shape(projected)[:2], "bool") if mask is None else ops.cast(mask, "bool")
    fixed = [ops.cast(memory.mask, "bool"), mask]
    outputs, contexts = operation(Pair(forward, backward, _shapes, 2, 5), tensors, fixed)
    return ops.cast(outputs, projected.dtype), ops.cast(contexts, projected.dtype)


def _state_bias(kind: str | None, cell: Any) -> Any:
    """What is added to the gates of cell 1 beside the projected inputs, which have the bias of the inputs already."""
    from keras import ops

    none = ops.zeros((cell.units,), cell.bias.dtype)
    if kind == "lstm":
        return ops.concatenate([none] * 4)
    of_state = ops.split(cell.bias[1], 3)
    return ops.concatenate([*of_state[:2], none, of_state[2]])


def _whole_bias(kind: str | None, cell: Any) -> Any:
    """All that is added to the gates of cell 2."""
    from keras import ops

    if kind == "lstm":
        return cell.bias
    of_inputs, of_state = ops.split(cell.bias[0], 3), ops.split(cell.bias[1], 3)
    both = [a + b for a, b in zip(of_inputs[:2], of_state[:2], strict=True)]
    return ops.concatenate([*both, of_inputs[2], of_state[2]])


def shapes(arrays: Arrays, positions: Any) -> list[tuple]:
    """Shapes of what `forward` returns: outputs, contexts and what is kept, in the order of the kernels."""
    batch, time, wide = arrays.x.shape
    units, features, size = arrays.recurrent.shape[0], arrays.values.shape[2], arrays.vector.shape[0]
    kept = None if batch is None or time is None else batch * time
    is_lstm, dtype = wide == 4 * units, arrays.x.dtype
    gates, cells = (kept, _gate_width(is_lstm, units, dtype)), (kept if is_lstm else 0, units)
    parts = [gates, gates, (kept, units), (kept, _padded(size, dtype)), (kept, positions), cells, cells]
    return [(batch, time, units), (batch, time, features), *parts]


def _shapes(tensors: list, fixed: list) -> list[tuple]:
    return shapes(Arrays(*tensors), fixed[0].shape[1])


def _padded(columns: int, dtype: Any) -> int:
    """Columns of whole panels."""
    from zoo.engine.kernels.product import VECTOR, WIDE

    panel = WIDE * VECTOR // np.dtype(getattr(dtype, "as_numpy_dtype", dtype)).itemsize
    return -(-columns // panel) * panel


def _gate_width(is_lstm: bool, units: int, dtype: Any) -> int:
    """Columns of a row of gates."""
    return _padded(4 * units, dtype) if is_lstm else 3 * units + _padded(units, dtype)


def forward(*inputs: np.ndarray) -> list[np.ndarray]:
    """Runs a conditional cell.

    Args:
        *inputs: `Arrays`, float32 or float64; which positions of the memories are real, `(memories, positions)`;
            which steps are, `(batch, time)`: those after a row's last real one are skipped.

    Returns:
        Outputs `(batch, time, units)`, contexts `(batch, time, features)`, and what `backward` needs.

    Raises:
        ValueError: If shapes do not fit together.
    """
    arrays, memory, lengths = _checked(inputs)
    made = [empty(shape, arrays.x.dtype) for shape in shapes(arrays, memory[2].shape[1])]
    run = kernels(KIND).forward.load(arrays.x.dtype)
    jobs = []
    for rows, offsets, part in _jobs(arrays, memory[3], lengths):
        kept = tuple(array[part] for array in made[2:])
        jobs.append((*_given(arrays, memory, (rows, lengths, offsets)), tuple(made[:2]), kept))
    threads.run(run, jobs)
    calls["forward"] += 1
    return made


def backward(*inputs: np.ndarray) -> list[np.ndarray]:
    """The gradient of `forward`.

    Args:
        *inputs: Those of `forward`, what it returned, and the derivatives of the loss by outputs and contexts.

    Returns:
        Derivatives by `Arrays`.

    Raises:
        ValueError: If shapes do not fit together.
    """
    given = len(Arrays._fields) + 2
    arrays, memory, lengths = _checked(inputs[:given])
    x, dtype = arrays.x, arrays.x.dtype
    expected = shapes(arrays, memory[2].shape[1])
    made = [fitted(a, s, dtype, "forward pass") for a, s in zip(inputs[given:-2], expected, strict=True)]
    derivatives = tuple(fitted(a, s, dtype, "gradient") for a, s in zip(inputs[-2:], expected, strict=False))
    dx, dinitial, dmemory = empty(x.shape, dtype), _like(arrays[1:3]), _like(arrays[3:5])
    shares, run, jobs = [], kernels(KIND).backward.load(dtype), []
    for rows, offsets, part in _jobs(arrays, memory[3], lengths):
        shares.append(_share(arrays, expected[2][1], expected[5][1]))
        kept = tuple(array[part] for array in made[2:])
        read = (*_given(arrays, memory, (rows, lengths, offsets)), tuple(made[:2]), kept, derivatives)
        jobs.append((*read, dx, dinitial, dmemory, shares[-1]))
    threads.run(run, jobs)
    calls["backward"] += 1
    return [dx, *dinitial, *dmemory, *_total(arrays, shares)]


def _like(arrays: tuple) -> tuple:
    return tuple(empty(array.shape, array.dtype) for array in arrays)


def _checked(inputs: tuple) -> tuple[Arrays, tuple, np.ndarray]:
    """Contiguous arrays of one dtype, the kernels' `memory`, and the length of each row.

    Raises:
        ValueError: If anything does not fit.
    """
    x, keys, values = (np.asarray(inputs[i]) for i in (0, 3, 4))
    real, mask = (np.ascontiguousarray(array, bool) for array in inputs[len(Arrays._fields) :])
    if not x.ndim == keys.ndim == values.ndim == 3 or x.dtype not in (np.float32, np.float64):
        got = f"{x.dtype} {x.shape}, {keys.shape} and {values.shape}"
        raise ValueError(f"A kernel needs float32 or float64 inputs, keys and values of three axes; got {got}.")
    (batch, time, wide), (memories, positions, size), features = x.shape, keys.shape, values.shape[2]
    units = np.shape(inputs[5])[0]
    if wide not in (3 * units, 4 * units) or batch % max(memories, 1) or positions == 0:
        raise ValueError(f"Inputs {x.shape} do not fit {units} units and memories {keys.shape}.")
    expected = Arrays(
        x.shape, (batch, units), (batch, units), keys.shape, (memories, positions, features), (units, wide),
        (4 * units,), (units, size), (size,), (features, wide), (units, wide), (4 * units,),
    )  # fmt: skip
    named = zip(inputs, expected, Arrays._fields, strict=False)
    arrays = Arrays(*(fitted(array, shape, x.dtype, name) for array, shape, name in named))
    real, mask = fitted(real, keys.shape[:2], bool, "memory's mask"), fitted(mask, (batch, time), bool, "mask")
    lengths = (mask * np.arange(1, time + 1)).max(axis=1, initial=0).astype(np.intp)
    return arrays, (arrays.keys, arrays.values, real, batch // max(memories, 1)), lengths


def _given(arrays: Arrays, memory: tuple, order: tuple) -> tuple:
    """What both kernels read."""
    is_lstm = arrays.x.shape[2] == 4 * arrays.recurrent.shape[0]
    return is_lstm, order, arrays.x, tuple(arrays[1:3]), memory, tuple(arrays[5:])


def _jobs(arrays: Arrays, group: int, lengths: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, slice]]:
    """Rows of each job, longest first, their offsets, and their part of what is kept.

    Memories are dealt out like cards, those with most steps first.
    """
    steps = lengths.reshape(-1, group).sum(1)
    weights = sum(array.size for array in arrays[5:])
    chunks = max(1, min(threads.cores(), steps.size)) if 2.0 * lengths.sum() * weights > SPLIT_WORK else 1
    most, jobs, start = np.argsort(-steps, kind="stable"), [], 0
    for chunk in range(chunks):
        rows = (most[chunk::chunks, None] * group + np.arange(group)).reshape(-1)
        rows = np.ascontiguousarray(rows[np.argsort(-lengths[rows], kind="stable")], np.intp)
        running = rows.size - np.cumsum(np.bincount(lengths[rows], minlength=1))[:-1]
        offsets = np.concatenate([[0], np.cumsum(running)]).astype(np.intp)
        jobs.append((rows, offsets, slice(start, start + int(offsets[-1]))))
        start += int(offsets[-1])
    return jobs


def _share(arrays: Arrays, wide: int, size: int) -> tuple:
    """Zeros to which a job adds its gradients of weights."""
    units, features, dtype = arrays.recurrent.shape[0], arrays.values.shape[2], arrays.x.dtype
    columns = [(units, wide), (4 * units,), (units, size), (arrays.vector.size,), (features, wide), (units, wide),
               (4 * units,)]  # fmt: skip
    return tuple(np.zeros(shape, dtype) for shape in columns)


def _total(arrays: Arrays, shares: list[tuple]) -> list[np.ndarray]:
    """The sum over jobs, columns as in the weights."""
    units, wide = arrays.recurrent.shape
    for share in shares[1:]:
        for total, array in zip(shares[0], share, strict=True):
            total += array
    recurrent, bias, query, vector, kernel2, recurrent2, bias2 = shares[0]
    if wide == 3 * units:
        recurrent, recurrent2 = (
            np.delete(a[:, : 4 * units], slice(2 * units, 3 * units), 1) for a in (recurrent, recurrent2)
        )
    parts = [recurrent[:, :wide], bias, query[:, : arrays.vector.size], vector, kernel2[:, :wide], recurrent2[:, :wide],
             bias2]  # fmt: skip
    return [np.ascontiguousarray(part) for part in parts]
