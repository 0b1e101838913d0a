"""The sigmoid and the tanh as loops vectorize them.

float32: a quotient of polynomials, odd of degree 13 over even of degree 6, right to 3e-7; libm's functions are called
one number at a time. Clamps are conditional expressions in which NaN takes the branch that keeps it.

float64: libm's, for exactness.
"""

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from zoo.engine.kernels.compiling import OPTIONS

_JIT: Any = OPTIONS

_P = [np.float32(v) for v in (-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11,
                              5.12229709037114e-08, 1.48572235717979e-05, 6.37261928875436e-04,
                              4.89352455891786e-03)]  # fmt: skip
_Q = [np.float32(v) for v in (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)]
_P0, _P1, _P2, _P3, _P4, _P5, _P6 = _P
_Q0, _Q1, _Q2, _Q3 = _Q
_END = np.float32(7.90531110763549805)
_HALF = np.float32(0.5)


def tanh(x: Any) -> Any:
    """tanh(x) inside a kernel."""
    raise NotImplementedError


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) = tanh(x / 2) / 2 + 1 / 2 inside a kernel."""
    raise NotImplementedError


@overload(tanh, jit_options=_JIT)
def _tanh(x):
    if x == types.float32:

        def single(x):
            x = _END if x > _END else x
            x = -_END if x < -_END else x
            square = x * x
            p = square * _P0 + _P1
            p = square * p + _P2
            p = square * p + _P3
            p = square * p + _P4
            p = square * p + _P5
            p = square * p + _P6
            q = square * _Q0 + _Q1
            q = square * q + _Q2
            q = square * q + _Q3
            return x * p / q

        return single
    return lambda x: math.tanh(x)


@overload(sigmoid, jit_options=_JIT)
def _sigmoid(x):
    if x == types.float32:
        return lambda x: _HALF * tanh(_HALF * x) + _HALF
    return lambda x: 0.5 * math.tanh(0.5 * x) + 0.5
