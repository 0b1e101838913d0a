"""What is special about the nonlinear cells: heads, forms of gates, bounds, ranks, large numbers."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells, layers, testing
from zoo.errors import UserError
from zoo.lens.numpy_steps import classic, gated
from zoo.lens.numpy_steps.step import sigmoid

FEATURES = np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")


def noise(*shape, seed=0):
    return np.random.default_rng(seed + sum(shape)).normal(0, 0.5, shape).astype("float32")


def one_step(cell, x, states):
    """The new states of a cell with random weights, by the cell and its weights by name."""
    cell.build((None, x.shape[-1]))
    cell.set_weights([noise(*weight.shape, seed=i) for i, weight in enumerate(cell.weights)])
    weights = {weight.name: ops.convert_to_numpy(weight) for weight in cell.weights}
    _, new = cell(ops.convert_to_tensor(x), [ops.convert_to_tensor(state) for state in states])
    return [ops.convert_to_numpy(state) for state in new], weights


@pytest.mark.parametrize(("heads", "forget_gate"), [(1, "exp"), (2, "sigmoid"), (3, "exp")])
def test_slstm_in_heads_and_with_both_forget_gates(heads, forget_gate):
    cell = cells.SLSTMCell(6, num_heads=heads, forget_gate=forget_gate)
    x, states = (
        noise(3, 5),
        [noise(3, 6, seed=1), noise(3, 6, seed=2), np.abs(noise(3, 6, seed=3)), noise(3, 6, seed=4)],
    )
    new, weights = one_step(cell, x, states)
    _, expected_states = gated.slstm(weights, x, states, {"forget_gate": forget_gate})
    for ours, expected in zip(new, expected_states, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_slstm_survives_gates_whose_exponentials_do_not_fit_any_number(policy):
    layer = layers.Recurrent(cells.SLSTMCell(4, forget_gate="exp", dtype=policy), dtype=policy)
    for scale in (1, 1000, -1000):
        outputs = ops.convert_to_numpy(ops.cast(layer(scale * FEATURES), "float32"))
        assert np.isfinite(outputs).all()
        assert np.abs(outputs).max() <= 1.001


def test_slstm_takes_a_first_state_that_no_step_could_have_left():
    states = [noise(3, 4, seed=i) for i in range(4)]
    states[2] = -np.abs(states[2])  # a bridge may give a negative normalizer
    (output, *_), _ = one_step(cells.SLSTMCell(4), noise(3, 5), states)
    assert np.isfinite(output).all()
    assert np.abs(output).max() < 10


@pytest.mark.parametrize(("rounds", "rank"), [(0, None), (1, None), (2, 3), (5, 2)])
def test_mogrifier_with_other_rounds_and_ranks(rounds, rank):
    cell = cells.MogrifierLSTMCell(4, rounds=rounds, rank=rank)
    x, (h, c) = noise(3, 5), [noise(3, 4, seed=1), noise(3, 4, seed=2)]
    new, w = one_step(cell, x, [h, c])
    for number in range(1, rounds + 1):
        letter = "q" if number % 2 else "r"
        matrix = w[f"{letter}_kernel_{number}"] if rank is None else (
            w[f"{letter}_left_kernel_{number}"] @ w[f"{letter}_right_kernel_{number}"]
        )  # fmt: skip
        if number % 2:
            x = 2 * sigmoid(h @ matrix) * x
        else:
            h = 2 * sigmoid(x @ matrix) * h
    for ours, expected in zip(new, classic.lstm(w, x, [h, c], {})[1], strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize(("max_length", "bound"), [(None, 1.0), (10, 2**0.1)])
def test_ind_rnn_keeps_its_bound_in_training(max_length, bound):
    cell = cells.IndRNNCell(4, max_length=max_length)
    model = keras.Sequential([keras.Input((6, 5)), keras.layers.RNN(cell), keras.layers.Dense(1)])
    start = ops.convert_to_numpy(cell.recurrent_kernel)
    assert start.min() >= 0
    assert start.max() <= bound
    model.compile(keras.optimizers.SGD(10.0), "mse")
    model.fit(FEATURES, np.full((2, 1), 100.0), verbose=0)
    assert np.abs(ops.convert_to_numpy(cell.recurrent_kernel)).max() <= np.float32(bound)


def test_a_constraint_of_the_user_replaces_the_bound_of_ind_rnn():
    cell = cells.IndRNNCell(4, recurrent_constraint="non_neg")
    cell.build((None, 5))
    assert type(cell.recurrent_kernel.constraint) is keras.constraints.NonNeg


def test_layer_norm_lstm_does_not_feel_the_scale_of_its_weights():
    cell = cells.LayerNormLSTMCell(4, norm_epsilon=1e-7)
    x, states = noise(3, 5), [noise(3, 4, seed=1), noise(3, 4, seed=2)]
    before, _ = one_step(cell, x, states)
    cell.kernel.assign(100 * cell.kernel)
    cell.recurrent_kernel.assign(50 * cell.recurrent_kernel)
    _, after = cell(ops.convert_to_tensor(x), [ops.convert_to_tensor(state) for state in states])
    np.testing.assert_allclose(ops.convert_to_numpy(after[0]), before[0], atol=1e-4)


@pytest.mark.parametrize("name", ["layer_norm_lstm", "peephole_lstm", "mogrifier_lstm", "slstm"])
def test_gates_say_how_the_state_changes(name):
    cell = cells.find(name)(4)
    x, states = noise(3, 5), [noise(3, 4, seed=1), noise(3, 4, seed=2), np.ones((3, 4), "float32"), noise(3, 4)]
    new, _ = one_step(cell, x, states[: cell.states])
    gates = {key: ops.convert_to_numpy(value) for key, value in cell.gate_values(x, states[: cell.states]).items()}
    assert gates.keys() == {"forget", "input", "output"}
    assert all((value >= 0).all() and (value <= 1).all() for value in gates.values())
    if name == "slstm":
        np.testing.assert_allclose(gates["forget"] + gates["input"], 1, atol=1e-6)
        return
    candidate = (new[1] - gates["forget"] * states[1]) / gates["input"]
    assert np.abs(candidate).max() <= 1.0001  # a tanh


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: cells.SLSTMCell(6, num_heads=4), "num_heads divides units=6.*got num_heads=4"),
        (lambda: cells.SLSTMCell(6, forget_gate="expp"), "did you mean 'exp'"),
        (lambda: cells.MogrifierLSTMCell(6, rounds=-1), "rounds is .*got -1"),
        (lambda: cells.MogrifierLSTMCell(6, rank=0), "rank is at least 1"),
        (lambda: cells.IndRNNCell(6, max_length=0), "max_length is a number of steps"),
        (lambda: cells.LayerNormLSTMCell(6, norm_epsilon=0), "norm_epsilon is a positive number"),
    ],
)
def test_values_that_a_cell_cannot_have_are_refused(make, text):
    with pytest.raises(UserError, match=text):
        make()


@pytest.mark.parametrize(
    "cell",
    [cells.SLSTMCell(6, num_heads=2, forget_gate="exp"), cells.MogrifierLSTMCell(4, rounds=2, rank=2),
     cells.IndRNNCell(4, max_length=20), cells.LayerNormLSTMCell(4, unit_forget_bias=False, norm_epsilon=0.1)],
)  # fmt: skip
def test_arguments_of_a_cell_survive_every_check(cell):
    testing.check_cell(cell)
