"""Linear recurrent unit: complex channels that decay and rotate at fixed rates.

Source: Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu and De, "Resurrecting Recurrent Neural Networks for Long
Sequences" (2023), sections 3.2 (ring), 3.3 (exponential parametrization) and 3.4 (normalization); code in appendix A.

    lambda = exp(-exp(nu_log) + i exp(theta_log))       one complex number per channel, of modulus below 1
    x_k    = lambda * x_{k-1} + exp(gamma_log) * (B u_k)
    y_k    = Re(C x_k) + D u_k                          output: h_t = gelu(y_t)

At first |lambda|^2 is spread evenly between r_min^2 and r_max^2, the phase between 0 and max_phase, and exp(gamma_log)
is sqrt(1 - |lambda|^2), so that the state has the size of the inputs however long a channel remembers.

Here: D is a matrix, as inputs may have another size than the output, and y has a bias. h_t is the gelu of y_t, which
the paper's blocks apply after this unit: without it the unit is linear, and so is a stack of units that stands in no
such block; `activation="linear"` gives y itself. r_min, r_max start closer to 1 than the paper's 0 and 1, as it
advises for long inputs. The state is stored as real parts, then imaginary parts.
"""

import math
from typing import Any

import keras
from keras import ops

from zoo.cells.linear_cell import LinearCell
from zoo.cells.precision import at_least_single
from zoo.errors import UserError
from zoo.names import look_up

ACTIVATIONS = {"gelu": ops.gelu, "linear": lambda y: y, "relu": ops.relu, "tanh": ops.tanh}
"""Name of an output activation -> function."""


@keras.saving.register_keras_serializable("zoo")
class LRUCell(LinearCell):
    """Linear recurrent unit; its state has `2 * channels` numbers.

    Args:
        units: Size of the output.
        channels: Complex numbers of the state; default `units`.
        r_min: Least modulus of lambda at first, from 0.
        r_max: Largest modulus of lambda at first, at most 1: about 1 / (1 - r_max) steps are remembered.
        max_phase: Largest phase of lambda at first, in radians.
        activation: Of the output: "gelu", "relu", "tanh" or "linear".
        **kwargs: See `Cell`.

    Raises:
        UserError: If there are no channels, the ring is empty, or there is no such activation.

    Reference:
        Orvieto et al. 2023, sections 3.2 to 3.4 and appendix A.
    """

    output_is_state = False

    def __init__(
        self,
        units: int,
        *,
        channels: int | None = None,
        r_min: float = 0.9,
        r_max: float = 0.999,
        max_phase: float = 2 * math.pi,
        activation: str = "gelu",
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.channels = units if channels is None else channels
        if self.channels < 1:
            raise UserError(f"An LRU needs at least one channel; got channels={channels}.")
        if not 0 <= r_min < r_max <= 1:
            raise UserError(f"The ring of lambda needs 0 <= r_min < r_max <= 1; got r_min={r_min}, r_max={r_max}.")
        if not 0 < max_phase <= 2 * math.pi:
            raise UserError(f"max_phase is an angle above 0, at most 2 pi = 6.283; got {max_phase}.")
        self.r_min, self.r_max, self.max_phase, self.activation = r_min, r_max, max_phase, activation
        self._activate = look_up(ACTIVATIONS, activation, "output activation")

    @property
    def state_size(self) -> int:
        return 2 * self.channels

    def build(self, input_shape: tuple) -> None:
        features, channels = input_shape[-1], self.channels
        normal = keras.initializers.RandomNormal
        self.kernel = self.add_kernel(  # B: real parts, imaginary parts
            (features, 2 * channels), initializer=normal(stddev=(2 * features) ** -0.5)
        )
        self.skip_kernel = self.add_kernel((features, self.units), "skip_kernel")  # D
        self.output_kernel = self.add_kernel(  # C: real parts, then negative imaginary parts
            (2 * channels, self.units), "output_kernel", initializer=normal(stddev=channels**-0.5)
        )
        self.bias = self.add_bias((self.units,))
        # Never rounded to half precision: a modulus of 0.999 would become 1.
        self.nu_log = self.add_recurrent_kernel((channels,), "nu_log", self._ring, autocast=False)
        self.theta_log = self.add_recurrent_kernel((channels,), "theta_log", self._phases, autocast=False)
        self.gamma_log = self.add_recurrent_kernel((channels,), "gamma_log", self._normalization, autocast=False)

    def _ring(self, shape: tuple, dtype: Any = None) -> Any:
        """nu_log of moduli whose squares are spread evenly: -exp(nu_log) = log |lambda|."""
        # Moduli of exactly 0 and 1 have no finite nu_log.
        least, largest = max(self.r_min**2, 1e-8), min(self.r_max**2, 1 - 1e-6)
        return ops.log(-0.5 * ops.log(keras.random.uniform(shape, least, largest, dtype=dtype)))

    def _phases(self, shape: tuple, dtype: Any = None) -> Any:
        return ops.log(keras.random.uniform(shape, 1e-6 * self.max_phase, self.max_phase, dtype=dtype))

    def _normalization(self, shape: tuple, dtype: Any = None) -> Any:
        """gamma_log = log sqrt(1 - |lambda|^2)."""
        return ops.cast(0.5 * ops.log(-ops.expm1(-2 * ops.exp(ops.convert_to_tensor(self.nu_log)))), dtype)

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        real, imaginary = ops.split(at_least_single(ops.matmul(inputs, self.kernel)), 2, axis=-1)
        nu, theta, gamma = (
            ops.exp(ops.cast(weight, real.dtype)) for weight in (self.nu_log, self.theta_log, self.gamma_log)
        )
        modulus = ops.exp(-nu)
        return _complex(modulus * ops.cos(theta), modulus * ops.sin(theta)), _complex(gamma * real, gamma * imaginary)

    def read(self, h: Any, inputs: Any) -> Any:
        parts = ops.cast(ops.concatenate([ops.real(h), ops.imag(h)], axis=-1), self.compute_dtype)
        y = ops.matmul(parts, self.output_kernel) + ops.matmul(inputs, self.skip_kernel)
        return self._activate(y if self.bias is None else y + self.bias)


def _complex(real: Any, imaginary: Any) -> Any:
    """Two real arrays as a complex one of the same precision."""
    dtype = "complex128" if keras.backend.standardize_dtype(real.dtype) == "float64" else "complex64"
    return ops.cast(real, dtype) + ops.cast(imaginary, dtype) * 1j
