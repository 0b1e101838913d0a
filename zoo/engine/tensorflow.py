"""Kernels on TensorFlow: operations with a hand-written gradient, and where they must not be used.

A kernel is a `tf.numpy_function`, which hands its tensors over without copying them. Such an operation lives in this
process: it cannot be stored, compiled by XLA, put on a GPU or spread over replicas. `refusal` finds these cases while
a graph is traced.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import control_flow_util
from tensorflow.python.saved_model import save_context

from zoo.engine import compiled, maximum, recurrence
from zoo.errors import UserError

TRAINER = ("one_step_on_data", "one_step_on_iterator", "multi_step_on_iterator", "one_step_on_data_distributed",
           "multi_step_on_data")  # fmt: skip
"""Functions in which `fit`, `evaluate` and `predict` trace a model. Nobody exports those: any other graph without
`training=True` may be on its way to a file."""


def gpu_path(kind: str) -> str:
    """The path of a kind of cell on a GPU: Keras calls cuDNN for LSTM and GRU."""
    return "fused"


def device() -> str:
    """ "gpu" if TensorFlow sees one, else "cpu"."""
    return "gpu" if tf.config.list_logical_devices("GPU") else "cpu"


def device_name() -> str | None:
    """Name of the first GPU, or None."""
    found = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU") if found else None


def devices() -> list[str]:
    """The GPUs of this machine as TensorFlow calls them, or its CPUs if there are none."""
    return [each.name for each in tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")]


def mirrored(names: list[str]) -> Any:
    """The strategy by which devices share each batch."""
    return tf.distribute.MirroredStrategy(names)


def refusal(training: bool) -> str | None:
    """Why kernels cannot be used where the caller is being traced or run; None if they can."""
    if tf.distribute.has_strategy() and tf.distribute.get_strategy().num_replicas_in_sync > 1:
        return "training is distributed over several replicas"
    if tf.executing_eagerly():
        return None
    graph = tf.compat.v1.get_default_graph()
    if save_context.in_save_context():
        return "this graph is being saved"
    if control_flow_util.GraphOrParentsInXlaContext(graph):
        return "this graph is compiled by XLA"
    if not training and not _of_trainer(graph):
        return "this graph may be exported"
    return None


def take_rows(table: Any, index: Any) -> Any:
    """See `zoo.engine.take_rows`."""
    return tf.gather(table, index)


def adam(
    variable: Any, momentum: Any, velocity: Any, gradient: Any, rate: Any, betas: tuple[float, float], epsilon: float,
    step: Any,
) -> bool:  # fmt: skip
    """See `zoo.engine.adam`."""
    if isinstance(gradient, tf.IndexedSlices):  # Keras adds the squares of equal rows, not their square
        return False
    if refusal(training=True) or device() == "gpu":
        return False
    variable, momentum, velocity = (
        each if isinstance(each, tf.Variable) else each.value for each in (variable, momentum, velocity)
    )
    dtype = variable.dtype
    if dtype not in (tf.float32, tf.float64):
        return False
    first, second = (tf.cast(beta, dtype) for beta in betas)
    step = tf.cast(step, dtype)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle, m=momentum.handle, v=velocity.handle,
        beta1_power=first**step, beta2_power=second**step, lr=tf.cast(rate, dtype), beta1=first, beta2=second,
        epsilon=tf.cast(epsilon, dtype), grad=tf.cast(gradient, dtype),
    )  # fmt: skip
    return True


def concrete() -> bool:
    """Whether operations run at once."""
    return tf.executing_eagerly()


def _of_trainer(graph: Any) -> bool:
    while graph is not None:
        if getattr(graph, "name", "") in TRAINER:
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def _call(function: Callable, inputs: list, types: list) -> list:
    """A numpy function as an operation. The result is always a list, also of one tensor."""
    out = tf.numpy_function(function, inputs, types, stateful=False)
    return list(out) if isinstance(out, (list, tuple)) else [out]


def _once(function: Callable) -> Callable:
    """A gradient that has no gradient itself and says so; TensorFlow would go on with zeros."""

    @tf.custom_gradient
    def first(*inputs: Any) -> Any:
        def second(*_: Any, **__: Any) -> Any:
            raise UserError(
                "Compiled recurrent layers have no second derivative; set ZOO_ENGINE=plain in the environment."
            )

        return tuple(function(*inputs)), second

    return first


def run(
    kind: str, inputs: Any, mask: Any, weights: list, initial: list, reverse: tuple[bool, ...], keep: bool
) -> tuple[Any, list]:
    """`compiled.forward` and its gradient on tensors: outputs and final states by direction."""
    directions, states = len(reverse), compiled.KINDS[kind][1]
    dtype = inputs.dtype
    masks = [] if mask is None else [tf.cast(mask, tf.bool)]
    finals = directions * states

    def unpack(arrays: tuple) -> tuple[compiled.Arguments, list]:
        """Numpy inputs -> the arguments that `compiled.forward` and `compiled.backward` share."""
        rest = list(arrays)
        x, m = rest.pop(0), rest.pop(0) if masks else None
        w = [compiled.Weights(*rest[3 * d : 3 * d + 3]) for d in range(directions)]
        rest = rest[3 * directions :]
        return (kind, x, m, w, _grouped(rest[:finals], states), reverse), rest[finals:]

    def forward(*arrays: Any) -> list:
        arguments, _ = unpack(arrays)
        outputs, last, saved = compiled.forward(*arguments, keep=keep)
        return [outputs, *(state for each in last for state in each), *saved.arrays()]

    def backward(*arrays: Any) -> list:
        arguments, rest = unpack(arrays)
        outputs, saved = rest[0], compiled.Saved(rest[1 : 1 + directions], rest[1 + directions : 1 + 2 * directions])
        gradient, ends = rest[1 + 2 * directions], rest[2 + 2 * directions :]
        dx, dw, ds = compiled.backward(*arguments, outputs, saved, gradient, _grouped(ends, states))
        return [dx, *(array for each in dw for array in each), *(state for each in ds for state in each)]

    @tf.custom_gradient
    def operation(x: Any, *parameters: Any) -> Any:
        arguments = [x, *masks, *parameters]
        results = _call(forward, arguments, [dtype] * (1 + finals + 2 * directions))
        outputs, last, saved = results[0], results[1 : 1 + finals], results[1 + finals :]
        units = compiled.units_of(kind, parameters[0])
        outputs.set_shape((*x.shape[:2], directions * units))
        for state in last:
            state.set_shape((x.shape[0], units))

        def gradient(*derivatives: Any) -> tuple:
            def call(*tensors: Any) -> list:
                out = _call(backward, list(tensors), [dtype] * (1 + len(parameters)))
                for tensor, like in zip(out, (x, *parameters), strict=True):
                    tensor.set_shape(like.shape)
                return out

            return tuple(_once(call)(*arguments, outputs, *saved, *derivatives))

        return (outputs, *last), gradient

    flat = [tensor for each in weights for tensor in each] + [state for each in initial for state in each]
    results = operation(inputs, *flat)
    return results[0], _grouped(list(results[1:]), states)


def linear(a: Any, b: Any, h0: Any, mask: Any, reverse: bool) -> tuple[Any, Any]:
    """`recurrence.forward` and its gradient on tensors."""
    dtype = b.dtype
    masks = [] if mask is None else [tf.cast(mask, tf.bool)]

    def forward(a: Any, b: Any, h0: Any, *m: Any) -> list:
        return list(recurrence.forward(a, b, h0, m[0] if m else None, reverse))

    def backward(a: Any, h0: Any, y: Any, dy: Any, dhn: Any, *m: Any) -> list:
        return list(recurrence.backward(a, h0, m[0] if m else None, reverse, y, dy, dhn))

    @tf.custom_gradient
    def operation(a: Any, b: Any, h0: Any) -> Any:
        y, hn = _call(forward, [a, b, h0, *masks], [dtype, dtype])
        y.set_shape(b.shape)
        hn.set_shape(h0.shape)

        def gradient(dy: Any, dhn: Any) -> tuple:
            def call(*tensors: Any) -> list:
                out = _call(backward, list(tensors), [dtype] * 3)
                for tensor, like in zip(out, (a, b, h0), strict=True):
                    tensor.set_shape(like.shape)
                return out

            return tuple(_once(call)(a, h0, y, dy, dhn, *masks))

        return (y, hn), gradient

    return operation(a, b, h0)


def max_over_time(x: Any, mask: Any) -> Any:
    """`maximum.forward` and its gradient on tensors."""
    masks = [] if mask is None else [tf.cast(mask, tf.bool)]

    @tf.custom_gradient
    def operation(x: Any) -> Any:
        y, index = _call(lambda x, *m: list(maximum.forward(x, m[0] if m else None)), [x, *masks], [x.dtype, tf.int32])
        y.set_shape((x.shape[0], x.shape[2]))
        time = tf.shape(x)[1]

        def gradient(dy: Any) -> Any:
            def call(index: Any, dy: Any, time: Any) -> list:
                (dx,) = _call(lambda *arrays: [maximum.backward(*arrays)], [index, dy, time], [dy.dtype])
                dx.set_shape(x.shape)
                return [dx]

            return _once(call)(index, dy, time)[0]

        return y, gradient

    return operation(x)


def _grouped(flat: list, size: int) -> list[list]:
    return [flat[i : i + size] for i in range(0, len(flat), size)]
