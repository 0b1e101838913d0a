"""Gradients and Jacobians through time: against numerical differences and against numpy."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells
from zoo.lens import autodiff, gradients, nets


@pytest.mark.parametrize("name", cells.TABLE)
def test_gradients_are_those_of_numerical_differences(name):
    """The state after each step is moved a little, up and down, and the net runs on from there."""
    net = nets.untrained(name, 3, 5, 2, seed=1)
    loss = gradients.readout(net, seed=1)
    found = gradients.loss_gradients(net, loss)
    states = net.states()
    assert found.shape == states[1:].shape

    def onward(state, time):
        for later in range(time + 1, 5):
            state = net.step(ops.convert_to_tensor(state), ops.convert_to_tensor(net.inputs[:, later]))
        return float(ops.convert_to_numpy(loss(ops.convert_to_tensor(state))))

    small = 1e-2
    for time in (0, 2, 4):
        for row, unit in ((0, 0), (1, 2), (1, states.shape[-1] - 1)):
            moved = np.zeros_like(states[0])
            moved[row, unit] = small
            slope = (onward(states[time + 1] + moved, time) - onward(states[time + 1] - moved, time)) / (2 * small)
            assert found[time, row, unit] == pytest.approx(slope, abs=2e-3)


def test_large_recurrent_weights_explode_in_the_vanilla_cell_alone():
    plain, strong = (nets.untrained("simple_rnn", 4, 3, 2, seed=1, gain=gain) for gain in (1, 3))
    np.testing.assert_allclose(strong.cell.recurrent_kernel, 3 * np.asarray(plain.cell.recurrent_kernel), rtol=1e-6)
    np.testing.assert_array_equal(strong.inputs, plain.inputs)
    left = {}
    for name in ("simple_rnn", "gru"):
        net = nets.untrained(name, 32, 50, 4, seed=1, gain=3)
        norms = gradients.norms(gradients.loss_gradients(net, gradients.readout(net, 1)))
        left[name] = norms[-1] / norms[0]
    assert left["simple_rnn"] > 100
    assert left["gru"] < 1


def test_norms_begin_at_the_loss():
    values = np.zeros((3, 2, 2))
    values[2] = [[3, 4], [3, 4]]
    values[0] = [[1, 0], [0, 0]]
    assert gradients.norms(values).tolist() == [5, 0, 0.5]


def test_every_cell_of_one_size_has_the_same_readout_and_inputs():
    one, other = (nets.untrained(name, 4, 6, 2, seed=3) for name in ("lstm", "gru"))
    np.testing.assert_array_equal(one.inputs, other.inputs)
    state = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    wide = np.concatenate([state, np.ones_like(state)], axis=1)
    a, b = gradients.readout(one, 3)(wide), gradients.readout(other, 3)(state)
    assert float(ops.convert_to_numpy(a)) == pytest.approx(float(ops.convert_to_numpy(b)))


def test_jacobian_of_the_vanilla_cell_is_the_equation():
    """d h_t / d h_{t-1} = diag(1 - h_t^2) W, rows being outputs."""
    net = nets.untrained("simple_rnn", 4, 6, 2, seed=2)
    net.cell.recurrent_kernel.assign(1.3 * ops.convert_to_numpy(net.cell.recurrent_kernel))
    states = net.states()
    kernel = ops.convert_to_numpy(net.cell.recurrent_kernel)
    expected = [
        [np.linalg.svd((1 - h**2)[:, None] * kernel.T, compute_uv=False)[0] for h in states[time + 1]]
        for time in range(6)
    ]
    np.testing.assert_allclose(gradients.largest_singular_values(net), np.mean(expected, axis=1), rtol=1e-4)


def test_jacobians_of_rows():
    matrix = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    points = np.random.default_rng(1).normal(size=(5, 3)).astype("float32")
    found = autodiff.jacobians(lambda rows: ops.tanh(ops.matmul(rows, matrix)), points)
    expected = (1 - np.tanh(points @ matrix) ** 2)[:, :, None] * matrix.T[None]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in cells.TABLE if cells.find(name).output_is_state])
def test_a_net_steps_as_keras_does(name):
    net = nets.untrained(name, 3, 4, 2, seed=1)
    by_layer = keras.layers.RNN(net.cell, return_sequences=True)(net.inputs)
    np.testing.assert_allclose(net.states()[1:, :, :3], ops.convert_to_numpy(by_layer).swapaxes(0, 1), atol=1e-6)


def test_a_table_has_few_rows():
    assert gradients.table_rows(100) == [0, 1, 2, 5, 10, 20, 50, 99]
    assert gradients.table_rows(2) == [0, 1]
