"""Dropout of the weights by which a cell multiplies its state."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops


@contextlib.contextmanager
def dropped_weights(layers: Sequence[Any], cells: Sequence[Any], rate: float, seed: Any) -> Iterator[None]:
    """Within it, each weight of the cells' `recurrent_kernel` is 0 with probability `rate`.

    The others are 1 / (1 - rate) times as large.

    Source: Merity, Keskar and Socher, "Regularizing and Optimizing LSTM Language Models" (2017), section 2, which
    applies DropConnect (Wan et al. 2013) to recurrent matrices. One draw holds for all steps and rows of a batch, so
    that compiled kernels and cuDNN see an ordinary matrix: dropout inside the loop would shut them out.

    Args:
        layers: The layers that run within; none of other layers' variables may be read.
        cells: Built cells whose recurrent matrices are dropped.
        rate: Fraction of the weights; 0 leaves everything as it is.
        seed: A `keras.random.SeedGenerator`; may be None if the rate is 0.
    """
    if not rate:
        yield
        return
    matrices = {id(cell.recurrent_kernel) for cell in cells}
    values = [(variable, ops.convert_to_tensor(variable)) for layer in layers for variable in layer.variables]
    # An inner scope of Keras hides an outer one, as a step of JAX has it: so all variables are passed on.
    passed = [
        (variable, keras.random.dropout(value, rate, seed=seed) if id(variable) in matrices else value)
        for variable, value in values
    ]
    with keras.StatelessScope(state_mapping=passed):
        yield
