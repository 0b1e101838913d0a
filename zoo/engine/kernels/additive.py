"""Additive attention of one query over one memory (Bahdanau, Cho and Bengio 2015, section A.1.2).

Forward, for a projected query q, keys k_j and values v_j:

    s_j = w' tanh(q + k_j)    p = softmax(s)    c = sum_j p_j v_j

Gradient; D x is the derivative of the loss by x:

    Dp_j = Dc' v_j    Ds_j = p_j (Dp_j - sum_i p_i Dp_i)
    Dk_j = Ds_j w * (1 - tanh(q + k_j)^2)    Dq = sum_j Dk_j    Dw = sum_j Ds_j tanh(q + k_j)    Dv_j = p_j Dc

The tanh is computed once more for the gradient: kept, it would take `(batch, time, memory's time, size)` numbers.
"""

import math

import numpy as np

from zoo.engine.kernels.activations import tanh
from zoo.engine.kernels.compiling import part


@part
def _score(query, key, vector):
    total = query.dtype.type(0)
    for d in range(vector.size):
        total += vector[d] * tanh(query[d] + key[d])
    return total


@part
def _dot(a, b):
    total = a.dtype.type(0)
    for d in range(a.size):
        total += a[d] * b[d]
    return total


@part
def _add_scaled(factor, source, out):
    for d in range(source.size):
        out[d] += factor * source[d]


@part
def attend(query, keys, values, real, vector, weights, context):
    """Reads one memory.

    Args:
        query: Projected, `(size,)`.
        keys, values: `(time, size)` and `(time, features)`.
        real: `(time,)`, which positions there are; with none, all get equal weights.
        vector: w, `(size,)`.
        weights, context: Written: `(time,)` and `(features,)`.
    """
    top = -np.inf
    for j in range(real.size):
        if real[j]:
            weights[j] = _score(query, keys[j], vector)
            top = max(top, weights[j])
    total = 0.0
    for j in range(real.size):
        weights[j] = math.exp(weights[j] - top) if real[j] else 0
        total += weights[j]
    if top == -np.inf and total == 0:
        weights[:] = 1
        total = real.size
    context[:] = 0
    for j in range(real.size):
        weights[j] /= total
        if weights[j] != 0:
            _add_scaled(weights[j], values[j], context)


@part
def _back_key(slope, query, key, vector, dquery, dkey, dvector):
    one = query.dtype.type(1)
    for d in range(vector.size):
        t = tanh(query[d] + key[d])
        dvector[d] += slope * t
        value = slope * vector[d] * (one - t * t)
        dquery[d] += value
        dkey[d] += value


@part
def attend_back(query, keys, values, real, vector, weights, dcontext, dquery, dkeys, dvector, slopes):
    """The gradient of `attend` but that by the values.

    Args:
        weights: As `attend` wrote them.
        dcontext: Derivative of the loss by the context.
        dquery, dkeys, dvector: Added to.
        slopes: Room for `(time,)` numbers.
    """
    mean = query.dtype.type(0)
    for j in range(real.size):
        if weights[j] != 0:
            slopes[j] = _dot(dcontext, values[j])
            mean += weights[j] * slopes[j]
    for j in range(real.size):
        if real[j] and weights[j] != 0:
            _back_key(weights[j] * (slopes[j] - mean), query, keys[j], vector, dquery, dkeys[j], dvector)
