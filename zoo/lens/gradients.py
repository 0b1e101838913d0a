"""How far a loss reaches back in time: exact gradients and Jacobians through an explicit loop over a cell.

Reference:
    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013), equations 3 to 5: the
    gradient at time t is that at time T times a product of T - t Jacobians, which shrinks where their largest singular
    value stays below 1, and may grow where it is above.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from zoo.cells.cell import output_size
from zoo.lens.autodiff import gradient, jacobians
from zoo.lens.nets import Net

CLASSES = 10
"""Labels of the loss at time T."""


def readout(net: Net, seed: int) -> Callable[[Any], Any]:
    """A loss of the last state: the cross-entropy of a random linear readout of the output and random labels, summed.

    Every cell of one size gets the same readout, so that curves differ only by what lies between T and t.
    """
    units = output_size(net.cell)
    rng = np.random.default_rng([seed, 7])
    weights = rng.normal(0, 1 / np.sqrt(units), (units, CLASSES)).astype("float32")
    labels = rng.integers(0, CLASSES, len(net.inputs))

    def loss(state: Any) -> Any:
        logits = ops.matmul(state[:, :units], weights)
        log_probabilities = ops.log_softmax(logits, axis=-1)
        return -ops.sum(log_probabilities * np.eye(CLASSES, dtype="float32")[labels])

    return loss


def loss_gradients(net: Net, loss: Callable[[Any], Any]) -> np.ndarray:
    """d(loss at time T) / d(state at time t), by backpropagation through all steps.

    A zero is added to the state after every step: the gradient with respect to that zero is the one we want. The
    state is everything that a cell carries; for an LSTM, h and c side by side.

    Returns:
        `(time, batch, states * units)`, the last one at T itself.
    """
    steps = net.inputs.shape[1]

    def forward(added: Any) -> Any:
        state = ops.convert_to_tensor(net.start())
        for time in range(steps):
            state = net.step(state, ops.convert_to_tensor(net.inputs[:, time])) + added[time]
        return loss(state)

    return gradient(forward, np.zeros((steps, *net.start().shape), "float32"))


def norms(gradients: np.ndarray) -> np.ndarray:
    """Mean over sequences of the gradients' norms, by distance T - t: `(time,)`, the first at distance 0."""
    return np.linalg.norm(gradients.astype("float64"), axis=-1).mean(axis=1)[::-1]


def largest_singular_values(net: Net) -> np.ndarray:
    """Of d(state at t) / d(state at t - 1), mean over sequences, by time: `(time,)`."""
    steps, batch = net.inputs.shape[1], len(net.inputs)
    before = net.states()[:-1].reshape(steps * batch, -1)  # all steps at once, one row for each
    inputs = ops.convert_to_tensor(net.inputs.swapaxes(0, 1).reshape(steps * batch, -1))
    matrices = jacobians(lambda state: net.step(state, inputs), before)
    return np.linalg.svd(matrices, compute_uv=False)[:, 0].reshape(steps, batch).mean(axis=1)


def table_rows(count: int, also: Sequence[int] = ()) -> list[int]:
    """A few of the numbers from 0 to count - 1 for a table: 0, 1, 2, 5, 10, 20, 50 and so on, and the last."""
    steps = [digit * 10**power for power in range(6) for digit in (1, 2, 5)]
    return sorted({0, count - 1, *(step for step in (*steps, *also) if step < count)})
