"""Recurrences on JAX with hand-written gradients: LSTM and GRU as one `lax.scan` each way, linear ones as scans.

For GPUs, and for small batches on a CPU. JAX's own gradient of a loop multiplies for the gradients of weights in every
step; here only the recurrent product is left in either loop. Inputs enter by one product before the loop, gradients of
weights leave by one product each after it, since

    DW = sum x_t' Da_t    DU = sum h_{t-1}' Ds_t

are products over all steps and rows at once. The equations are those of `kernels.lstm` and `kernels.gru`. Where a mask
is false, states stay and outputs are zero.

The gradient of a linear recurrence h_t = a_t h_{t-1} + b_t is one in the other direction, for Dh_t, the derivative by
h_t of all that reads it:

    Dh_t = Dy_t + a_{t+1} Dh_{t+1}    Da_t = Dh_t h_{t-1}    Db_t = Dh_t

JAX's own gradient goes back through every round of the scan, which takes three times as long on a GPU.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from zoo.engine import plain

KINDS = ("lstm", "gru")
"""The kinds of cells that `run` has."""

UNROLL = 4
"""Steps in one turn of a loop on a GPU: 9.4 ms instead of 11.6 (see `zoo.engine.jax.gpu_path`); 8 are no faster."""


class _Kept(NamedTuple):
    """What the gradient needs; time first."""

    x: Any
    mask: Any
    weights: tuple
    before: tuple
    gates: Any
    cells: Any


def run(kind: str, inputs: Any, mask: Any, weights: Any, initial: list, reverse: bool) -> tuple[Any, list]:
    """One direction.

    Args:
        kind: "lstm" or "gru".
        inputs: `(batch, time, features)`.
        mask: `(batch, time)`, True = real, or None.
        weights: Kernel, recurrent kernel and bias as Keras lays them out.
        initial: States before the first step, each `(batch, units)`.
        reverse: Whether to read from the last step to the first.

    Returns:
        Outputs `(batch, time, units)` and the final states.
    """
    mask = None if mask is None else jnp.asarray(mask, bool).T[:, :, None]  # (time, batch, 1)
    outputs, states = _loop(kind, reverse, jnp.swapaxes(inputs, 0, 1), mask, tuple(weights), tuple(initial))
    return jnp.swapaxes(outputs, 0, 1), list(states)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _loop(kind: str, reverse: bool, x: Any, mask: Any, weights: tuple, initial: tuple) -> tuple:
    return _forward(kind, reverse, x, mask, weights, initial)[0]


def _forward(kind: str, reverse: bool, x: Any, mask: Any, weights: tuple, initial: tuple) -> tuple:
    kernel, recurrent, bias = weights
    step = _lstm if kind == "lstm" else partial(_gru, bias=bias[1])
    products = x @ kernel + (bias if kind == "lstm" else bias[0])  # (time, batch, blocks * units)

    def body(states: tuple, now: tuple) -> tuple:
        product, real = now
        after, gates = step(product, states, recurrent)
        if real is not None:
            after = tuple(jnp.where(real, new, old) for new, old in zip(after, states, strict=True))
        return after, (after[0], gates, *after[1:])

    found: Any = lax.scan(body, initial, (products, mask), reverse=reverse, unroll=_unroll())
    last, (hidden, gates, *cells) = found
    outputs = hidden if mask is None else jnp.where(mask, hidden, 0)
    before = tuple(_shifted(states, begin, reverse) for states, begin in zip((hidden, *cells), initial, strict=True))
    return (outputs, last), _Kept(x, mask, weights, before, gates, cells[0] if cells else None)


def _unroll() -> int:
    return 1 if jax.default_backend() == "cpu" else UNROLL


def _shifted(states: Any, begin: Any, reverse: bool, axis: int = 0) -> Any:
    """The states before each step; `axis` is that of the steps."""
    begin = jnp.expand_dims(begin, axis)
    if reverse:
        return jnp.concatenate([lax.slice_in_dim(states, 1, None, axis=axis), begin], axis)
    return jnp.concatenate([begin, lax.slice_in_dim(states, 0, -1, axis=axis)], axis)


def _lstm(product: Any, states: tuple, recurrent: Any) -> tuple:
    h, c = states
    i, f, g, o = jnp.split(product + h @ recurrent, 4, axis=1)
    i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
    c = f * c + i * g
    return (o * jnp.tanh(c), c), jnp.concatenate([i, f, g, o], axis=1)


def _gru(product: Any, states: tuple, recurrent: Any, bias: Any) -> tuple:
    (h,) = states
    az, ar, an = jnp.split(product, 3, axis=1)
    sz, sr, s = jnp.split(h @ recurrent + bias, 3, axis=1)
    z, r = jax.nn.sigmoid(az + sz), jax.nn.sigmoid(ar + sr)
    n = jnp.tanh(an + r * s)
    return (z * h + (1 - z) * n,), jnp.concatenate([z, r, n, s], axis=1)


def _backward(kind: str, reverse: bool, kept: _Kept, derivatives: tuple) -> tuple:
    doutputs, dlast = derivatives
    kernel, recurrent, _ = kept.weights
    back = _lstm_back if kind == "lstm" else _gru_back

    def body(dstates: tuple, now: tuple) -> tuple:
        dy, real, gates, before, cell = now
        dh = dstates[0] + (dy if real is None else jnp.where(real, dy, 0))
        da, ds, rest = back(gates, before, cell, dh, *dstates[1:])
        if real is not None:
            da, ds = jnp.where(real, da, 0), None if ds is None else jnp.where(real, ds, 0)
            rest = [jnp.where(real, new, old) for new, old in zip(rest, (0, *dstates[1:]), strict=True)]
        through = lax.dot_general(da if ds is None else ds, recurrent, (((1,), (1,)), ((), ())))
        before_h = rest[0] + through
        if real is not None:
            before_h = jnp.where(real, before_h, dstates[0])
        return (before_h, *rest[1:]), (da, ds)

    now = (doutputs, kept.mask, kept.gates, kept.before, kept.cells)
    found: Any = lax.scan(body, tuple(dlast), now, reverse=not reverse, unroll=_unroll())
    dinitial, (da, ds) = found
    ds = da if ds is None else ds
    dbias = da.sum((0, 1)) if kind == "lstm" else jnp.stack([da.sum((0, 1)), ds.sum((0, 1))])
    dweights = (_product(kept.x, da), _product(kept.before[0], ds), dbias)
    dmask = None if kept.mask is None else np.zeros(kept.mask.shape, jax.dtypes.float0)
    return da @ kernel.T, dmask, dweights, dinitial


def _product(left: Any, right: Any) -> Any:
    """The sum over steps and rows of left' right."""
    return left.reshape(-1, left.shape[-1]).T @ right.reshape(-1, right.shape[-1])


def _lstm_back(gates: Any, before: tuple, cell: Any, dh: Any, dc: Any) -> tuple:
    """Da, None since Ds = Da, and the derivatives by h and c before, that by h without its product."""
    i, f, g, o = jnp.split(gates, 4, axis=1)
    t = jnp.tanh(cell)
    dc = dc + dh * o * (1 - t * t)
    da = [dc * g * i * (1 - i), dc * before[1] * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)]
    return jnp.concatenate(da, axis=1), None, [jnp.zeros_like(dh), dc * f]


def _gru_back(gates: Any, before: tuple, cell: Any, dh: Any) -> tuple:
    z, r, n, s = jnp.split(gates, 4, axis=1)
    dn = dh * (1 - z) * (1 - n * n)
    dz, dr = dh * (before[0] - n) * z * (1 - z), dn * s * r * (1 - r)
    return jnp.concatenate([dz, dr, dn], axis=1), jnp.concatenate([dz, dr, dn * r], axis=1), [dh * z]


_loop.defvjp(_forward, _backward)


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def linear(a: Any, b: Any, h0: Any, reverse: bool) -> Any:
    """All h_t of a linear recurrence, as `plain.all_states` has them."""
    return plain.all_states(a, b, h0, reverse)


def _linear_forward(a: Any, b: Any, h0: Any, reverse: bool) -> tuple:
    h = plain.all_states(a, b, h0, reverse)
    return h, (a, h0, h)


def _linear_backward(reverse: bool, kept: tuple, dy: Any) -> tuple:
    a, h0, h = kept
    zeros = jnp.zeros_like(h0)
    after = _shifted(a, zeros, not reverse, axis=1)  # a_{t+1}, nothing at the end
    before = _shifted(h, h0, reverse, axis=1)  # h_{t-1}
    dh = plain.all_states(after, dy, zeros, not reverse)
    first = -1 if reverse else 0
    return dh * before, dh, a[:, first] * dh[:, first]


linear.defvjp(_linear_forward, _linear_backward)
