"""Kernels on JAX: callbacks with a hand-written gradient, and where they must not be used."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import keras
import numpy as np
from jax import numpy as jnp
from jax.flatten_util import ravel_pytree

from zoo.engine import compiled, plain, recurrence, scanned
from zoo.engine.saved_activations import SavedActivations

SAVED = SavedActivations()
"""What forward passes keep for their gradients."""
SCAN_ROWS = 1024
"""Rows, batch times steps, up to which a loop in JAX is faster than a callback, which costs about a millisecond.

Whole training steps, LSTM and GRU, milliseconds by loop and by callback: batch 8, 24 steps, 256 units 3.6 and 5.9, 4.0
and 5.6; 8, 50, 128 2.6 and 3.1, 1.7 and 2.3; 16, 50, 128 3.6 and 4.0, 3.1 and 3.4; but 64, 24, 256 21.9 and 18.8, 17.0
and 16.4; 64, 200, 128 84 and 42, 106 and 23.
"""


def scans(kind: str, shape: tuple) -> bool:
    """Whether a loop in JAX with a hand-written gradient runs a kind of cell over inputs of a shape."""
    return kind in scanned.KINDS and shape[0] * shape[1] <= SCAN_ROWS


def gpu_path(kind: str) -> str:
    """The path of a kind of cell on a GPU.

    JAX has cuDNN's LSTM, without masks, and no GRU. The loop beats both it and PyTorch's cuDNN: batch 256, 256 steps,
    256 features and 512 units, forward and backward on an H200: LSTM 9.4 ms, 12.4 and 13.4; GRU 9.7 ms, PyTorch 13.4.
    """
    return "scanned" if kind in scanned.KINDS else "fused"


def device() -> str:
    """ "gpu" for any accelerator, else "cpu"."""
    return "cpu" if jax.default_backend() == "cpu" else "gpu"


def device_name() -> str | None:
    """Name of the first accelerator, or None."""
    return None if device() == "cpu" else str(jax.devices()[0].device_kind)


def refusal(training: bool) -> str | None:
    """Why kernels cannot be used where the caller is being traced or run; None if they can."""
    if not training and keras.distribution.distribution() is not None:
        return "only training is spread over several devices"
    if not training and not concrete():
        return "this function may be exported"
    return None


def sharded(function: Callable, batched: Sequence[bool], rows: int) -> Callable:
    """A function of arrays that each device runs on its rows of the batch; the same function without a distribution.

    A callback is a black box to XLA, which would give every device the whole batch. The gradients of arrays that all
    devices share are summed over devices, in one vector: on a CPU the sum of each array has a price of its own.

    Args:
        function: Its results have the batch first.
        batched: Of each argument, whether it has the batch first; the others are the same on all devices.
        rows: Rows of the batch. Keras finds shapes with numbers that do not divide: those calls compute nothing.
    """
    distribution = keras.distribution.distribution()
    if distribution is None or rows % distribution.num_model_replicas:
        return function
    split, whole = (jax.sharding.PartitionSpec(*axes) for axes in ((distribution.batch_dim_name,), ()))

    def call(*arrays: Any) -> Any:
        mine, shared = ([a for a, b in zip(arrays, batched, strict=True) if b is each] for each in (True, False))
        flat, restored = ravel_pytree(shared)

        def own(flat: Any, *divided: Any) -> Any:
            parts = {True: iter(divided), False: iter(restored(flat))}
            return function(*(next(parts[each]) for each in batched))

        mesh = distribution.device_mesh.backend_mesh
        specs = (whole, *[split] * len(mine))
        return jax.shard_map(own, mesh=mesh, in_specs=specs, out_specs=split, check_vma=False)(flat, *mine)

    return call


def concrete() -> bool:
    """Whether operations run at once."""
    return not isinstance(jnp.zeros(()), jax.core.Tracer)


def _unpack(kind: str, reverse: tuple, masked: bool, arrays: tuple) -> tuple[compiled.Arguments, list]:
    """Flat arrays -> the arguments that `compiled.forward` and `compiled.backward` share, and what is left."""
    directions, states = len(reverse), compiled.KINDS[kind][1]
    rest = [np.asarray(array) for array in arrays]
    x, mask = rest.pop(0), rest.pop(0) if masked else None
    weights = [compiled.Weights(*rest[3 * d : 3 * d + 3]) for d in range(directions)]
    rest = rest[3 * directions :]
    return (kind, x, mask, weights, _grouped(rest[: directions * states], states), reverse), rest[directions * states :]


def _forward(kind: str, reverse: tuple, masked: bool, keep: bool, *arrays: Any) -> tuple:
    arguments, _ = _unpack(kind, reverse, masked, arrays)
    outputs, last, saved = compiled.forward(*arguments, keep=keep)
    number = np.int32(SAVED.put(saved) if keep else 0)
    return (outputs, *(state for each in last for state in each), number)


def _backward(kind: str, reverse: tuple, masked: bool, *arrays: Any) -> tuple:
    arguments, rest = _unpack(kind, reverse, masked, arrays)
    outputs, number, gradient, *ends = rest
    saved = SAVED.take(int(number)) or compiled.nothing_saved(kind, arguments[3], outputs.dtype)
    dx, dw, ds = compiled.backward(*arguments, outputs, saved, gradient, _grouped(ends, compiled.KINDS[kind][1]))
    return (dx, *(array for each in dw for array in each), *(state for each in ds for state in each))


def _shapes(arrays: Any) -> tuple:
    return tuple(jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2, 3))
def _operation(kind: str, reverse: tuple, masked: bool, keep: bool, *arrays: Any) -> tuple:
    return _operation_forward(kind, reverse, masked, False, *arrays)[0]


def _operation_forward(kind: str, reverse: tuple, masked: bool, keep: bool, *arrays: Any) -> tuple:
    x, kernel = arrays[0], arrays[1 + masked]
    directions, states, units = len(reverse), compiled.KINDS[kind][1], compiled.units_of(kind, kernel)
    batch, time = x.shape[:2]
    shapes = [(batch, time, directions * units), *[(batch, units)] * (directions * states)]
    number = jax.ShapeDtypeStruct((), np.int32)
    results = jax.pure_callback(
        partial(_forward, kind, reverse, masked, keep),
        (*(jax.ShapeDtypeStruct(shape, x.dtype) for shape in shapes), number),
        *arrays,
        vmap_method="sequential",
    )
    return results[:-1], (arrays, results[0], results[-1])


def _operation_backward(kind: str, reverse: tuple, masked: bool, keep: bool, kept: tuple, derivatives: tuple) -> tuple:
    arrays, outputs, number = kept
    given = [array for i, array in enumerate(arrays) if not (masked and i == 1)]
    gradients = jax.pure_callback(
        partial(_backward, kind, reverse, masked),
        _shapes(given),
        *arrays,
        outputs,
        number,
        *derivatives,
        vmap_method="sequential",
    )
    if masked:
        return (gradients[0], np.zeros(arrays[1].shape, jax.dtypes.float0), *gradients[1:])
    return tuple(gradients)


_operation.defvjp(_operation_forward, _operation_backward)


def run(
    kind: str, inputs: Any, mask: Any, weights: list, initial: list, reverse: tuple[bool, ...], keep: bool
) -> tuple[Any, list]:
    """`compiled.forward` and its gradient on arrays: outputs and final states by direction."""
    masks = [] if mask is None else [jnp.asarray(mask, bool)]
    flat = [array for each in weights for array in each] + [state for each in initial for state in each]
    batched = [True] * (1 + len(masks)) + [False] * (3 * len(weights)) + [True] * (len(flat) - 3 * len(weights))
    rows = partial(_run, kind, reverse, bool(masks), keep)
    outputs, *last = sharded(rows, batched, inputs.shape[0])(inputs, *masks, *flat)
    return outputs, _grouped(last, compiled.KINDS[kind][1])


def _run(kind: str, reverse: tuple[bool, ...], masked: bool, keep: bool, *arrays: Any) -> tuple:
    """`run` on flat arrays: inputs, mask if there is one, weights and states of all directions."""
    if device() == "cpu" and not (keep and scans(kind, arrays[0].shape)):
        return _operation(kind, tuple(reverse), masked, keep, *arrays)
    mask, rest = arrays[1] if masked else None, arrays[1 + masked :]
    weights, states = _grouped(rest[: 3 * len(reverse)], 3), _grouped(rest[3 * len(reverse) :], compiled.KINDS[kind][1])
    parts = [scanned.run(kind, arrays[0], mask, *each) for each in zip(weights, states, reverse, strict=True)]
    outputs = [part for part, _ in parts]
    whole = outputs[0] if len(parts) == 1 else jnp.concatenate(outputs, axis=-1)
    return whole, *(state for _, last in parts for state in last)


def _linear_forward(reverse: bool, a: Any, b: Any, h0: Any, *mask: Any) -> tuple:
    a, b, h0 = (np.asarray(array) for array in (a, b, h0))
    return recurrence.forward(a, b, h0, np.asarray(mask[0]) if mask else None, reverse)


def _linear_backward(reverse: bool, a: Any, h0: Any, y: Any, dy: Any, dhn: Any, *mask: Any) -> tuple:
    # JAX's derivatives of complex numbers are not conjugated, the kernel's are.
    a, h0, y, dy, dhn = (np.asarray(array) for array in (a, h0, y, dy, dhn))
    out = recurrence.backward(a, h0, np.asarray(mask[0]) if mask else None, reverse, y, dy.conj(), dhn.conj())
    return tuple(np.conj(array) for array in out)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _linear(reverse: bool, a: Any, b: Any, h0: Any, *mask: Any) -> tuple:
    return jax.pure_callback(
        partial(_linear_forward, reverse), _shapes((b, h0)), a, b, h0, *mask, vmap_method="sequential"
    )


def _linear_vjp_forward(reverse: bool, a: Any, b: Any, h0: Any, *mask: Any) -> tuple:
    y, hn = _linear(reverse, a, b, h0, *mask)
    return (y, hn), (a, h0, y, mask)


def _linear_vjp_backward(reverse: bool, kept: tuple, derivatives: tuple) -> tuple:
    a, h0, y, mask = kept
    gradients = jax.pure_callback(
        partial(_linear_backward, reverse), _shapes((a, a, h0)), a, h0, y, *derivatives, *mask, vmap_method="sequential"
    )
    return (*gradients, *(np.zeros(m.shape, jax.dtypes.float0) for m in mask))


_linear.defvjp(_linear_vjp_forward, _linear_vjp_backward)


def linear(a: Any, b: Any, h0: Any, mask: Any, reverse: bool) -> tuple[Any, Any]:
    """`recurrence.forward` and its gradient on arrays."""
    arrays = [a, b, h0] if mask is None else [a, b, h0, jnp.asarray(mask, bool)]
    return sharded(partial(_linear, reverse), [True] * len(arrays), b.shape[0])(*arrays)


def associative(a: Any, b: Any, h0: Any, mask: Any, reverse: bool) -> tuple[Any, Any]:
    """`plain.associative` with a hand-written gradient."""
    return plain.associative(a, b, h0, mask, reverse, scanned.linear)


def _grouped(flat: Sequence, size: int) -> list[list]:
    return [list(flat[i : i + size]) for i in range(0, len(flat), size)]
