"""Runs cells over time by the fastest path there is: `run`, `run_bidirectional`, `linear_recurrence`.

`choose` says which path that is and why; `PATHS` lists them. All paths give the same numbers: `kernels` has the
compiled loops and their equations, `compiled` and `recurrence` call them on numpy arrays, `tensorflow` and `jax` bring
them to the backends, `plain` is the loop that any cell and any place can use.

The environment variable `ZOO_ENGINE=plain` turns compiled kernels off. Importing this package imports neither a
backend nor numba.
"""

from typing import Any

from zoo.engine.available import prepare
from zoo.engine.choice import PATHS, Choice, choose, has_kernel, kind_of, outlook, plain_only

__all__ = [
    "PATHS",
    "Choice",
    "adam",
    "choose",
    "gpu",
    "gradient",
    "has_kernel",
    "kind_of",
    "linear_recurrence",
    "max_over_time",
    "outlook",
    "plain_only",
    "prepare",
    "run",
    "run_bidirectional",
    "take_rows",
]


def run(
    cell: Any,
    inputs: Any,
    mask: Any | None = None,
    initial_state: list | None = None,
    reverse: bool = False,
    training: bool | None = None,
    choice: Choice | None = None,
) -> tuple[Any, list]:
    """Runs a cell over the steps of a batch.

    Args:
        cell: A built cell of `zoo.cells` or any Keras cell. One with a `sequence` method and no kernel runs by it: see
            `zoo.cells.linear_cell.LinearCell.sequence`.
        inputs: `(batch, time, features)`.
        mask: `(batch, time)`, True = real; padded steps are skipped. Best padded on the right; other forms cost a copy.
        initial_state: States before the first step, each `(batch, units)`; default zeros.
        reverse: Read each row from its last real step to its first; outputs stand at the steps they belong to.
        training: Whether gradients are asked for. Without it they can be had too, at the price of a second pass.
        choice: A path from `choose`; default the one that it names.

    Returns:
        Outputs `(batch, time, units)`, zero at padded steps, and the final states, a list of `(batch, units)`.
    """
    choice = choice or choose(cell, training=training, batch=inputs.shape[0])
    if not has_kernel(cell, choice):
        if hasattr(cell, "sequence"):
            return cell.sequence(inputs, mask, initial_state, reverse, training=training, choice=choice)
        from zoo.engine import plain

        return plain.run(cell, inputs, mask, initial_state, reverse, training)
    outputs, (states,) = _compiled([cell], inputs, mask, [initial_state], (reverse,), training)
    return outputs, states


def run_bidirectional(
    forward_cell: Any,
    backward_cell: Any,
    inputs: Any,
    mask: Any | None = None,
    training: bool | None = None,
    choice: Choice | None = None,
) -> tuple[Any, list[list]]:
    """Runs two cells of one kind and size over a batch, one each way, side by side.

    Args:
        forward_cell: Reads from the first step to the last.
        backward_cell: Reads each row from its last real step to its first.
        inputs: `(batch, time, features)`.
        mask: `(batch, time)`, True = real.
        training: See `run`.
        choice: See `run`.

    Returns:
        Outputs `(batch, time, 2 * units)`, zero at padded steps, and the final states of both: a list of two lists.
    """
    choice = choice or choose(forward_cell, training=training, batch=inputs.shape[0])
    if not has_kernel(forward_cell, choice) or forward_cell.units != backward_cell.units:
        from keras import ops

        pair = [
            run(cell, inputs, mask, None, reverse, training, choice)
            for cell, reverse in ((forward_cell, False), (backward_cell, True))
        ]
        return ops.concatenate([outputs for outputs, _ in pair], axis=-1), [states for _, states in pair]
    return _compiled([forward_cell, backward_cell], inputs, mask, [None, None], (False, True), training)


def linear_recurrence(
    a: Any,
    b: Any,
    initial_state: Any | None = None,
    mask: Any | None = None,
    reverse: bool = False,
    training: bool | None = None,
    choice: Choice | None = None,
) -> tuple[Any, Any]:
    """h_t = a_t * h_{t-1} + b_t, each channel by itself; real or complex numbers.

    Args:
        a: Factors `(batch, time, channels)`.
        b: What is added, like `a`.
        initial_state: h_0 `(batch, channels)`; default zeros.
        mask: `(batch, time)`, True = real; the state stays at other steps.
        reverse: Run from the last real step to the first.
        training: See `run`.
        choice: See `run`.

    Returns:
        All h_t `(batch, time, channels)`, zero at padded steps, and the last one `(batch, channels)`.
    """
    from keras import ops

    from zoo.engine import plain
    from zoo.engine.choice import backend_module

    choice = choice or choose("linear", training=training, batch=b.shape[0])
    dtype = _computed(b)
    a, b, before = ops.cast(a, dtype), ops.cast(b, dtype), b.dtype
    h0 = ops.zeros_like(b[:, 0]) if initial_state is None else ops.cast(initial_state, dtype)
    entry = backend_module()
    step = {
        "compiled": getattr(entry, "linear", None),
        "associative": getattr(entry, "associative", plain.associative),
    }.get(choice.path)
    outputs, last = (step or plain.linear)(a, b, h0, mask, reverse)
    return ops.cast(outputs, before), ops.cast(last, before)


def _compiled(
    cells: list, inputs: Any, mask: Any, initial: list, reverse: tuple[bool, ...], training: bool | None
) -> tuple[Any, list[list]]:
    """The compiled path: everything as tensors of the dtype that is computed in, results in that of the inputs."""
    from keras import ops

    from zoo.engine.choice import backend_module
    from zoo.engine.compiled import KINDS

    kind, _ = kind_of(cells[0])
    entry, dtype = backend_module(), _computed(inputs)
    assert kind is not None
    assert entry is not None
    weights, states = [], []
    for cell, begin in zip(cells, initial, strict=True):
        blocks, _ = KINDS[kind]
        no_bias = ops.zeros((2, blocks * cell.units) if kind == "gru" else (blocks * cell.units,), dtype)
        no_matrix = ops.zeros((0, blocks * cell.units), dtype)  # of a cell whose gates do not see the state
        recurrent = getattr(cell, "recurrent_kernel", no_matrix)
        parameters = (cell.kernel, recurrent, no_bias if cell.bias is None else cell.bias)
        weights.append([ops.cast(ops.convert_to_tensor(parameter), dtype) for parameter in parameters])
        zeros = [None] * KINDS[kind][1] if begin is None else begin
        shape = (ops.shape(inputs)[0], cell.units)
        states.append([ops.zeros(shape, dtype) if state is None else ops.cast(state, dtype) for state in zeros])
    outputs, finals = entry.run(kind, ops.cast(inputs, dtype), mask, weights, states, reverse, bool(training))
    back = inputs.dtype
    return ops.cast(outputs, back), [[ops.cast(state, back) for state in each] for each in finals]


def _computed(array: Any) -> str:
    """The dtype to compute in: half precision has no kernels and is computed in single."""
    import keras

    name = keras.backend.standardize_dtype(array.dtype)
    return name if name in ("float32", "float64", "complex64", "complex128") else "float32"


def max_over_time(sequence: Any, mask: Any | None = None, training: bool | None = None) -> Any:
    """The largest value of each feature over the real steps of each row.

    Args:
        sequence: `(batch, time, features)`.
        mask: `(batch, time)`, True = real.
        training: Whether gradients are asked for: then a kernel may be used, whose gradient goes to the first of
            several equal values.

    Returns:
        `(batch, features)`; a row without real steps has finite numbers that mean nothing.
    """
    from keras import ops

    from zoo.engine.choice import backend_module

    kernel = getattr(backend_module(), "max_over_time", None) if training else None
    if kernel and _computed(sequence) == sequence.dtype and choose("maximum", training=True).path == "compiled":
        return kernel(sequence, mask)
    if mask is not None:
        # A number below all others that is finite in every float format, so that it never becomes NaN.
        lowest = ops.cast(-6e4, sequence.dtype)
        sequence = ops.where(ops.cast(mask, "bool")[:, :, None], sequence, lowest)
    return ops.max(sequence, axis=1)


def adam(
    variable: Any, momentum: Any, velocity: Any, gradient: Any, rate: Any, betas: tuple[float, float], epsilon: float,
    step: Any,
) -> bool:  # fmt: skip
    """Adam's update (Kingma and Ba 2015, algorithm 1 in the form before section 2.1) in one pass over the numbers.

    Keras's optimizer needs about ten operations for it, each a pass over arrays of the size of the weights.

    Args:
        variable: Keras variable to update.
        momentum: Keras variable with the first moment.
        velocity: Keras variable with the second moment.
        gradient: Like `variable`.
        rate: Learning rate.
        betas: Decay of both moments.
        epsilon: Added to the root of the second moment.
        step: Number of this update, from 1 on.

    Returns:
        Whether it was done: only TensorFlow on CPUs has such an operation, and not for slices of a variable.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return False
    from zoo.engine import tensorflow

    return tensorflow.adam(variable, momentum, velocity, gradient, rate, betas, epsilon, step)


def gpu() -> str | None:
    """Name of the GPU on which Keras's backend computes, or None."""
    from zoo.engine.choice import backend_module

    entry = backend_module()
    return entry.device_name() if entry else None


def gradient(function: Any, point: Any, variables: Any = ()) -> Any:
    """The gradient of a function of tensors that returns a scalar; see `zoo.engine.autodiff.gradient`."""
    from zoo.engine import autodiff

    return autodiff.gradient(function, point, variables)


def take_rows(table: Any, index: Any) -> Any:
    """`table[index]` for indices that are known to be inside: `keras.ops.take` spends six operations on negative ones.

    Args:
        table: `(n, ...)`.
        index: Integers from 0 to n - 1, of any shape.

    Returns:
        `(*index shape, ...)`.
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        from zoo.engine import tensorflow

        return tensorflow.take_rows(table, index)
    return keras.ops.take(table, index, axis=0)
